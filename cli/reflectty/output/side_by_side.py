"""Draws several replies beside each other on a terminal while they stream, and prints them whole at the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reflectty.core.safety import clean_line
from reflectty.output.live_region import LiveRegion, screen_size_of
from reflectty.view.parts import Scene, remark_rows
from reflectty.view.reply_column import JoinedRows, column_width
from reflectty.view.rows import GUTTER_WIDTH, cell_width, text_of_row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.output.live_region import ScreenSize
    from reflectty.system.terminal import Terminal
    from reflectty.system.theme import Theme
    from reflectty.view.reply_column import ReplyColumn
    from reflectty.view.rows import Row

FRAME_SECONDS = 0.05
"""Minimum seconds between two drawings: all of the rows in sight may change."""


class SideBySide:
    """Draws columns on stdout: as they stream the last rows that fit on the screen, at the end everything.

    Columns that stand beside each other cannot be frozen row by row, since the next token may belong to any of them.

    Args:
        terminal: the terminal.
        theme: the colors.
        columns: the columns, from the left.
        reads_thoughts: whether second thoughts are marked.
        clock: seconds, to limit the redraws.
    """

    def __init__(
        self,
        terminal: Terminal,
        theme: Theme,
        columns: Sequence[ReplyColumn],
        *,
        reads_thoughts: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._terminal = terminal
        self._region = LiveRegion(terminal, terminal.out, theme, terminal.out.write, reads_thoughts=reads_thoughts)
        self._columns = columns
        self._clock = clock
        self._drawn_at = -FRAME_SECONDS
        self._size: ScreenSize | None = None
        """The size of the screen that the columns are laid out for."""
        self._width = 1
        self._joined = JoinedRows()
        self._shown: list[Row] = []
        """The rows that were last drawn in sight."""

    def draw(self) -> None:
        """Draw the rows in sight, unless they were drawn just now."""
        now = self._clock()
        if self._region.can_redraw and now - self._drawn_at >= FRAME_SECONDS:
            self._drawn_at = now
            self._lay_out()
            self._draw_in_sight()

    def note(self, text: str) -> None:
        """Print a note above the columns."""
        self._lay_out()
        rows = remark_rows(clean_line(text), self._region)
        if self._region.has_live_rows:
            self._draw_in_sight(rows)
        else:
            self._region.draw(rows)

    def finish(self) -> None:
        """Print the columns whole, in place of those in sight."""
        self._lay_out()
        self._region.draw(self._joined.join([column.all_rows() for column in self._columns], self._width))

    def _lay_out(self) -> None:
        """Lay the columns out, if the screen has another size than the last time."""
        size = screen_size_of(self._terminal, self._terminal.out)
        if size == self._size:
            return
        # Most terminals wrap rows that are too wide for the new width.
        self._region.erase(sum(max(1, -(-_width_of(row) // size.columns)) for row in self._shown))
        self._size = size
        width = self._region.columns.full + GUTTER_WIDTH
        self._width = column_width(width, len(self._columns))
        scene = Scene(
            self._region.palette,
            self._width,
            size.rows,
            is_printed=True,
            reads_thoughts=self._region.reads_thoughts,
        )
        for column in self._columns:
            column.lay_out(scene)

    def _draw_in_sight(self, final: Sequence[Row] = ()) -> None:
        self._shown = self._rows_in_sight()
        self._region.draw(final, self._shown)

    def _rows_in_sight(self) -> list[Row]:
        # The last row of the screen stays free: a row that is scrolled off cannot be redrawn.
        height = (self._size.rows if self._size else 1) - 1
        rows = [column.last_rows(max(1, height)) for column in self._columns]
        return self._joined.join(rows, self._width)[-height:]


def _width_of(row: Row) -> int:
    return cell_width(text_of_row(row))
