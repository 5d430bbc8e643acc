"""The rows below corrections that were probed, which tell what each was worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.core.segments import Kind
from reflectty.view.rows import uncopied
from reflectty.view.summary import probed_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reflectty.core.session import ProbedCorrection
    from reflectty.view.rows import Palette, Row
    from reflectty.view.sections import BlockText

_COMPARED: Final = 24
"""Characters by which a correction is found in its row."""
_FEWEST: Final = 3
_BEGINNING: Final = 80


def beginnings_of(blocks: Iterable[BlockText]) -> Iterator[str]:
    """Yield how each correction and second thought of the thinking begins, in the order of their numbers."""
    for block in blocks:
        text = "".join(block.pieces)
        if block.kind is Kind.REFLECTION and text.strip():
            yield " ".join(text.split())[:_BEGINNING]
        for mark in block.marks:
            yield " ".join(text[mark.at : mark.at + 2 * _BEGINNING].split())[:_BEGINNING]


def places_of(rows: Sequence[Row], beginnings: Iterable[str], palette: Palette) -> dict[int, int]:
    """The row in which each correction begins, by its number from 1; those that no row shows are left out.

    Args:
        rows: the rows of the thinking.
        beginnings: how each of its corrections begins.
        palette: the styles and glyphs.
    """
    places: dict[int, int] = {}
    signed = [at for at, row in enumerate(rows) if _has_sign(row, palette)]
    first = 0
    for number, text in enumerate(beginnings, 1):
        found = next((at for at in range(first, len(signed)) if _begins_in(rows[signed[at]], text)), None)
        if found is not None:
            places[number] = signed[found]
            # A tagged correction has its row for itself; several second thoughts may begin in one.
            first = found + (rows[signed[found]][0][0] == palette.glyphs.correction)
    return places


def with_probe_rows(
    rows: Sequence[Row], beginnings: Iterable[str], probed: Sequence[ProbedCorrection], palette: Palette
) -> list[Row]:
    """The rows of a thinking with a row below each correction that was probed.

    Args:
        rows: the rows of the thinking.
        beginnings: how each of its corrections begins.
        probed: what was found, by their numbers.
        palette: the styles and glyphs.
    """
    found, places = list(rows), places_of(rows, beginnings, palette)
    for one in sorted(probed, reverse=True):
        if one.correction in places:
            end = _end_of(rows, places[one.correction], palette)
            found.insert(end, _row_of(one, rows[end - 1], palette))
    return found


def _has_sign(row: Row, palette: Palette) -> bool:
    glyphs = palette.glyphs
    signs = (glyphs.correction, glyphs.second_correction, glyphs.check, glyphs.alternative)
    return len(row) >= len(("gutter", "text")) and row[0][0] in signs


def _begins_in(row: Row, beginning: str) -> bool:
    """Whether a text begins in a row: its first words stand there, as far as the row goes."""
    words = " ".join(row[1][0].split())
    starts = [0, *(at + 1 for at, char in enumerate(words) if char == " ")]
    tails = (words[start : start + _COMPARED] for start in starts)
    return any(len(tail) >= min(_FEWEST, len(beginning)) and beginning.startswith(tail) for tail in tails)


def _end_of(rows: Sequence[Row], row: int, palette: Palette) -> int:
    """The row after a correction: a tagged one goes on as far as its bar, another ends with its row."""
    end = row + 1
    bar = (palette.glyphs.bar, palette.styles["correction"])
    if rows[row][0][0] == palette.glyphs.correction:
        while end < len(rows) and rows[end][0] == bar:
            end += 1
    return end


def _row_of(one: ProbedCorrection, above: Row, palette: Palette) -> Row:
    style = palette.words("correction") if one.changed else palette.styles["dim"]
    return uncopied([(palette.glyphs.bar, above[0][1]), (f" {palette.glyphs.advice} {probed_label(one)}", style)])
