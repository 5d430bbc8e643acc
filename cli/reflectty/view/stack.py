"""Stacks parts vertically, lays out only those needed and keeps a scroll anchor when rows change.

Parts at the beginning are laid out once the user scrolls to them; lines are counted from the first laid-out part.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.view.reply_part import ReplyPart
from reflectty.view.rows import text_of_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reflectty.view.parts import Part, Scene
    from reflectty.view.rows import Row


_NO_LETTERS = re.compile(r"[\W_]+")
_SECTION_BELOW = 1 << 30
"""The section of the blank row below a part."""


class ScrollAnchor(NamedTuple):
    """A row relative to its section, so that folding above does not move it."""

    part: Part
    section: int
    row: int


def anchor_of(part: Part, row: int) -> ScrollAnchor:
    """The anchor of a row."""
    above: dict[int, int] = {}
    for number, rows in _spans_of(part):
        if row < rows:
            return ScrollAnchor(part, number, above.get(number, 0) + row)
        row -= rows
        above[number] = above.get(number, 0) + rows
    return ScrollAnchor(part, _SECTION_BELOW, row)


def row_of(anchor: ScrollAnchor) -> int:
    """The row now at the anchor, or the nearest one."""
    before = inside = 0
    for number, rows in _spans_of(anchor.part):
        before += rows if number < anchor.section else 0
        inside += rows if number == anchor.section else 0
    return before + min(anchor.row, max(0, inside - 1))


def letters_above(anchor: ScrollAnchor) -> int:
    """The letters and digits of the section before the anchor's row, which stay the same at another width."""
    return sum(_letters_in(anchor.part.row(at)) for at in list(_rows_of_section(anchor))[: anchor.row])


def anchor_after(anchor: ScrollAnchor, letters: int) -> ScrollAnchor:
    """The anchor of the row that has the letter after so many in the same section."""
    for number, at in enumerate(_rows_of_section(anchor)):
        letters -= _letters_in(anchor.part.row(at))
        if letters < 0:
            return anchor._replace(row=number)
    return anchor


def _rows_of_section(anchor: ScrollAnchor) -> Iterator[int]:
    """The rows of the part that the anchor's section has."""
    start = 0
    for number, rows in _spans_of(anchor.part):
        if number == anchor.section:
            yield from range(start, start + rows)
        start += rows


def _letters_in(row: Row) -> int:
    return len(_NO_LETTERS.sub("", text_of_row(row)))


def _spans_of(part: Part) -> Iterable[tuple[int, int]]:
    return part.spans if isinstance(part, ReplyPart) else ((0, part.height),)


MAX_LAID_OUT_AT_ONCE = 12
"""Maximum parts laid out at once when the user scrolls near the first laid-out one."""
GAP = 1
"""Blank rows between two parts."""
_NO_ROW: Row = []


class Stack:
    """All parts of a transcript."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.parts: list[Part] = []
        self.first = 0
        """The first part that is laid out."""
        self._tops: list[int] = []
        self._end = 0

    @property
    def height(self) -> int:
        """The number of lines of the laid-out parts."""
        return max(0, self._end - GAP)

    def index(self, part: Part) -> int:
        """The position of a part, searched from the end, which is asked for most.

        Raises:
            ValueError: the part is not in the stack.
        """
        for at in range(len(self.parts) - 1, -1, -1):
            if self.parts[at] is part:
                return at
        raise ValueError(part)

    def insert(self, at: int, part: Part) -> None:
        self.parts.insert(at, part)
        if at < self.first:
            self.first += 1
        else:
            part.lay_out(self.scene)

    def drop(self, at: int) -> None:
        del self.parts[at]
        self.first = max(0, min(self.first - (at < self.first), len(self.parts) - 1))

    def lay_out(self, first: int, end: int) -> None:
        for part in self.parts[first:end]:
            part.lay_out(self.scene)

    def lay_out_before(self, end: int) -> int:
        """Lay out the parts before `end`, enough for two screens, and return the first of them."""
        rows, first = 0, end
        while first and end - first < MAX_LAID_OUT_AT_ONCE and rows < 2 * self.scene.height:
            first -= 1
            self.parts[first].lay_out(self.scene)
            rows += _height_with_gap(self.parts[first])
        return first

    def measure(self, start: int) -> None:
        """Compute the first line of each part from `start` on."""
        at = max(0, start - self.first)
        del self._tops[at:]
        top = self._tops[-1] + _height_with_gap(self.parts[start - 1]) if at else 0
        for part in self.parts[self.first + at :]:
            self._tops.append(top)
            top += _height_with_gap(part)
        self._end = top

    def begin_at(self, first: int) -> None:
        """Count lines from another part, which is laid out like all that follow."""
        self.first = first
        self.measure(first)

    def top_of(self, part: Part) -> int:
        """The first line of a part; -1 if it is not laid out."""
        at = self.index(part)
        return self.line_at(at) if self.first <= at < self.first + len(self._tops) else -1

    def line_at(self, at: int, row: int = 0) -> int:
        """The line of a row of the part at a position; the end if that is not known yet."""
        known = 0 <= at - self.first < len(self._tops)
        return self._tops[at - self.first] + row if known else self._end

    def part_at(self, line: int) -> tuple[Part, int] | None:
        """The part at a line and the row in it, which may be the gap below."""
        at = bisect_right(self._tops, line) - 1
        if at < 0 or line >= self._end:
            return None
        return self.parts[self.first + at], line - self._tops[at]

    def row(self, line: int) -> Row:
        found = self.part_at(line)
        return found[0].row(found[1]) if found and found[1] < found[0].height else _NO_ROW

    def anchor_at(self, line: int) -> ScrollAnchor | None:
        """The anchor of a line, to find it again after a change."""
        found = self.part_at(line)
        return anchor_of(*found) if found else None

    def line_of(self, anchor: ScrollAnchor) -> int:
        """The line of an anchor; the first line if its part is gone."""
        gone = not any(part is anchor.part for part in self.parts)
        top = -1 if gone else self.top_of(anchor.part)
        return top + row_of(anchor) if top >= 0 else 0


def _height_with_gap(part: Part) -> int:
    return part.height + GAP if part.height else 0
