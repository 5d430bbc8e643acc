"""Where rows that are complete are written: a terminal with its colours, or a pipe as plain text; moves no cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.paint import palette
from reflectty.drawing.wrap import columns
from reflectty.render.tail import size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.drawing.paint import Row
    from reflectty.terminal import Terminal
    from reflectty.theme import Theme


class Page:
    """Stdout as a page of rows, at the width that it has now."""

    def __init__(self, terminal: Terminal, theme: Theme) -> None:
        self.terminal = terminal
        self.palette = palette(theme, terminal.out, motion=terminal.motion and terminal.out.tty)
        # The last column stays free: terminals differ in when they go on to the next row.
        self.width = max(1, size(terminal, terminal.out).columns - terminal.out.tty)
        self.columns = columns(self.width)

    @property
    def cuts(self) -> bool:
        """Whether a row must fit: what reads a pipe has no width."""
        return self.terminal.out.tty

    @property
    def bold(self) -> bool:
        """Whether bold can be told from plain text."""
        return self.palette.system is not None

    def write(self, rows: Iterable[Row]) -> None:
        """Write rows.

        Raises:
            StoppedError: the reader has left.
            OutputError: stdout is closed or full.
        """
        text = "".join(f"{self.palette.paint(row).rstrip(' ')}\n" for row in rows)
        if text:
            self.terminal.out.write(text)
