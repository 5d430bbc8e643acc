"""Runs one question: picks the model, plans the request, streams the reply to a renderer and records it."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple, Protocol

from reflectty.chat.context import choose_context, find_larger_context, with_context
from reflectty.chat.model_choice import find_model, load_tags
from reflectty.chat.outcome import error_of, is_untagged, limit_hint, no_answer_error_of, status_of, warnings_of
from reflectty.chat.request import (
    Question,
    check_capabilities,
    has_images,
    ignored_options_note,
    question_from_settings,
    request_for,
    unenforced_schema_note,
)
from reflectty.chat.retry import MAX_WAIT_SECONDS, RetryBudget
from reflectty.chat.schema_stage import stream_events
from reflectty.core.errors import (
    IncompleteError,
    NoAnswerError,
    OutputError,
    PromptTooLongError,
    ReflecttyError,
    StoppedError,
)
from reflectty.core.model_names import cloud_notice_of, is_same_model
from reflectty.core.options import NUM_CTX
from reflectty.core.session import StoredReply
from reflectty.reasoning.modes import Mode, lost_tokens_of, plan
from reflectty.reasoning.reply import Reply
from reflectty.reasoning.steering import can_continue, content_family, reading_family

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reflectty.core.messages import Engine, Model
    from reflectty.core.session import ReplyStatus
    from reflectty.output import Renderer
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.modes import Plan


TICK_SECONDS = 0.1
YIELD_SECONDS = 0.02
"""How long somebody goes on without anybody else having a turn."""


@contextlib.asynccontextmanager
async def run_ticker(*watchers: Callable[[float], None]) -> AsyncIterator[None]:
    """Tell the watchers ten times a second that time passes: the seconds since it began."""

    async def tick() -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for watcher in watchers:
                watcher(loop.time() - start)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class FairYield:
    """Lets everybody else have a turn now and then, while a server is quicker than what reads it.

    What has come is read without a pause, so that a key or a signal would wait for thousands of tokens at each step.
    """

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._last_yield = self._now()

    async def yield_if_due(self) -> None:
        """Go on at once, or let the others first when this turn has been long."""
        if self._now() - self._last_yield > YIELD_SECONDS:
            await asyncio.sleep(0)
            self._last_yield = self._now()


__all__ = [
    "Question",
    "ReplyRecorder",
    "ask",
    "ask_raw",
    "check_capabilities",
    "find_model",
    "question_from_settings",
    "request_for",
]

DIGEST_SECONDS = 1.0
"""How long a reply that is over waits for the name of its model's version."""
NOT_TUNED = (
    "{model} was not tuned to reflect and is asked to by a prompt, which can cost quality on code and instructions:"
    " --mode direct switches it off"
)


class ReplyRecorder(Protocol):
    """Keeps one exchange while it goes on; what goes wrong there, it says in a note and goes on without."""

    def begin(self, said: StoredReply, reply: Reply, note: Callable[[str], None]) -> None:
        """Begin: the request is about to be sent; `said` is what is known of the reply by now."""
        ...

    def tick(self) -> None:
        """Look whether there is something to write: called ten times a second."""
        ...

    def end(self, ended: ReplyStatus, error: str = "", digest: str = "") -> None:
        """Write the end; `error` says why the reply is not complete."""
        ...


def _discard_note(_: str) -> None:
    """Say nothing."""


async def ask(  # noqa: PLR0913 - who keeps it and what is known already are for some alone
    engine: Engine,
    question: Question,
    renderer: Renderer,
    *,
    first_time: Callable[[str], bool],
    recorder: ReplyRecorder | None = None,
    model: Model | None = None,
    patience: float = MAX_WAIT_SECONDS,
) -> Reply:
    """Ask, show, and return the reply.

    Args:
        engine: who answers.
        question: what is asked.
        renderer: where it is shown; `stop` is called whatever happens.
        first_time: whether something is said for the first time: that a model is asked to reflect by a prompt, or that
            it was chosen, and why.
        recorder: who keeps the exchange; told of its end whatever happens, cancelling included.
        model: what is known of the model, where the server was asked for it before.
        patience: how many seconds are waited for a server that says when it wants to be asked again.

    Raises:
        ReflecttyError: the server refused, the reply is not complete, or it does not fit the schema.
    """
    waits = RetryBudget(patience, renderer.note)
    try:
        if model is None:
            announce = _make_announcer(question, renderer.note, first_time)
            model = await waits.run(
                lambda: find_model(
                    engine, question.model, announce, question.ask_options, needs_vision=has_images(question)
                )
            )
        asked = _prepare_run(engine, await choose_context(engine, question, model), model)
        _say_before(asked, question, renderer.note, first_time)
        renderer.start(asked.reply)
        async with _record_run(recorder, asked, renderer.note, renderer.stop):
            return await _show_reply(asked, renderer, recorder, waits)
    finally:
        renderer.stop()


def _say_before(
    asked: _ChatRun, question: Question, note: Callable[[str], None], first_time: Callable[[str], bool]
) -> None:
    """Say what is to be known of a model, and of how it is asked, before it answers."""
    model, chosen = asked.model, asked.plan
    remarks = (ignored_options_note(question, model), unenforced_schema_note(question, model))
    for text in filter(None, (cloud_notice_of(model), *model.notices, *chosen.notes, *remarks)):
        note(text)
    if chosen.mode is Mode.REFLECT and first_time(model.name):
        note(NOT_TUNED.format(model=model.name))


def _make_announcer(
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
    note: Callable[[str], None] = _discard_note,
    *,
    recorder: ReplyRecorder | None = None,
) -> None:
    """Ask, and write the reply as the model wrote it; a native thinking gets tags around it.

    Raises:
        ReflecttyError: the server refused, or the reply was cut.
    """
    waits = RetryBudget(MAX_WAIT_SECONDS, note)
    model = await waits.run(
        lambda: find_model(
            engine, question.model, _discard_note, question.ask_options, needs_vision=has_images(question)
        )
    )
    asked = _prepare_run(engine, await choose_context(engine, question, model), model)
    for text in filter(None, (cloud_notice_of(model), *model.notices, ignored_options_note(question, model))):
        note(text)
    async with _record_run(recorder, asked, note, _stop_nothing), run_ticker(*_recorder_watchers(recorder)):
        await waits.run(lambda: _write_raw(asked, write, note), lambda: not asked.reply.segments)


class _ChatRun(NamedTuple):
    """One question, whom it is put to and how, and what is being said to it."""

    engine: Engine
    question: Question
    model: Model
    plan: Plan
    reply: Reply

    @property
    def stored_reply(self) -> StoredReply:
        """What is known of the reply before a word of it has come."""
        return StoredReply(
            model=self.model.name,
            digest=self.question.digest or self.model.digest,
            mode=self.reply.mode,
            family=self.reply.family.name,
            prefilled=self.reply.prefilled,
            effort=str(self.question.ask_options.effort or ""),
            options=self.question.options,
            raw=self.question.reply_prefix,
        )


def _prepare_run(engine: Engine, question: Question, model: Model) -> _ChatRun:
    check_capabilities(question, model)
    chosen = plan(model, question.ask_options)
    return _ChatRun(engine, question, model, chosen, _create_reply(question, model, chosen))


def _create_reply(question: Question, model: Model, chosen: Plan) -> Reply:
    reply = Reply(model.name, _family(question, model, chosen), mode=str(chosen.mode), prefilled=chosen.prefilled)
    # A native thinking that goes on comes as content, in tags; it is no less one for that.
    reply.has_separate_thinking = bool(question.reply_prefix and chosen.think)
    reply.resumable = can_continue(model, chosen)
    return reply


def _family(question: Question, model: Model, chosen: Plan) -> Family:
    """Return the family that a reply is read by; what is held to a schema goes on after its own closing tag."""
    if question.reply_prefix:
        return reading_family(model, chosen, question.reply_prefix)
    held = question.schema is not None and question.ask_options.family is None
    return content_family(model, chosen) if held and chosen.in_content else chosen.family


async def _write_raw(run: _ChatRun, write: Callable[[str], None], note: Callable[[str], None]) -> None:
    thinking = False
    request = request_for(run.question, run.model, run.plan)
    async with aclosing(run.engine.chat(request)) as chunks:
        async for chunk in chunks:
            run.reply.feed(chunk)
            for text in chunk.notes:
                note(text)
            if bool(chunk.thinking) is not thinking and (chunk.thinking or chunk.content):
                write("<thinking>" if chunk.thinking else "</thinking>\n")
                thinking = bool(chunk.thinking)
            write(chunk.thinking + chunk.content)
    if run.reply.done_reason == "length":
        hint = limit_hint(run.question, run.model, run.reply.usage)
        raise NoAnswerError("the reply was cut at the token limit", hint)
    run.reply.close()
    run.reply.reread_thinking()
    if failure := no_answer_error_of(run.reply, run.question):
        raise failure


async def _show_reply(run: _ChatRun, renderer: Renderer, recorder: ReplyRecorder | None, waits: RetryBudget) -> Reply:
    reply, question = run.reply, run.question
    failure: ReflecttyError | None = None
    try:
        await waits.run(lambda: _receive_with_retry(run, renderer, recorder), lambda: not reply.segments)
    except IncompleteError as error:
        failure = error
    for event in (*reply.close(), *reply.reread_thinking()):
        renderer.show(event)
    failure = failure or error_of(reply, question, run.model)
    reply.warnings += warnings_of(reply, *await _plan_with_vocabulary(run))
    if failure:
        reply.warnings.append(str(failure))
        reply.is_withheld = question.schema is not None
    renderer.end(reply)
    for text in reply.warnings[: len(reply.warnings) - bool(failure)]:
        renderer.note(text)
    if failure:
        raise failure
    return reply


async def _receive_with_retry(run: _ChatRun, renderer: Renderer, recorder: ReplyRecorder | None) -> None:
    """Show a reply as it arrives; where its prompt did not fit, with a larger context if there is one."""
    try:
        await _receive(run, renderer, recorder)
    except PromptTooLongError as error:
        roomier = await _enlarge_context(run, error)
        # Said when the server has taken it: a refusal stays one line.
        taken = f"{error}: asked again with {_context_of(roomier)}, which loads the model anew"
        await _receive(roomier, renderer, recorder, taken)


def _context_of(run: _ChatRun) -> str:
    return f"num_ctx={dict(run.question.options)[NUM_CTX]}"


async def _receive(run: _ChatRun, renderer: Renderer, recorder: ReplyRecorder | None, retry_note: str = "") -> None:
    """Show a reply as it arrives; `taken` is said once it does."""
    request = request_for(run.question, run.model, run.plan)
    events = stream_events(run.engine, request, run.plan, run.question, run.reply)
    async with run_ticker(renderer.tick, *_recorder_watchers(recorder)), aclosing(events):
        turn = FairYield()
        async for event in events:
            if retry_note:
                renderer.note(retry_note)
                retry_note = ""
            renderer.show(event)
            await turn.yield_if_due()


async def _enlarge_context(run: _ChatRun, error: PromptTooLongError) -> _ChatRun:
    """Return the question with a context that holds it, where one can be had: nothing was generated yet.

    Raises:
        PromptTooLongError: none can; the hint says why.
    """
    room = await find_larger_context(run.engine, run.question, run.model, error)
    if not room.tokens or run.reply.segments:
        error.hint = room.hint or error.hint
        error.resizable = error.resizable and not room.hint
        raise error
    return run._replace(question=with_context(run.question, room.tokens))


async def _plan_with_vocabulary(run: _ChatRun) -> tuple[Plan, Model]:
    """Return how it was asked and who, with what its vocabulary says where no tag came that was waited for."""
    if run.question.schema:
        # Where a grammar leaves no room for tags, none are missed.
        return run.plan._replace(expects_tags=False), run.model
    if not is_untagged(run.reply, run.plan):
        return run.plan, run.model
    model = await load_tags(run.engine, run.model)
    return run.plan._replace(lost_tokens=lost_tokens_of(model, run.plan.family)), model


def _recorder_watchers(recorder: ReplyRecorder | None) -> tuple[Callable[[float], None], ...]:
    return (lambda _: recorder.tick(),) if recorder else ()


def _stop_nothing() -> None:
    """Stop nothing."""


@contextlib.asynccontextmanager
async def _record_run(
    recorder: ReplyRecorder | None, run: _ChatRun, note: Callable[[str], None], stop: Callable[[], None]
) -> AsyncIterator[None]:
    """Tell the keeper how the exchange begins and how it ends; the screen comes to rest before the end is written."""
    if recorder is None:
        yield
        return
    recorder.begin(run.stored_reply, run.reply, note)
    try:
        yield
    except ReflecttyError as error:
        _stop_quietly(stop)
        recorder.end(status_of(run.reply, error), str(error), await _find_digest(run))
        raise
    except BaseException as error:
        # Cancelled, or broken: whoever ends it does not wait for another request.
        _stop_quietly(stop)
        recorder.end(status_of(run.reply, error))
        raise
    recorder.end(status_of(run.reply, None), digest=await _find_digest(run))


def _stop_quietly(stop: Callable[[], None]) -> None:
    # The same failure is met again, and told, when the whole conversation ends.
    with contextlib.suppress(OutputError, StoppedError):
        stop()


async def _find_digest(run: _ChatRun) -> str:
    """Return which version of the model it was, which `show` does not say; nothing where the server does not."""
    if run.stored_reply.digest:
        return run.stored_reply.digest
    try:
        async with asyncio.timeout(DIGEST_SECONDS):
            installed = await run.engine.models()
    except (ReflecttyError, TimeoutError):
        return ""
    return next((model.digest for model in installed if is_same_model(model.name, run.model.name)), "")
