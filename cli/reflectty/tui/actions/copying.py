"""Actions that copy: the answer, the thinking, a block of code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.errors import UsageError
from reflectty.stream import Kind

if TYPE_CHECKING:
    from reflectty.session import Said
    from reflectty.tui.desk import Desk


class Copying:
    """Each method is the action of its name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def copy_answer(self, what: str) -> None:
        """Copy the last answer; `thinking` or `code N` name something else."""
        word, _, rest = what.strip().partition(" ")
        if word == "thinking":
            await self.copy_thinking("")
        elif word == "code":
            await self.copy_code(rest)
        elif word in ("", "answer"):
            await self._desk.copy(self._said().answer, "the answer")
        else:
            raise UsageError(f"{word!r} cannot be copied", "answer, thinking and code N can")

    async def copy_thinking(self, _: str) -> None:
        text = "\n".join(text for kind, text in self._said().segments if kind is not Kind.ANSWER)
        if not text:
            raise UsageError("the last reply has no thinking")
        await self._desk.copy(text, "the thinking")

    async def copy_code(self, number: str) -> None:
        """Copy the nth block of code of the last answer, or the last one."""
        blocks = code_blocks(self._said().answer)
        if not blocks:
            raise UsageError("the last answer has no block of code")
        wanted = number.strip() or str(len(blocks))
        if not wanted.isdecimal() or not 1 <= int(wanted) <= len(blocks):
            raise UsageError(f"there is no block of code {wanted!r}", f"they are 1 to {len(blocks)}")
        await self._desk.copy(blocks[int(wanted) - 1], f"block of code {wanted} of {len(blocks)}")

    def _said(self) -> Said:
        running = self._desk.talk.part
        turn = self._desk.conversation.last_reply
        if turn is None or turn.said is None or running is not None:
            raise UsageError("there is no complete reply yet")
        return turn.said


def code_blocks(answer: str) -> tuple[str, ...]:
    """Return what stands in the fenced blocks of an answer, in order."""
    from reflectty.drawing.grammar import markdown  # noqa: PLC0415 - a chat starts without it

    return tuple(token.content for token in markdown("normalize", "block").parse(answer) if token.type == "fence")
