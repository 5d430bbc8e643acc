"""Draws an answer on stdout: complete blocks once, the open block as it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.output.live_region import LiveRegion
from reflectty.view.answer import AnswerRenderer
from reflectty.view.rows import GUTTER_WIDTH, PLAIN, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.system.terminal import Terminal
    from reflectty.system.theme import Theme

FRAME_SECONDS = 0.05
"""Minimum seconds between two drawings of the open block."""
_MARGIN = (" " * GUTTER_WIDTH, PLAIN)


class LiveAnswer:
    """Draws answer after answer; fails if stdout cannot be written to, since the answer is the point."""

    def __init__(self, terminal: Terminal, theme: Theme, clock: Callable[[], float]) -> None:
        self._region = LiveRegion(terminal, terminal.out, theme, terminal.out.write)
        self._answer = AnswerRenderer(self._region.palette)
        self._clock = clock
        self._drawn_at = -FRAME_SECONDS
        self.has_final_rows = False
        """Whether final rows of this block have been drawn."""

    def begin(self, *, gap: bool) -> None:
        self.has_final_rows = False
        self._answer.set_gap_above(gap)

    def leave_gap(self) -> None:
        """Leave a blank line before the next rows of the answer."""
        self._answer.set_gap_above(needed=True)

    def feed(self, text: str) -> None:
        rows = self._answer.feed(text, self._region.columns)
        if rows:
            self._draw(rows, live=True)
        else:
            self.refresh()

    def refresh(self) -> None:
        """Redraw the open block, unless it was drawn a moment ago."""
        if self._region.can_redraw and self._clock() - self._drawn_at >= FRAME_SECONDS:
            self._draw([], live=True)

    def hide(self) -> None:
        """Remove the open block from the screen, so that something can be written above it."""
        self._drawn_at = -FRAME_SECONDS
        self._region.draw()

    def take_back(self) -> str:
        """Take back all text that is not final, and return it."""
        text = self._answer.open_text
        self._answer = AnswerRenderer(self._region.palette)
        self.hide()
        return text

    def close(self) -> None:
        self._draw(self._answer.close(self._region.columns), live=False)

    def _draw(self, rows: list[Row], *, live: bool) -> None:
        columns = self._region.columns
        self.has_final_rows = self.has_final_rows or bool(rows)
        view = self._answer.live_rows(columns, self._region.height) if live and self._region.can_redraw else []
        self._region.draw([_indent_row(row) for row in rows], [_indent_row(row) for row in view])
        self._drawn_at = self._clock()


def _indent_row(row: Row) -> Row:
    return [_MARGIN, *row] if row else row
