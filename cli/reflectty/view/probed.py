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


def with_probe_rows(
    rows: Sequence[Row], beginnings: Sequence[str], probed: Sequence[ProbedCorrection], palette: Palette
) -> list[Row]:
    """The rows of a thinking with a row below each correction that was probed.

    Args:
        rows: the rows of the thinking.
        beginnings: how each of its corrections begins.
        probed: what was found, by their numbers.
        palette: the styles and glyphs.
    """
    found, at = list(rows), 0
    for one in sorted(probed):
        text = beginnings[one.correction - 1] if 0 < one.correction <= len(beginnings) else ""
        row = next((place for place in range(at, len(found)) if begins_in(found[place], text, palette)), None)
        if row is not None:
            at = _end_of(found, row, palette)
            found.insert(at, _row_of(one, found[at - 1], palette))
    return found


def begins_in(row: Row, beginning: str, palette: Palette) -> bool:
    """Whether a correction begins in a row: the row has a sign for one, and its words are there, cut at the end."""
    glyphs = palette.glyphs
    signs = (glyphs.correction, glyphs.second_correction, glyphs.check, glyphs.alternative)
    if len(row) < len(("gutter", "text")) or row[0][0] not in signs or not beginning:
        return False
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
