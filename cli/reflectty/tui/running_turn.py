"""One turn while it runs: draws the reply into its part, records it and can be stopped."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Protocol

from reflectty.chat.recorder import Recorder, RecordTarget, stored_reply_of
from reflectty.core.errors import OptionError, ReflecttyError, StoreError
from reflectty.core.model_names import is_cloud_notice
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.session import NO_METRICS, ReplyMetrics, ReplyOrigin, ReplyStatus, StoredReply
from reflectty.view.thinking import STOPPED_REASON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reflectty.chat.request import Question
    from reflectty.core.errors import PromptTooLongError
    from reflectty.core.messages import Engine
    from reflectty.core.segments import Event
    from reflectty.core.session import Turn
    from reflectty.reasoning.reply import Reply
    from reflectty.tui.conversation import Conversation
    from reflectty.tui.widgets.transcript import Transcript
    from reflectty.view.reply_part import ReplyPart
    from reflectty.view.thinking import ReplyState

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

    def show_progress(self, state: ReplyState) -> None:
        """Show what the running reply does; called ten times a second."""
        ...

    def on_turn_end(self) -> None:
        """Update the status after a reply has ended and is stored."""
        ...

    async def handle_overflow(self, request: TurnRequest, error: PromptTooLongError) -> bool:
        """Ask what to omit; True to retry."""
        ...


class TurnContext(NamedTuple):
    """What the turns of one screen share."""

    conversation: Conversation
    """The conversation that replies are added to."""
    transcript: Transcript
    """The widget that shows their parts."""
    watcher: TurnWatcher
    submit: Callable[[Callable[[], None]], object]
    """Submits work to the thread that writes to the store."""
    noted_texts: set[str]
    """Cloud notices in the transcript: each appears once."""


class RunningTurn:
    """One turn from its start until its reply is stored; it is the renderer of its reply.

    Args:
        request: what to ask.
        part: the part that shows the reply.
        context: what it works with.
    """

    def __init__(self, request: TurnRequest, part: ReplyPart, context: TurnContext) -> None:
        self.request = request
        self.part = part
        self.reply: Reply | None = None
        """The reply, once its request is sent."""
        self.error: BaseException | None = None
        """What ended the last stoppable block."""
        self.has_begun = False
        self._progress = ""
        self.ended = asyncio.Event()
        self._is_loop_noted = False
        self._task: asyncio.Task[Any] | None = None
        """The task of the stoppable block."""
        self._context = context
        self._conversation, self._transcript = context.conversation, context.transcript
        self.recorder = self._make_recorder()
        self._loop = asyncio.get_running_loop()

    def _make_recorder(self) -> Recorder:
        conversation, request = self._conversation, self.request
        target = RecordTarget(
            session=conversation.session.id if conversation.session else "",
            question=request.question.id,
            reply=request.resumed_turn.id if request.resumed_turn else None,
            origin=request.origin,
        )
        return Recorder(lambda _: conversation.store, target, submit=self._context.submit)

    async def ask(self, engine: Engine, first_time: Callable[[str], bool]) -> None:
        """Ask the question, in the way that its options say; a reply that is resumed goes on by itself.

        Raises:
            ReflecttyError: there is no complete reply.
        """
        question = self.question
        if question.asks_once:
            from reflectty.chat.run import ask

            await ask(engine, question, self, first_time=first_time, recorder=self.recorder)
            return
        from reflectty.chat.ways import Stage, ask_in_its_way

        stage = Stage(self, streams=True, progress=self._show_progress)
        await ask_in_its_way(engine, question, stage, first_time=first_time, recorder=self.recorder)

    def _show_progress(self, text: str) -> None:
        """Show how far the other replies are, if that has changed."""
        if text and text != self._progress:
            self._context.watcher.note(text)
        self._progress = text

    # The renderer

    def start(self, reply: Reply) -> None:
        if self.reply is not None:
            self._transcript.change(self.part, self.part.clear)
        self.reply = reply
        self.part.begin(reply)
        self._context.watcher.refresh_status()

    def tick(self, seconds: float) -> None:
        self._transcript.tick(self.part, seconds)
        self._context.watcher.show_progress(self.part.state)
        if self.part.state.repeats_itself and not self._is_loop_noted:
            self._is_loop_noted = True
            self._note_loop()

    def _note_loop(self) -> None:
        """Offer the answer, with its key, once a thinking repeats itself."""
        key = self._transcript.scene.key("conclude")
        offer = f": {key} answers now" if key and self.part.state.resumable else ""
        self._context.watcher.note(f"the thinking repeats itself{offer}")
        self._context.watcher.refresh_status()

    def show(self, event: Event) -> None:
        self._transcript.show_event(self.part, event)

    def note(self, text: str) -> None:
        """Show a note, unless the part shows it as a warning of its reply."""
        if not (self.reply and text in self.reply.warnings):
            # The recorder calls this from the thread that writes to the store.
            self._loop.call_soon_threadsafe(self._forward_note, text)

    def _forward_note(self, text: str) -> None:
        """Show a note; a failure to store the reply and a cloud notice stay in the transcript."""
        failure, watcher = self.recorder.failure, self._context.watcher
        if failure and text.startswith(str(failure)):
            watcher.note(f"{failure}: {IN_MEMORY_NOTE}", wrong=True)
        elif not is_cloud_notice(text):
            watcher.note(text)
        elif text not in self._context.noted_texts:
            self._context.noted_texts.add(text)
            watcher.note(text, wrong=True)

    def end(self, reply: Reply) -> None:
        """Note what was read in the thinking, to be stored; `close` ends the part after that."""
        reply.readings = self.part.end_text()

    def stop(self) -> None:
        """Nothing: the screen stays."""

    # The turn

    @property
    def reply_so_far(self) -> StoredReply | None:
        """The reply as received so far; None before its start."""
        reply = self.reply
        if reply is None:
            return None
        return stored_reply_of(StoredReply(reply.model, mode=reply.mode, prefilled=reply.prefilled), reply)

    @property
    def question(self) -> Question:
        """The question to ask, with its history."""
        request = self.request
        question = self._conversation.build_question(
            request.question, reply_prefix=request.reply_prefix, prefix_stats=request.prefix_stats
        )
        if request.model:
            return question._replace(ask_options=question.ask_options.override(model=request.model))
        return question

    @contextlib.contextmanager
    def stoppable(self) -> Iterator[None]:
        """Let `stop` end the block, and keep its error: only the block is canceled, not what follows."""
        self.has_begun, self.error, self._task = True, None, asyncio.current_task()
        try:
            yield
        except (ReflecttyError, asyncio.CancelledError) as error:
            self.error = error
        finally:
            task, self._task = self._task, None
            while task and task.cancelling():
                task.uncancel()

    def cancel(self) -> None:
        """End the stoppable block, if one is running."""
        if self._task:
            self._task.cancel()

    async def store(self) -> StoredReply:
        """Wait until the reply is stored, add it to the conversation, and return it as the part shows it."""
        await self.recorder.wait_until_written()
        error = self.error
        if isinstance(error, OptionError):
            from reflectty.config.explain import with_option_source

            sources = self._conversation.option_sources
            error = with_option_source(error, sources.profile, dict(sources.typed))
        shown = self._outcome_of(error)
        turn = self._continue_in_memory(shown) if self.recorder.failure else self._written_turn()
        if turn is None:
            return shown
        self.part.turn = turn.id
        for other in self.recorder.finished.values():
            self._conversation.put(other)
        self._conversation.put(turn)
        stored = turn.said or shown
        if isinstance(error, ReflecttyError) and stored.ended is ReplyStatus.COMPLETE:
            # What failed is another reply: the one that is shown has no place for it.
            self._context.watcher.note(error.with_hint, wrong=True)
        # It may be complete and yet have been stopped, before it was stored.
        return stored if stored.ended is ReplyStatus.COMPLETE else stored._replace(error=shown.error)

    def _written_turn(self) -> Turn | None:
        """The turn of the reply as it is in the store; None if its request was never sent."""
        turn = self.recorder.turn or self.request.resumed_turn
        return turn._replace(said=self.recorder.written or turn.said) if turn else None

    def _outcome_of(self, error: BaseException | None) -> StoredReply:
        """The outcome that the screen shows for a finished reply, stored or not."""
        outcome = StoredReply(model=self._conversation.ask_options.model, origin=self.request.origin)
        if self.reply:
            outcome = stored_reply_of(outcome._replace(model=self.reply.model, mode=self.reply.mode), self.reply)
        if isinstance(error, ReflecttyError):
            ended = ReplyStatus.INCOMPLETE if outcome.segments else ReplyStatus.FAILED
            return outcome._replace(ended=ended, error=error.with_hint)
        if error is not None:
            return outcome._replace(ended=ReplyStatus.INTERRUPTED, error=STOPPED_REASON)
        return outcome._replace(ended=ReplyStatus.COMPLETE)

    def _continue_in_memory(self, reply: StoredReply) -> Turn | None:
        """Move the session to memory, as its file is no longer writable, and store the reply there."""
        conversation = self._conversation
        with contextlib.suppress(StoreError):
            conversation.fall_back_to_memory()
            return conversation.add_reply(self.request.question, reply)
        return None

    def retry(self) -> None:
        """Prepare to ask again after a refusal: the reply streams into the same turn."""
        self.request = self.request._replace(resumed_turn=self._conversation.find_turn(self.part.turn))
        self.reply, self.recorder = None, self._make_recorder()

    def close(self, reply: StoredReply) -> None:
        """End the part with the stored reply, which may be another one than was drawn last."""
        is_drawn = self.reply is None or self.reply.segments == reply.segments
        self._transcript.change(self.part, lambda: self.part.end(reply) if is_drawn else self.part.restore(reply))
