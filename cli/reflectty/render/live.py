"""Draws a reply on a terminal while it comes: thinking, notes and summary on stderr, the answer on stdout."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from reflectty.drawing.summary import counted, duration, made_visible
from reflectty.errors import OutputError, StoppedError
from reflectty.render.live_thinking import LiveThinking
from reflectty.render.remark import remark
from reflectty.safety import Sanitizer, clean_line
from reflectty.stream import Kind, Reclassified

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.render.live_answer import LiveAnswer
    from reflectty.reply import Reply
    from reflectty.stream import Event
    from reflectty.terminal import Terminal
    from reflectty.theme import Theme

PATIENCE_SECONDS = 0.5
"""Before this, nothing says that nothing has come yet."""
LOADING_SECONDS = 3.0
"""After this, the model may be on its way into memory."""
_EVERYTHING = frozenset(Kind)


class LiveRenderer:
    """Draws one reply on a terminal; only the last few rows are ever drawn again, the rest is printed once.

    Args:
        terminal: where.
        theme: in which colours.
        parts: what is wanted of the reply.
        thinking: whether stderr is drawn on; else notes go there as plain lines, and nothing else.
        answer: whether stdout is drawn on; else someone else writes the answer.
        quiet: no status, no notes and no summary.
        clock: seconds, for how often is drawn.
    """

    def __init__(  # noqa: PLR0913 - what is drawn where are independent wishes
        self,
        terminal: Terminal,
        theme: Theme,
        parts: frozenset[Kind] = _EVERYTHING,
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
        self._last = self._before = ""
        self._block: int | None = None
        self._kind: Kind | None = None
        self._begun = False
        self._lead = ""
        self._corrections = self._replaced = 0
        self._sanitizer = Sanitizer()

    def start(self, reply: Reply) -> None:
        self._model = clean_line(reply.model, 60)
        self._status = f"waiting for {self._model}"

    def tick(self, seconds: float) -> None:
        if self._out and self._kind is Kind.ANSWER:
            self._out.refresh()
        if self._err and self._status and not self._quiet and seconds >= PATIENCE_SECONDS:
            self._err.status(self._label(seconds), seconds)

    def _label(self, seconds: float) -> str:
        label = f"{self._status} · {duration(int(seconds))}"
        if self._kind is None:
            return f"{label} · it may still be loading" if seconds >= LOADING_SECONDS else label
        return f"{label} · {counted(self._corrections, 'correction')}" if self._corrections else label

    def show(self, event: Event) -> None:
        if isinstance(event, Reclassified):
            self._reclassify(event)
            return
        if event.block != self._block:
            self._close()
            self._block, self._kind = event.block, event.kind
            self._corrections += event.kind is Kind.REFLECTION
        if self._drawn or event.kind is Kind.ANSWER:
            self._feed(self._sanitizer.feed(event.text))
        else:
            self._status = "thinking"

    def note(self, text: str) -> None:
        if self._quiet:
            return
        if self._err is None:
            remark(self._terminal, text)
        else:
            self._draw_note(self._err, text)

    def end(self, reply: Reply) -> None:
        self._close()
        if self._err and not self._quiet:
            self._err.summarise(reply, gap=self._gap("note"))
        if self._replaced:
            self.note(made_visible(self._replaced))
            self._replaced = 0

    def stop(self) -> None:
        self._status = ""
        with contextlib.suppress(OutputError, StoppedError):
            self._close()

    @property
    def _drawn(self) -> LiveThinking | LiveAnswer | None:
        """Where the block that is coming is drawn, if anywhere."""
        if self._kind not in self._parts:
            return None
        return self._out if self._kind is Kind.ANSWER else self._err

    @property
    def _part(self) -> str:
        return "answer" if self._kind is Kind.ANSWER else "thinking"

    def _feed(self, text: str) -> None:
        if not self._begun:
            self._lead += text
            if not self._lead.strip():
                return
            text, self._lead = self._lead, ""
            self._begin()
        if self._drawn:
            self._drawn.feed(text)

    def _begin(self) -> None:
        self._begun, self._status, self._before = True, "", self._last
        if self._err and self._kind is Kind.ANSWER:
            self._err.close()
        if self._kind is Kind.ANSWER and self._draws_answer:
            self._out = self._out or self._open_out()
            self._out.begin(gap=self._gap("answer"))
        elif self._err and self._kind in self._parts:
            self._err.begin(self._kind, gap=self._gap("thinking"))

    def _open_out(self) -> LiveAnswer:
        # Markdown takes as long to import as all the rest: while the model thinks there is time for it.
        from reflectty.render.live_answer import LiveAnswer  # noqa: PLC0415

        return LiveAnswer(self._terminal, self._theme, self._clock)

    def _close(self) -> None:
        """End the block that was coming: whatever of it is open becomes final."""
        rest, replaced = self._sanitizer.close(), self._sanitizer.replaced
        self._sanitizer = Sanitizer()
        if rest:
            self._feed(rest)
        self._replaced += replaced if self._drawn else 0
        if self._err:
            self._err.close()
        if self._out and self._kind is Kind.ANSWER:
            self._out.close()
        self._block, self._begun, self._lead = None, False, ""

    def _gap(self, part: str) -> bool:
        """Whether a blank line belongs before that part, which is drawn next."""
        gap, self._last = bool(self._last) and self._last != part, part
        return gap

    def _draw_note(self, err: LiveThinking, text: str) -> None:
        """Draw a note above what is open: that is drawn again below it."""
        if self._out:
            self._out.hide()
        open_block = self._drawn if self._begun else None
        if open_block and not open_block.final:
            self._last = self._before
        err.say(text, gap=self._gap("note"))
        if open_block:
            self._before, self._last = "note", self._part
            open_block.stand_below()
            open_block.feed("")

    def _reclassify(self, event: Reclassified) -> None:
        if event.kind is None:
            drawn = self._drawn is not None and self._begun
            self._close()
            if drawn:
                self.note("(the text above was no thinking, but part of the answer)")
            return
        if self._kind is not Kind.ANSWER or self._out is None or not self._begun:
            return
        self._feed(self._sanitizer.close())
        if self._out.final or len(event.blocks) > 1:
            self._close()
            self.note("(the text above was thinking)")
            return
        text, self._last = self._out.take(), self._before
        self._kind, self._begun = Kind.THINKING, False
        if self._drawn:
            self._feed(text)
        self._close()
