"""Redraws the last rows of a terminal stream in place, and the progress line of downloads."""

from __future__ import annotations

import os
import time
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.text import format_bytes, format_duration, format_percent
from reflectty.system.theme import TERMINAL_THEME
from reflectty.view.rows import GUTTER_WIDTH, MARGIN, cell_width, columns_for, fitting_length, palette_for
from reflectty.view.summary import SummaryFact, fit_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.models.installed import TransferProgress
    from reflectty.system.terminal import Sink, Terminal
    from reflectty.system.theme import Theme
    from reflectty.view.rows import Columns, Glyphs, Row


MAX_LIVE_ROWS = 8
"""Maximum rows of a tail, which limits how far the cursor moves up."""

_CLEAR = "\x1b[K"


class ScreenSize(NamedTuple):
    """Size of a screen in characters."""

    columns: int
    rows: int


def screen_size_of(terminal: Terminal, sink: Sink) -> ScreenSize:
    """The current screen size behind a stream; a stream that is not a terminal has the terminal's default width."""
    if sink.tty and sink.file is not None:
        try:
            found = os.get_terminal_size(sink.file.fileno())
        except (OSError, ValueError):
            return ScreenSize(terminal.width, 24)
        columns = found.columns or terminal.width
        # COLUMNS may narrow the screen, not widen it: wider rows would wrap, and could not be redrawn.
        return ScreenSize(min(columns, terminal.forced_columns or columns), found.lines or 24)
    return ScreenSize(terminal.width, 24)


class RedrawnRows:
    """Draws final rows once and redraws live rows on each call; the caller limits the number of live rows."""

    def __init__(self, write: Callable[[str], object], *, can_redraw: bool) -> None:
        self._write = write
        self._can_redraw = can_redraw
        self._live: tuple[str, ...] = ()

    @property
    def has_live_rows(self) -> bool:
        """True if live rows are on the screen."""
        return bool(self._live)

    def draw(self, final: Sequence[str] = (), live: Sequence[str] = ()) -> None:
        """Replace the tail by final rows and a new tail in one write; equal rows stay."""
        shown = tuple(live) if self._can_redraw else ()
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
            text = _move_to_row(same, len(old)) + "\n".join(row + clear for row in rows[same:])
        text += "" if shown or not rows else "\n"
        self._write(text + _clear_below(len(old) - len(rows), at_home=not rows))

    def erase(self, height: int) -> None:
        """Clear the tail, which fills so many rows of the screen: after a resize its rows may have wrapped."""
        if self._live:
            self._live = ()
            self._write(_move_to_row(0, height) + _clear_below(height, at_home=True))


def _move_to_row(row: int, height: int) -> str:
    """The sequence that moves the cursor from the end of a tail to the start of one of its rows."""
    up = height - 1 - row
    return f"\r\x1b[{up}A" if up > 0 else "\r" if height else ""


def _clear_below(rows: int, *, at_home: bool) -> str:
    """The sequence that clears the remaining rows.

    The first is cleared by itself: clearing from the top of the screen would make tmux keep it in its history.
    """
    if rows <= 0:
        return ""
    return (f"{_CLEAR}\n\x1b[J\x1b[A" if rows > 1 else _CLEAR) if at_home else "\x1b[J"


_MIN_COLUMNS = 8
"""With fewer columns than this a row may not fit, and a row that wraps cannot be redrawn."""


class LiveRegion:
    """Draws rows on a stream; the next call redraws `live` rows, never `final` ones."""

    def __init__(
        self,
        terminal: Terminal,
        sink: Sink,
        theme: Theme,
        write: Callable[[str], object],
        *,
        reads_thoughts: bool = False,
    ) -> None:
        self.reads_thoughts = reads_thoughts
        self.can_redraw = terminal.can_redraw and sink.tty
        """Whether live rows may be drawn."""
        self.palette = palette_for(theme, sink, can_redraw=self.can_redraw)
        self._terminal = terminal
        self._sink = sink
        self._tail = RedrawnRows(write, can_redraw=self.can_redraw)

    @property
    def has_live_rows(self) -> bool:
        """True if live rows are on the screen."""
        return self._tail.has_live_rows

    @property
    def columns(self) -> Columns:
        # The last column stays free: terminals differ in when they wrap to the next row.
        return columns_for(screen_size_of(self._terminal, self._sink).columns - 1)

    @property
    def live_height(self) -> int:
        """Maximum live rows: few enough to keep the first on the screen."""
        return max(1, min(MAX_LIVE_ROWS, screen_size_of(self._terminal, self._sink).rows - 1))

    def erase(self, height: int) -> None:
        """Clear the live rows, which fill so many rows of the screen, as after a resize."""
        self._tail.erase(height)

    def draw(self, final: Sequence[Row] = (), live: Sequence[Row] = ()) -> None:
        paint = self.palette.paint
        drawn = live if live and self.columns.full >= _MIN_COLUMNS else ()
        self._tail.draw([paint(row) for row in final], [paint(row) for row in drawn])


class ProgressLine:
    """Draws one dim line on stderr while something takes its time; nothing if that is not a terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self._region = LiveRegion(terminal, terminal.err, TERMINAL_THEME, terminal.write_stderr)

    def show(self, text: str) -> None:
        """Replace the line; an empty text removes it."""
        if not self._region.can_redraw:
            return
        line, width = clean_line(text), self._region.columns.full - GUTTER_WIDTH
        shown = line[: fitting_length(line, width)] if width > 0 else ""
        self._region.draw(live=[[MARGIN, (shown, self._region.palette.styles["dim"])]] if shown else [])


REDRAW_SECONDS: Final = 0.1
"""Seconds between two drawings."""
_BAR_WIDTH: Final = 12
_MAX_TITLE_LENGTH: Final = 40
_MAX_STATUS_LENGTH: Final = 60


class TransferProgressLine:
    """Draws the progress of a transfer; draws nothing if stderr is not a terminal, or a dumb one."""

    def __init__(
        self, terminal: Terminal, theme: Theme, title: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._region = LiveRegion(terminal, terminal.err, theme, terminal.write_stderr)
        self._title = clean_line(title, _MAX_TITLE_LENGTH)
        self._clock = clock
        self._drawn_at: float | None = None

    def show(self, transfer: TransferProgress) -> None:
        """Draw the progress, unless it was drawn just now."""
        now = self._clock()
        if self._region.can_redraw and (self._drawn_at is None or now - self._drawn_at >= REDRAW_SECONDS):
            self._drawn_at = now
            self._region.draw(live=[self._row(transfer)])

    def stop(self) -> None:
        """Remove the line; harmless if called twice."""
        if self._region.has_live_rows:
            self._region.draw()

    def _row(self, transfer: TransferProgress) -> Row:
        palette, width = self._region.palette, self._region.columns.full
        dot = f" {palette.glyphs.dot} "
        room = width - cell_width(self._title) - 2
        text = dot.join(fact.text for fact in fit_facts(transfer_facts(transfer, palette.glyphs), room, len(dot)))
        title = self._title[: fitting_length(self._title, width)]
        return [
            (title, palette.styles["accent"]),
            (f"  {text[: fitting_length(text, room)]}" if room > 0 else "", palette.styles["dim"]),
        ]


def transfer_facts(transfer: TransferProgress, glyphs: Glyphs) -> tuple[SummaryFact, ...]:
    """The facts of a transfer: the progress of the current layer, else the server's status."""
    layer = transfer.layer
    if layer is None or not layer.total or not _is_about(transfer.status, layer.digest):
        return (SummaryFact(clean_line(transfer.status, _MAX_STATUS_LENGTH), 0),)
    left = transfer.seconds_left
    done = min(layer.completed, layer.total)
    number = len(transfer.layers)
    found = (
        SummaryFact(_progress_bar(done / layer.total, glyphs), 4),
        SummaryFact(format_percent(done, layer.total), 0),
        SummaryFact(f"{format_bytes(done)} of {format_bytes(layer.total)}", 2),
        SummaryFact(f"{format_bytes(transfer.speed)}/s" if transfer.speed else "", 3),
        SummaryFact(f"{format_duration(left)} left" if left is not None else "", 1),
        SummaryFact(f"layer {number}" if number > 1 else "", 5),
    )
    return tuple(fact for fact in found if fact.text)


def _progress_bar(part: float, glyphs: Glyphs) -> str:
    full = int(part * _BAR_WIDTH)
    return glyphs.full * full + glyphs.empty * (_BAR_WIDTH - full)


def _is_about(status: str, digest: str) -> bool:
    """True if the status names the layer by the beginning of its digest."""
    return digest.removeprefix("sha256:")[:12] in status
