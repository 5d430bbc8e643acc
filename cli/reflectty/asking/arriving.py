"""The events of one reply as they arrive: asked for, gone on with, or thought freely and then held to a schema."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from reflectty.modes import Mode
from reflectty.stream import Kind, Segment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from reflectty.asking.question import Question
    from reflectty.chat import Chunk, Engine, Request
    from reflectty.modes import Plan
    from reflectty.reply import Reply
    from reflectty.stream import Event


async def arriving(
    engine: Engine, request: Request, chosen: Plan, question: Question, reply: Reply
) -> AsyncGenerator[Event, None]:
    """Yield the reply's events; an answer held to a schema follows a free thinking where the model thinks in tags."""
    for event in reply.recall(question.so_far, question.earlier) if question.so_far else ():
        yield event
    if question.schema is None:
        chunks = _begun(engine, request, question)
    elif _thinks_in_tags(chosen, question):
        # A beginning that was given may hold all of the thinking already.
        if not reply.thought:
            async with aclosing(_free_thinking(engine, request._replace(schema=""), question, reply)) as events:
                async for event in events:
                    yield event
        if reply.done and not reply.stopped:
            return
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
    """Whether a schema from the first token on would keep the model from thinking."""
    reads = bool(chosen.family.thinking) or chosen.family.name == "any"
    in_tags = chosen.think is None or bool(question.so_far)
    return reads and in_tags and chosen.mode is not Mode.DIRECT


async def _free_thinking(
    engine: Engine, request: Request, question: Question, reply: Reply
) -> AsyncGenerator[Event, None]:
    """Yield the thinking of a reply and leave when it is over: what follows is asked for again."""
    async with aclosing(_begun(engine, request, question)) as chunks:
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
