"""Streams a reply; lets the model think freely before a schema constrains its answer.

vLLM with a reasoning parser enforces a schema only after the closing tag of the thinking, so one request is enough
there (seen with 0.32.0).
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from reflectty.chat.request import request_for
from reflectty.core.errors import IncompleteError, NoAnswerError, RefusedError
from reflectty.core.messages import Chunk
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind, Segment
from reflectty.core.session import StoredReply
from reflectty.reasoning.governor import EndReason, Governor, ThinkingEnd
from reflectty.reasoning.modes import Mode
from reflectty.reasoning.steering import reading_family

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from reflectty.chat.evidence import EvidenceUse
    from reflectty.chat.request import Question
    from reflectty.core.budget import Budget
    from reflectty.core.messages import Engine, Model, Request
    from reflectty.core.segments import Event
    from reflectty.reasoning.modes import Plan
    from reflectty.reasoning.reply import Reply

    Piece = tuple[Chunk, tuple[Event, ...]]
    """A chunk, and the events that it made certain."""

USAGE_TIMEOUT_SECONDS: Final = 2.0
"""Seconds to wait for the usage of a reply after its JSON value is complete."""
SERVER_SLACK_TOKENS: Final = 128
"""Tokens over the budget after which a thinking is ended here, if the server has not ended it."""
_HINT_WITHOUT_BUDGET: Final = "--effort low thinks less; --budget off sets no limit"
_HINT_WITHOUT_SETTLED: Final = "without --until-settled it thinks to its end"
MAX_FILLER_CHARACTERS: Final = 100
"""Characters read after the value while waiting for the usage."""


class ChatRun(NamedTuple):
    """A question with its engine, model and plan, and the reply as it streams."""

    engine: Engine
    question: Question
    model: Model
    plan: Plan
    reply: Reply
    evidence_use: EvidenceUse | None = None
    """The evidence for the model, whether it was used or is stale."""

    @property
    def stored_reply(self) -> StoredReply:
        """What is known of the reply before its first token."""
        return StoredReply(
            model=self.model.name,
            digest=self.question.digest or self.model.digest,
            mode=self.reply.mode,
            family=self.reply.family.name,
            prefilled=self.reply.prefilled,
            effort=str(self.question.ask_options.effort or ""),
            options=self.question.ask_options.options,
            raw=self.question.reply_prefix,
        )

    @property
    def budget(self) -> Budget | None:
        """How much the model may think; None for no limit."""
        return self.question.ask_options.budget_for(self.model.name)


def stream_reply(run: ChatRun) -> AsyncGenerator[Piece, None]:
    """Feed a reply and yield its pieces; a model that thinks in tags thinks freely before the schema applies.

    A thinking that reaches its budget, repeats itself or is to end at once is closed, and the answer requested.
    """
    question = run.question
    request, governor = request_for(question, run.model, run.plan), _governor_of(run)
    first: tuple[Piece, ...] = ()
    if question.reply_prefix:
        first = ((Chunk(), run.reply.begin_from(question.reply_prefix, question.prefix_metrics)),)
    if question.schema is None:
        return _stream_governed(run, request, _start_stream(run.engine, request, question), governor, first)
    return _stream_with_schema(run, request, governor, first)


async def _stream_with_schema(
    run: ChatRun, request: Request, governor: Governor, first: tuple[Piece, ...]
) -> AsyncGenerator[Piece, None]:
    engine, question, reply = run.engine, run.question, run.reply
    for piece in first:
        yield piece
    if _thinks_in_tags(run.plan, question) and (reply.resumable or question.reply_prefix):
        # A prefix may contain all of the thinking.
        thinking_field = ThinkingFieldFlag()
        if not reply.has_finished_thinking:
            free = _stream_free_thinking(run, request._replace(schema=""), thinking_field, governor)
            async with aclosing(free) as pieces:
                async for piece in pieces:
                    yield piece
        if reply.done and not reply.is_finished:
            return
        if thinking_field.is_set or not reply.family.thinking:
            chunks = _ask_again_with_schema(engine, request, reply)
        else:
            sentence = run.question.ask_options.closing_sentence if reply.thinking_end else ""
            chunks = _stop_after_json(engine.resume(request, reply.keep_thinking_only(sentence)))
    else:
        chunks = _stop_after_json(_start_stream(engine, request, question))
    async with aclosing(_stream_governed(run, request, chunks, governor)) as pieces:
        async for piece in pieces:
            yield piece


def _governor_of(run: ChatRun) -> Governor:
    question = run.question
    loop_action = question.ask_options.loops or question.default_loop_action
    slack = SERVER_SLACK_TOKENS if run.engine.ends_thinking and run.plan.think else 0
    until_settled = question.ask_options.until_settled
    return Governor(run.budget, loop_action, question.answer_request, slack, until_settled=until_settled)


def _note_end_by_server(run: ChatRun) -> None:
    """Note that the server has ended the thinking at its budget: it does not say so."""
    budget, tokens = run.budget, run.reply.metrics.thinking_tokens
    if budget and run.engine.ends_thinking and run.plan.think and 0 < budget.tokens <= tokens:
        run.reply.thinking_end = ThinkingEnd(EndReason.BUDGET, budget.tokens, str(budget))


async def _stream_governed(
    run: ChatRun,
    request: Request,
    chunks: AsyncGenerator[Chunk, None],
    governor: Governor,
    first: tuple[Piece, ...] = (),
) -> AsyncGenerator[Piece, None]:
    """Feed a reply; when its thinking has to end, close the request and continue with the answer.

    Raises:
        NoAnswerError: the thinking has to end, and the reply cannot be continued, or the model thinks once more.
    """
    reply = run.reply
    for piece in first:
        yield piece
    while True:
        end: ThinkingEnd | None = None
        async with aclosing(chunks):
            async for chunk in chunks:
                events = reply.feed(chunk)
                yield chunk, events
                end = None if reply.done else governor.judge(reply, events)
                reply.repeats_itself = governor.found_loop
                if end:
                    break
        if end is None:
            if not reply.thinking_end:
                _note_end_by_server(run)
            return
        if reply.thinking_end:
            raise NoAnswerError(
                f"{reply.thinking_end}, but {run.model.name} went on thinking", _hint_for(reply.thinking_end)
            )
        prefix, events = await _end_thinking(run, end)
        governor.begin_again(reply)
        yield Chunk(), events
        chunks = run.engine.resume(request, prefix)
        chunks = _stop_after_json(chunks) if request.schema else chunks


async def _end_thinking(run: ChatRun, end: ThinkingEnd) -> tuple[str, tuple[Event, ...]]:
    """End the thinking of a reply.

    Raises:
        NoAnswerError: the reply cannot be continued.
    """
    from reflectty.chat.resume import make_resume_plan

    reply = run.reply
    so_far = run.stored_reply._replace(
        family=reply.family.name,
        segments=reply.segments,
        raw="".join(reply.raw),
        raw_thinking="".join(reply.raw_thinking),
    )
    try:
        resume = await make_resume_plan(run.engine, run.question, so_far, run.model, run.plan)
        family = resume.family_of(so_far)
    except RefusedError as error:
        reply.thinking_end = end
        raise NoAnswerError(f"{end}, and no answer could be asked for: {error}", _hint_for(end)) from error
    reading = reading_family(run.model, run.plan, family.thinking[0].opener)
    return reply.end_thinking(end, run.question.ask_options.closing_sentence, family, reading)


def _hint_for(end: ThinkingEnd) -> str:
    return _HINT_WITHOUT_SETTLED if end.by is EndReason.SETTLED else _HINT_WITHOUT_BUDGET


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
    run: ChatRun, request: Request, thinking_field: ThinkingFieldFlag, governor: Governor
) -> AsyncGenerator[Piece, None]:
    """Yield the thinking of a reply and stop at its end, its own or one from outside; the answer is another request.

    If the thinking arrives in a separate field, stop at once without reading any of it.
    """
    reply = run.reply
    async with aclosing(_start_stream(run.engine, request, run.question)) as chunks:
        async for chunk in chunks:
            if chunk.thinking and not reply.raw:
                thinking_field.is_set = True
                return
            events = reply.feed(chunk)
            yield (
                chunk,
                tuple(event for event in events if not isinstance(event, Segment) or event.kind is not Kind.ANSWER),
            )
            reply.thinking_end = governor.judge(reply, events)
            if reply.has_finished_thinking or reply.thinking_end:
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
