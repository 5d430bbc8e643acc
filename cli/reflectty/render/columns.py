"""Values in columns, as rows; on a terminal below a head, and no wider than it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.drawing.wrap import cells, chop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.drawing.paint import Row
    from reflectty.render.page import Page

_GAP = 2
LAST = -1
"""The rank of the column that is never left out, but cut where it does not fit."""


class Column(NamedTuple):
    """One column: its name for the head, the role whose colour it has, its texts."""

    name: str
    role: str
    rank: int
    """The column with the highest rank is left out first."""
    texts: tuple[str, ...]
    right: bool = False

    @property
    def width(self) -> int:
        return max(cells(text) for text in (self.name, *self.texts))


def rows(columns: Sequence[Column], page: Page, least: int) -> list[Row]:
    """Return the rows; `least` is how wide the column that is cut must stay before another one is left out."""
    chosen = _cut(_fitting(columns, page, least), page)
    found = [_row(chosen, at, page) for at in range(len(columns[0].texts))]
    return [_head(chosen, page), *found] if page.cuts else found


def _fitting(columns: Sequence[Column], page: Page, least: int) -> Sequence[Column]:
    """Return the columns that leave room for the one that is cut; what reads a pipe gets them all."""
    while page.cuts and _wide(columns, least) > page.width:
        last = max(columns, key=lambda column: column.rank)
        if last.rank <= 0:
            break
        columns = [column for column in columns if column is not last]
    return columns


def _wide(columns: Sequence[Column], least: int) -> int:
    widths = [min(column.width, least) if column.rank == LAST else column.width for column in columns]
    return sum(widths) + _GAP * (len(widths) - 1)


def _cut(columns: Sequence[Column], page: Page) -> Sequence[Column]:
    """Return the columns with one of them cut to the room that the others leave."""
    if not page.cuts:
        return columns
    room = max(1, page.width - sum(column.width + _GAP for column in columns if column.rank != LAST))
    return [_narrowed(column, room, page) if column.rank == LAST else column for column in columns]


def _narrowed(column: Column, room: int, page: Page) -> Column:
    return column._replace(name=column.name[:room], texts=tuple(_shortened(text, room, page) for text in column.texts))


def _shortened(text: str, room: int, page: Page) -> str:
    if cells(text) <= room:
        return text
    more = page.palette.glyphs.more
    return text[: chop(text, max(1, room - cells(more)))] + (more if room > cells(more) else "")


def _head(columns: Sequence[Column], page: Page) -> Row:
    return [(_filled(column, column.name, columns), page.palette.styles["faint"]) for column in columns]


def _row(columns: Sequence[Column], at: int, page: Page) -> Row:
    styles = page.palette.styles
    return [(_filled(column, column.texts[at], columns), styles[column.role]) for column in columns]


def _filled(column: Column, text: str, columns: Sequence[Column]) -> str:
    space = " " * (column.width - cells(text))
    if column is columns[-1] and not column.right:
        return text
    return (space + text if column.right else text + space) + " " * (_GAP if column is not columns[-1] else 0)
