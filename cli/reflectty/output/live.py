"""Draws a reply on a terminal while it streams: thinking, notes and summary on stderr, the answer on stdout."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from reflectty.core.errors import OutputError, StoppedError
from reflectty.core.safety import Sanitizer, clean_line
from reflectty.core.segments import Kind, Reclassification
from reflectty.core.text import format_count, format_duration
from reflectty.output import write_remark
from reflectty.output.live_region import LiveRegion
from reflectty.view.rows import BOLD, GUTTER_WIDTH, PLAIN, Row, fitting_length, row_spans
from reflectty.view.summary import control_character_remark, fit_facts, summary_facts
from reflectty.view.thinking import ThinkingRenderer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.style import Style

    from reflectty.core.segments import Event
    from reflectty.output.live_answer import LiveAnswer
    from reflectty.reasoning.reply import Reply
    from reflectty.system.terminal import Terminal
    from reflectty.system.theme import Theme


_SPINNER_TURNS_PER_SECOND = 6
_MARGIN = (" " * GUTTER_WIDTH, PLAIN)


class LiveThinking:
    """Draws block after block; never fails, since a broken stderr is not worth failing for."""

    def __init__(self, terminal: Terminal, theme: Theme) -> None:
        self._region = LiveRegion(terminal, terminal.err, theme, terminal.write_stderr)
        self._thinking = ThinkingRenderer(self._region.palette)
        self._needs_gap = False
        self.has_final_rows = False
        """Whether final rows of this block have been drawn."""

    def begin(self, kind: Kind, *, gap: bool) -> None:
        self._thinking.begin(kind)
        self._needs_gap, self.has_final_rows = gap, False

    def leave_gap(self) -> None:
        """Leave a blank line before the next rows of the block."""
        self._needs_gap = True

    def feed(self, text: str) -> None:
        width = self._region.columns.prose
        self._draw(self._thinking.feed(text, width), self._thinking.live_rows(width))

    def close(self) -> None:
        """Make live rows final; a status disappears."""
        self._draw(self._thinking.close(self._region.columns.prose), [])

    def _draw(self, final: list[Row], live: list[Row]) -> None:
        blank: list[Row] = [[]] if self._needs_gap else []
        self._region.draw([*blank, *final] if final else [], live if final or not live else [*blank, *live])
        if final:
            self._needs_gap, self.has_final_rows = False, True

    def draw_status(self, label: str, seconds: float) -> None:
        """Show one row that the next drawing replaces."""
        if self._region.can_redraw:
            colours, glyphs = self._region.palette.styles, self._region.palette.glyphs
            turn = int(seconds * _SPINNER_TURNS_PER_SECOND) % len(glyphs.spinner)
            text = label.replace("·", glyphs.dot)
            text = text[: fitting_length(text, self._region.columns.prose)]
            self._region.draw(live=[[(glyphs.spinner[turn] + " ", colours["accent"]), (text, colours["dim"])]])

    def draw_note(self, text: str, *, gap: bool) -> None:
        """Draw a line; the open block reappears below it with its next text."""
        line = clean_line(text)
        rows = [[_MARGIN, (line[start:end], self._dim)] for start, end in row_spans(line, self._region.columns.prose)]
        self._region.draw([[], *rows] if gap else rows)

    def draw_summary(self, reply: Reply, *, gap: bool) -> None:
        dot = f" {self._region.palette.glyphs.dot} "
        row: Row = []
        strong = self._region.palette.styles["correction"] + BOLD
        for fact in fit_facts(summary_facts(reply.metrics), self._region.columns.prose, len(dot)):
            row += [(dot, self._dim)] if row else [_MARGIN]
            row.append((fact.text, strong if fact.strong else self._dim))
        if row:
            self._region.draw([[], row] if gap else [row])

    @property
    def _dim(self) -> Style:
        return self._region.palette.styles["dim"]


STATUS_DELAY_SECONDS = 0.5
"""Before this time, no waiting status is shown."""
LOADING_SECONDS = 3.0
"""After this time, the model may be loading into memory."""
_ALL_KINDS = frozenset(Kind)


class LiveRenderer:
    """Draws one reply on a terminal; only the last few rows are redrawn, the rest is printed once.

    Args:
        terminal: the terminal.
        theme: the colors.
        parts: the parts of the reply to draw.
        thinking: whether to draw on stderr; else it gets notes alone, as plain lines.
        answer: whether to draw on stdout; else another renderer writes the answer.
        quiet: no status, no notes and no summary.
        clock: seconds, to limit the redraws.
    """

    def __init__(  # noqa: PLR0913 - what is drawn where are independent wishes
        self,
        terminal: Terminal,
        theme: Theme,
        parts: frozenset[Kind] = _ALL_KINDS,
        *,
        thinking: bool = True,
        answer: bool = True,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._terminal = terminal
        self._parts = parts
        self._err = LiveThinking(terminal, theme) if thinking else None
        self._out: LiveAnswer | None = None
        self._draws_answer = answer and Kind.ANSWER in parts
        self._theme = theme
        self._clock = clock
        self._quiet = quiet
        self._model = ""
        self._status = ""
        self._last_part = self._part_before = ""
        self._block: int | None = None
        self._kind: Kind | None = None
        self._has_begun = False
        self._leading_blanks = ""
        self._corrections = self._replaced = 0
        self._sanitizer = Sanitizer()

    def start(self, reply: Reply) -> None:
        self._model = clean_line(reply.model, 60)
        self._status = f"waiting for {self._model}"

    def tick(self, seconds: float) -> None:
        if self._out and self._kind is Kind.ANSWER:
            self._out.refresh()
        if self._err and self._status and not self._quiet and seconds >= STATUS_DELAY_SECONDS:
            self._err.draw_status(self._label(seconds), seconds)

    def _label(self, seconds: float) -> str:
        label = f"{self._status} · {format_duration(int(seconds))}"
        if self._kind is None:
            return f"{label} · it may still be loading" if seconds >= LOADING_SECONDS else label
        return f"{label} · {format_count(self._corrections, 'correction')}" if self._corrections else label

    def show(self, event: Event) -> None:
        if isinstance(event, Reclassification):
            self._reclassify(event)
            return
        if event.block != self._block:
            self._close()
            self._block, self._kind = event.block, event.kind
            self._corrections += event.kind is Kind.REFLECTION
        if self._block_view or event.kind is Kind.ANSWER:
            self._feed(self._sanitizer.feed(event.text))
        else:
            self._status = "thinking"

    def note(self, text: str) -> None:
        if self._quiet:
            return
        if self._err is None:
            write_remark(self._terminal, text)
        else:
            self._draw_note(self._err, text)

    def end(self, reply: Reply) -> None:
        self._close()
        if self._err and not self._quiet:
            self._err.draw_summary(reply, gap=self._needs_gap_before("note"))
        if self._replaced:
            self.note(control_character_remark(self._replaced))
            self._replaced = 0

    def stop(self) -> None:
        self._status = ""
        with contextlib.suppress(OutputError, StoppedError):
            self._close()

    @property
    def _block_view(self) -> LiveThinking | LiveAnswer | None:
        """The view of the open block, or None if it is not drawn."""
        if self._kind not in self._parts:
            return None
        return self._out if self._kind is Kind.ANSWER else self._err

    @property
    def _part_name(self) -> str:
        return "answer" if self._kind is Kind.ANSWER else "thinking"

    def _feed(self, text: str) -> None:
        if not self._has_begun:
            self._leading_blanks += text
            if not self._leading_blanks.strip():
                return
            text, self._leading_blanks = self._leading_blanks, ""
            self._begin()
        if self._block_view:
            self._block_view.feed(text)

    def _begin(self) -> None:
        self._has_begun, self._status, self._part_before = True, "", self._last_part
        if self._err and self._kind is Kind.ANSWER:
            self._err.close()
        if self._kind is Kind.ANSWER and self._draws_answer:
            self._out = self._out or self._open_out()
            self._out.begin(gap=self._needs_gap_before("answer"))
        elif self._err and self._kind in self._parts:
            self._err.begin(self._kind, gap=self._needs_gap_before("thinking"))

    def _open_out(self) -> LiveAnswer:
        # Importing Markdown takes as long as all other imports; the time when the model thinks hides it.
        from reflectty.output.live_answer import LiveAnswer

        return LiveAnswer(self._terminal, self._theme, self._clock)

    def _close(self) -> None:
        """End the open block and make its rows final."""
        rest, replaced = self._sanitizer.close(), self._sanitizer.replaced_count
        self._sanitizer = Sanitizer()
        if rest:
            self._feed(rest)
        self._replaced += replaced if self._block_view else 0
        if self._err:
            self._err.close()
        if self._out and self._kind is Kind.ANSWER:
            self._out.close()
        self._block, self._has_begun, self._leading_blanks = None, False, ""

    def _needs_gap_before(self, part: str) -> bool:
        """True if a blank line belongs before this part, which is drawn next."""
        gap, self._last_part = bool(self._last_part) and self._last_part != part, part
        return gap

    def _draw_note(self, err: LiveThinking, text: str) -> None:
        """Draw a note above the open block, which is redrawn below it."""
        if self._out:
            self._out.hide()
        open_block = self._block_view if self._has_begun else None
        if open_block and not open_block.has_final_rows:
            self._last_part = self._part_before
        err.draw_note(text, gap=self._needs_gap_before("note"))
        if open_block:
            self._part_before, self._last_part = "note", self._part_name
            open_block.leave_gap()
            open_block.feed("")

    def _reclassify(self, event: Reclassification) -> None:
        if event.kind is None:
            drawn = self._block_view is not None and self._has_begun
            self._close()
            if drawn:
                self.note("(the text above was part of the answer, not thinking)")
            return
        if self._kind is not Kind.ANSWER or self._out is None or not self._has_begun:
            return
        self._feed(self._sanitizer.close())
        if self._out.has_final_rows or len(event.blocks) > 1:
            self._close()
            self.note("(the text above was thinking)")
            return
        text, self._last_part = self._out.take_back(), self._part_before
        self._kind, self._has_begun = Kind.THINKING, False
        if self._block_view:
            self._feed(text)
        self._close()
