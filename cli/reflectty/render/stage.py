"""One of the two streams that a reply is drawn on: its colours, its size at this moment, and its tail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.paint import palette
from reflectty.drawing.wrap import columns
from reflectty.render.tail import ROWS, Tail, size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.drawing.paint import Row
    from reflectty.drawing.wrap import Columns
    from reflectty.terminal import Sink, Terminal
    from reflectty.theme import Theme

_NARROWEST = 8
"""With fewer columns than this a row may not fit, and what does not fit cannot be drawn again."""


class Stage:
    """Draws rows on a stream; `live` rows are drawn again with the next call, `final` ones never."""

    def __init__(self, terminal: Terminal, sink: Sink, theme: Theme, write: Callable[[str], object]) -> None:
        self.motion = terminal.motion and sink.tty
        """Whether anything may be drawn that is not final."""
        self.palette = palette(theme, sink, motion=self.motion)
        self._terminal = terminal
        self._sink = sink
        self._tail = Tail(write, motion=self.motion)

    @property
    def open(self) -> bool:
        """Whether something is drawn that is not final."""
        return self._tail.open

    @property
    def columns(self) -> Columns:
        # The last column stays free: terminals differ in when they go on to the next row.
        return columns(size(self._terminal, self._sink).columns - 1)

    @property
    def height(self) -> int:
        """How many rows may be live: never so many that the first would leave the screen."""
        return max(1, min(ROWS, size(self._terminal, self._sink).rows - 1))

    def draw(self, final: Sequence[Row] = (), live: Sequence[Row] = ()) -> None:
        paint = self.palette.paint
        drawn = live if self.columns.full >= _NARROWEST else ()
        self._tail.draw([paint(row) for row in final], [paint(row) for row in drawn])
