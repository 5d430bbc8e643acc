"""Shows on stderr how far the probes of a reply are, in one line that is redrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.console import load_theme
from reflectty.output import write_remark
from reflectty.output.live_region import LiveRegion

if TYPE_CHECKING:
    from reflectty.evaluation.probe import ProbeJob
    from reflectty.evaluation.probe_points import ProbePoint
    from reflectty.reasoning.reply import Reply
    from reflectty.system.terminal import Terminal


class ProbeProgress:
    """Counts continuations, and writes each note once; draws nothing if stderr is not a terminal.

    Args:
        terminal: the terminal.
        corrections: how many corrections are probed.
        samples: the continuations with, and as many without each.
    """

    def __init__(self, terminal: Terminal, corrections: int, samples: int) -> None:
        self._terminal = terminal
        self._region = LiveRegion(terminal, terminal.err, load_theme(terminal), terminal.write_stderr)
        self._total = 2 * samples * corrections
        self._done = 0
        self._current = ""
        self._noted: set[str] = set()

    def begin(self, point: ProbePoint) -> None:
        """Begin with a correction."""
        self._current = f"correction {point.number}"
        self._draw()

    def count(self, _job: ProbeJob, _reply: Reply | None) -> None:
        """Count a continuation that has ended."""
        self._done += 1
        self._draw()

    def note(self, text: str) -> None:
        """Write a note, unless it was written before."""
        if text not in self._noted:
            self._noted.add(text)
            self.stop()
            write_remark(self._terminal, text)

    def stop(self) -> None:
        """Erase the line; harmless if called twice."""
        if self._region.has_live_rows:
            self._region.draw()

    def _draw(self) -> None:
        if self._region.can_redraw:
            text = f"{self._current}: {self._done:,} of {self._total:,} continuations"
            self._region.draw(live=[[(text, self._region.palette.styles["dim"])]])
