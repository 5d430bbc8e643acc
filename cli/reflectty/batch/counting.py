"""One line on stderr while a batch goes on: how many lines are finished, how fast, how long it takes; gone after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.summary import Fact, duration, fitting
from reflectty.drawing.wrap import chop
from reflectty.render.stage import Stage
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from reflectty.batch.tally import Tally
    from reflectty.drawing.paint import Row
    from reflectty.terminal import Terminal
    from reflectty.theme import Theme

_BAR = 12
_NAME = 40


class CountingLine:
    """Draws what a tally amounts to; draws nothing where stderr is no terminal, or a dumb one."""

    def __init__(self, terminal: Terminal, theme: Theme, tally: Tally) -> None:
        self._stage = Stage(terminal, terminal.err, theme, terminal.say)
        self._tally = tally

    def tick(self, seconds: float) -> None:  # noqa: ARG002 - the tally knows the time
        if self._stage.motion:
            self._stage.draw(live=[self._row()])

    def stop(self) -> None:
        """Take the line away, until the next tick; harmless when called twice."""
        if self._stage.open:
            self._stage.draw()

    def _row(self) -> Row:
        palette, width = self._stage.palette, self._stage.columns.full
        dot = f" {palette.glyphs.dot} "
        text = dot.join(fact.text for fact in fitting(self._facts(), width, len(dot)))
        return [(text[: chop(text, width)], palette.styles["dim"])]

    def _facts(self) -> tuple[Fact, ...]:
        tally = self._tally
        finished, left = tally.kept + tally.finished, tally.seconds_left
        waited = clean_line(", ".join((*tally.away, *tally.resting)), _NAME)
        facts = (
            Fact(self._bar(finished), 5),
            Fact(f"{finished:,} of {tally.total:,}" if tally.total else f"{finished:,} done", 0),
            Fact(f"{tally.failed:,} failed" if tally.failed else "", 1),
            Fact(f"{tally.kept:,} from before" if tally.kept else "", 6),
            Fact(f"{tally.tokens_per_second:.0f} tok/s" if tally.tokens_per_second >= 1 else "", 4),
            Fact(f"{duration(left)} left" if left is not None else "", 2),
            Fact(f"waiting for {waited}" if waited else "", 3),
        )
        return tuple(fact for fact in facts if fact.text)

    def _bar(self, finished: int) -> str:
        if not self._tally.total:
            return ""
        glyphs = self._stage.palette.glyphs
        full = min(_BAR, finished * _BAR // self._tally.total)
        return glyphs.full * full + glyphs.empty * (_BAR - full)
