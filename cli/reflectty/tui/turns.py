"""Runs one turn at a time: asks the model, draws the reply into the transcript and records it."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from reflectty import config
from reflectty.chat.recorder import Recorder, RecordTarget, stored_reply_of
from reflectty.core.errors import OptionError, PromptTooLongError, ReflecttyError, StoreError
from reflectty.core.model_names import is_cloud_notice
from reflectty.core.session import NO_METRICS, ReplyMetrics, ReplyOrigin, ReplyStatus, StoredReply

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.core.messages import Engine
    from reflectty.core.segments import Event
    from reflectty.core.session import Turn
    from reflectty.reasoning.reply import Reply
    from reflectty.tui.conversation import ChatAskOptions, Conversation
    from reflectty.tui.widgets.transcript import Transcript
    from reflectty.view.reply_part import ReplyPart


class ReplyRenderer:
    """Draws one reply into its part."""

    def __init__(
        self,
        transcript: Transcript,
        part: ReplyPart,
        note: Callable[[str], None],
        on_start: Callable[[Reply], None] = lambda _: None,
    ) -> None:
        self.reply: Reply | None = None
        self.part = part
        self._transcript = transcript
        self._note = note
        self._on_start = on_start
        self._loop = asyncio.get_running_loop()

    def start(self, reply: Reply) -> None:
        self.reply = reply
        self.part.begin(reply)
        self._on_start(reply)

    def tick(self, seconds: float) -> None:
        height = self.part.height
        self.part.tick(seconds)
        if self.part.height == height:
            self._transcript.refresh_first_row(self.part)
        else:
            self._transcript.mark_changed(self.part)

    def show(self, event: Event) -> None:
        row = self.part.stable_height
        self.part.show(event)
        self._transcript.mark_changed(self.part, row)

    def note(self, text: str) -> None:
        if self.reply and text in self.reply.warnings:
            # The part shows the warnings of its reply.
            return
        # The recorder calls this from the thread that writes to the store.
        self._loop.call_soon_threadsafe(self._note, text)

    def end(self, reply: Reply) -> None:
        """Nothing: `TurnRunner` ends the part."""

    def stop(self) -> None:
        """Nothing: the screen stays."""


STOPPED_REASON = "stopped"
IN_MEMORY_NOTE = "this session is now in memory only"


class TurnRequest(NamedTuple):
    """A question to ask, and how its reply begins."""

    question: Turn
    origin: ReplyOrigin = ReplyOrigin.ASKED
    reply_prefix: str = ""
    prefix_stats: ReplyMetrics = NO_METRICS
    model: str = ""
    """The model that resumes a reply; empty for the conversation's model."""
    resumed_turn: Turn | None = None
    """The reply to resume in its own turn; None adds a branch."""


class TurnWatcher(Protocol):
    """Receives the notes, status changes and context overflows of turns."""

    def note(self, text: str, *, wrong: bool = False) -> None:
        """Show a note beside the conversation."""
        ...

    def refresh_status(self) -> None:
        """Update the status after a reply has started, progressed or ended."""
        ...

    async def handle_overflow(self, request: TurnRequest, error: PromptTooLongError) -> bool:
        """Ask what to omit; True to retry."""
        ...


class TurnRunner:
    """Runs one turn at a time; `current` is the running one."""

    def __init__(self, conversation: Conversation, transcript: Transcript, watcher: TurnWatcher) -> None:
        self.engine: Engine | None = None
        self.engines: list[Engine] = []
        """Every engine opened so far, closed at the end: a request may still run on a previous one."""
        self.current: TurnRequest | None = None
        self.part: ReplyPart | None = None
        self.reply: Reply | None = None
        """The running reply."""
        self.speed = 0.0
        """Tokens per second of the last reply."""
        self.last_model = ""
        """The model of the last reply that has any text."""
        self.used_tokens = 0
        """Context tokens that the last turn used."""
        self._conversation = conversation
        self._transcript = transcript
        self._watcher = watcher
        self.engine_settled = asyncio.Event()
        """Set once the engine is open or has failed to open."""
        self._task: asyncio.Task[Any] | None = None
        self._is_stop_requested = False
        """True if the reserved turn is to stop before it starts."""
        self._has_begun = False
        """True once the reserved turn has started."""
        self._noted_texts: set[str] = set()
        """Cloud notices in the transcript: each appears once."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")

    def reserve(self, request: TurnRequest) -> None:
        """Reserve the runner for a turn; `run_turn` must follow."""
        self.current, self._is_stop_requested, self._has_begun = request, False, False
        self._idle.clear()

    async def run_turn(self, request: TurnRequest, part: ReplyPart) -> None:
        """Run one turn; returns when its reply is over and stored, however it ended."""
        self.part, self._has_begun = part, True
        try:
            while await self._run_once(request, part):
                # A refused request is no branch: the retry streams into the same reply.
                request = request._replace(resumed_turn=self._conversation.find_turn(part.turn))
        finally:
            self.current = self.part = self.reply = None
            self._idle.set()
            self._watcher.refresh_status()

    def _on_reply(self, reply: Reply) -> None:
        self.reply = reply
        self._watcher.refresh_status()

    @property
    def reply_so_far(self) -> StoredReply | None:
        """The running reply as received so far; None before its start."""
        reply = self.reply
        return (
            stored_reply_of(StoredReply(reply.model, mode=reply.mode, prefilled=reply.prefilled), reply)
            if reply
            else None
        )

    @property
    def connected_engine(self) -> Engine:
        """The open engine.

        Raises:
            ReflecttyError: it is not open.
        """
        if self.engine is None:
            raise ReflecttyError("not connected to a server yet")
        return self.engine

    def refresh(self) -> None:
        """Update the status after a change of the actions that apply to the reply."""
        self._watcher.refresh_status()

    def drop_reservation(self) -> None:
        """Drop a reservation whose turn has not started: its worker is gone."""
        if not self._has_begun:
            self.current = None
            self._idle.set()

    async def stop(self) -> None:
        """Stop the running reply, even before its first token, and wait until it is stored."""
        self.cancel()
        await self.wait_until_idle()

    async def wait_until_idle(self) -> None:
        """Wait until no reply is running."""
        await self._idle.wait()

    def cancel(self) -> None:
        """Stop the running reply."""
        self._is_stop_requested = True
        if self._task:
            self._task.cancel()

    def note(self, text: str) -> None:
        self._watcher.note(text, wrong=True)

    def _forward_note(self, text: str, recorder: Recorder) -> None:
        """Show a note about a reply; a failure to store it stays in the transcript."""
        if recorder.failure and text.startswith(str(recorder.failure)):
            self.note(f"{recorder.failure}: {IN_MEMORY_NOTE}")
        elif not is_cloud_notice(text):
            self._watcher.note(text)
        elif text not in self._noted_texts:
            self._noted_texts.add(text)
            self.note(text)

    def close(self) -> None:
        self._writer.shutdown(wait=True)

    async def _run_once(self, request: TurnRequest, part: ReplyPart) -> bool:
        """Ask once; True to retry after an overflow."""
        recorder = self._make_recorder(request)
        renderer = ReplyRenderer(
            self._transcript, part, lambda text: self._forward_note(text, recorder), self._on_reply
        )
        error = await self._ask_in_task(request, recorder, renderer)
        await recorder.wait_until_written()
        said = self._outcome_of(request, renderer, error)
        if recorder.failure:
            self._continue_in_memory(recorder, request, said)
        self._conversation.reload()
        turn = self._conversation.find_turn(recorder.reply)
        part.turn = recorder.reply
        if recorder.reply is not None:
            self._conversation.leaf = recorder.reply
        if isinstance(error, PromptTooLongError) and await self._handle_overflow(request, error):
            return True
        self._update_figures(said)
        whole = (turn.said if turn and turn.said else said)._replace(error=said.error)
        self._transcript.change(part, lambda: part.end(whole))
        return False

    async def _ask_in_task(
        self, request: TurnRequest, recorder: Recorder, renderer: ReplyRenderer
    ) -> BaseException | None:
        """Ask in a separate task, so that a cancellation stops only the reply; return the error."""
        self._task = asyncio.create_task(self._ask_model(request, recorder, renderer))
        if self._is_stop_requested:
            self._task.cancel()
        self._watcher.refresh_status()
        try:
            await self._task
        except OptionError as error:
            return _add_option_source(error, self._conversation.ask_options)
        except ReflecttyError as error:
            return error
        except asyncio.CancelledError as error:
            if not self._task.cancelled():
                raise
            return error
        finally:
            self._task = None
        return None

    async def _ask_model(self, request: TurnRequest, recorder: Recorder, renderer: ReplyRenderer) -> None:
        """Ask once the engine is settled: the user may send the first question before that."""
        await self.engine_settled.wait()
        if self.engine is None:
            raise ReflecttyError("not connected to a server")
        from reflectty.chat.run import ask

        question = self._conversation.build_question(
            request.question, reply_prefix=request.reply_prefix, prefix_stats=request.prefix_stats
        )
        if request.model:
            question = question._replace(model=request.model)
        await ask(
            self.engine,
            question,
            renderer,
            first_time=lambda name: config.remember_once("asked", name),
            recorder=recorder,
        )

    async def _handle_overflow(self, request: TurnRequest, error: PromptTooLongError) -> bool:
        """Ask what to omit; leaving the chat cancels the dialog, which counts as no."""
        asking = self._task = asyncio.create_task(self._watcher.handle_overflow(request, error))
        try:
            await asyncio.wait((asking,))
        finally:
            self._task = None
            asking.cancel()
        return not asking.cancelled() and asking.result()

    def _make_recorder(self, request: TurnRequest) -> Recorder:
        conversation = self._conversation
        return Recorder(
            lambda _: conversation.store,
            RecordTarget(
                session=conversation.session.id if conversation.session else "",
                question=request.question.id,
                reply=request.resumed_turn.id if request.resumed_turn else None,
                origin=request.origin,
            ),
            submit=self._submit_write,
        )

    def _submit_write(self, work: Callable[[], None]) -> None:
        self._writer.submit(work)

    def _outcome_of(self, request: TurnRequest, renderer: ReplyRenderer, error: BaseException | None) -> StoredReply:
        """The outcome that the screen shows for a finished reply, stored or not."""
        said = StoredReply(model=self._conversation.ask_options.model, origin=request.origin)
        if renderer.reply:
            said = stored_reply_of(said._replace(model=renderer.reply.model, mode=renderer.reply.mode), renderer.reply)
        if isinstance(error, ReflecttyError):
            begun = ReplyStatus.INCOMPLETE if said.segments else ReplyStatus.FAILED
            return said._replace(ended=begun, error=error.with_hint)
        if error is not None:
            return said._replace(ended=ReplyStatus.INTERRUPTED, error=STOPPED_REASON)
        return said._replace(ended=ReplyStatus.COMPLETE)

    def _continue_in_memory(self, recorder: Recorder, request: TurnRequest, said: StoredReply) -> None:
        """Move the session to memory, as its file is no longer writable."""
        conversation = self._conversation
        if conversation.session is None:
            return
        with contextlib.suppress(StoreError):
            conversation.fall_back_to_memory()
            turn = conversation.store.add_reply(conversation.session.id, request.question.id, said)
            conversation.store.finish(turn.id, said)
            recorder.reply = turn.id

    def _update_figures(self, said: StoredReply) -> None:
        usage = said.measured.usage
        self.speed = said.measured.tokens_per_second or self.speed
        self.last_model = said.model if said.segments else self.last_model
        self.used_tokens = usage.prompt_tokens + usage.reply_tokens or self.used_tokens


def _add_option_source(error: OptionError, manner: ChatAskOptions) -> OptionError:
    """The error about an option, with the source of the option as its hint."""
    from reflectty.config.explain import option_source

    source = dict(manner.typed).get(error.option) or option_source(error.option, manner.profile)
    return OptionError(str(error), f"set by {source}: remove it", option=error.option) if source else error
