"""Asks one question and shows the reply: model, plan, request, stream, renderer; reads no arguments, exits nowhere."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from reflectty.chat import Chunk, Message, Request
from reflectty.errors import IncompleteError, ModelMissingError, NoAnswerError, ReflecttyError, RefusedError
from reflectty.modes import Mode, Plan, Wish, best, plan
from reflectty.reply import Reply
from reflectty.stream import Kind, Segment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from reflectty.chat import Engine, Model, OptionValue
    from reflectty.render import Renderer
    from reflectty.schema import Schema
    from reflectty.stream import Event

TICK_SECONDS = 0.1
SAID_NOTHING = "the model said nothing"
ASK_AGAIN = "ask again, or another model"
LOST_TAGS = (
    "{model} sent none of its tags, so this is its whole reply as one answer: Ollama 0.30 and later drop tags that are"
    " control tokens (a copy of the model with plain-text tags keeps them; --mode direct asks without)"
)
UNTAGGED = "{model} did not use the tags it was asked for, so this is its whole reply as one answer: try --mode direct"
NOT_TUNED = (
    "{model} was not tuned to reflect and is asked to by a prompt, which can cost quality on code and instructions:"
    " --mode direct switches it off"
)


NO_WISH = Wish()


class Question(NamedTuple):
    """Everything that is asked."""

    prompt: str
    model: str = ""
    wish: Wish = NO_WISH
    images: tuple[str, ...] = ()
    options: tuple[tuple[str, OptionValue], ...] = ()
    keep_alive: str = ""
    schema: Schema | None = None
    announce: bool = True
    """Whether to say which model was chosen, where none was named."""


async def find_model(engine: Engine, name: str, note: Callable[[str], None]) -> Model:
    """Return the model named, or the installed one that suits best, and say which.

    Raises:
        ModelMissingError: it is not installed, or none is.
    """
    if name:
        return await engine.show(name)
    chosen = best(await engine.models())
    if chosen is None:
        raise ModelMissingError("no model is installed on the server", "pull one: ollama pull reflection")
    name = chosen.name.removesuffix(":latest")
    note(f"using {name}, since no model was named: -m NAME or REFLECTTY_MODEL chooses another")
    return await engine.show(name)


def _nothing(_: str) -> None:
    """Say nothing."""


def request_for(question: Question, model: Model, chosen: Plan) -> Request:
    """Return the request that a plan makes of a question."""
    system = (Message("system", chosen.system),) if chosen.system else ()
    return Request(
        model=model.name,
        messages=(*system, Message("user", question.prompt, question.images)),
        options=question.options,
        think=chosen.think,
        schema=question.schema.text if question.schema else "",
        keep_alive=question.keep_alive,
    )


def vet(question: Question, model: Model) -> None:
    """Refuse what the model cannot take before anything is sent.

    Raises:
        RefusedError: images for a model that is known to have no vision.
    """
    if question.images and model.capabilities and "vision" not in model.capabilities:
        raise RefusedError(f"{model.name} cannot see images", "`ollama list` and the library name models with vision")


async def ask(
    engine: Engine,
    question: Question,
    renderer: Renderer,
    *,
    first_time: Callable[[str], bool],
) -> Reply:
    """Ask, show, and return the reply.

    Args:
        engine: who answers.
        question: what is asked.
        renderer: where it is shown; `stop` is called whatever happens.
        first_time: whether a model is asked to reflect by a prompt for the first time.

    Raises:
        ReflecttyError: the server refused, the reply is not complete, or it does not fit the schema.
    """
    try:
        model = await find_model(engine, question.model, renderer.note if question.announce else _nothing)
        vet(question, model)
        chosen = plan(model, question.wish)
        for text in chosen.notes:
            renderer.note(text)
        if chosen.mode is Mode.REFLECT and first_time(model.name):
            renderer.note(NOT_TUNED.format(model=model.name))
        reply = Reply(model.name, chosen.family, mode=str(chosen.mode), prefilled=chosen.prefilled)
        renderer.start(reply)
        return await _converse(engine, request_for(question, model, chosen), chosen, question, reply, renderer)
    finally:
        renderer.stop()


async def ask_raw(engine: Engine, question: Question, write: Callable[[str], None]) -> None:
    """Ask, and write the reply as the model wrote it; a native thinking gets tags around it.

    Raises:
        ReflecttyError: the server refused, or the reply was cut.
    """
    model = await find_model(engine, question.model, _nothing)
    vet(question, model)
    thinking = wrote = False
    chunk = Chunk()
    async with aclosing(engine.chat(request_for(question, model, plan(model, question.wish)))) as chunks:
        async for chunk in chunks:
            if bool(chunk.thinking) is not thinking and (chunk.thinking or chunk.content):
                write("<thinking>" if chunk.thinking else "</thinking>\n")
                thinking = bool(chunk.thinking)
            write(chunk.thinking + chunk.content)
            wrote = wrote or bool(chunk.thinking or chunk.content)
    if chunk.done_reason == "length":
        raise NoAnswerError("the reply was cut at the token limit", _limit_hint(question))
    if not wrote:
        raise NoAnswerError(SAID_NOTHING, ASK_AGAIN)


async def _converse(  # noqa: PLR0913, PLR0917 - the pieces of one conversation, each needed once
    engine: Engine, request: Request, chosen: Plan, question: Question, reply: Reply, renderer: Renderer
) -> Reply:
    failure: ReflecttyError | None = None
    try:
        async with _ticking(renderer), aclosing(_events(engine, request, chosen, question, reply)) as events:
            async for event in events:
                renderer.show(event)
    except IncompleteError as error:
        failure = error
    for event in reply.close():
        renderer.show(event)
    failure = failure or _verdict(reply, question)
    reply.warnings += _warnings(reply, chosen)
    if failure:
        reply.warnings.append(str(failure))
        reply.withheld = question.schema is not None
    renderer.end(reply)
    for text in reply.warnings[: len(reply.warnings) - bool(failure)]:
        renderer.note(text)
    if failure:
        raise failure
    return reply


@contextlib.asynccontextmanager
async def _ticking(renderer: Renderer) -> AsyncIterator[None]:
    """Tell the renderer ten times a second that time passes."""

    async def tick() -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            renderer.tick(loop.time() - start)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _events(
    engine: Engine, request: Request, chosen: Plan, question: Question, reply: Reply
) -> AsyncGenerator[Event, None]:
    """Yield the reply's events; an answer held to a schema follows a free thinking where the model thinks in tags."""
    if question.schema is None:
        chunks = engine.chat(request)
    elif _thinks_in_tags(chosen):
        async with aclosing(_free_thinking(engine, request._replace(schema=""), reply)) as events:
            async for event in events:
                yield event
        if reply.done and not reply.stopped:
            return
        chunks = _one_value(engine.resume(request, reply.thought_only()))
    else:
        chunks = _one_value(engine.chat(request))
    async with aclosing(chunks) as arriving:
        async for chunk in arriving:
            for event in reply.feed(chunk):
                yield event


def _thinks_in_tags(chosen: Plan) -> bool:
    """Whether a schema from the first token on would keep the model from thinking."""
    reads = bool(chosen.family.thinking) or chosen.family.name == "any"
    return reads and chosen.think is None and chosen.mode is not Mode.DIRECT


async def _free_thinking(engine: Engine, request: Request, reply: Reply) -> AsyncGenerator[Event, None]:
    """Yield the thinking of a reply and leave when it is over: what follows is asked for again."""
    async with aclosing(engine.chat(request)) as chunks:
        async for chunk in chunks:
            for event in reply.feed(chunk):
                if not isinstance(event, Segment) or event.kind is not Kind.ANSWER:
                    yield event
            if reply.thought:
                return


async def _one_value(chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
    """Pass on chunks up to the end of the JSON value in their content: what a grammar fills up with is dropped."""
    from reflectty.schema import JsonEnd  # noqa: PLC0415 - only answers held to a schema need it

    end = JsonEnd()
    async with aclosing(chunks) as arriving:
        async for chunk in arriving:
            over = end.feed(chunk.content)
            if over is None:
                yield chunk
            else:
                yield chunk._replace(content=chunk.content[:over], done=True, done_reason="stop")
                return


def _verdict(reply: Reply, question: Question) -> ReflecttyError | None:
    """Return what is wrong with a reply that ended in order."""
    if reply.done_reason == "length":
        what = "answer" if reply.answer else "thinking"
        return NoAnswerError(f"the {what} was cut at the token limit", _limit_hint(question))
    if not reply.answer:
        return NoAnswerError(SAID_NOTHING, ASK_AGAIN)
    if question.schema:
        try:
            question.schema.check(reply.answer)
        except ReflecttyError as error:
            return error
    return None


def _limit_hint(question: Question) -> str:
    limited = any(key == "num_predict" for key, _ in question.options)
    return "raise -o num_predict" if limited else "a larger context helps: -o num_ctx=16384"


def _warnings(reply: Reply, chosen: Plan) -> list[str]:
    found: list[str] = []
    if reply.doubtful:
        found.append("the reply has no answer of its own: this is the last thing the model said")
    if chosen.expects_tags and reply.stopped and reply.segments and not reply.marked:
        text = UNTAGGED if chosen.mode is Mode.REFLECT else LOST_TAGS
        found.append(text.format(model=reply.model))
    return found
