"""Reports a batch on stderr: the progress line, notes, and the totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.console import load_theme
from reflectty.core.text import format_count, format_duration
from reflectty.output import write_remark

if TYPE_CHECKING:
    from reflectty.batch.progress import BatchProgress
    from reflectty.batch.progress_line import BatchProgressLine
    from reflectty.system.terminal import Terminal

REPORT_SECONDS = 60.0
"""Seconds between two lines of progress where stderr is no terminal."""


class BatchReporter:
    """Writes notes, records and totals, and erases the progress line where they would run into it."""

    def __init__(self, terminal: Terminal, progress: BatchProgress, *, quiet: bool) -> None:
        self._terminal = terminal
        self._progress = progress
        self._quiet = quiet
        self._noted_texts: set[str] = set()
        self._line = _make_progress_line(terminal, progress) if terminal.err.tty and not quiet else None
        self._next_report = REPORT_SECONDS

    def tick(self, seconds: float) -> None:
        if self._line:
            self._line.tick(seconds)
        elif seconds >= self._next_report:
            self._next_report = seconds + REPORT_SECONDS
            self.note(self._report())

    def _report(self) -> str:
        """The progress as one line for a log."""
        progress = self._progress
        total = "" if progress.total is None else f" of {progress.total:,}"
        failed = f", {progress.failed:,} failed" if progress.failed else ""
        left = "" if progress.seconds_left is None else f", about {format_duration(progress.seconds_left)} left"
        return f"{progress.answered_before + progress.finished:,}{total} lines{failed}{left}"

    def clear(self) -> None:
        """Erase the progress line."""
        if self._line:
            self._line.stop()

    def note(self, text: str) -> None:
        """Write a note to stderr, unless --quiet is given."""
        if not self._quiet:
            self.clear()
            write_remark(self._terminal, text)

    def note_once(self, text: str) -> None:
        """Write a note unless it was written before."""
        if text not in self._noted_texts:
            self._noted_texts.add(text)
            self.note(text)

    def info(self, text: str) -> None:
        """Write a note if stderr is a terminal."""
        if self._terminal.err.tty:
            self.note(text)

    def write(self, text: str) -> None:
        """Write a record to stdout."""
        if self._terminal.out.tty:
            self.clear()
        self._terminal.out.write(text)

    def report_totals(self) -> None:
        """Report the answered and failed lines, the time and the speed."""
        progress = self._progress
        if not progress.finished:
            self.info(
                f"all {progress.answered_before:,} already answered" if progress.answered_before else "no lines to ask"
            )
            return
        failed = f", {progress.failed:,} without a complete answer" if progress.failed else ""
        earlier = f", {progress.answered_before:,} answered earlier" if progress.answered_before else ""
        speed = f" · {progress.tokens_per_second:.0f} tok/s" if progress.tokens_per_second >= 1 else ""
        self.info(
            f"{format_count(progress.done, 'line')} answered{failed}{earlier}"
            f" · {format_duration(progress.seconds)}{speed}"
        )


def _make_progress_line(terminal: Terminal, progress: BatchProgress) -> BatchProgressLine:
    from reflectty.batch.progress_line import BatchProgressLine

    return BatchProgressLine(terminal, load_theme(terminal), progress)
