"""The last rows of a stream, which may be drawn again; whatever is above them is printed once and never touched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.terminal import Sink, Terminal

ROWS = 8
"""A tail is never higher than this, so that the cursor never goes up further."""


class Size(NamedTuple):
    """How large a screen is, in characters."""

    columns: int
    rows: int


def size(terminal: Terminal, sink: Sink) -> Size:
    """Return the size of the screen behind a stream as it is now; a stream that is no terminal has the given width."""
    if sink.tty and sink.file is not None:
        try:
            found = os.get_terminal_size(sink.file.fileno())
        except (OSError, ValueError):
            return Size(terminal.width, 24)
        return Size(found.columns or terminal.width, found.lines or 24)
    return Size(terminal.width, 24)


class Tail:
    """Draws rows that are final once and rows that may change as often as asked; at most `ROWS` of the latter."""

    def __init__(self, write: Callable[[str], object], *, motion: bool) -> None:
        self._write = write
        self._motion = motion
        self._live: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether rows are on the screen that may still change."""
        return bool(self._live)

    def draw(self, final: Sequence[str] = (), live: Sequence[str] = ()) -> None:
        """Put final rows where the tail began, and a new tail behind them, in one write."""
        shown = tuple(live) if self._motion else ()
        if final or shown != self._live:
            erase, self._live = self._erase(), shown
            self._write(erase + "".join(f"{row}\n" for row in final) + "\n".join(shown))

    def settle(self) -> None:
        """Leave the tail as it stands and go to a fresh line."""
        if self._live:
            self._live = ()
            self._write("\n")

    def _erase(self) -> str:
        up = len(self._live) - 1
        return "" if up < 0 else "\r\x1b[J" if up == 0 else f"\r\x1b[{up}A\x1b[J"
