"""Draws a reply on a terminal while it streams: thinking, notes and summary on stderr, the answer on stdout."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from reflectty.core.errors import OutputError, StoppedError
from reflectty.core.safety import clean_line
from reflectty.core.segments import Kind, Reclassification
from reflectty.core.session import Readings
from reflectty.output import ALL_PARTS, write_remark
from reflectty.output.live_region import LiveRegion
from reflectty.view.parts import remark_rows
from reflectty.view.rows import GUTTER_WIDTH, MARGIN, cut_row
from reflectty.view.sections import ReplySections
from reflectty.view.summary import control_character_remark, summary_facts
from reflectty.view.thinking import ReplyState, facts_row, state_row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.core.segments import Event
    from reflectty.reasoning.reply import Reply
    from reflectty.system.terminal import Terminal
    from reflectty.system.theme import Theme
    from reflectty.view.rows import Row
    from reflectty.view.sections import Section


STATUS_DELAY_SECONDS = 0.5
"""Before this time, no waiting status is shown."""
LONG_THOUGHT_SECONDS = 20.0
"""After this time of thinking, the key that asks for the answer is named."""
ANSWER_KEY = "ctrl+\\"
FRAME_SECONDS = 0.05
"""Minimum seconds between two drawings of the open block of an answer."""


class LiveRenderer:
    """Draws one reply on a terminal; only the last few rows are redrawn, the rest is printed once.

    Fails if stdout cannot be written to, since the answer is the point; a broken stderr is not worth failing for.

    Args:
        terminal: the terminal.
        theme: the colors.
        parts: the parts of the reply to draw.
        thinking: whether to draw on stderr; else it gets notes alone, as plain lines.
        answer: whether to draw on stdout; else another renderer writes the answer.
        quiet: no status, no notes and no summary.
        reads_thoughts: whether second thoughts are marked and counted.
        has_answer_key: whether a key asks for the answer, which a long thinking names.
        clock: seconds, to limit the redraws.
    """

    def __init__(  # noqa: PLR0913 - what is drawn where are independent wishes
        self,
        terminal: Terminal,
        theme: Theme,
        parts: frozenset[Kind] = ALL_PARTS,
        *,
        thinking: bool = True,
        answer: bool = True,
        quiet: bool = False,
        reads_thoughts: bool = True,
        has_answer_key: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._terminal = terminal
        err = LiveRegion(terminal, terminal.err, theme, terminal.write_stderr, reads_thoughts=reads_thoughts)
        self._err = err if thinking else None
        self._out = LiveRegion(terminal, terminal.out, theme, terminal.out.write) if answer else None
        self._parts = parts
        self._quiet = quiet
        self._clock = clock
        self._drawn_at = -FRAME_SECONDS
        self._state = ReplyState("")
        self._has_status = False
        """Whether a status is shown: nothing has come yet, or only thinking that is not drawn."""
        self._has_answer_key = has_answer_key and not quiet
        self._hint = ""
        """What names the key that asks for the answer, while a thinking is long."""
        self._kind: Kind | None = None
        self._reads_thoughts = reads_thoughts
        self._readings: Readings | None = None
        self._sections = ReplySections(reads_thoughts=reads_thoughts)
        self._printed: Section | None = None
        """The last section of which rows have been printed."""
        self._above = ""
        """The name of what the last printed row is part of: a note, thinking or an answer."""
        self._replaced_count = 0

    def start(self, reply: Reply) -> None:
        self._state = ReplyState(reply.model)
        self._state.follow(reply)
        self._has_status, self._kind, self._readings = True, None, None

    def tick(self, seconds: float) -> None:
        hint, self._hint = self._hint, self._answer_hint(seconds)
        if self._sections.kind is Kind.ANSWER or self._hint != hint:
            self._draw()
        if self._err and self._has_status and not self._quiet and seconds >= STATUS_DELAY_SECONDS:
            self._state.tick(seconds, self._kind)
            row = [*state_row(self._state, self._err), *self._hint_row(self._err)]
            self._err.draw(live=[cut_row(row, self._err.columns.prose + GUTTER_WIDTH)])

    def _answer_hint(self, seconds: float) -> str:
        """What names the key that asks for the answer; empty unless a thinking is long or goes in circles."""
        if not self._has_answer_key or self._kind in {None, Kind.ANSWER} or not self._state.resumable:
            return ""
        self._state.tick(seconds, self._kind)
        if self._state.repeats_itself:
            return f"it repeats itself: {ANSWER_KEY} answers now"
        return f"{ANSWER_KEY} answers now" if self._state.measured.thinking_ms >= LONG_THOUGHT_SECONDS * 1000 else ""

    def _hint_row(self, region: LiveRegion) -> Row:
        return [MARGIN, (self._hint, region.palette.styles["faint"])] if self._hint else []

    def show(self, event: Event) -> None:
        if isinstance(event, Reclassification):
            self._reclassify(event)
            return
        self._kind = event.kind
        if self._region_of(event.kind):
            self._sections.show(event)
            self._draw()
            return
        self._finish()
        if event.kind is not Kind.ANSWER:
            self._has_status = True
        elif self._has_status and event.text.strip():
            self._clear_status()

    def note(self, text: str) -> None:
        if self._quiet:
            return
        if self._err is None:
            write_remark(self._terminal, text)
            return
        self._write(self._err, remark_rows(clean_line(text), self._err), name="note")
        self._redraw()

    def end(self, reply: Reply) -> None:
        self._finish()
        self._clear_status()
        reply.readings = self._readings
        if self._err and not self._quiet:
            row = facts_row(summary_facts(reply.metrics), self._err.columns.prose, self._err.palette)
            self._write(self._err, [[MARGIN, *row]] if row else [], name="note")
        if self._replaced_count:
            self.note(control_character_remark(self._replaced_count))
            self._replaced_count = 0

    def stop(self) -> None:
        with contextlib.suppress(OutputError, StoppedError):
            self._finish()
        self._clear_status()

    def _clear_status(self) -> None:
        self._has_status = False
        if self._err:
            self._err.draw()

    def _region_of(self, kind: Kind) -> LiveRegion | None:
        """The region in which a part of the reply is drawn, or None."""
        if kind not in self._parts:
            return None
        return self._out if kind is Kind.ANSWER else self._err

    def _draw(self) -> None:
        """Print all rows that cannot change any more, and redraw those that can."""
        while len(self._sections.all) > 1:
            self._draw_section(self._sections.all.pop(0))
        for section in self._sections.all:
            self._draw_section(section)

    def _draw_section(self, section: Section) -> None:
        region = self._out if section.is_answer else self._err
        if section.is_empty or region is None:
            return
        if not section.is_drawn:
            section.draw(region)
        self._has_status = False
        rows, section.rows = section.rows, []
        self._printed = section if rows else self._printed
        if section.is_answer:
            now = self._clock()
            if not rows and not section.is_over and now - self._drawn_at < FRAME_SECONDS:
                return
            self._drawn_at = now
        live = section.live_rows if region.can_redraw else ()
        if self._hint and not (section.is_answer or section.is_over) and region.can_redraw:
            live = [*live, cut_row(self._hint_row(region), region.columns.prose + GUTTER_WIDTH)]
        self._write(region, rows, live, name="answer" if section.is_answer else "thinking")

    def _write(self, region: LiveRegion, rows: Sequence[Row], live: Sequence[Row] = (), *, name: str) -> None:
        """Write rows, a blank one before them if they begin another part."""
        first = (rows or live or ((),))[0]
        gap: list[Row] = [[]] if first and self._above not in ("", name) else []
        for other in (self._out, self._err):
            if other and other is not region and other.has_live_rows:
                other.draw()
        if rows:
            region.draw([*gap, *rows], live)
            self._above = name
        else:
            region.draw(live=[*gap, *live][-region.live_height :] if gap else live)

    def _finish(self) -> None:
        """End the open block and print its rows."""
        if self._sections.all:
            self._sections.end()
            self._draw()
            self._replaced_count += self._sections.replaced_count
            if found := self._sections.readings:
                self._readings = Readings(*map(sum, zip(self._readings or Readings(), found, strict=True)))
            self._sections = ReplySections(reads_thoughts=self._reads_thoughts)

    def _reclassify(self, event: Reclassification) -> None:
        if self._sections.kind is None:
            return
        section = self._sections.all[-1]
        if event.kind is None:
            self._finish()
            self.note("(the text above was part of the answer, not thinking)")
        elif section.is_answer and self._can_redraw(section, event.blocks):
            shown = self._region_of(event.kind)
            self._sections.show(event if shown else Reclassification(event.blocks, None))
            self._redraw()
        elif section.is_answer:
            self._finish()
            self.note("(the text above was thinking)")

    def _can_redraw(self, section: Section, blocks: tuple[int, ...]) -> bool:
        """True if no row of a section has been printed, and it holds all of these blocks."""
        return section is not self._printed and set(blocks) <= {block.number for block in section.blocks}

    def _redraw(self) -> None:
        """Draw the rows that can still change anew."""
        if self._out:
            self._out.draw()
        self._drawn_at = -FRAME_SECONDS
        self._draw()
