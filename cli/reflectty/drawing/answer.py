"""Turns an answer, as it arrives, into rows of Markdown: those of complete blocks, and a short view of the open one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from reflectty.drawing.blocks import Splitter
from reflectty.drawing.code import code
from reflectty.drawing.markdown import Flow, literal, render
from reflectty.drawing.wrap import fold

if TYPE_CHECKING:
    from reflectty.drawing.paint import Palette, Row
    from reflectty.drawing.wrap import Columns

TOO_LONG = 200_000
"""An open block of more characters than this is not Markdown any more, nor is anything behind it."""

_DRAWN_WHOLE = 3_000
"""An open block of at most this many characters is drawn as it will be; of a longer one only its end is, as it came."""
_ENDLESS = 4_000
# A marker without its text would be drawn as something else for a moment.
_STUB = re.compile(r"(?:^|(?<=\n))[ \t]*(?:[-*+#>`~|=_:]+|\d{1,9}[.)]?)[ \t]*$")


class Answer:
    """Fed text that is safe to show; a row that is given out never changes."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._splitter = Splitter()
        self._flow = Flow()
        self._endless: str | None = None

    def stand_below(self, something: bool) -> None:
        """Say whether something else stands directly above what comes next."""
        self._flow = replace(self._flow, begun=something)

    @property
    def open(self) -> str:
        """The text that no row given out shows."""
        return self._splitter.open if self._endless is None else self._endless

    def feed(self, text: str, columns: Columns) -> list[Row]:
        """Take text; return the rows that are complete."""
        if self._endless is not None:
            return self._plain(text, columns)
        rows = [row for block in self._splitter.feed(text) for row in self._render(block, columns)]
        if self._splitter.size > TOO_LONG:
            self._endless = ""
            rows += self._plain("".join(self._splitter.close()), columns)
        return rows

    def close(self, columns: Columns) -> list[Row]:
        """End the answer; return the rows of what was open."""
        if self._endless is not None:
            return self._plain("\n", columns) if self._endless else []
        return [row for block in self._splitter.close() for row in self._render(block, columns)]

    def live(self, columns: Columns, height: int) -> list[Row]:
        """Return at most `height` rows of what is open; the first says how many are left out."""
        text = self.open
        if not text.strip():
            return []
        if self._splitter.fence:
            return self._fence(text, columns, height)
        if self._endless is None and len(text) <= _DRAWN_WHOLE:
            rows, _ = render(_STUB.sub("", text), *columns, self._palette, self._flow)
            return self._last(rows, height, 0)
        return self._last(literal(text[-height * columns.prose :], columns.prose, self._palette), height, 0)

    def _render(self, block: str, columns: Columns) -> list[Row]:
        rows, self._flow = render(block, *columns, self._palette, self._flow)
        return rows

    def _fence(self, text: str, columns: Columns, height: int) -> list[Row]:
        """Return the end of a block of code as it comes: it gets its colours when it is complete."""
        lines = text.strip("\n").split("\n")[1:]
        start = max(0, len(lines) - height)
        rows = code("\n".join(lines[start:]), "", *columns, self._palette)
        gap: list[Row] = [[]] if self._flow.begun and not start else []
        return self._last([*gap, *rows], height, start)

    def _last(self, rows: list[Row], height: int, hidden: int) -> list[Row]:
        over = max(0, len(rows) - height)
        if not over and not hidden:
            return rows
        keep = rows[-(height - 1) :] if height > 1 else []
        above = hidden + len(rows) - len(keep)
        return [[(f"{self._palette.glyphs.more} {above} more above", self._palette.styles["faint"])], *keep]

    def _plain(self, text: str, columns: Columns) -> list[Row]:
        *lines, rest = f"{self._endless}{text}".split("\n")
        rows = [row for line in lines for row in literal(line, columns.prose, self._palette)]
        if len(rest) > _ENDLESS:
            start = fold(rest, columns.prose)[-1][0]
            rows += literal(rest[:start], columns.prose, self._palette)
            rest = rest[start:]
        self._endless = rest
        return rows
