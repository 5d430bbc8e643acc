"""Draws an answer on stdout: each block once, when it is complete, and the end of the open one as it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.answer import Answer
from reflectty.drawing.paint import PLAIN, Row
from reflectty.drawing.wrap import GUTTER
from reflectty.render.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.terminal import Terminal
    from reflectty.theme import Theme

FRAME_SECONDS = 0.05
"""The open block is drawn again at most this often."""
_MARGIN = (" " * GUTTER, PLAIN)


class LiveAnswer:
    """Draws one answer after another; fails where stdout cannot be written to, since the answer is the point."""

    def __init__(self, terminal: Terminal, theme: Theme, clock: Callable[[], float]) -> None:
        self._stage = Stage(terminal, terminal.out, theme, terminal.out.write)
        self._answer = Answer(self._stage.palette)
        self._clock = clock
        self._drawn_at = -FRAME_SECONDS
        self.final = False
        """Whether rows of this block have been drawn that cannot be taken back."""

    def begin(self, *, gap: bool) -> None:
        self.final = False
        self._answer.stand_below(gap)

    def stand_below(self) -> None:
        """Leave a blank line before what comes next of the answer."""
        self._answer.stand_below(something=True)

    def feed(self, text: str) -> None:
        rows = self._answer.feed(text, self._stage.columns)
        if rows:
            self._draw(rows, live=True)
        else:
            self.refresh()

    def refresh(self) -> None:
        """Draw the open block as it is now, unless that was done a moment ago."""
        if self._stage.motion and self._clock() - self._drawn_at >= FRAME_SECONDS:
            self._draw([], live=True)

    def hide(self) -> None:
        """Take the open block off the screen, so that something can be written above it."""
        self._drawn_at = -FRAME_SECONDS
        self._stage.draw()

    def take(self) -> str:
        """Take back all that has not become final; return its text."""
        text = self._answer.open
        self._answer = Answer(self._stage.palette)
        self.hide()
        return text

    def close(self) -> None:
        self._draw(self._answer.close(self._stage.columns), live=False)

    def _draw(self, rows: list[Row], *, live: bool) -> None:
        columns = self._stage.columns
        self.final = self.final or bool(rows)
        view = self._answer.live(columns, self._stage.height) if live and self._stage.motion else []
        self._stage.draw([_indented(row) for row in rows], [_indented(row) for row in view])
        self._drawn_at = self._clock()


def _indented(row: Row) -> Row:
    return [_MARGIN, *row] if row else row
