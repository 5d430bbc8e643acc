"""Lays a table out in the columns there are, or as a list of its cells where there are too few; parses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.inline import wrapped
from reflectty.drawing.paint import PLAIN, Row, plain
from reflectty.drawing.wrap import cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.drawing.paint import Palette

Cell = Row
_GAP = 3
_NARROW = 6
"""A column narrower than this is not worth reading."""


def table(rows: Sequence[Sequence[Cell]], aligns: Sequence[str], width: int, palette: Palette) -> list[Row]:
    """Return the rows of a table whose first row is its head; `aligns` are `left`, `right` or `center`."""
    wanted = [max(1, *(cells(plain(row[at])) for row in rows)) for at in range(len(aligns))]
    widths = _shares(wanted, width - _GAP * (len(wanted) - 1))
    if not widths:
        return _listed(rows, width, palette)
    head, *body = [_laid_out(row, widths, aligns) for row in rows]
    return [*head, _rule(widths, palette), *(line for row in body for line in row)]


def _shares(wanted: list[int], room: int) -> list[int]:
    """Return column widths that fill at most `room`: the widest give way first; nothing if one got too narrow."""
    if sum(wanted) <= room:
        return wanted
    widths = [min(want, _NARROW) for want in wanted]
    left = room - sum(widths)
    if left < 0:
        return []
    for at in sorted(range(len(wanted)), key=lambda at: wanted[at]):
        growing = sum(1 for want, has in zip(wanted, widths, strict=True) if want > has)
        more = min(wanted[at] - widths[at], left // max(1, growing))
        widths[at] += more
        left -= more
    return widths


def _laid_out(row: Sequence[Cell], widths: list[int], aligns: Sequence[str]) -> list[Row]:
    columns = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    return [
        _joined([column[at] if at < len(column) else [] for column in columns], widths, aligns)
        for at in range(max(map(len, columns)))
    ]


def _joined(pieces: Sequence[Row], widths: list[int], aligns: Sequence[str]) -> Row:
    line: Row = []
    for at, (piece, width) in enumerate(zip(pieces, widths, strict=True)):
        free = width - cells(plain(piece))
        before = free if aligns[at] == "right" else free // 2 if aligns[at] == "center" else 0
        after = free - before if at < len(widths) - 1 else 0
        line += [*([(" " * _GAP, PLAIN)] if at else []), (" " * before, PLAIN), *piece, (" " * after, PLAIN)]
    while line and not line[-1][0].strip():
        line.pop()
    return line


def _rule(widths: list[int], palette: Palette) -> Row:
    return [((" " * _GAP).join(palette.glyphs.rule * width for width in widths), palette.styles["faint"])]


def _listed(rows: Sequence[Sequence[Cell]], width: int, palette: Palette) -> list[Row]:
    head, *body = rows
    dim = palette.styles["dim"]
    lines: list[Row] = []
    for at, row in enumerate(body or [head]):
        lines += [[]] if at else []
        for name, cell in zip(head, row, strict=True):
            lines += wrapped([(f"{plain(name)}: ", dim), *cell] if body else cell, width)
    return lines
