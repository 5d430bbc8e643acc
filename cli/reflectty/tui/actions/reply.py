"""Actions on replies: stop, steer, conclude, edit, regenerate, continue, switch branches and copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError
from reflectty.core.safety import clean_line
from reflectty.core.text import format_count
from reflectty.tui.actions.action import ActionGroup, action
from reflectty.view.parts import QuestionPart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.session import Turn


class ReplyActions(ActionGroup):
    """Actions on questions and replies."""

    group = "Reply"

    @action("Stop the reply and keep the text so far", "escape", slash="/stop", yields=True)
    async def cancel(self, _: str) -> None:
        """Cancel steering, leave the chosen message, withdraw a question, stop the reply or the probe, end editing."""
        controller = self._controller
        controller.notes.clear()
        if controller.turns.is_steering:
            controller.composer.fill("")
            controller.turns.cancel_steering()
        elif controller.cursor.message:
            controller.cursor.leave()
        elif controller.finder.is_active:
            controller.finder.end()
        elif controller.turns.queue:
            await self.withdraw("")
        elif controller.turns.current:
            controller.turns.stop()
        elif controller.prober.is_running:
            controller.prober.stop()
        elif controller.submissions.edited_question:
            controller.submissions.cancel_editing()

    @action("Withdraw the last queued question", slash="/withdraw")
    async def withdraw(self, _: str) -> None:
        """Take the last queued question back into the composer, unless that has another text."""
        controller = self._controller
        waiting = controller.turns.withdraw()
        if controller.composer.is_free:
            controller.composer.fill(waiting.text, waiting.pastes, waiting.attachments)
        else:
            controller.note("question withdrawn: ↑ in an empty composer recalls it")

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
        """Edit a question in the composer: the chosen or last one, on each repetition the one before, or the nth.

        The suggestions after `/edit` name each question behind its number.
        """
        self._controller.turns.require_no_steering()
        submissions, questions = self._controller.submissions, self._controller.conversation.questions
        if not questions:
            raise UsageError("no question yet")
        if wanted := number.split(maxsplit=1)[:1]:
            submissions.begin_editing(_find_numbered(questions, wanted[0]))
        elif chosen := self._controller.cursor.question:
            submissions.begin_editing(chosen)
        else:
            known = [turn.id for turn in questions]
            edited = submissions.edited_question
            at = known.index(edited.id) - 1 if edited and edited.id in known else len(known) - 1
            submissions.begin_editing(questions[max(0, at)])

    @action("Regenerate", "alt+r", slash="/regenerate", aliases=("/retry",))
    async def regenerate(self, _: str) -> None:
        """Ask the chosen or the last question again."""
        self._controller.turns.require_idle()
        self._controller.turns.regenerate(self._controller.cursor.question)
        self._controller.cursor.leave()

    @action("Compare ways of asking", "alt+a", slash="/compare", argument="ARMS")
    async def compare(self, arms: str) -> None:
        """Ask the chosen or the last question in several ways, side by side; the replies are branches."""
        await self._controller.comparison.open(arms)

    @action("Continue the reply", "alt+g", slash="/continue")
    async def continue_(self, _: str) -> None:
        self._controller.turns.require_no_steering()
        await self._controller.turns.continue_()

    @action("Previous version", "alt+left", "alt+comma", slash="/previous version")
    async def previous_branch(self, _: str) -> None:
        self._switch_branch(-1)

    @action("Next version", "alt+right", "alt+full_stop", slash="/next version")
    async def next_branch(self, _: str) -> None:
        self._switch_branch(1)

    def _switch_branch(self, direction: int) -> None:
        self._controller.turns.require_idle()
        controller = self._controller
        leaf = controller.conversation.adjacent_leaf(direction)
        if leaf is None:
            raise UsageError("no other version in that direction")
        controller.show_branch(leaf)


def _find_numbered(questions: Sequence[Turn], number: str) -> Turn:
    """The question with a number, from 1.

    Raises:
        UsageError: there is none.
    """
    if not number.isdecimal() or not 1 <= int(number) <= len(questions):
        raise UsageError(f"no question {number!r}", f"choose 1 to {len(questions)}")
    return questions[int(number) - 1]


class CopyActions(ActionGroup):
    """Actions that copy from the chosen message, or from the last complete reply."""

    group = "Copy"

    @action("Copy the answer", "alt+y", slash="/copy")
    async def copy_answer(self, what: str) -> None:
        """Copy the chosen question or the answer, or with `thinking` or `code N` something else."""
        word, _, rest = what.strip().partition(" ")
        if word == "thinking":
            await self.copy_thinking("")
        elif word == "code":
            await self.copy_code(rest)
        elif word in ("", "answer"):
            chosen = self._controller.cursor.message
            if isinstance(chosen, QuestionPart):
                await self._controller.copy(chosen.text, "question")
            else:
                await self._controller.copy(self._controller.cursor.reply.answer, "answer")
        else:
            raise UsageError(f"cannot copy {word!r}", "choose answer, thinking or code N")

    @action("Copy the thinking", "alt+u", slash="/copy thinking")
    async def copy_thinking(self, _: str) -> None:
        text = self._controller.cursor.reply.thinking
        if not text:
            raise UsageError("this reply has no thinking")
        await self._controller.copy(text, "thinking")

    @action("Copy a code block", "alt+k", slash="/copy code", argument="N")
    async def copy_code(self, number: str) -> None:
        """Copy the nth code block of the answer; let the user choose if there are several."""
        from reflectty.view.grammar import code_blocks

        blocks = code_blocks(self._controller.cursor.reply.answer)
        if not blocks:
            raise UsageError("this answer has no code block")
        wanted = number.strip() or await self._choose_block(blocks)
        if not wanted:
            return
        if not wanted.isdecimal() or not 1 <= int(wanted) <= len(blocks):
            raise UsageError(f"no code block {wanted!r}", f"choose 1 to {len(blocks)}")
        await self._controller.copy(blocks[int(wanted) - 1], f"code block {wanted} of {len(blocks)}")

    async def _choose_block(self, blocks: Sequence[str]) -> str:
        """Let the user choose a code block by its first line, the last one first; empty on cancel."""
        if len(blocks) == 1:
            return "1"
        rows = [
            (
                str(at),
                clean_line(block.strip().split("\n")[0]) or "(empty)",
                format_count(len(block.splitlines()), "line"),
            )
            for at, block in enumerate(blocks, 1)
        ]
        return await self._controller.dialogs.choose("Copy a code block", rows, str(len(blocks))) or ""
