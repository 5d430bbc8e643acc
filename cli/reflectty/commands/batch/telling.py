"""What a batch says beside its records: notes on stderr, and a line that counts where that is a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.output import themed
from reflectty.drawing.summary import counted, duration
from reflectty.render.remark import remark

if TYPE_CHECKING:
    from reflectty.batch.counting import CountingLine
    from reflectty.batch.tally import Tally
    from reflectty.terminal import Terminal


class Teller:
    """Says things in a line each; the line that counts makes way for them."""

    def __init__(self, terminal: Terminal, tally: Tally, *, quiet: bool) -> None:
        self._terminal = terminal
        self._tally = tally
        self._quiet = quiet
        self._said: set[str] = set()
        self._line = _counting(terminal, tally) if terminal.err.tty and not quiet else None

    def tick(self, seconds: float) -> None:
        if self._line:
            self._line.tick(seconds)

    def clear(self) -> None:
        """Take away the line that counts."""
        if self._line:
            self._line.stop()

    def note(self, text: str) -> None:
        """Say something to whoever reads stderr."""
        if not self._quiet:
            self.clear()
            remark(self._terminal, text)

    def once(self, text: str) -> None:
        """Say something that many replies give occasion to say."""
        if text not in self._said:
            self._said.add(text)
            self.note(text)

    def tell(self, text: str) -> None:
        """Say something to whoever looks on."""
        if self._terminal.err.tty:
            self.note(text)

    def write(self, text: str) -> None:
        """Write a record to stdout."""
        if self._terminal.out.tty:
            self.clear()
        self._terminal.out.write(text)

    def conclude(self) -> None:
        """Say what came of all lines."""
        tally = self._tally
        if not tally.finished:
            self.tell(f"all {tally.kept:,} were answered before" if tally.kept else "there is no line to ask")
            return
        failed = f", {tally.failed:,} without a complete answer" if tally.failed else ""
        kept = f", {tally.kept:,} from before" if tally.kept else ""
        speed = f" · {tally.tokens_per_second:.0f} tok/s" if tally.tokens_per_second >= 1 else ""
        self.tell(f"{counted(tally.done, 'line')} answered{failed}{kept} · {duration(tally.seconds)}{speed}")


def _counting(terminal: Terminal, tally: Tally) -> CountingLine:
    from reflectty.batch.counting import CountingLine  # noqa: PLC0415 - draws on terminals only

    return CountingLine(terminal, themed(terminal), tally)
