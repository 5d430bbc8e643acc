"""Redraws the last rows of a terminal stream in place, and the progress line of downloads."""

from __future__ import annotations

import os
import time
from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.core.safety import clean_line
from reflectty.view.rows import cell_width, columns_for, fitting_length, palette_for
from reflectty.view.summary import SummaryFact, fit_facts, format_duration
from reflectty.view.units import format_bytes, format_percent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.models.installed import TransferProgress
    from reflectty.system.terminal import Sink, Terminal
    from reflectty.system.theme import Theme
    from reflectty.view.rows import Columns, Glyphs, Row


MAX_LIVE_ROWS = 8
"""A tail is never higher than this, so that the cursor never goes up further."""

_CLEAR = "\x1b[K"


class ScreenSize(NamedTuple):
    """How large a screen is, in characters."""

    columns: int
    rows: int


def screen_size_of(terminal: Terminal, sink: Sink) -> ScreenSize:
    """Return the size of the screen behind a stream as it is now; a stream that is no terminal has the given width."""
    if sink.tty and sink.file is not None:
        try:
            found = os.get_terminal_size(sink.file.fileno())
        except (OSError, ValueError):
            return ScreenSize(terminal.width, 24)
        columns = found.columns or terminal.width
        # COLUMNS may narrow the screen; rows wider than it would wrap, and could not be drawn again.
        return ScreenSize(min(columns, terminal.forced_columns or columns), found.lines or 24)
    return ScreenSize(terminal.width, 24)


class RedrawnRows:
    """Draws rows that are final once and rows that may change as often as asked; at most `ROWS` of the latter."""

    def __init__(self, write: Callable[[str], object], *, can_redraw: bool) -> None:
        self._write = write
        self._can_redraw = can_redraw
        self._live: tuple[str, ...] = ()

    @property
    def has_live_rows(self) -> bool:
        """Whether rows are on the screen that may still change."""
        return bool(self._live)

    def draw(self, final: Sequence[str] = (), live: Sequence[str] = ()) -> None:
        """Put final rows where the tail began, and a new tail behind them, in one write; what is the same stays."""
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


def _move_to_row(row: int, height: int) -> str:
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


_MIN_COLUMNS = 8
"""With fewer columns than this a row may not fit, and what does not fit cannot be drawn again."""


class LiveRegion:
    """Draws rows on a stream; `live` rows are drawn again with the next call, `final` ones never."""

    def __init__(self, terminal: Terminal, sink: Sink, theme: Theme, write: Callable[[str], object]) -> None:
        self.can_redraw = terminal.can_redraw and sink.tty
        """Whether anything may be drawn that is not final."""
        self.palette = palette_for(theme, sink, can_redraw=self.can_redraw)
        self._terminal = terminal
        self._sink = sink
        self._tail = RedrawnRows(write, can_redraw=self.can_redraw)

    @property
    def has_live_rows(self) -> bool:
        """Whether something is drawn that is not final."""
        return self._tail.has_live_rows

    @property
    def columns(self) -> Columns:
        # The last column stays free: terminals differ in when they go on to the next row.
        return columns_for(screen_size_of(self._terminal, self._sink).columns - 1)

    @property
    def height(self) -> int:
        """How many rows may be live: never so many that the first would leave the screen."""
        return max(1, min(MAX_LIVE_ROWS, screen_size_of(self._terminal, self._sink).rows - 1))

    def draw(self, final: Sequence[Row] = (), live: Sequence[Row] = ()) -> None:
        paint = self.palette.paint
        drawn = live if self.columns.full >= _MIN_COLUMNS else ()
        self._tail.draw([paint(row) for row in final], [paint(row) for row in drawn])


REDRAW_SECONDS: Final = 0.1
"""Seconds between two drawings."""
_BAR_WIDTH: Final = 12
_MAX_TITLE_LENGTH: Final = 40
_MAX_STATUS_LENGTH: Final = 60


class TransferProgressLine:
    """Draws what a transfer amounts to; draws nothing where stderr is no terminal, or a dumb one."""

    def __init__(
        self, terminal: Terminal, theme: Theme, title: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._region = LiveRegion(terminal, terminal.err, theme, terminal.write_stderr)
        self._title = clean_line(title, _MAX_TITLE_LENGTH)
        self._clock = clock
        self._drawn_at: float | None = None

    def show(self, transfer: TransferProgress) -> None:
        """Draw it, unless it was drawn just now."""
        now = self._clock()
        if self._region.can_redraw and (self._drawn_at is None or now - self._drawn_at >= REDRAW_SECONDS):
            self._drawn_at = now
            self._region.draw(live=[self._row(transfer)])

    def stop(self) -> None:
        """Take the line away; harmless when called twice."""
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
    """Return what there is to say of a transfer: how far the layer under way is, or else what the server does."""
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
    """Whether the server speaks of the layer: it names the beginning of its digest."""
    return digest.removeprefix("sha256:")[:12] in status
