"""The events of one reply as they arrive: asked for, gone on with, or thought freely and then held to a schema.

A vLLM with a reasoning parser holds to a schema only once the closer of its thinking has come, so that one request is
enough there: it thinks freely by itself, and then holds (seen with 0.32.0).
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from reflectty.chat import Chunk
from reflectty.errors import IncompleteError
from reflectty.modes import Mode
from reflectty.stream import Kind, Segment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from reflectty.asking.question import Question
    from reflectty.chat import Engine, Request
    from reflectty.modes import Plan
    from reflectty.reply import Reply
    from reflectty.stream import Event


FIGURES_SECONDS: Final = 2.0
"""How long the figures of a reply are waited for when its value is whole."""
FILLING: Final = 100
"""Characters after the value that are read for the figures behind them."""


async def arriving(
    engine: Engine, request: Request, chosen: Plan, question: Question, reply: Reply
) -> AsyncGenerator[Event, None]:
    """Yield the reply's events; an answer held to a schema follows a free thinking where the model thinks in tags."""
    for event in reply.recall(question.so_far, question.earlier) if question.so_far else ():
        yield event
    if question.schema is None:
        chunks = _begun(engine, request, question)
    elif _thinks_in_tags(chosen, question) and (reply.resumable or question.so_far):
        # A beginning that was given may hold all of the thinking already.
        apart = Apart()
        if not reply.thought:
            async with aclosing(_free_thinking(engine, request._replace(schema=""), question, reply, apart)) as events:
                async for event in events:
                    yield event
        if reply.done and not reply.stopped:
            return
        if apart.seen or not reply.family.thinking:
            chunks = _asked_anew(engine, request, reply)
        else:
            chunks = _one_value(engine.resume(request, reply.thought_only()))
    else:
        chunks = _one_value(_begun(engine, request, question))
    async with aclosing(chunks):
        async for chunk in chunks:
            for event in reply.feed(chunk):
                yield event


def _begun(engine: Engine, request: Request, question: Question) -> AsyncGenerator[Chunk, None]:
    return engine.resume(request, question.so_far) if question.so_far else engine.chat(request)


def _thinks_in_tags(chosen: Plan, question: Question) -> bool:
    """Whether a schema from the first token on would keep the model from thinking, or be held within its thinking."""
    reads = bool(chosen.family.thinking) or chosen.family.name == "any"
    in_tags = chosen.in_content or bool(question.so_far)
    return reads and in_tags and (chosen.mode is not Mode.DIRECT or chosen.prefilled)


def _asked_anew(engine: Engine, request: Request, reply: Reply) -> AsyncGenerator[Chunk, None]:
    """Ask again with the schema: the server thinks before it holds to it, or there is nothing to go on after."""
    if reply.raw:
        reply.thought_only()
    return _one_value(engine.chat(request))


class Apart:
    """Whether a server was seen to take the thinking apart into a field of its own."""

    def __init__(self) -> None:
        self.seen = False


async def _free_thinking(
    engine: Engine, request: Request, question: Question, reply: Reply, apart: Apart
) -> AsyncGenerator[Event, None]:
    """Yield the thinking of a reply and leave when it is over: what follows is asked for again.

    Where it comes in a field of its own the reply is left at once, with nothing of it read.
    """
    async with aclosing(_begun(engine, request, question)) as chunks:
        async for chunk in chunks:
            if chunk.thinking and not reply.raw:
                apart.seen = True
                return
            for event in reply.feed(chunk):
                if not isinstance(event, Segment) or event.kind is not Kind.ANSWER:
                    yield event
            if reply.thought:
                return


async def _one_value(chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
    """Pass on chunks up to the end of the JSON value in their content: what a grammar fills up with is dropped.

    The figures come after it: they are waited for as long as little else comes.
    """
    from reflectty.schema import JsonEnd  # noqa: PLC0415 - only answers held to a schema need it

    end = JsonEnd()
    async with aclosing(chunks) as arriving:
        async for chunk in arriving:
            over = end.feed(chunk.content)
            if over is None:
                yield chunk
                continue
            yield chunk._replace(content=chunk.content[:over], done=False)
            yield chunk._replace(content="", done_reason="stop") if chunk.done else await _figures(arriving)
            return


async def _figures(arriving: AsyncGenerator[Chunk, None]) -> Chunk:
    """Return the end of a reply with its figures; without them where a grammar goes on filling up."""
    end, filled = Chunk(done=True, done_reason="stop"), 0
    with contextlib.suppress(IncompleteError, TimeoutError):
        async with asyncio.timeout(FIGURES_SECONDS):
            async for chunk in arriving:
                filled += len(chunk.content)
                if chunk.done:
                    return end._replace(usage=chunk.usage)
                if filled > FILLING:
                    break
    return end
