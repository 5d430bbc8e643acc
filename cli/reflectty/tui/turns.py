"""The queue of turns: asks questions in order, and stops, steers and resumes replies."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Literal

from reflectty import config
from reflectty.core.errors import PromptTooLongError, ReflecttyError, RefusedError, StoreError, UsageError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.session import ReplyOrigin, ReplyStatus
from reflectty.reasoning.modes import Mode, plan
from reflectty.reasoning.steering import (
    conclude_thinking,
    continuation_prefix,
    draft_of,
    metrics_of_draft,
    open_thinking,
)
from reflectty.tui.running_turn import IN_MEMORY_NOTE, RunningTurn, TurnContext, TurnRequest
from reflectty.tui.turn_parts import TurnParts
from reflectty.view.parts import QuestionPart
from reflectty.view.reply_part import ReplyPart

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from typing import Any

    from reflectty.chat.resume import ResumePlan
    from reflectty.core.messages import Engine
    from reflectty.core.session import Attachment, Span, StoredReply, Turn
    from reflectty.reasoning.families import Family
    from reflectty.tui.conversation import Conversation
    from reflectty.tui.running_turn import TurnWatcher
    from reflectty.tui.widgets.transcript import Transcript

    StartWork = Callable[[Callable[[], Coroutine[Any, Any, None]]], object]
    TurnEvent = Literal["start", "ask", "exceed", "stop", "end", "hold", "release", "steer", "cancel"]

NO_REPLY = "no reply yet"


class TurnState(StrEnum):
    """What the queue of turns is doing."""

    IDLE = "idle"
    """Nothing: a question starts at once."""
    WAITING = "waiting"
    """A turn has been started, but its engine may still be opening."""
    ASKING = "asking"
    OVERFLOW = "overflow"
    """The user is asked what to omit of a prompt that exceeds the context."""
    STOPPING = "stopping"
    """The running reply is being stopped and stored."""
    HOLDING = "holding"
    """The same, in order to go on from that reply: no question of the queue starts."""
    STEERING = "steering"
    """The user edits the thinking of the last reply."""


_RUNNING = (TurnState.WAITING, TurnState.ASKING, TurnState.OVERFLOW)
TRANSITIONS: dict[TurnEvent, dict[TurnState, TurnState]] = {
    "start": dict.fromkeys((TurnState.IDLE, TurnState.HOLDING), TurnState.WAITING),
    "ask": dict.fromkeys((TurnState.WAITING, TurnState.OVERFLOW), TurnState.ASKING),
    "exceed": {TurnState.ASKING: TurnState.OVERFLOW},
    "stop": dict.fromkeys(_RUNNING, TurnState.STOPPING),
    "end": dict.fromkeys((*_RUNNING, TurnState.STOPPING), TurnState.IDLE),
    "hold": dict.fromkeys(TurnState, TurnState.HOLDING),
    "release": {TurnState.HOLDING: TurnState.IDLE},
    "steer": {TurnState.HOLDING: TurnState.STEERING},
    "cancel": {TurnState.STEERING: TurnState.IDLE},
}
"""The next state, by event and state; in any other state an event changes nothing."""


class SteeredReply(NamedTuple):
    """A reply whose thinking the user edits."""

    question: Turn
    reply: StoredReply
    family: Family


class QueuedQuestion(NamedTuple):
    """A question that waits for the running reply."""

    text: str
    attachments: tuple[Attachment, ...]
    pastes: tuple[Span, ...]
    part: QuestionPart


class TurnQueue:
    """Asks the questions of one screen in order, one at a time, and resumes replies.

    Args:
        conversation: the session of the turns.
        transcript: the widget that shows them.
        watcher: receives what happens.
        start_work: starts a coroutine in the background, `run_worker` of a screen.
    """

    def __init__(
        self, conversation: Conversation, transcript: Transcript, watcher: TurnWatcher, start_work: StartWork
    ) -> None:
        self.state = TurnState.IDLE
        self.current: RunningTurn | None = None
        """The running turn, until its reply is stored."""
        self.queue: list[QueuedQuestion] = []
        self.engine: Engine | None = None
        self.engine_settled = asyncio.Event()
        """Set once the engine is open or has failed to open."""
        self.speed = 0.0
        """Tokens per second of the last reply."""
        self.last_model = ""
        """The model of the last reply that has any text."""
        self.parts = TurnParts(conversation, transcript)
        self._conversation = conversation
        self._watcher = watcher
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._context = TurnContext(conversation, transcript, watcher, self._writer.submit, set())
        self._start_work = start_work
        self._steered: SteeredReply | None = None
        """What is edited in the state STEERING."""

    # State

    def _move(self, event: TurnEvent) -> bool:
        """Change the state; False if the event changes nothing in this state."""
        following = TRANSITIONS[event].get(self.state)
        self.state = following or self.state
        return following is not None

    @property
    def is_steering(self) -> bool:
        return self.state is TurnState.STEERING

    @property
    def can_steer(self) -> bool:
        """True unless the running reply is known not to be resumable."""
        reply = self.current.reply if self.current else None
        return reply is None or reply.resumable

    @property
    def can_end_loop(self) -> bool:
        """Whether the running thinking repeats itself, and the answer can be asked for."""
        state = self.current.part.state if self.current else None
        return state is not None and state.repeats_itself and not state.is_answering and self.can_steer

    def require_no_steering(self) -> None:
        """Raise a UsageError while the thinking is being edited."""
        if self.is_steering:
            raise UsageError("the thinking is being edited: send or cancel it first")

    def require_no_reply(self) -> None:
        """Raise a UsageError while a reply is running."""
        if self.current:
            raise UsageError("a reply is in progress: stop it first")

    def require_idle(self) -> None:
        """Raise a UsageError while a reply is running or the thinking is being edited."""
        self.require_no_steering()
        self.require_no_reply()

    @property
    def connected_engine(self) -> Engine:
        """The open engine.

        Raises:
            ReflecttyError: it is not open.
        """
        if self.engine is None:
            raise ReflecttyError("not connected to a server yet")
        return self.engine

    @property
    def submit(self) -> Callable[[Callable[[], None]], object]:
        """Submits work to the thread that writes to the store."""
        return self._context.submit

    # Asking

    def ask(self, text: str, attachments: tuple[Attachment, ...] = (), pastes: tuple[Span, ...] = ()) -> None:
        """Ask a question now, or queue it behind the running reply."""
        part = QuestionPart(text, attachments, pastes, is_queued=self.state is not TurnState.IDLE)
        self.queue.append(QueuedQuestion(text, attachments, pastes, part))
        self.parts.add_question(part)
        if self.state is TurnState.IDLE:
            self._start(self._take_question())

    def _start_next(self) -> None:
        """Ask the oldest queued question, unless a reply is running or about to resume."""
        if self.queue and self.state is TurnState.IDLE:
            self._start(self._take_question())

    def _take_question(self) -> TurnRequest:
        """Store the oldest queued question."""
        text, attachments, pastes, part = self.queue.pop(0)
        turn = self._store_question(lambda: self._conversation.add_question(text, attachments, pastes))
        self.parts.mark_asked(part, turn.id)
        return TurnRequest(turn)

    def withdraw(self) -> QueuedQuestion:
        """Take the last queued question back.

        Raises:
            UsageError: none is queued.
        """
        if not self.queue:
            raise UsageError("no question is queued")
        waiting = self.queue.pop()
        self.parts.drop(waiting.part)
        return waiting

    def _store_question(self, write: Callable[[], Turn]) -> Turn:
        """Store a question; if the file is not writable, continue the session in memory."""
        try:
            return write()
        except StoreError as error:
            self._conversation.fall_back_to_memory()
            self._watcher.note(f"{error}: {IN_MEMORY_NOTE}", wrong=True)
            return write()

    def _start(self, request: TurnRequest) -> None:
        """Start a reply below its question; no other reply may be running."""
        question = self.parts.find(request.question.id)
        if question is None:
            return
        self._move("start")
        part = ReplyPart(
            request.model or self._conversation.ask_options.model,
            origin=request.origin,
            reads_thoughts=self._context.transcript.scene.reads_thoughts,
        )
        self.parts.add_reply(question, part)
        self.current = RunningTurn(request, part, self._context)
        self._start_work(partial(self._run, self.current))

    async def _run(self, turn: RunningTurn) -> None:
        """Run a turn until its reply is over and stored, however it ended; then ask the next question."""
        try:
            while True:
                with turn.stoppable():
                    engine = await self._wait_for_engine(turn)
                    await turn.ask(engine, _is_first_time)
                reply = await turn.store()
                if not await self._wants_retry(turn):
                    break
                turn.retry()
            self._update_figures(reply)
            turn.close(reply)
        finally:
            self._end(turn)
        self.parts.mark_branch(turn.part)
        self._start_next()

    def _end(self, turn: RunningTurn) -> None:
        self.current = None
        self._move("end")
        turn.ended.set()
        self._watcher.on_turn_end()

    async def _wants_retry(self, turn: RunningTurn) -> bool:
        """Ask what to omit after an overflow; True to retry."""
        error = turn.error
        if isinstance(error, PromptTooLongError) and self._move("exceed"):
            with turn.stoppable():
                return await self._watcher.handle_overflow(turn.request, error)
        return False

    def _update_figures(self, reply: StoredReply) -> None:
        figures = reply.measured
        self.speed = figures.tokens_per_second or self.speed
        self.last_model = reply.model if reply.segments else self.last_model

    async def _wait_for_engine(self, turn: RunningTurn) -> Engine:
        """The engine once it is open: the user may send the first question, and stop it, before that."""
        if self.state in (TurnState.STOPPING, TurnState.HOLDING):
            turn.cancel()
        self._watcher.refresh_status()
        await asyncio.sleep(0)  # where a stop from before the first step arrives
        await self.engine_settled.wait()
        if self.engine is None:
            raise ReflecttyError("not connected to a server")
        self._move("ask")
        return self.engine

    # Stopping

    def stop(self) -> None:
        """Stop the running reply, even before its first token; the next question starts once it is stored."""
        self._move("stop")
        if self.current:
            self.current.cancel()

    @contextlib.asynccontextmanager
    async def _hold(self) -> AsyncIterator[None]:
        """Stop the running reply and wait until it is stored; queued questions wait until the block is left."""
        self._move("hold")
        while self.current:
            self.stop()
            await self.current.ended.wait()
            self._move("hold")
        self._steered = None
        try:
            yield
        finally:
            if self._move("release"):
                self._start_next()

    async def stop_all(self) -> None:
        """Stop the running reply, and store the queued questions without asking them."""
        async with self._hold():
            while self.queue:
                self._take_question()

    async def close(self) -> None:
        """Stop and store everything for good."""
        if self.current and not self.current.has_begun:
            # A worker that is canceled before its first step never runs.
            self._end(self.current)
        await self.stop_all()
        self._writer.shutdown(wait=True)

    # Asking again

    async def rephrase(
        self, question: Turn, text: str, attachments: tuple[Attachment, ...] = (), pastes: tuple[Span, ...] = ()
    ) -> None:
        """Stop the running reply and ask a question in new words, as a branch; the old branch stays."""
        async with self._hold():
            turn = self._store_question(lambda: self._conversation.rephrase(question, text, attachments, pastes))
            self.parts.show(same_session=True)
            self._start(TurnRequest(turn))

    def regenerate(self, question: Turn | None = None) -> None:
        """Ask a question again, or the last one; the previous reply stays as a branch."""
        question = question or self._conversation.last_question
        if question is None or self.parts.find(question.id) is None:
            raise UsageError("no question yet")
        self._conversation.leaf = question.id
        self._restart(TurnRequest(question))

    def _restart(self, request: TurnRequest) -> None:
        """Start a reply in place of those that the screen shows below its question."""
        part = self.parts.find(request.question.id)
        if part is not None:
            self.parts.drop_after(part)
            self._start(request)

    # Resuming a reply

    async def steer(self) -> str:
        """Stop the running reply, or take the last one, and return its thinking as a text to edit.

        Raises:
            ReflecttyError: there is no reply, or its model cannot resume one.
        """
        async with self._hold_last_reply() as (steered, _):
            self._steered = steered
            self._move("steer")
        self.parts.mark_steered(steered=True)
        return draft_of(steered.reply.segments, steered.family)

    @contextlib.asynccontextmanager
    async def _hold_last_reply(self) -> AsyncIterator[tuple[SteeredReply, Turn]]:
        """Stop the running reply, or take the last one, and give what resumes it and its turn."""
        resume_plan = await self._plan_last_reply()
        async with self._hold():
            question, reply, turn = self._find_last_reply()
            reply = resume_plan.reinterpret(reply)
            yield SteeredReply(question, reply, resume_plan.family_of(reply)), turn

    def resume(self, text: str, *, conclude: bool = False) -> None:
        """Resume from the edited thinking, as a branch, or conclude it and answer at once."""
        if self._steered is None:
            return
        question, reply, family = self._steered
        self._steered = None
        self._move("cancel")
        prefix = (conclude_thinking if conclude else open_thinking)(family, text)
        figures = metrics_of_draft(reply, family, text)
        self._restart(TurnRequest(question, ReplyOrigin.STEERED, prefix, figures, reply.model))

    def cancel_steering(self) -> None:
        """Discard the edits of the thinking."""
        self._steered = None
        if self._move("cancel"):
            self.parts.mark_steered(steered=False)
            self._start_next()

    async def conclude(self) -> None:
        """Close the thinking and request the answer: in the same reply, or as a branch if that is complete.

        Raises:
            ReflecttyError: there is no reply, or its model cannot resume one.
        """
        async with self._hold_last_reply() as ((question, reply, family), turn):
            prefix = conclude_thinking(family, draft_of(reply.segments, family))
            again = turn if reply.ended is not ReplyStatus.COMPLETE else None
            self._restart(TurnRequest(question, ReplyOrigin.CONCLUDED, prefix, reply.measured, reply.model, again))

    async def continue_(self) -> None:
        """Continue a reply that was cut off or stopped.

        Raises:
            ReflecttyError: there is no reply, it is complete, or its model cannot resume one.
        """
        if self.current:
            return
        path = self._conversation.path
        if path and path[-1].said is None:
            self.regenerate()
            return
        question, reply, turn = self._find_last_reply()
        if reply.ended is ReplyStatus.COMPLETE:
            raise UsageError("the last reply is complete: nothing to continue")
        if not reply.segments:
            self.regenerate()
            return
        resume_plan = await self._plan_reply(question, reply)
        self.require_idle()  # A question may have been sent meanwhile.
        prefix = continuation_prefix(reply, resume_plan.model, resume_plan.plan, resume_plan.opener)
        self._restart(TurnRequest(question, ReplyOrigin.CONTINUED, prefix, reply.measured, reply.model, turn))

    async def _plan_last_reply(self) -> ResumePlan:
        """Plan how to resume the last reply while it still runs: one that cannot be resumed is not stopped.

        Raises:
            ReflecttyError: there is no reply, or it cannot be resumed.
        """
        running = self.current
        question = running.request.question if running else None
        reply = running.reply_so_far if running else None
        last = self._conversation.last_reply
        if running is None and last:
            question, reply = self._conversation.find_turn(last.parent), last.said
        if question is None or reply is None:
            raise UsageError("the reply has not started yet" if running else NO_REPLY)
        try:
            resume_plan = await self._plan_reply(question, reply)
            resume_plan.family_of(reply)
        except RefusedError:
            if self.current and self.current.reply:
                self.current.reply.resumable = False
                self._watcher.refresh_status()
            raise
        return resume_plan

    async def _plan_reply(self, question: Turn, reply: StoredReply) -> ResumePlan:
        from reflectty.chat.resume import make_resume_plan

        model = await self.connected_engine.show(reply.model)
        options = self._conversation.ask_options
        mode = Mode(reply.mode) if reply.mode in set(Mode) else options.mode
        chosen = plan(model, options.override(mode=mode))
        asked = self._conversation.build_question(question)
        return await make_resume_plan(self.connected_engine, asked, reply, model, chosen)

    def _find_last_reply(self) -> tuple[Turn, StoredReply, Turn]:
        """The last question, its reply, and the reply's turn."""
        turn = next(reversed(self._conversation.path), None)
        question = self._conversation.find_turn(turn.parent) if turn else None
        if turn is None or turn.said is None or question is None:
            raise UsageError(NO_REPLY)
        return question, turn.said, turn


def _is_first_time(name: str) -> bool:
    return config.remember_once("asked", name)
