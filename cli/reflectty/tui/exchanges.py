"""The queue of turns: puts questions and replies on the screen and starts, stops, steers and resumes replies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from reflectty.core.errors import RefusedError, StoreError, UsageError
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyOrigin, ReplyStatus
from reflectty.reasoning.families import find_opener
from reflectty.reasoning.modes import AskOptions, Mode, plan
from reflectty.reasoning.steering import (
    conclude_thinking,
    continuation_prefix,
    draft_of,
    metrics_of_draft,
    open_thinking,
    require_resumable,
    writing_family,
)
from reflectty.tui.turns import IN_MEMORY_NOTE, TurnRequest
from reflectty.view.parts import NotePart, QuestionPart
from reflectty.view.reply_part import ReplyPart, part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from reflectty.chat.request import Question
    from reflectty.core.messages import Engine, Model
    from reflectty.core.session import Attachment, StoredReply, Turn
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.modes import Plan
    from reflectty.tui.conversation import Conversation
    from reflectty.tui.turns import TurnRunner
    from reflectty.tui.widgets.transcript import Transcript
    from reflectty.view.parts import Part

    StartWork = Callable[[Callable[[], Coroutine[Any, Any, None]]], object]


class ResumePlan(NamedTuple):
    """How to resume a reply."""

    model: Model
    plan: Plan
    opener: str = ""
    """The marker with which the model opens its thinking, as observed; empty if its tags are known otherwise."""
    prompt_opened_thinking: bool = False
    """True if the prompt had opened the thinking, so that text parsed as an answer is thinking."""

    def family_of(self, said: StoredReply) -> Family:
        """The family in whose tags the reply is written.

        Raises:
            RefusedError: its tags are unknown.
        """
        field = bool(said.raw_thinking)
        return writing_family(self.model, self.plan, said.family, said.raw, came_in_field=field, opener=self.opener)

    def reinterpret(self, said: StoredReply) -> StoredReply:
        """The reply, with all its text as thinking if the prompt had opened the thinking."""
        return said._replace(segments=((Kind.THINKING, said.raw.strip("\n")),)) if self.prompt_opened_thinking else said


async def make_resume_plan(
    engine: Engine, question: Question, said: StoredReply, model: Model, plan: Plan
) -> ResumePlan:
    """Work out how to resume a reply.

    Args:
        engine: the engine that would resume it.
        question: the question that it replies to.
        said: the reply so far.
        model: the model that wrote it.
        plan: the plan of its request.

    Raises:
        RefusedError: the server cannot resume a reply, or the tags of the model's thinking are unknown.
    """
    from reflectty.chat.request import request_for

    require_resumable(model)
    request = request_for(question, model, plan)
    render = getattr(engine, "prompt", None)
    opener = find_opener(await render(request)) if render else ""
    if opener and said.raw.strip() and all(kind is Kind.ANSWER for kind, _ in said.segments) and not said.raw_thinking:
        return ResumePlan(model, plan, opener, prompt_opened_thinking=_is_untagged(said))
    tell = getattr(engine, "opener", None)
    if said.raw_thinking and tell and not _has_known_tags(model, plan, said):
        opener = await tell(request)
        return ResumePlan(model, plan, opener)
    return ResumePlan(model, plan)


def _is_untagged(said: StoredReply) -> bool:
    return not said.answer or said.raw.strip() == said.answer.strip()


def _has_known_tags(model: Model, plan: Plan, said: StoredReply) -> bool:
    try:
        writing_family(model, plan, said.family, said.raw, came_in_field=True)
    except RefusedError:
        return False
    return True


NO_REPLY = "no reply yet"


class SteeredReply(NamedTuple):
    """A reply whose thinking the user edits."""

    question: Turn
    said: StoredReply
    family: Family


class QueuedQuestion(NamedTuple):
    """A question that waits for the running reply."""

    text: str
    attachments: tuple[Attachment, ...]
    part: QuestionPart


class TurnQueue:
    """Asks the questions of one screen in order and resumes replies.

    Args:
        conversation: the session of the turns.
        runner: runs the turns.
        transcript: the widget that shows them.
        start_work: starts a coroutine in the background.
    """

    def __init__(
        self, conversation: Conversation, runner: TurnRunner, transcript: Transcript, start_work: StartWork
    ) -> None:
        self.queue: list[QueuedQuestion] = []
        self.steering: SteeredReply | None = None
        self._conversation = conversation
        self._runner = runner
        self._transcript = transcript
        self._start_work = start_work
        self._is_stopping = False
        """True while a reply is stopped in order to be resumed; no other question starts then."""

    # On the screen

    def show(self, *, keep_notes: bool = False) -> None:
        """Show the visible branch from its end; `keep_notes` keeps the notes, for the same session."""
        parts: list[Part] = []
        for turn in self._conversation.path:
            part = part_of(turn)
            part.branch = self._conversation.branch_position(turn)
            parts.append(part)
        notes = (part for part in self._transcript.parts if keep_notes and isinstance(part, NotePart))
        self._transcript.fill([*parts, *notes, *(waiting.part for waiting in self.queue)])
        self._mark_last()

    def part_of(self, turn: int | None) -> Part | None:
        found = (part for part in self._transcript.parts if getattr(part, "turn", None) == turn and turn is not None)
        return next(found, None)

    @property
    def replies(self) -> tuple[ReplyPart, ...]:
        return tuple(part for part in self._transcript.parts if isinstance(part, ReplyPart))

    def _mark_last(self) -> None:
        """Show key hints beside the last reply only."""
        replies = self.replies
        for part in replies:
            last = part is replies[-1]
            if part.is_last != last:
                part.is_last = last
                self._transcript.refresh_first_row(part)

    def _mark_branch(self, turn: Turn | None, part: QuestionPart | ReplyPart) -> None:
        """Update the branch position that a part shows."""
        place = self._conversation.branch_position(turn) if turn else (1, 1)
        if place != part.branch:
            part.branch = place
            self._transcript.lay_out_part(part)

    # Asking

    def ask(self, text: str, attachments: tuple[Attachment, ...] = ()) -> None:
        """Ask a question now, or queue it behind the running reply."""
        part = QuestionPart(text, attachments, is_queued=self._runner.current is not None)
        self.queue.append(QueuedQuestion(text, attachments, part))
        self._transcript.add(part)
        self._transcript.go_to_end()
        self.start_next()

    def start_next(self) -> None:
        """Ask the oldest queued question, unless a reply is running or about to resume."""
        if not self.queue or self._runner.current or self.steering or self._is_stopping:
            return
        waiting = self.queue.pop(0)
        turn = self._store_question(lambda: self._conversation.add_question(waiting.text, waiting.attachments))
        waiting.part.turn, waiting.part.is_queued = turn.id, False
        self._transcript.lay_out_part(waiting.part)
        self._start_reply(TurnRequest(turn), waiting.part)

    def _store_question(self, write: Callable[[], Turn]) -> Turn:
        """Store a question; if the file is not writable, continue the session in memory."""
        try:
            return write()
        except StoreError as error:
            self._conversation.fall_back_to_memory()
            self._runner.note(f"{error}: {IN_MEMORY_NOTE}")
            return write()

    def _start_reply(self, request: TurnRequest, after: Part) -> None:
        """Add a reply below its question and start it."""
        part = ReplyPart(request.model or self._conversation.ask_options.model, origin=request.origin)
        at = next(at for at, other in enumerate(self._transcript.parts) if other is after) + 1
        self._transcript.insert(at, part)
        self._mark_last()
        self._runner.reserve(request)
        self._start_work(partial(self._run_turn, request, part))

    async def _run_turn(self, request: TurnRequest, part: ReplyPart) -> None:
        await self._runner.run_turn(request, part)
        self._mark_branch(self._conversation.find_turn(part.turn), part)
        self.start_next()

    async def stop_all(self) -> None:
        """Stop the running reply, and store the queued questions without asking them."""
        await self._stop()
        self.steering = None
        while self.queue:
            waiting = self.queue.pop(0)
            self._store_question(partial(self._conversation.add_question, waiting.text, waiting.attachments))

    async def _stop(self) -> None:
        """Stop the running reply and wait until it is stored; queued questions stay queued."""
        self._is_stopping = True
        try:
            await self._runner.stop()
        finally:
            self._is_stopping = False

    async def rephrase(self, question: Turn, text: str, attachments: tuple[Attachment, ...] = ()) -> None:
        """Stop the running reply and ask a question in new words, as a branch; the old branch stays."""
        await self._stop()
        kept = attachments or question.attachments
        turn = self._store_question(lambda: self._conversation.rephrase(question, text, kept))
        self.show(keep_notes=True)
        part = self.part_of(turn.id)
        if part:
            self._start_reply(TurnRequest(turn), part)

    def regenerate(self) -> None:
        """Ask the last question again; the previous reply stays as a branch."""
        question = self._conversation.last_question
        part = self.part_of(question.id) if question else None
        if question is None or part is None:
            raise UsageError("no question yet")
        self._conversation.leaf = question.id
        self._drop_after(part)
        self._start_reply(TurnRequest(question), part)

    def _drop_after(self, part: Part) -> None:
        """Remove the replies to a question from the screen, but not from the store."""
        parts = self._transcript.parts
        at = next(at for at, other in enumerate(parts) if other is part)
        waiting = {id(waiting.part) for waiting in self.queue}
        for other in [other for other in parts[at + 1 :] if id(other) not in waiting]:
            self._transcript.drop(other)

    # Resuming a reply

    async def steer(self) -> str:
        """Stop the running reply, or take the last one, and return its thinking as a text to edit.

        Raises:
            ReflecttyError: there is no reply, or its model cannot resume one.
        """
        resume_plan = await self._plan_last_reply()
        question, said, _ = await self._stop_and_find_reply()
        said = resume_plan.reinterpret(said)
        family = resume_plan.family_of(said)
        self.steering = SteeredReply(question, said, family)
        self._mark_steered(steered=True)
        return draft_of(said.segments, family)

    def _mark_steered(self, *, steered: bool) -> None:
        """Show above the last reply whether its thinking is being edited."""
        if self.replies:
            part = self.replies[-1]
            part.state.is_steered = steered
            if steered:
                part.open_override = True
            self._transcript.lay_out_part(part)
            self._transcript.go_to_end()

    def resume(self, text: str, *, conclude: bool = False) -> None:
        """Resume from the edited thinking, as a branch, or conclude it and answer at once."""
        steering, self.steering = self.steering, None
        if steering is None:
            return
        reply_prefix = (conclude_thinking if conclude else open_thinking)(steering.family, text)
        prefix_stats = metrics_of_draft(steering.said, steering.family, text)
        part = self.part_of(steering.question.id)
        if part is None:
            return
        self._drop_after(part)
        request = TurnRequest(steering.question, ReplyOrigin.STEERED, reply_prefix, prefix_stats, steering.said.model)
        self._start_reply(request, part)

    def cancel_steering(self) -> None:
        """Discard the edits of the thinking."""
        steering, self.steering = self.steering, None
        if steering:
            self._mark_steered(steered=False)
        self.start_next()

    async def conclude(self) -> None:
        """Close the thinking and request the answer: in the same reply, or as a branch if that is complete.

        Raises:
            ReflecttyError: there is no reply, or its model cannot resume one.
        """
        resume_plan = await self._plan_last_reply()
        question, said, turn = await self._stop_and_find_reply()
        said = resume_plan.reinterpret(said)
        family = resume_plan.family_of(said)
        reply_prefix = conclude_thinking(family, draft_of(said.segments, family))
        again = turn if said.ended is not ReplyStatus.COMPLETE else None
        self._start_resumed(
            TurnRequest(question, ReplyOrigin.CONCLUDED, reply_prefix, said.measured, said.model, again)
        )

    async def continue_(self) -> None:
        """Continue a reply that was cut off or stopped.

        Raises:
            ReflecttyError: there is no reply, it is complete, or its model cannot resume one.
        """
        if self._runner.current:
            return
        path = self._conversation.path
        if path and path[-1].said is None:
            self.regenerate()
            return
        question, said, turn = await self._stop_and_find_reply()
        if said.ended is ReplyStatus.COMPLETE:
            raise UsageError("the last reply is complete: nothing to continue")
        if not said.segments:
            self.regenerate()
            return
        resume_plan = await self._plan_reply(question, said)
        reply_prefix = continuation_prefix(said, resume_plan.model, resume_plan.plan, resume_plan.opener)
        self._start_resumed(TurnRequest(question, ReplyOrigin.CONTINUED, reply_prefix, said.measured, said.model, turn))

    def _start_resumed(self, request: TurnRequest) -> None:
        part = self.part_of(request.question.id)
        if part is not None:
            self._drop_after(part)
            self._start_reply(request, part)

    async def _plan_last_reply(self) -> ResumePlan:
        """Plan how to resume the last reply while it still runs: one that cannot be resumed is not stopped.

        Raises:
            ReflecttyError: there is no reply, or it cannot be resumed.
        """
        running, said = self._runner.current, self._runner.reply_so_far
        last = self._conversation.last_reply
        if running is None and last:
            question, said = self._conversation.find_turn(last.parent), last.said
        else:
            question = running.question if running else None
        if question is None or said is None:
            raise UsageError("the reply has not started yet" if running else NO_REPLY)
        try:
            resume_plan = await self._plan_reply(question, said)
            resume_plan.family_of(said)
        except RefusedError:
            if self._runner.reply:
                self._runner.reply.resumable = False
                self._runner.refresh()
            raise
        return resume_plan

    async def _plan_reply(self, question: Turn, said: StoredReply) -> ResumePlan:
        model, chosen = await self._find_model_and_plan(said)
        asked = self._conversation.build_question(question)
        return await make_resume_plan(self._runner.connected_engine, asked, said, model, chosen)

    async def _stop_and_find_reply(self) -> tuple[Turn, StoredReply, Turn]:
        """Stop the running reply; return the last question, its reply, and the reply's turn."""
        await self._stop()
        turn = next(reversed(self._conversation.path), None)
        question = self._conversation.find_turn(turn.parent) if turn else None
        if turn is None or turn.said is None or question is None:
            raise UsageError(NO_REPLY)
        return question, turn.said, turn

    async def _find_model_and_plan(self, said: StoredReply) -> tuple[Model, Plan]:
        model = await self._runner.connected_engine.show(said.model)
        ask_options = self._conversation.ask_options
        mode = Mode(said.mode) if said.mode in set(Mode) else ask_options.mode
        return model, plan(model, AskOptions(mode, ask_options.effort, ask_options.family, ask_options.system))
