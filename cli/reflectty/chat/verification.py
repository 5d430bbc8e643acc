"""Verifies a draft and asks for the final answer: factored chain of verification (arXiv 2309.11495)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.chat.ways import Requester, SeveralRenderer, present
from reflectty.core.errors import DeadlineError, IncompleteError, NoAnswerError
from reflectty.core.messages import Message
from reflectty.core.safety import clean_line
from reflectty.core.text import format_count
from reflectty.reasoning.modes import Mode
from reflectty.reasoning.verification import (
    PLAN,
    DraftCheck,
    Verification,
    changed_lines,
    check_prompt,
    is_same_text,
    questions_in,
    revise_prompt,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.chat.request import Question
    from reflectty.core.messages import Model
    from reflectty.reasoning.reply import Reply

NO_QUESTIONS: Final = "the model found nothing to check: this is the draft"
NO_CHECKS: Final = "no check was answered, so the draft could not be verified"
_DRAFT, _FINAL = 1, 2
"""The numbers of the two replies that are recorded."""
_SHOWN_LINES: Final = 12
_SHOWN_TEXT: Final = 200
"""Characters of a check or of a changed line that are shown."""


async def ask_verified(requester: Requester, question: Question, model: Model | None, patience: float) -> Reply:
    """Ask for a draft, for questions that check it, for the answer to each, and for the final answer.

    Raises:
        ReflecttyError: a reply is not complete; only a check may be.
    """
    await requester.find_model(model)
    verifier = _Verifier(requester, question)
    draft = await verifier.ask_draft(patience)
    try:
        checks = await verifier.ask_checks(draft)
        return await verifier.ask_final(draft, checks) if checks else verifier.keep(draft)
    except BaseException:
        verifier.choose_draft()
        raise


def _remark_on(check: DraftCheck) -> str:
    found = clean_line(check.answer or check.error, _SHOWN_TEXT)
    return f"check: {clean_line(check.question, _SHOWN_TEXT)} {found}"


class _Verifier:
    """Verifies the reply to one question."""

    def __init__(self, requester: Requester, question: Question) -> None:
        self._requester = requester
        self._question = question
        self._stage = requester.stage
        self._tokens = 0

    async def ask_draft(self, patience: float) -> Reply:
        shown = self._stage.renderer if self._stage.streams else None
        renderer = SeveralRenderer(self._requester, "draft", shown)
        return self._count(await self._requester.ask(self._question, renderer, patience=patience))

    async def ask_checks(self, draft: Reply) -> tuple[DraftCheck, ...]:
        """Ask which questions check a draft, and each of them without the draft; none if there is nothing to check.

        Raises:
            NoAnswerError: no check was answered.
        """
        plan = await self._ask_aside(self._below(draft, PLAN, Mode.DIRECT), "what to check")
        questions = questions_in(plan.answer)
        checks: list[DraftCheck] = []
        for number, text in enumerate(questions, 1):
            progress = f"check {number} of {len(questions)}: {clean_line(text, _SHOWN_TEXT)}"
            checks.append(await self._ask_check(text, progress))
            self._show_check(checks[-1])
        if checks and not any(check.answer for check in checks):
            raise NoAnswerError(NO_CHECKS, "ask again, or without --verify")
        return tuple(checks)

    async def _ask_check(self, text: str, progress: str) -> DraftCheck:
        asked = self._question._replace(prompt=check_prompt(text, self._question.prompt), schema=None)
        try:
            reply = await self._ask_aside(asked, progress)
        except DeadlineError:
            raise
        except IncompleteError as error:
            return DraftCheck(text, "", str(error))
        return DraftCheck(text, reply.answer)

    def _show_check(self, check: DraftCheck) -> None:
        if self._question.announce:
            self._stage.renderer.note(_remark_on(check))

    async def ask_final(self, draft: Reply, checks: Sequence[DraftCheck]) -> Reply:
        """Ask for the final answer with the draft and the checks in view, and show it and what changed."""
        asked = self._below(draft, revise_prompt(checks))._replace(schema=self._question.schema)
        renderer = SeveralRenderer(self._requester, renderer=self._stage.renderer)
        reply = self._count(await self._requester.ask(asked, renderer))
        return self._finish(reply, draft, tuple(checks))

    def keep(self, draft: Reply) -> Reply:
        """Show the draft as the final reply."""
        if not self._stage.streams:
            present(draft, self._stage.renderer)
        self._stage.renderer.note(NO_QUESTIONS)
        return self._finish(draft, draft, ())

    def _finish(self, reply: Reply, draft: Reply, checks: tuple[DraftCheck, ...]) -> Reply:
        is_changed = not is_same_text(draft.answer, reply.answer)
        reply.verification = Verification(draft.answer, checks, self._tokens, is_changed)
        if self._requester.recorder:
            remarks = (*map(_remark_on, checks), reply.verification.summary)
            self._requester.recorder.choose(_FINAL if checks else _DRAFT, remarks)
        if self._question.announce:
            self._show_changes(reply.verification, reply.answer)
        return reply

    def _show_changes(self, verification: Verification, answer: str) -> None:
        note = self._stage.renderer.note
        changes = changed_lines(verification.draft, answer) if verification.is_changed else ()
        for line in changes[:_SHOWN_LINES]:
            note(clean_line(line, _SHOWN_TEXT))
        if len(changes) > _SHOWN_LINES:
            note(f"and {format_count(len(changes) - _SHOWN_LINES, 'more changed line')}")
        note(verification.summary)

    def choose_draft(self) -> None:
        """Let the session go on from the draft."""
        if self._requester.recorder:
            self._requester.recorder.choose(_DRAFT)

    def _below(self, draft: Reply, prompt: str, mode: Mode | None = None) -> Question:
        """A question that follows the draft."""
        question = self._question
        asked, answered = Message("user", question.prompt, question.images), Message("assistant", draft.answer)
        return question._replace(
            prompt=prompt,
            images=(),
            schema=None,
            history=(*question.history, asked, answered),
            ask_options=question.ask_options.override(mode=mode),
        )

    async def _ask_aside(self, question: Question, progress: str) -> Reply:
        """Ask for a reply that is neither shown nor recorded."""
        renderer = SeveralRenderer(self._requester, progress)
        return self._count(await self._requester.ask(question, renderer, records=False))

    def _count(self, reply: Reply) -> Reply:
        self._tokens += sum(reply.tokens.values())
        return reply
