"""Streams a reply; lets the model think freely before a schema constrains its answer.

vLLM with a reasoning parser enforces a schema only after the closing tag of the thinking, so one request is enough
there (seen with 0.32.0).
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import IncompleteError
from reflectty.core.messages import Chunk
from reflectty.core.segments import Kind, Segment
from reflectty.reasoning.modes import Mode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from reflectty.chat.request import Question
    from reflectty.core.messages import Engine, Request
    from reflectty.core.segments import Event
    from reflectty.reasoning.modes import Plan
    from reflectty.reasoning.reply import Reply

    Piece = tuple[Chunk, tuple[Event, ...]]
    """A chunk, and the events that it made certain."""

USAGE_TIMEOUT_SECONDS: Final = 2.0
"""Seconds to wait for the usage of a reply after its JSON value is complete."""
MAX_FILLER_CHARACTERS: Final = 100
"""Characters read after the value while waiting for the usage."""


async def stream_reply(
    engine: Engine, request: Request, chosen: Plan, question: Question, reply: Reply
) -> AsyncGenerator[Piece, None]:
    """Feed a reply and yield its pieces; a model that thinks in tags thinks freely before the schema applies."""
    if question.reply_prefix:
        yield Chunk(), reply.begin_from(question.reply_prefix, question.prefix_metrics)
    if question.schema is None:
        chunks = _start_stream(engine, request, question)
    elif _thinks_in_tags(chosen, question) and (reply.resumable or question.reply_prefix):
        # A prefix may contain all of the thinking.
        thinking_field = ThinkingFieldFlag()
        if not reply.has_finished_thinking:
            free = _stream_free_thinking(engine, request._replace(schema=""), question, reply, thinking_field)
            async with aclosing(free) as pieces:
                async for piece in pieces:
                    yield piece
        if reply.done and not reply.is_finished:
            return
        if thinking_field.is_set or not reply.family.thinking:
            chunks = _ask_again_with_schema(engine, request, reply)
        else:
            chunks = _stop_after_json(engine.resume(request, reply.keep_thinking_only()))
    else:
        chunks = _stop_after_json(_start_stream(engine, request, question))
    async with aclosing(chunks):
        async for chunk in chunks:
            yield chunk, reply.feed(chunk)


def _start_stream(engine: Engine, request: Request, question: Question) -> AsyncGenerator[Chunk, None]:
    return engine.resume(request, question.reply_prefix) if question.reply_prefix else engine.chat(request)


def _thinks_in_tags(chosen: Plan, question: Question) -> bool:
    """True if a schema from the first token on would prevent the thinking, or apply within it."""
    reads = bool(chosen.family.thinking) or chosen.family.name == "any"
    in_tags = chosen.in_content or bool(question.reply_prefix)
    return reads and in_tags and (chosen.mode is not Mode.DIRECT or chosen.prefilled)


def _ask_again_with_schema(engine: Engine, request: Request, reply: Reply) -> AsyncGenerator[Chunk, None]:
    """Ask again with the schema: the server applies it after the thinking, or there is no tag to continue after."""
    if reply.raw:
        reply.keep_thinking_only()
    return _stop_after_json(engine.chat(request))


class ThinkingFieldFlag:
    """Set once a server sends the thinking in a separate field."""

    def __init__(self) -> None:
        self.is_set = False


async def _stream_free_thinking(
    engine: Engine, request: Request, question: Question, reply: Reply, thinking_field: ThinkingFieldFlag
) -> AsyncGenerator[Piece, None]:
    """Yield the thinking of a reply and stop at its end: the answer is requested separately.

    If the thinking arrives in a separate field, stop at once without reading any of it.
    """
    async with aclosing(_start_stream(engine, request, question)) as chunks:
        async for chunk in chunks:
            if chunk.thinking and not reply.raw:
                thinking_field.is_set = True
                return
            events = reply.feed(chunk)
            yield (
                chunk,
                tuple(event for event in events if not isinstance(event, Segment) or event.kind is not Kind.ANSWER),
            )
            if reply.has_finished_thinking:
                return


async def _stop_after_json(chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
    """Pass on chunks up to the end of the JSON value in their content, without the filler that a grammar allows.

    The usage arrives after it; waiting for it is limited in time and characters.
    """
    from reflectty.core.schema import JsonEndDetector

    end = JsonEndDetector()
    async with aclosing(chunks) as received:
        async for chunk in received:
            over = end.feed(chunk.content)
            if over is None:
                yield chunk
                continue
            yield chunk._replace(content=chunk.content[:over], done=False)
            yield chunk._replace(content="", done_reason="stop") if chunk.done else await _await_usage(received)
            return


async def _await_usage(chunks: AsyncGenerator[Chunk, None]) -> Chunk:
    """The final chunk of a reply with its usage, or without it if filler keeps arriving."""
    end, filled = Chunk(done=True, done_reason="stop"), 0
    with contextlib.suppress(IncompleteError, TimeoutError):
        async with asyncio.timeout(USAGE_TIMEOUT_SECONDS):
            async for chunk in chunks:
                filled += len(chunk.content)
                if chunk.done:
                    return end._replace(usage=chunk.usage)
                if filled > MAX_FILLER_CHARACTERS:
                    break
    return end
