"""Shows the arms of a comparison: beside each other, one after the other, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reflectty.core.errors import StoppedError
from reflectty.core.safety import clean_line
from reflectty.evaluation.arm_column import ArmColumn, step_label
from reflectty.evaluation.comparison_summary import summary_rows
from reflectty.output import OutputOptions, SilentRenderer, choose_renderer, write_remark
from reflectty.output.side_by_side import SideBySide
from reflectty.view.reply_column import ReplyColumn, fits_beside
from reflectty.view.rows import BOLD, PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.core.segments import Event
    from reflectty.evaluation.comparison import ArmRun
    from reflectty.output import Renderer
    from reflectty.output.tables import Page
    from reflectty.reasoning.reply import Reply
    from reflectty.system.theme import Theme
    from reflectty.view.rows import Row


class ComparisonView(Protocol):
    """Shows a comparison while it runs, and sums it up."""

    def finish(self) -> None:
        """Show the rest, and what is known of each arm."""
        ...


def make_view(
    runs: Sequence[ArmRun], page: Page, theme: Theme, look: OutputOptions, note: Callable[[str], None]
) -> ComparisonView:
    """Begin to show arms; beside each other if the terminal has room for that, and can be redrawn."""
    terminal = page.terminal
    if terminal.out.tty and terminal.can_redraw and fits_beside(page.width, len(runs)):
        return ColumnsView(runs, page, theme, look, note)
    return StackedView(runs, page, look)


class ColumnsView:
    """Arms beside each other.

    Args:
        runs: the arms.
        page: stdout, for the summary.
        theme: the colors.
        look: what the user wants to see.
        note: writes a note where stderr is not the terminal of the columns.
    """

    def __init__(
        self, runs: Sequence[ArmRun], page: Page, theme: Theme, look: OutputOptions, note: Callable[[str], None]
    ) -> None:
        self._runs = runs
        self._page = page
        self._note_elsewhere = note
        self._quiet = look.quiet
        self._noted: set[str] = set()
        reads = look.reads_thoughts
        columns = [ReplyColumn(run.arm.name, reads_thoughts=reads) for run in runs]
        for run, column in zip(runs, columns, strict=True):
            ArmColumn(run, column, self._draw, self._note)
        self._screen = SideBySide(page.terminal, theme, columns, reads_thoughts=reads)
        self._screen.draw()

    def _draw(self) -> None:
        self._screen.draw()

    def _note(self, text: str) -> None:
        """Show a note once: every arm of a model has the same."""
        if text in self._noted or self._quiet:
            return
        self._noted.add(text)
        (self._screen.note if self._page.terminal.err.tty else self._note_elsewhere)(text)

    def finish(self) -> None:
        self._screen.finish()
        self._page.write([[], *summary_rows(self._runs, self._page)])


class StackedView:
    """Arms one after the other: what comes of a later one waits until those before it are over."""

    def __init__(self, runs: Sequence[ArmRun], page: Page, look: OutputOptions) -> None:
        self._runs = runs
        self._page = page
        self._look = look
        noted: set[str] = set()
        self._queued = [QueuedRenderer(run, page, look, noted) for run in runs]
        self._at = 0
        for run in runs:
            run.on_close = self._go_on
        self._queued[0].open()

    def _go_on(self) -> None:
        """Show the next arm if the one that is shown is over."""
        while self._at < len(self._runs) and self._runs[self._at].is_over:
            _report_error(self._runs[self._at], self._page)
            self._page.write([[]])
            self._at += 1
            if self._at < len(self._runs):
                self._queued[self._at].open()

    def finish(self) -> None:
        self._page.write(summary_rows(self._runs, self._page))


def _report_error(run: ArmRun, page: Page) -> None:
    """Write to stderr why an arm has no complete answer."""
    if run.error:
        reason = "stopped" if isinstance(run.error, StoppedError) else run.error.with_hint
        write_remark(page.terminal, f"{run.arm.name}: {reason}")


class QueuedRenderer:
    """Renders the replies of an arm as a question's, from the moment that it is opened.

    Args:
        run: the arm.
        page: stdout.
        look: what the user wants to see.
        noted: the notes that any arm has shown: every arm of a model has the same.
    """

    def __init__(self, run: ArmRun, page: Page, look: OutputOptions, noted: set[str]) -> None:
        self._run = run
        self._page = page
        self._look = look
        self._noted = noted
        self._waiting: list[Callable[[], None]] | None = []
        """What to do once it is opened; None from then on."""
        self._renderer: Renderer = SilentRenderer()
        run.renderer = self

    def open(self) -> None:
        """Show what has come, and from here on what comes."""
        waiting, self._waiting = self._waiting or [], None
        self._page.write(heading_rows(self._run.arm.name, self._page))
        terminal = self._page.terminal
        if terminal.err.tty and not (terminal.out.tty or self._look.quiet):
            terminal.write_stderr(f"{clean_line(self._run.arm.name)}\n")
        for action in waiting:
            action()

    def _do(self, action: Callable[[], None]) -> None:
        if self._waiting is None:
            action()
        else:
            self._waiting.append(action)

    def start(self, reply: Reply) -> None:
        number = len(self._run.replies)
        self._do(lambda: self._start(reply, number))

    def _start(self, reply: Reply, number: int) -> None:
        self._renderer = choose_renderer(self._page.terminal, self._look)
        if label := step_label(self._run.arm, number):
            self._page.write([*([[]] if number > 1 else []), [(f"({label})", self._page.palette.styles["dim"])], []])
        self._renderer.start(reply)

    def tick(self, seconds: float) -> None:
        if self._waiting is None:
            self._renderer.tick(seconds)

    def show(self, event: Event) -> None:
        self._do(lambda: self._renderer.show(event))

    def note(self, text: str) -> None:
        if not self._look.quiet:
            self._do(lambda: self._note(text))

    def _note(self, text: str) -> None:
        if text in self._noted:
            return
        self._noted.add(text)
        if isinstance(self._renderer, SilentRenderer):
            write_remark(self._page.terminal, text)
        else:
            self._renderer.note(text)

    def end(self, reply: Reply) -> None:
        self._do(lambda: self._renderer.end(reply))

    def stop(self) -> None:
        self._do(self._stop)

    def _stop(self) -> None:
        self._renderer.stop()


def heading_rows(title: str, page: Page) -> list[Row]:
    """The heading of an arm: a Markdown heading in a pipe, as answers are Markdown."""
    name = clean_line(title)
    if not page.is_width_limited:
        return [[(f"## {name}", PLAIN)], []]
    rule = page.palette.glyphs.rule * min(page.columns.prose, page.width)
    return [[(name, page.palette.styles["text"] + BOLD)], [(rule, page.palette.styles["line"])]]
