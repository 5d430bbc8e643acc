"""Draws the progress of a batch as one line on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.safety import clean_line
from reflectty.core.text import format_duration
from reflectty.output.live_region import LiveRegion
from reflectty.view.rows import fitting_length
from reflectty.view.summary import SummaryFact, fit_facts

if TYPE_CHECKING:
    from reflectty.batch.progress import BatchProgress
    from reflectty.system.terminal import Terminal
    from reflectty.system.theme import Theme
    from reflectty.view.rows import Row

_BAR_WIDTH = 12
_MAX_NAME = 40


class BatchProgressLine:
    """Draws the progress; draws nothing if stderr is not a terminal, or a dumb one."""

    def __init__(self, terminal: Terminal, theme: Theme, progress: BatchProgress) -> None:
        self._stage = LiveRegion(terminal, terminal.err, theme, terminal.write_stderr)
        self._progress = progress

    def tick(self, seconds: float) -> None:  # noqa: ARG002 - the progress has its own clock
        if self._stage.can_redraw:
            self._stage.draw(live=[self._build_row()])

    def stop(self) -> None:
        """Erase the line until the next tick; may be called twice."""
        if self._stage.has_live_rows:
            self._stage.draw()

    def _build_row(self) -> Row:
        palette, width = self._stage.palette, self._stage.columns.full
        dot = f" {palette.glyphs.dot} "
        text = dot.join(fact.text for fact in fit_facts(self._build_facts(), width, len(dot)))
        return [(text[: fitting_length(text, width)], palette.styles["dim"])]

    def _build_facts(self) -> tuple[SummaryFact, ...]:
        progress = self._progress
        finished, left = progress.answered_before + progress.finished, progress.seconds_left
        waited = clean_line(", ".join((*progress.unreachable_servers, *progress.resting)), _MAX_NAME)
        facts = (
            SummaryFact(self._build_bar(finished), 5),
            SummaryFact(f"{finished:,} of {progress.total:,}" if progress.total else f"{finished:,} done", 0),
            SummaryFact(clean_line(progress.details), 3),
            SummaryFact(f"{progress.failed:,} failed" if progress.failed else "", 1),
            SummaryFact(f"{progress.answered_before:,} from before" if progress.answered_before else "", 6),
            SummaryFact(f"{progress.tokens_per_second:.0f} tok/s" if progress.tokens_per_second >= 1 else "", 4),
            SummaryFact(f"{format_duration(left)} left" if left is not None else "", 2),
            SummaryFact(f"waiting for {waited}" if waited else "", 3),
        )
        return tuple(fact for fact in facts if fact.text)

    def _build_bar(self, finished: int) -> str:
        if not self._progress.total:
            return ""
        glyphs = self._stage.palette.glyphs
        full = min(_BAR_WIDTH, finished * _BAR_WIDTH // self._progress.total)
        return glyphs.full * full + glyphs.empty * (_BAR_WIDTH - full)
