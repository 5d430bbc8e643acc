"""One line on stderr while a server pulls or creates: drawn again at most ten times a second, and gone at the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from reflectty.drawing.sizes import share, size
from reflectty.drawing.summary import Fact, duration, fitting
from reflectty.drawing.wrap import cells, chop
from reflectty.render.stage import Stage
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.drawing.paint import Glyphs, Row
    from reflectty.library import Transfer
    from reflectty.terminal import Terminal
    from reflectty.theme import Theme

INTERVAL: Final = 0.1
"""Seconds between two drawings."""
_BAR: Final = 12
_NAME: Final = 40
_STATUS: Final = 60


class ProgressLine:
    """Draws what a transfer amounts to; draws nothing where stderr is no terminal, or a dumb one."""

    def __init__(
        self, terminal: Terminal, theme: Theme, title: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stage = Stage(terminal, terminal.err, theme, terminal.say)
        self._title = clean_line(title, _NAME)
        self._clock = clock
        self._drawn: float | None = None

    def show(self, transfer: Transfer) -> None:
        """Draw it, unless it was drawn just now."""
        now = self._clock()
        if self._stage.motion and (self._drawn is None or now - self._drawn >= INTERVAL):
            self._drawn = now
            self._stage.draw(live=[self._row(transfer)])

    def stop(self) -> None:
        """Take the line away; harmless when called twice."""
        if self._stage.open:
            self._stage.draw()

    def _row(self, transfer: Transfer) -> Row:
        palette, width = self._stage.palette, self._stage.columns.full
        dot = f" {palette.glyphs.dot} "
        room = width - cells(self._title) - 2
        text = dot.join(fact.text for fact in fitting(facts(transfer, palette.glyphs), room, len(dot)))
        title = self._title[: chop(self._title, width)]
        return [
            (title, palette.styles["accent"]),
            (f"  {text[: chop(text, room)]}" if room > 0 else "", palette.styles["dim"]),
        ]


def facts(transfer: Transfer, glyphs: Glyphs) -> tuple[Fact, ...]:
    """Return what there is to say of a transfer: how far the layer under way is, or else what the server does."""
    layer = transfer.layer
    if layer is None or not layer.total or not _is_about(transfer.status, layer.digest):
        return (Fact(clean_line(transfer.status, _STATUS), 0),)
    left = transfer.left
    done = min(layer.completed, layer.total)
    number = len(transfer.layers)
    found = (
        Fact(_bar(done / layer.total, glyphs), 4),
        Fact(share(done, layer.total), 0),
        Fact(f"{size(done)} of {size(layer.total)}", 2),
        Fact(f"{size(transfer.speed)}/s" if transfer.speed else "", 3),
        Fact(f"{duration(left)} left" if left is not None else "", 1),
        Fact(f"layer {number}" if number > 1 else "", 5),
    )
    return tuple(fact for fact in found if fact.text)


def _bar(part: float, glyphs: Glyphs) -> str:
    full = int(part * _BAR)
    return glyphs.full * full + glyphs.empty * (_BAR - full)


def _is_about(status: str, digest: str) -> bool:
    """Whether the server speaks of the layer: it names the beginning of its digest."""
    return digest.removeprefix("sha256:")[:12] in status
