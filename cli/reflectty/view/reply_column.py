"""Columns of replies that stand beside each other: the rows of one arm each, whole or the last that fit."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from reflectty.core.safety import clean_line
from reflectty.view.parts import NotePart
from reflectty.view.reply_part import ReplyPart
from reflectty.view.rows import BOLD, PLAIN, cell_width, cut_row, fitting_length, text_of_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.segments import Event
    from reflectty.core.session import Readings, StoredReply
    from reflectty.reasoning.reply import Reply
    from reflectty.view.parts import Part, Scene
    from reflectty.view.rows import Row

MIN_COLUMN_WIDTH: Final = 36
"""With fewer columns of the screen, replies are shown one after the other."""
COLUMN_GAP: Final = 2
_MAX_TITLE_LENGTH: Final = 120


def column_width(width: int, count: int) -> int:
    """The width of each of so many columns on a screen; at least 1."""
    return max(1, (width - COLUMN_GAP * (count - 1)) // max(1, count))


def fits_beside(width: int, count: int) -> bool:
    """Whether so many columns have room beside each other."""
    return column_width(width, count) >= MIN_COLUMN_WIDTH


class ReplyColumn:
    """The replies of one arm, one below the other, under its title.

    Args:
        title: the title.
        reads_thoughts: whether second thoughts are marked.
    """

    def __init__(self, title: str, *, reads_thoughts: bool = True) -> None:
        self.title = clean_line(title, _MAX_TITLE_LENGTH)
        self._reads_thoughts = reads_thoughts
        self._parts: list[Part] = []
        self._reply: ReplyPart | None = None
        """The last reply."""
        self._scene: Scene | None = None
        self._head: list[Row] = []
        """The title and a rule."""

    # Input

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Add a remark: why nothing comes yet, what follows, or what went wrong."""
        self._add(NotePart(text, wrong=wrong))

    def clear(self) -> None:
        """Remove everything."""
        self._parts, self._reply = [], None

    def begin(self, reply: Reply) -> None:
        """Start a reply when its request is sent."""
        self._reply = ReplyPart(reply.model, reads_thoughts=self._reads_thoughts)
        self._reply.begin(reply)
        self._add(self._reply)

    def tick(self, seconds: float) -> None:
        """Update the elapsed time."""
        if self._reply:
            self._reply.tick(seconds)

    def show(self, event: Event) -> None:
        """Add a piece of the last reply."""
        if self._reply:
            self._reply.show(event)

    def end(self, stored: StoredReply) -> None:
        """End the last reply and show how it ended."""
        if self._reply and not self._reply.state.is_over:
            self._reply.end(stored)

    def _add(self, part: Part) -> None:
        self._parts.append(part)
        if self._scene:
            part.lay_out(self._scene)

    # Output

    @property
    def readings(self) -> Readings | None:
        """How many second thoughts of the last reply are sure; None if they are not read."""
        return self._reply.readings if self._reply and self._reads_thoughts else None

    def lay_out(self, scene: Scene) -> None:
        """Lay out everything anew."""
        self._scene = scene
        title = self.title[: fitting_length(self.title, scene.width)] if self.title else ""
        rule = scene.palette.glyphs.rule * scene.width
        self._head = [[(title, scene.palette.styles["text"] + BOLD)], [(rule, scene.palette.styles["line"])]]
        for part in self._parts:
            part.lay_out(scene)

    def all_rows(self) -> list[Row]:
        """The head and everything under it."""
        return [*self._head, *self._rows_between(0, self._height)]

    def last_rows(self, height: int) -> list[Row]:
        """The head and the last rows that fit below it; the summary of the last reply stays in sight."""
        room, whole = height - len(self._head), self._height
        first = whole - room
        if first <= 0:
            return [*self._head, *self._rows_between(0, whole)]
        reply = self._reply
        if room > 1 and reply and reply.height and whole - reply.height < first:
            return [*self._head, *reply.rows_between(0, 1), *self._rows_between(first + 1, whole)]
        return [*self._head, *self._rows_between(first, whole)]

    @property
    def _height(self) -> int:
        """The rows under the head."""
        heights = [part.height for part in self._parts if part.height]
        return sum(heights) + max(0, len(heights) - 1)

    def _rows_between(self, start: int, stop: int) -> list[Row]:
        rows: list[Row] = []
        top = 0
        for part in self._parts:
            height = part.height
            if not height:
                continue
            if top:
                rows += [[]] if start <= top < stop else []
                top += 1
            if top + height > start:
                rows += part.rows_between(start - top, stop - top)
            top += height
        return rows


class JoinedRows:
    """Puts rows of several columns beside each other; cells that were in sight the last time are not measured again."""

    def __init__(self) -> None:
        self._filled: dict[int, tuple[Row, Row]] = {}
        """Each cell with its filled form, by its identity."""
        self._width = 0

    def join(self, columns: Sequence[Sequence[Row]], width: int) -> list[Row]:
        """The rows, each cell cut or filled to a width."""
        known, filled = self._filled if width == self._width else {}, {}
        rows = []
        for cells in zip_longest(*columns, fillvalue=_NO_CELL):
            row: Row = []
            for cell in cells:
                pair = known.get(id(cell))
                if pair is None or pair[0] is not cell:
                    pair = (cell, _fill(cell, width))
                filled[id(cell)] = pair
                row += pair[1]
            while row and row[-1][1] is PLAIN and row[-1][0].isspace():
                row.pop()
            rows.append(row)
        self._filled, self._width = filled, width
        return rows


_NO_CELL: Row = []


def _fill(cell: Row, width: int) -> Row:
    """A cell in this width, and the gap behind it."""
    size = cell_width(text_of_row(cell))
    if size > width:
        cell = cut_row(cell, width)
        size = cell_width(text_of_row(cell))
    return [*cell, (" " * (width - size + COLUMN_GAP), PLAIN)]
