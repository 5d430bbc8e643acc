"""A passage that a search found, made safe, cut to where it matched and broken into rows; searches nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reflectty.drawing.wrap import cells, chop, fold
from reflectty.safety import Sanitizer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style

    from reflectty.drawing.paint import Row


class Passage(NamedTuple):
    """A text, and from where to where it matched."""

    text: str
    marks: tuple[tuple[int, int], ...]

    def around(self, before: int, more: str) -> Passage:
        """Return the passage from at most that many characters before its first match on, from a word's start."""
        start = self.marks[0][0] - before if self.marks else 0
        if start <= 0:
            return self
        gap = self.text.find(" ", start, self.marks[0][0])
        start = gap + 1 if gap >= 0 else start
        marks = ((first - start + len(more), last - start + len(more)) for first, last in self.marks)
        return Passage(more + self.text[start:], tuple(marks))

    def rows(self, width: int, lead: int, limit: int) -> list[tuple[int, int]]:
        """Return where its first rows start and end; the first row has `lead` fewer columns."""
        first = fold(self.text, max(1, width - lead))[:1]
        if not first or limit == 1:
            return first
        start = first[0][1]
        start += len(self.text[start:]) - len(self.text[start:].lstrip())
        rest = fold(self.text[start:], width) if start < len(self.text) else []
        return [*first, *((start + begin, start + end) for begin, end in rest[: limit - 1])]

    def run(self, start: int, end: int, look: Style, marked: Style) -> Row:
        """Return a part of it as a row, what matched in a look of its own."""
        row: Row = []
        for mark in self.marks:
            first, last = max(start, mark[0]), min(end, mark[1])
            if first < last:
                row += (self.text[start:first], look), (self.text[first:last], marked)
                start = last
        return [*row, (self.text[start:end], look)]

    def fitting(self, width: int) -> int:
        """Return how many of its characters fit into that many columns."""
        return len(self.text) if cells(self.text) <= width else chop(self.text, max(1, width))


def passage(pieces: Iterable[tuple[str, bool]]) -> Passage:
    """Return the pieces of a found passage as one line, safe for a terminal."""
    sanitizer = Sanitizer()
    safe = [(sanitizer.feed(text), flag) for text, flag in pieces]
    safe.append((sanitizer.close(), False))
    text, marks = "", []
    for piece, flag in safe:
        start = len(text)
        text += re.sub(r"\s", " ", piece)
        if flag and piece:
            marks.append((start, len(text)))
    return Passage(text, tuple(marks))
