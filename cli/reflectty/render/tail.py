"""The last rows of a stream, which may be drawn again; whatever is above them is printed once and never touched."""

from __future__ import annotations

import os
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.terminal import Sink, Terminal

ROWS = 8
"""A tail is never higher than this, so that the cursor never goes up further."""

_CLEAR = "\x1b[K"


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
        columns = found.columns or terminal.width
        # COLUMNS may narrow the screen; rows wider than it would wrap, and could not be drawn again.
        return Size(min(columns, terminal.columns or columns), found.lines or 24)
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
        """Put final rows where the tail began, and a new tail behind them, in one write; what is the same stays."""
        shown = tuple(live) if self._motion else ()
        if not final and shown == self._live:
            return
        rows, old = (*final, *shown), self._live
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(rows, old, strict=False)))
        self._live = shown
        if same and same == len(old):
            text = "".join(f"\n{row}" for row in rows[same:])
        else:
            same = max(0, same - (same == len(rows)))
            clear = _CLEAR if old else ""
            text = _start_of(same, len(old)) + "\n".join(row + clear for row in rows[same:])
        text += "" if shown or not rows else "\n"
        self._write(text + _clear_below(len(old) - len(rows), at_home=not rows))


def _start_of(row: int, height: int) -> str:
    """Return what moves the cursor from the end of a tail to the start of one of its rows."""
    up = height - 1 - row
    return f"\r\x1b[{up}A" if up > 0 else "\r" if height else ""


def _clear_below(rows: int, *, at_home: bool) -> str:
    """Return what clears the rows that are left over.

    The first is cleared by itself: clearing from the top of the screen would make tmux keep it in its history.
    """
    if rows <= 0:
        return ""
    return (f"{_CLEAR}\n\x1b[J\x1b[A" if rows > 1 else _CLEAR) if at_home else "\x1b[J"
