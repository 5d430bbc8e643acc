"""Actions on replies: stop, steer, conclude, edit, regenerate, continue, switch branches and copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError
from reflectty.core.segments import Kind
from reflectty.tui.actions.action import ActionGroup, action

if TYPE_CHECKING:
    from reflectty.core.session import StoredReply


class ReplyActions(ActionGroup):
    """Actions on questions and replies."""

    group = "Reply"

    @action("Stop the reply and keep the text so far", "escape", yields=True)
    async def cancel(self, _: str) -> None:
        """Cancel steering, or stop the reply, or cancel editing."""
        controller = self._controller
        if controller.turns.is_steering:
            controller.composer.fill("")
            controller.turns.cancel_steering()
        elif controller.turns.current:
            controller.turns.stop()
        elif controller.edited_question:
            controller.cancel_editing()
        else:
            controller.transcript.mark(None)

    @action("Steer: edit the thinking and continue", "alt+s", slash="/steer")
    async def steer(self, _: str) -> None:
        self._controller.turns.require_no_steering()
        controller = self._controller
        controller.composer.fill(await controller.turns.steer())

    @action("Stop thinking and answer now", "alt+c", slash="/conclude")
    async def conclude(self, _: str) -> None:
        controller = self._controller
        if controller.turns.is_steering:
            text = controller.composer.expanded_text
            controller.composer.fill("")
            controller.turns.resume(text, conclude=True)
        else:
            await controller.turns.conclude()

    @action("Edit question (keeps the old one)", "alt+e", slash="/edit", argument="N")
    async def edit(self, number: str) -> None:
        """Edit a question in the composer: the last one, on each repetition the one before, or the nth."""
        self._controller.turns.require_no_steering()
        controller = self._controller
        questions = [turn for turn in controller.conversation.path if turn.said is None]
        if not questions:
            raise UsageError("no question yet")
        if number.strip():
            if not number.strip().isdecimal() or not 1 <= int(number) <= len(questions):
                raise UsageError(f"no question {number.strip()!r}", f"choose 1 to {len(questions)}")
            at = int(number) - 1
        else:
            known = [turn.id for turn in questions]
            at = (
                known.index(controller.edited_question.id) - 1
                if controller.edited_question and controller.edited_question.id in known
                else len(known) - 1
            )
        controller.begin_editing(questions[max(0, at)])

    @action("Regenerate", "alt+r", slash="/regenerate")
    async def regenerate(self, _: str) -> None:
        self._controller.turns.require_idle()
        self._controller.turns.regenerate()

    @action("Continue the reply", "alt+g", slash="/continue")
    async def continue_(self, _: str) -> None:
        self._controller.turns.require_no_steering()
        await self._controller.turns.continue_()

    @action("Previous version", "alt+left", "alt+comma")
    async def previous_branch(self, _: str) -> None:
        self._switch_branch(-1)

    @action("Next version", "alt+right", "alt+full_stop")
    async def next_branch(self, _: str) -> None:
        self._switch_branch(1)

    def _switch_branch(self, direction: int) -> None:
        self._controller.turns.require_idle()
        controller = self._controller
        leaf = controller.conversation.adjacent_leaf(direction)
        if leaf is None:
            raise UsageError("no other version in that direction")
        controller.show_branch(leaf)


class CopyActions(ActionGroup):
    """Actions that copy from the last reply."""

    group = "Copy"

    @action("Copy the answer", "alt+y", slash="/copy")
    async def copy_answer(self, what: str) -> None:
        """Copy the last answer, or with `thinking` or `code N` something else."""
        word, _, rest = what.strip().partition(" ")
        if word == "thinking":
            await self.copy_thinking("")
        elif word == "code":
            await self.copy_code(rest)
        elif word in ("", "answer"):
            await self._controller.copy(self._last_reply().answer, "answer")
        else:
            raise UsageError(f"cannot copy {word!r}", "choose answer, thinking or code N")

    @action("Copy the thinking", "alt+u", slash="/copy thinking")
    async def copy_thinking(self, _: str) -> None:
        text = "\n".join(text for kind, text in self._last_reply().segments if kind is not Kind.ANSWER)
        if not text:
            raise UsageError("the last reply has no thinking")
        await self._controller.copy(text, "thinking")

    @action("Copy a code block", "alt+k", slash="/copy code", argument="N")
    async def copy_code(self, number: str) -> None:
        """Copy the nth code block of the last answer, or the last one."""
        from reflectty.view.grammar import code_blocks

        blocks = code_blocks(self._last_reply().answer)
        if not blocks:
            raise UsageError("the last answer has no code block")
        wanted = number.strip() or str(len(blocks))
        if not wanted.isdecimal() or not 1 <= int(wanted) <= len(blocks):
            raise UsageError(f"no code block {wanted!r}", f"choose 1 to {len(blocks)}")
        await self._controller.copy(blocks[int(wanted) - 1], f"code block {wanted} of {len(blocks)}")

    def _last_reply(self) -> StoredReply:
        turn = self._controller.conversation.last_reply
        if turn is None or turn.said is None or self._controller.turns.current:
            raise UsageError("nothing to copy yet")
        return turn.said
