from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest

from reflectty.core.errors import PromptTooLongError, ReflecttyError, UsageError
from reflectty.core.session import ReplyOrigin, ReplyStatus
from reflectty.reasoning.modes import AskOptions
from reflectty.store import open_store
from reflectty.tui.conversation import Conversation
from reflectty.tui.turns import TRANSITIONS, TurnQueue, TurnState
from reflectty.view.parts import Scene
from reflectty.view.reply_part import ReplyPart
from support.conversations import page
from support.scripted_engine import HOLD, ScriptedEngine, cut

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from reflectty.core.segments import Event
    from reflectty.tui.running_turn import TurnRequest
    from reflectty.tui.widgets.transcript import Transcript
    from reflectty.view.parts import Part
    from reflectty.view.thinking import ReplyState
    from support.scripted_engine import Step

PALETTE = page(80, colours=256, tty=True, look="ink").palette
THOUGHT = "<thinking>\nEleven is more.\n"
REPLY = cut(f"{THOUGHT}</thinking>\n<output>\nNine.\n</output>")


class PartList:
    """A transcript without a screen."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.scene = Scene(PALETTE, 80, 24)

    def fill(self, parts: Iterable[Part]) -> None:
        self.parts = list(parts)

    def add(self, part: Part) -> None:
        self.parts.append(part)

    def insert(self, at: int, part: Part) -> None:
        self.parts.insert(at, part)

    def drop(self, part: Part) -> None:
        self.parts = [other for other in self.parts if other is not part]

    def change(self, part: Part, work: Callable[[], object]) -> None:
        del part
        work()

    def mark_changed(self, part: Part, row: int = 0) -> None:
        """Draw nothing."""

    def show_event(self, part: ReplyPart, event: Event) -> None:
        part.show(event)

    def tick(self, part: ReplyPart, seconds: float) -> None:
        part.tick(seconds)

    def refresh_first_row(self, part: Part) -> None:
        """Draw nothing."""

    def lay_out_part(self, part: Part) -> None:
        """Draw nothing."""

    def go_to_end(self) -> None:
        """Scroll nothing."""


class Watcher:
    """Logs the events of the queue, and answers its question what to omit."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.ended = 0
        self.is_asked = asyncio.Event()
        self.omits: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def note(self, text: str, *, wrong: bool = False) -> None:
        del wrong
        self.notes.append(text)

    def refresh_status(self) -> None:
        """Draw nothing."""

    def show_progress(self, state: ReplyState) -> None:
        """Draw nothing."""

    def on_turn_end(self) -> None:
        self.ended += 1

    async def handle_overflow(self, request: TurnRequest, error: PromptTooLongError) -> bool:
        del request, error
        self.is_asked.set()
        return await self.omits


class Chat:
    """A queue of turns with an engine, a store in memory and no application."""

    def __init__(self, *scripts: Iterable[Step], is_connected: bool = True) -> None:
        self.engine = ScriptedEngine(*scripts)
        self.store = open_store(None, pytest.fail)
        self.conversation = Conversation(self.store, AskOptions(model="reflection"))
        self.transcript = PartList()
        self.watcher = Watcher()
        self.tasks: list[asyncio.Task[None]] = []
        self.turns = TurnQueue(self.conversation, cast("Transcript", self.transcript), self.watcher, self._start_work)
        if is_connected:
            self.connect()

    def connect(self) -> None:
        self.turns.engine = self.engine
        self.turns.engine_settled.set()

    def _start_work(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.tasks.append(asyncio.create_task(work()))

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - the queue has no event for it
                await asyncio.sleep(0.001)

    async def until_idle(self) -> None:
        await self.until(lambda: not self.turns.queue and self.turns.current is None)

    async def until_held(self) -> None:
        await self.until(lambda: self.engine.held)

    @property
    def state(self) -> str:
        return self.turns.state

    @property
    def statuses(self) -> list[ReplyStatus]:
        """The status of each reply of the session, in the order of the store."""
        session = self.conversation.session
        assert session
        return [turn.said.ended for turn in self.store.turns(session.id) if turn.said]


def chatting(use: Callable[[Chat], Awaitable[None]], *scripts: Iterable[Step], is_connected: bool = True) -> None:
    async def run() -> None:
        chat = Chat(*scripts, is_connected=is_connected)
        await use(chat)
        await chat.turns.close()
        await asyncio.gather(*chat.tasks)
        assert chat.state == TurnState.IDLE
        session = chat.conversation.session
        if session:
            stored = {turn.id: turn for turn in chat.store.turns(session.id)}
            assert all(turn == stored[turn.id] for turn in chat.conversation.path)
        chat.store.close()

    asyncio.run(run())


def test_every_state_is_reached() -> None:
    reached = {after for moves in TRANSITIONS.values() for after in moves.values()}
    assert reached == set(TurnState)


def test_every_running_state_can_be_stopped_and_ended() -> None:
    running = {TurnState.WAITING, TurnState.ASKING, TurnState.OVERFLOW}
    assert set(TRANSITIONS["stop"]) == running
    assert set(TRANSITIONS["end"]) == running | {TurnState.STOPPING}


def test_questions_are_asked_in_order_one_at_a_time() -> None:
    async def use(chat: Chat) -> None:
        for text in ("One?", "Two?", "Three?"):
            chat.turns.ask(text)
        assert [waiting.text for waiting in chat.turns.queue] == ["Two?", "Three?"]
        await chat.until_idle()
        assert [request.messages[-1].content for request in chat.engine.requests] == ["One?", "Two?", "Three?"]
        assert (chat.statuses, chat.watcher.ended) == ([ReplyStatus.COMPLETE] * 3, 3)

    chatting(use, REPLY, REPLY, REPLY)


def test_question_waits_for_the_engine_and_can_be_stopped_before() -> None:
    async def use(chat: Chat) -> None:
        chat.turns.ask("One?")
        assert chat.state == "waiting"
        chat.turns.stop()
        assert chat.state == "stopping"
        await chat.until_idle()
        chat.turns.ask("Two?")
        await asyncio.sleep(0)
        assert chat.state == TurnState.WAITING
        chat.connect()
        await chat.until_idle()
        assert [request.messages[-1].content for request in chat.engine.requests] == ["Two?"]

    chatting(use, REPLY, is_connected=False)


def test_stopped_reply_is_stored_and_the_next_question_is_asked() -> None:
    async def use(chat: Chat) -> None:
        chat.turns.ask("One?")
        chat.turns.ask("Two?")
        await chat.until_held()
        assert chat.state == TurnState.ASKING
        chat.turns.stop()
        await chat.until_idle()
        assert chat.statuses == [ReplyStatus.INTERRUPTED, ReplyStatus.COMPLETE]

    chatting(use, (*cut(THOUGHT), HOLD), REPLY)


def test_steering_holds_the_queue_until_it_is_canceled() -> None:
    async def use(chat: Chat) -> None:
        chat.turns.ask("One?")
        chat.turns.ask("Two?")
        await chat.until_held()
        assert await chat.turns.steer() == "Eleven is more."
        assert (chat.turns.state, chat.turns.current, len(chat.turns.queue)) == (TurnState.STEERING, None, 1)
        with pytest.raises(UsageError, match="being edited"):
            chat.turns.require_idle()
        chat.turns.cancel_steering()
        await chat.until_idle()
        assert chat.statuses == [ReplyStatus.INTERRUPTED, ReplyStatus.COMPLETE]

    chatting(use, (*cut(THOUGHT), HOLD), REPLY)


def test_steered_reply_is_a_branch_and_precedes_the_queue() -> None:
    async def use(chat: Chat) -> None:
        chat.turns.ask("One?")
        chat.turns.ask("Two?")
        await chat.until_held()
        await chat.turns.steer()
        chat.turns.resume("Nine is more.")
        assert chat.state == TurnState.WAITING
        await chat.until_idle()
        assert "Nine is more." in chat.engine.so_far[1]
        replies = [turn.said for turn in chat.conversation.path if turn.said]
        assert [reply.origin for reply in replies] == [ReplyOrigin.STEERED, ReplyOrigin.ASKED]

    chatting(use, (*cut(THOUGHT), HOLD), cut("</thinking>\n<output>\nNine.\n</output>"), REPLY)


def test_two_conclusions_at_once_never_ask_at_the_same_time() -> None:
    async def use(chat: Chat) -> None:
        chat.turns.ask("One?")
        await chat.until_held()
        await asyncio.gather(chat.turns.conclude(), chat.turns.conclude())
        await chat.until_idle()
        assert sum(isinstance(part, ReplyPart) for part in chat.transcript.parts) == 1
        assert chat.statuses == [ReplyStatus.COMPLETE]

    chatting(use, (*cut(THOUGHT), HOLD), *[cut("<output>\nNine.\n</output>")] * 2)


def test_question_sent_while_a_continuation_is_planned_is_asked_alone() -> None:
    async def use(chat: Chat) -> None:
        chat.turns.ask("One?")
        await chat.until_held()
        chat.turns.stop()
        await chat.until_idle()
        show = chat.engine.show

        async def show_after_a_question(model: str) -> Any:
            chat.turns.ask("Two?")
            return await show(model)

        chat.engine.show = show_after_a_question  # type: ignore[method-assign]
        with pytest.raises(UsageError, match="in progress"):
            await chat.turns.continue_()
        chat.engine.show = show  # type: ignore[method-assign]
        await chat.until_idle()
        assert chat.statuses == [ReplyStatus.INTERRUPTED, ReplyStatus.COMPLETE]

    chatting(use, (*cut(THOUGHT), HOLD), REPLY)


def test_reply_that_cannot_be_resumed_releases_the_queue() -> None:
    async def use(chat: Chat) -> None:
        chat.turns.ask("One?")
        chat.turns.ask("Two?")
        chat.engine.gone = ReflecttyError("gone")
        await chat.until_idle()
        with pytest.raises(ReflecttyError):
            await chat.turns.conclude()
        assert chat.state == TurnState.IDLE

    chatting(use)


@pytest.mark.parametrize(("omits", "ended"), [(True, ReplyStatus.COMPLETE), (False, ReplyStatus.FAILED)])
def test_overflow_asks_what_to_omit_and_retries_in_the_same_turn(omits: bool, ended: ReplyStatus) -> None:
    async def use(chat: Chat) -> None:
        chat.turns.ask("One?")
        await chat.watcher.is_asked.wait()
        assert chat.state == TurnState.OVERFLOW
        chat.watcher.omits.set_result(omits)
        await chat.until_idle()
        assert chat.statuses == [ended]

    chatting(use, (PromptTooLongError("too long", resizable=False),), REPLY)


def test_stop_during_an_overflow_ends_the_turn() -> None:
    async def use(chat: Chat) -> None:
        chat.turns.ask("One?")
        await chat.watcher.is_asked.wait()
        await chat.turns.stop_all()
        assert chat.statuses == [ReplyStatus.FAILED]

    chatting(use, (PromptTooLongError("too long", resizable=False),))


def test_stop_while_a_reply_is_stored_changes_nothing() -> None:
    async def use(chat: Chat) -> None:
        is_held = threading.Event()
        chat.turns.ask("One?")
        chat.turns.ask("Two?")
        await chat.until_held()
        chat.turns._writer.submit(is_held.wait)  # noqa: SLF001 - a disk that is slow to write
        chat.engine.release()
        await chat.until(lambda: chat.turns.current and chat.turns.current.reply and chat.turns.current.reply.done)
        for _ in range(5):
            chat.turns.stop()
            await asyncio.sleep(0)
        is_held.set()
        await chat.until_idle()
        assert chat.statuses == [ReplyStatus.COMPLETE] * 2

    chatting(use, (HOLD, *REPLY), REPLY)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_stopped_turn_is_stored_and_the_queue_goes_on_however_often_it_is_stopped(times: int) -> None:
    async def use(chat: Chat) -> None:
        chat.turns.ask("One?")
        chat.turns.ask("Two?")
        await chat.until_held()
        for _ in range(times):
            chat.turns.stop()
            await asyncio.sleep(0)
        await chat.until_idle()
        assert chat.statuses == [ReplyStatus.INTERRUPTED, ReplyStatus.COMPLETE]

    chatting(use, (*cut(THOUGHT), HOLD), REPLY)


def test_close_does_not_wait_for_a_turn_that_never_began() -> None:
    async def run() -> None:
        chat = Chat(REPLY)
        chat.turns._start_work = lambda _: None  # noqa: SLF001 - a worker that is canceled before its first step
        chat.turns.ask("One?")
        chat.turns.stop()
        async with asyncio.timeout(5):
            await chat.turns.close()
        chat.store.close()

    asyncio.run(run())
