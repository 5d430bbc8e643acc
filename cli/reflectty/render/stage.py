"""One of the two streams that a reply is drawn on: its colours, its size at this moment, and its tail."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.render.paint import palette
from reflectty.render.tail import ROWS, Tail, size
from reflectty.render.wrap import PROSE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.render.paint import Row
    from reflectty.terminal import Sink, Terminal
    from reflectty.theme import Theme

GUTTER = 2
"""Columns that the gutter takes."""

_NARROWEST = 8
"""With fewer columns than this a row may not fit, and what does not fit cannot be drawn again."""


class Columns(NamedTuple):
    """How many columns there are beside the gutter: for prose, and for code and tables."""

    prose: int
    full: int


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
        full = max(1, size(self._terminal, self._sink).columns - GUTTER - 1)
        return Columns(min(full, PROSE - GUTTER), full)

    @property
    def height(self) -> int:
        """How many rows may be live: never so many that the first would leave the screen."""
        return max(1, min(ROWS, size(self._terminal, self._sink).rows - 1))

    def draw(self, final: Sequence[Row] = (), live: Sequence[Row] = ()) -> None:
        paint = self.palette.paint
        drawn = live if self.columns.full >= _NARROWEST else ()
        self._tail.draw([paint(row) for row in final], [paint(row) for row in drawn])
