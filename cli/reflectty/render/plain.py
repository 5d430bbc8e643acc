"""Writes the answer to a pipe as it becomes certain, and what else was asked for to stderr; moves no cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.summary import made_visible
from reflectty.render import Form
from reflectty.render.certain import CertainAnswer
from reflectty.render.remark import remark
from reflectty.safety import Sanitizer
from reflectty.stream import Kind, Reclassified

if TYPE_CHECKING:
    from reflectty.render import Look
    from reflectty.reply import Reply
    from reflectty.stream import Event
    from reflectty.terminal import Terminal


class PlainRenderer:
    """For pipes and files: stdout is the answer and ends in exactly one line break."""

    def __init__(self, terminal: Terminal, look: Look, parts: frozenset[Kind]) -> None:
        self._terminal = terminal
        self._look = look
        self._parts = parts
        self._answer: CertainAnswer | None = None
        self._out = Sanitizer()
        self._err = Sanitizer()
        self._wrote = False
        self._block: int | None = None

    def start(self, reply: Reply) -> None:
        self._answer = CertainAnswer(reply.family, final=self._look.form is Form.FINAL)

    def tick(self, seconds: float) -> None:
        """Nothing moves in a pipe."""

    def show(self, event: Event) -> None:
        if self._answer and Kind.ANSWER in self._parts:
            text = self._answer.feed(event)
            if text and not self._look.whole:
                self._write(self._out.feed(text))
        if self._look.chosen and not isinstance(event, Reclassified) and event.kind is not Kind.ANSWER:
            self._aside(event.kind, event.block, event.text)

    def note(self, text: str) -> None:
        if not self._look.quiet:
            remark(self._terminal, text)

    def end(self, reply: Reply) -> None:
        if self._answer and Kind.ANSWER in self._parts:
            rest = self._rest(reply, self._answer)
            self._write(self._out.feed(rest) + self._out.close())
        self.stop()
        if self._out.replaced:
            self.note(made_visible(self._out.replaced))

    def _rest(self, reply: Reply, answer: CertainAnswer) -> str:
        if self._look.whole:
            from reflectty.schema import tidied  # noqa: PLC0415 - only answers held to a schema need it

            return "" if reply.withheld else tidied(reply.answer)
        return answer.close(reply)

    def stop(self) -> None:
        if self._block is not None:
            self._terminal.say(self._err.close() + "\n")
        if self._wrote:
            self._terminal.out.write("\n")
        self._wrote, self._block = False, None

    def _write(self, text: str) -> None:
        if text:
            self._wrote = True
            self._terminal.out.write(text)

    def _aside(self, kind: Kind, block: int, text: str) -> None:
        """Write thinking to stderr, a line of its own for each block and `~ ` before a correction."""
        if kind not in self._parts:
            return
        if block != self._block:
            self._terminal.say(("" if self._block is None else "\n") + ("~ " if kind is Kind.REFLECTION else ""))
            self._block = block
        self._terminal.say(self._err.feed(text))
