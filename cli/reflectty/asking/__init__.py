"""Asks one question and shows the reply: model, plan, request, stream, renderer; reads no arguments, exits nowhere."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple, Protocol

from reflectty.asking.arriving import arriving
from reflectty.asking.choice import find_model
from reflectty.asking.context import sized, widened, with_context
from reflectty.asking.patience import LONGEST, Patience
from reflectty.asking.question import Question, passed_over, pictures, request_for, standing, unheld, vet
from reflectty.asking.tags import looked_at
from reflectty.asking.ticking import Turn, ticking
from reflectty.asking.verdict import answerless, ended, limit_hint, untagged, verdict, warnings
from reflectty.cloud import leaving
from reflectty.errors import (
    IncompleteError,
    NoAnswerError,
    OutputError,
    PromptTooLongError,
    ReflecttyError,
    StoppedError,
)
from reflectty.modes import Mode, lost, plan
from reflectty.names import is_same
from reflectty.options import CONTEXT
from reflectty.reply import Reply
from reflectty.session import Said
from reflectty.steering import can_go_on, content_family, reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reflectty.chat import Engine, Model
    from reflectty.families import Family
    from reflectty.modes import Plan
    from reflectty.render import Renderer
    from reflectty.session import Ended

__all__ = ["Keeper", "Question", "ask", "ask_raw", "find_model", "request_for", "standing", "vet"]

DIGEST_SECONDS = 1.0
"""How long a reply that is over waits for the name of its model's version."""
NOT_TUNED = (
    "{model} was not tuned to reflect and is asked to by a prompt, which can cost quality on code and instructions:"
    " --mode direct switches it off"
)


class Keeper(Protocol):
    """Keeps one exchange while it goes on; what goes wrong there, it says in a note and goes on without."""

    def begin(self, said: Said, reply: Reply, note: Callable[[str], None]) -> None:
        """Begin: the request is about to be sent; `said` is what is known of the reply by now."""
        ...

    def tick(self) -> None:
        """Look whether there is something to write: called ten times a second."""
        ...

    def end(self, ended: Ended, error: str = "", digest: str = "") -> None:
        """Write the end; `error` says why the reply is not complete."""
        ...


def _nothing(_: str) -> None:
    """Say nothing."""


async def ask(  # noqa: PLR0913 - who keeps it and what is known already are for some alone
    engine: Engine,
    question: Question,
    renderer: Renderer,
    *,
    first_time: Callable[[str], bool],
    keep: Keeper | None = None,
    model: Model | None = None,
    patience: float = LONGEST,
) -> Reply:
    """Ask, show, and return the reply.

    Args:
        engine: who answers.
        question: what is asked.
        renderer: where it is shown; `stop` is called whatever happens.
        first_time: whether something is said for the first time: that a model is asked to reflect by a prompt, or that
            it was chosen, and why.
        keep: who keeps the exchange; told of its end whatever happens, cancelling included.
        model: what is known of the model, where the server was asked for it before.
        patience: how many seconds are waited for a server that says when it wants to be asked again.

    Raises:
        ReflecttyError: the server refused, the reply is not complete, or it does not fit the schema.
    """
    waits = Patience(patience, renderer.note)
    try:
        if model is None:
            announce = _announcing(question, renderer.note, first_time)
            model = await waits.of(
                lambda: find_model(engine, question.model, announce, question.wish, sees=pictures(question))
            )
        asked = _asked(engine, await sized(engine, question, model), model)
        _say_before(asked, question, renderer.note, first_time)
        renderer.start(asked.reply)
        async with _keeping(keep, asked, renderer.note, renderer.stop):
            return await _converse(asked, renderer, keep, waits)
    finally:
        renderer.stop()


def _say_before(
    asked: _Asked, question: Question, note: Callable[[str], None], first_time: Callable[[str], bool]
) -> None:
    """Say what is to be known of a model, and of how it is asked, before it answers."""
    model, chosen = asked.model, asked.chosen
    remarks = (passed_over(question, model), unheld(question, model))
    for text in filter(None, (leaving(model), *model.notices, *chosen.notes, *remarks)):
        note(text)
    if chosen.mode is Mode.REFLECT and first_time(model.name):
        note(NOT_TUNED.format(model=model.name))


def _announcing(
    question: Question, note: Callable[[str], None], first_time: Callable[[str], bool]
) -> Callable[[str], None]:
    """Return what says which model was chosen, once."""

    def announce(text: str) -> None:
        if question.announce and first_time(text):
            note(text)

    return announce


async def ask_raw(
    engine: Engine,
    question: Question,
    write: Callable[[str], None],
    note: Callable[[str], None] = _nothing,
    *,
    keep: Keeper | None = None,
) -> None:
    """Ask, and write the reply as the model wrote it; a native thinking gets tags around it.

    Raises:
        ReflecttyError: the server refused, or the reply was cut.
    """
    waits = Patience(LONGEST, note)
    model = await waits.of(lambda: find_model(engine, question.model, _nothing, question.wish, sees=pictures(question)))
    asked = _asked(engine, await sized(engine, question, model), model)
    for text in filter(None, (leaving(model), *model.notices, passed_over(question, model))):
        note(text)
    async with _keeping(keep, asked, note, _at_rest), ticking(*_watching(keep)):
        await waits.of(lambda: _write_raw(asked, write, note), lambda: not asked.reply.segments)


class _Asked(NamedTuple):
    """One question, whom it is put to and how, and what is being said to it."""

    engine: Engine
    question: Question
    model: Model
    chosen: Plan
    reply: Reply

    @property
    def said(self) -> Said:
        """What is known of the reply before a word of it has come."""
        return Said(
            model=self.model.name,
            digest=self.question.digest or self.model.digest,
            mode=self.reply.mode,
            family=self.reply.family.name,
            prefilled=self.reply.prefilled,
            effort=str(self.question.wish.effort or ""),
            options=self.question.options,
            raw=self.question.so_far,
        )


def _asked(engine: Engine, question: Question, model: Model) -> _Asked:
    vet(question, model)
    chosen = plan(model, question.wish)
    return _Asked(engine, question, model, chosen, _reply(question, model, chosen))


def _reply(question: Question, model: Model, chosen: Plan) -> Reply:
    reply = Reply(model.name, _family(question, model, chosen), mode=str(chosen.mode), prefilled=chosen.prefilled)
    # A native thinking that goes on comes as content, in tags; it is no less one for that.
    reply.apart = bool(question.so_far and chosen.think)
    reply.resumable = can_go_on(model, chosen)
    return reply


def _family(question: Question, model: Model, chosen: Plan) -> Family:
    """Return the family that a reply is read by; what is held to a schema goes on after its own closing tag."""
    if question.so_far:
        return reading(model, chosen, question.so_far)
    held = question.schema is not None and question.wish.family is None
    return content_family(model, chosen) if held and chosen.in_content else chosen.family


async def _write_raw(asked: _Asked, write: Callable[[str], None], note: Callable[[str], None]) -> None:
    thinking = False
    request = request_for(asked.question, asked.model, asked.chosen)
    async with aclosing(asked.engine.chat(request)) as chunks:
        async for chunk in chunks:
            asked.reply.feed(chunk)
            for text in chunk.notes:
                note(text)
            if bool(chunk.thinking) is not thinking and (chunk.thinking or chunk.content):
                write("<thinking>" if chunk.thinking else "</thinking>\n")
                thinking = bool(chunk.thinking)
            write(chunk.thinking + chunk.content)
    if asked.reply.done_reason == "length":
        hint = limit_hint(asked.question, asked.model, asked.reply.usage)
        raise NoAnswerError("the reply was cut at the token limit", hint)
    asked.reply.close()
    asked.reply.reread()
    if failure := answerless(asked.reply, asked.question):
        raise failure


async def _converse(asked: _Asked, renderer: Renderer, keep: Keeper | None, waits: Patience) -> Reply:
    reply, question = asked.reply, asked.question
    failure: ReflecttyError | None = None
    try:
        await waits.of(lambda: _received_whole(asked, renderer, keep), lambda: not reply.segments)
    except IncompleteError as error:
        failure = error
    for event in (*reply.close(), *reply.reread()):
        renderer.show(event)
    failure = failure or verdict(reply, question, asked.model)
    reply.warnings += warnings(reply, *await _seen_through(asked))
    if failure:
        reply.warnings.append(str(failure))
        reply.withheld = question.schema is not None
    renderer.end(reply)
    for text in reply.warnings[: len(reply.warnings) - bool(failure)]:
        renderer.note(text)
    if failure:
        raise failure
    return reply


async def _received_whole(asked: _Asked, renderer: Renderer, keep: Keeper | None) -> None:
    """Show a reply as it arrives; where its prompt did not fit, with a larger context if there is one."""
    try:
        await _received(asked, renderer, keep)
    except PromptTooLongError as error:
        roomier = await _roomier(asked, error)
        # Said when the server has taken it: a refusal stays one line.
        taken = f"{error}: asked again with {_context_of(roomier)}, which loads the model anew"
        await _received(roomier, renderer, keep, taken)


def _context_of(asked: _Asked) -> str:
    return f"num_ctx={dict(asked.question.options)[CONTEXT]}"


async def _received(asked: _Asked, renderer: Renderer, keep: Keeper | None, taken: str = "") -> None:
    """Show a reply as it arrives; `taken` is said once it does."""
    request = request_for(asked.question, asked.model, asked.chosen)
    events = arriving(asked.engine, request, asked.chosen, asked.question, asked.reply)
    async with ticking(renderer.tick, *_watching(keep)), aclosing(events):
        turn = Turn()
        async for event in events:
            if taken:
                renderer.note(taken)
                taken = ""
            renderer.show(event)
            await turn.pass_on()


async def _roomier(asked: _Asked, error: PromptTooLongError) -> _Asked:
    """Return the question with a context that holds it, where one can be had: nothing was generated yet.

    Raises:
        PromptTooLongError: none can; the hint says why.
    """
    room = await widened(asked.engine, asked.question, asked.model, error)
    if not room.tokens or asked.reply.segments:
        error.hint = room.hint or error.hint
        error.resizable = error.resizable and not room.hint
        raise error
    return asked._replace(question=with_context(asked.question, room.tokens))


async def _seen_through(asked: _Asked) -> tuple[Plan, Model]:
    """Return how it was asked and who, with what its vocabulary says where no tag came that was waited for."""
    if asked.question.schema:
        # Where a grammar leaves no room for tags, none are missed.
        return asked.chosen._replace(expects_tags=False), asked.model
    if not untagged(asked.reply, asked.chosen):
        return asked.chosen, asked.model
    model = await looked_at(asked.engine, asked.model)
    return asked.chosen._replace(lost=lost(model, asked.chosen.family)), model


def _watching(keep: Keeper | None) -> tuple[Callable[[float], None], ...]:
    return (lambda _: keep.tick(),) if keep else ()


def _at_rest() -> None:
    """Stop nothing."""


@contextlib.asynccontextmanager
async def _keeping(
    keep: Keeper | None, asked: _Asked, note: Callable[[str], None], stop: Callable[[], None]
) -> AsyncIterator[None]:
    """Tell the keeper how the exchange begins and how it ends; the screen comes to rest before the end is written."""
    if keep is None:
        yield
        return
    keep.begin(asked.said, asked.reply, note)
    try:
        yield
    except ReflecttyError as error:
        _come_to_rest(stop)
        keep.end(ended(asked.reply, error), str(error), await _digest(asked))
        raise
    except BaseException as error:
        # Cancelled, or broken: whoever ends it does not wait for another request.
        _come_to_rest(stop)
        keep.end(ended(asked.reply, error))
        raise
    keep.end(ended(asked.reply, None), digest=await _digest(asked))


def _come_to_rest(stop: Callable[[], None]) -> None:
    # The same failure is met again, and told, when the whole conversation ends.
    with contextlib.suppress(OutputError, StoppedError):
        stop()


async def _digest(asked: _Asked) -> str:
    """Return which version of the model it was, which `show` does not say; nothing where the server does not."""
    if asked.said.digest:
        return asked.said.digest
    try:
        async with asyncio.timeout(DIGEST_SECONDS):
            installed = await asked.engine.models()
    except (ReflecttyError, TimeoutError):
        return ""
    return next((model.digest for model in installed if is_same(model.name, asked.model.name)), "")
