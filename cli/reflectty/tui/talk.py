"""Runs exchanges one after another: asks, shows, keeps; what is asked meanwhile waits. Decides nothing for the user."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from reflectty import config
from reflectty.cloud import is_leaving
from reflectty.errors import OptionError, PromptTooLongError, ReflecttyError, StoreError
from reflectty.keeping import Keeper, Place, told
from reflectty.session import NOT_MEASURED, Ended, Measured, Origin, Said
from reflectty.tui.showing import Showing

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.chat import Engine
    from reflectty.reply import Reply
    from reflectty.session import Turn
    from reflectty.tui.conversation import Conversation, Manner
    from reflectty.tui.parts.reply import ReplyPart
    from reflectty.tui.widgets.transcript import Transcript

STOPPED = "stopped"
IN_MEMORY = "this session is kept in memory only from here on"


class Exchange(NamedTuple):
    """One question to put, and how its reply begins."""

    question: Turn
    origin: Origin = Origin.ASKED
    so_far: str = ""
    earlier: Measured = NOT_MEASURED
    model: str = ""
    """Who goes on with a reply; nothing leaves it to the conversation."""
    again: Turn | None = None
    """The reply that goes on in its own turn; None makes another branch."""


class Watcher(Protocol):
    """Who is told how the talk goes."""

    def note(self, text: str, *, wrong: bool = False) -> None:
        """Say something beside the conversation."""
        ...

    def changed(self) -> None:
        """See that a reply has begun, ended, or got on."""
        ...

    async def too_long(self, exchange: Exchange, error: PromptTooLongError) -> bool:
        """Ask what to leave out; return whether to try again."""
        ...


class Talk:
    """One reply at a time; `running` while it comes."""

    def __init__(self, conversation: Conversation, transcript: Transcript, watcher: Watcher) -> None:
        self.engine: Engine | None = None
        self.engines: list[Engine] = []
        """Every engine that was opened, to be closed in the end: on one that was left something may still go on."""
        self.running: Exchange | None = None
        self.part: ReplyPart | None = None
        self.reply: Reply | None = None
        """What is coming."""
        self.speed = 0.0
        """Tokens per second of the last reply."""
        self.answered = ""
        """The model of the last reply that came, in full or in part."""
        self.used = 0
        """Tokens of the context that it took."""
        self._conversation = conversation
        self._transcript = transcript
        self._watcher = watcher
        self.sought = asyncio.Event()
        """Set once the engine is open, or is known not to open."""
        self._asking: asyncio.Task[Any] | None = None
        self._stopping = False
        """Whether what was reserved is to be stopped before it is even asked."""
        self._begun = False
        """Whether what was reserved has been put."""
        self._told: set[str] = set()
        """What stands in the transcript already: that a cloud model is asked is said once."""
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")

    def reserve(self, exchange: Exchange) -> None:
        """Take an exchange on, so that nobody else is asked; `put` it next."""
        self.running, self._stopping, self._begun = exchange, False, False
        self._at_rest.clear()

    async def put(self, exchange: Exchange, part: ReplyPart) -> None:
        """Put one question; returns when its reply is over and kept, however it ended."""
        self.part, self._begun = part, True
        try:
            while await self._once(exchange, part):
                # What was refused is no branch: the same reply streams again.
                exchange = exchange._replace(again=self._conversation.turn(part.turn))
        finally:
            self.running = self.part = self.reply = None
            self._at_rest.set()
            self._watcher.changed()

    def _follow(self, reply: Reply) -> None:
        self.reply = reply
        self._watcher.changed()

    @property
    def said(self) -> Said | None:
        """What has come of the reply so far; None where none has begun."""
        reply = self.reply
        return told(Said(reply.model, mode=reply.mode, prefilled=reply.prefilled), reply) if reply else None

    @property
    def engine_known(self) -> Engine:
        """The engine.

        Raises:
            ReflecttyError: it could not be opened.
        """
        if self.engine is None:
            raise ReflecttyError("the server is not known yet")
        return self.engine

    def refresh(self) -> None:
        """Say that what can be done with the reply has changed."""
        self._watcher.changed()

    def give_up(self) -> None:
        """Say that what was reserved and is not put by now never will be: whoever was to put it is gone."""
        if not self._begun:
            self.running = None
            self._at_rest.set()

    async def stop(self) -> None:
        """Stop the reply that is coming, before its first word or after, and wait until it is kept."""
        self.cancel()
        await self.over()

    async def over(self) -> None:
        """Wait until no reply is coming."""
        await self._at_rest.wait()

    def cancel(self) -> None:
        """Stop the reply that is coming."""
        self._stopping = True
        if self._asking:
            self._asking.cancel()

    def note(self, text: str) -> None:
        self._watcher.note(text, wrong=True)

    def _pass_on(self, text: str, keeper: Keeper) -> None:
        """Say what there is to say of a reply; that it is not kept on the disk stays in the transcript."""
        if keeper.failure and text.startswith(str(keeper.failure)):
            self.note(f"{keeper.failure}: {IN_MEMORY}")
        elif not is_leaving(text):
            self._watcher.note(text)
        elif text not in self._told:
            self._told.add(text)
            self.note(text)

    def close(self) -> None:
        self._writer.shutdown(wait=True)

    async def _once(self, exchange: Exchange, part: ReplyPart) -> bool:
        """Ask; return whether to ask again, with less of what was said before."""
        keeper = self._keeper(exchange)
        showing = Showing(self._transcript, part, lambda text: self._pass_on(text, keeper), self._follow)
        error = await self._ask(exchange, keeper, showing)
        await keeper.over()
        said = self._said(exchange, showing, error)
        if keeper.failure:
            self._go_on_without(keeper, exchange, said)
        self._conversation.reload()
        turn = self._conversation.turn(keeper.reply)
        part.turn = keeper.reply
        if keeper.reply is not None:
            self._conversation.leaf = keeper.reply
        if isinstance(error, PromptTooLongError) and await self._too_long(exchange, error):
            return True
        self._measure(said)
        whole = (turn.said if turn and turn.said else said)._replace(error=said.error)
        self._transcript.change(part, lambda: part.end(whole))
        return False

    async def _ask(self, exchange: Exchange, keeper: Keeper, showing: Showing) -> BaseException | None:
        """Ask in a task of its own, so that stopping it stops nothing else; return what went wrong."""
        self._asking = asyncio.create_task(self._answered(exchange, keeper, showing))
        if self._stopping:
            self._asking.cancel()
        self._watcher.changed()
        try:
            await self._asking
        except OptionError as error:
            return _blamed(error, self._conversation.manner)
        except ReflecttyError as error:
            return error
        except asyncio.CancelledError as error:
            if not self._asking.cancelled():
                raise
            return error
        finally:
            self._asking = None
        return None

    async def _answered(self, exchange: Exchange, keeper: Keeper, showing: Showing) -> None:
        """Ask, once it is known whom: the first question may be typed before that."""
        await self.sought.wait()
        if self.engine is None:
            raise ReflecttyError("the server is not known")
        from reflectty.asking import ask  # noqa: PLC0415 - not before the first frame

        question = self._conversation.question(exchange.question, so_far=exchange.so_far, earlier=exchange.earlier)
        if exchange.model:
            question = question._replace(model=exchange.model)
        await ask(self.engine, question, showing, first_time=lambda name: config.first_time("asked", name), keep=keeper)

    async def _too_long(self, exchange: Exchange, error: PromptTooLongError) -> bool:
        """Ask what to leave out; whoever leaves the chat meanwhile does not wait for an answer, which is no."""
        asking = self._asking = asyncio.create_task(self._watcher.too_long(exchange, error))
        try:
            await asyncio.wait((asking,))
        finally:
            self._asking = None
            asking.cancel()
        return not asking.cancelled() and asking.result()

    def _keeper(self, exchange: Exchange) -> Keeper:
        conversation = self._conversation
        return Keeper(
            lambda _: conversation.store,
            Place(
                session=conversation.session.id if conversation.session else "",
                question=exchange.question.id,
                reply=exchange.again.id if exchange.again else None,
                origin=exchange.origin,
            ),
            soon=self._soon,
        )

    def _soon(self, work: Callable[[], None]) -> None:
        self._writer.submit(work)

    def _said(self, exchange: Exchange, showing: Showing, error: BaseException | None) -> Said:
        """Return what the screen says of a reply that is over, be it kept or not."""
        said = Said(model=self._conversation.manner.model, origin=exchange.origin)
        if showing.reply:
            said = told(said._replace(model=showing.reply.model, mode=showing.reply.mode), showing.reply)
        if isinstance(error, ReflecttyError):
            begun = Ended.INCOMPLETE if said.segments else Ended.FAILED
            return said._replace(ended=begun, error=f"{error} ({error.hint})" if error.hint else str(error))
        if error is not None:
            return said._replace(ended=Ended.INTERRUPTED, error=STOPPED)
        return said._replace(ended=Ended.COMPLETE)

    def _go_on_without(self, keeper: Keeper, exchange: Exchange, said: Said) -> None:
        """Keep the session in memory from here on: its file cannot be written any more."""
        conversation = self._conversation
        if conversation.session is None:
            return
        with contextlib.suppress(StoreError):
            conversation.retreat()
            turn = conversation.store.reply(conversation.session.id, exchange.question.id, said)
            conversation.store.finish(turn.id, said)
            keeper.reply = turn.id

    def _measure(self, said: Said) -> None:
        usage = said.measured.usage
        self.speed = said.measured.tokens_per_second or self.speed
        self.answered = said.model if said.segments else self.answered
        self.used = usage.prompt_tokens + usage.reply_tokens or self.used


def _blamed(error: OptionError, manner: Manner) -> OptionError:
    """Return an error about an option with where that is set."""
    from reflectty.config.sources import option_source  # noqa: PLC0415 - only who is refused wants to know

    source = dict(manner.typed).get(error.option) or option_source(error.option, manner.profile)
    return OptionError(str(error), f"{source} sets it: leave it out", option=error.option) if source else error
