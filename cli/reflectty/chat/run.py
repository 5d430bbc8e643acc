"""Runs one question: picks the model, plans the request, streams the reply to a renderer and records it."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from reflectty.chat.model_choice import blind_model_error, find_model, is_text_only, load_tags
from reflectty.chat.outcome import error_of, is_untagged, limit_hint, no_answer_error_of, status_of, warnings_of
from reflectty.chat.request import (
    Question,
    has_images,
    ignored_options_note,
    unenforced_schema_note,
)
from reflectty.chat.stream import ChatRun, stream_reply
from reflectty.chat.waits import MAX_WAIT_SECONDS, Deadline, FairYield, RetryBudget, run_ticker
from reflectty.core.errors import (
    BusyError,
    DeadlineError,
    IncompleteError,
    NoAnswerError,
    OutputError,
    PromptTooLongError,
    ReflecttyError,
    StoppedError,
)
from reflectty.core.model_names import cloud_notice_of, digest_in
from reflectty.core.options import AUTO, NUM_CTX
from reflectty.reasoning.modes import Mode, lost_tokens_of, plan
from reflectty.reasoning.reply import Reply
from reflectty.reasoning.steering import can_continue, content_family, reading_family

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reflectty.chat.evidence import EvidenceUse
    from reflectty.core.messages import Engine, Model
    from reflectty.core.session import ReplyStatus, StoredReply
    from reflectty.output import Renderer
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.modes import Plan


DIGEST_SECONDS = 1.0
"""Seconds that a finished reply waits for the digest of its model."""
NOT_TUNED = (
    "{model} was not tuned to reflect, so a prompt asks it to, which can reduce quality in code and"
    " instruction following: --mode direct turns this off"
)
UNENFORCED_BUDGET = (
    "replies from {model} cannot be continued: one that thinks longer than {budget} ends without an answer"
)


if TYPE_CHECKING:
    # Only annotations name it, and making a protocol takes as long as a module.
    class ReplyRecorder(Protocol):
        """Records one exchange while it runs; a failure ends the recording with a note, not the exchange."""

        def begin(self, stored: StoredReply, reply: Reply, note: Callable[[str], None]) -> None:
            """Start recording before the request is sent; `stored` holds what is known of the reply.

            Called again, it starts another reply to the same question.
            """
            ...

        def tick(self) -> None:
            """Write what is due; called ten times a second."""
            ...

        def end(self, ended: ReplyStatus, error: str = "", digest: str = "") -> None:
            """Record the end; `error` is the reason why the reply is not complete."""
            ...

        def choose(self, number: int, remarks: tuple[str, ...] = ()) -> None:
            """Pick one of several replies to the same question; `number` counts their beginnings from 1.

            The remarks, on how it became the one, are kept with it.
            """
            ...


def _discard_note(_: str) -> None:
    """Discard a note."""


async def ask(  # noqa: PLR0913 - all but the first three are optional
    engine: Engine,
    question: Question,
    renderer: Renderer,
    *,
    first_time: Callable[[str], bool],
    recorder: ReplyRecorder | None = None,
    model: Model | None = None,
    patience: float = MAX_WAIT_SECONDS,
    deadline: Deadline | None = None,
) -> Reply:
    """Ask a question, show the reply and return it.

    Args:
        engine: the engine that answers.
        question: the question.
        renderer: shows the reply; `stop` is called in any case.
        first_time: whether a note on the mode or the choice of the model is shown for the first time.
        recorder: records the exchange; its `end` is called in any case, also on cancellation.
        model: the model, if it was looked up before.
        patience: seconds to wait in all when the server names a time to retry after.
        deadline: the deadline of several replies, if this is one of them; by default that of the question.

    Raises:
        ReflecttyError: the server refused, the reply is not complete or late, or it does not fit the schema.
    """
    waits, deadline = RetryBudget(patience, renderer.note), deadline or Deadline(question.deadline)
    try:
        announce = _make_announcer(question, renderer.note, first_time)
        async with deadline.enforce():
            run = await _find_and_prepare(engine, question, waits, announce, model)
        _note_before(run, renderer.note, first_time)
        renderer.start(run.reply)
        async with _record_run(recorder, run, renderer.note, renderer.stop):
            failure: ReflecttyError | None = None
            try:
                async with deadline.enforce():
                    await _receive(run, renderer, recorder, waits)
            except IncompleteError as error:
                failure = error
            await _show_end(run, renderer, failure)
            return run.reply
    finally:
        renderer.stop()


async def look_up_model(
    engine: Engine, question: Question, note: Callable[[str], None], first_time: Callable[[str], bool]
) -> Model:
    """Find the model of a question before `ask`, for a question that takes several requests.

    Raises:
        ReflecttyError: there is none, or the server does not answer.
    """
    waits, announce = RetryBudget(MAX_WAIT_SECONDS, note), _make_announcer(question, note, first_time)
    needs_vision = has_images(question)
    return await waits.run(lambda: find_model(engine, question.ask_options, announce, needs_vision=needs_vision))


async def read_reply(engine: Engine, question: Question, model: Model, is_enough: Callable[[Reply], bool]) -> Reply:
    """Ask a question and return its reply, which is neither shown, recorded nor judged.

    Args:
        engine: the engine that answers.
        question: the question.
        model: the model to ask.
        is_enough: whether to stop the model, by its reply so far; called after each chunk.

    Raises:
        ReflecttyError: the server refused, or the reply broke off.
    """
    run = _prepare_run(engine, question, model)
    async with aclosing(stream_reply(run)) as pieces:
        async for _ in pieces:
            if is_enough(run.reply):
                break
    run.reply.close()
    return run.reply


def _note_before(run: ChatRun, note: Callable[[str], None], first_time: Callable[[str], bool]) -> None:
    """Note what the user should know of the model and the plan before the reply."""
    question, model, chosen = run.question, run.model, run.plan
    remarks = (ignored_options_note(question, model), unenforced_schema_note(question, model))
    for text in filter(None, (cloud_notice_of(model), *model.notices, *chosen.notes, *remarks)):
        note(text)
    if run.budget and run.budget.is_limited and chosen.mode is not Mode.DIRECT and not run.reply.resumable:
        note(UNENFORCED_BUDGET.format(model=model.name, budget=run.budget))
    if run.evidence_use:
        _note_evidence(run.evidence_use, question, note)
    elif chosen.mode is Mode.REFLECT and first_time(model.name):
        note(NOT_TUNED.format(model=model.name))


def _note_evidence(use: EvidenceUse, question: Question, note: Callable[[str], None]) -> None:
    """Cite the evidence that is used, or warn of stale evidence, once a day; `--final` is only warned."""
    from reflectty.chat.evidence import is_note_due

    if (use.is_stale or question.announce) and is_note_due(use):
        note(use.note)


def _make_announcer(
    question: Question, note: Callable[[str], None], first_time: Callable[[str], bool]
) -> Callable[[str], None]:
    """Make the function that notes the chosen model, once."""

    def announce(text: str) -> None:
        if question.announce and first_time(text):
            note(text)

    return announce


async def ask_raw(
    engine: Engine,
    question: Question,
    write: Callable[[str], None],
    note: Callable[[str], None],
    *,
    recorder: ReplyRecorder | None = None,
) -> None:
    """Ask a question and write the raw reply, with tags around native thinking.

    Raises:
        ReflecttyError: the server refused, or the reply was cut.
    """
    waits, deadline = RetryBudget(MAX_WAIT_SECONDS, note), Deadline(question.deadline)
    async with deadline.enforce():
        run = await _find_and_prepare(engine, question, waits, _discard_note)
    model = run.model
    for text in filter(None, (cloud_notice_of(model), *model.notices, ignored_options_note(question, model))):
        note(text)
    recording = _record_run(recorder, run, note, _stop_nothing)
    async with recording, run_ticker(*_recorder_watchers(recorder)), deadline.enforce():
        await waits.run(lambda: _write_raw(run, write, note), lambda: not run.reply.segments)


async def _find_and_prepare(
    engine: Engine,
    question: Question,
    waits: RetryBudget,
    announce: Callable[[str], None],
    model: Model | None = None,
) -> ChatRun:
    """Look up the model, unless it is given, and plan how to ask it.

    Raises:
        RefusedError: the question has images and the model is known to have no vision.
    """
    needs_vision = has_images(question)
    if model is None:
        model = await waits.run(lambda: find_model(engine, question.ask_options, announce, needs_vision=needs_vision))
    if needs_vision and is_text_only(model):
        raise await blind_model_error(engine, model)
    if dict(question.ask_options.options).get(NUM_CTX) == AUTO:
        from reflectty.chat.context import choose_context

        question = await choose_context(engine, question, model)
    if not question.ask_options.evidence:
        return _prepare_run(engine, question, model)
    from reflectty.chat.evidence import apply_evidence

    question, use = await apply_evidence(engine, question, model)
    return _prepare_run(engine, question, model)._replace(evidence_use=use)


def _prepare_run(engine: Engine, question: Question, model: Model) -> ChatRun:
    chosen = plan(model, question.ask_options)
    return ChatRun(engine, question, model, chosen, _create_reply(question, model, chosen))


def _create_reply(question: Question, model: Model, chosen: Plan) -> Reply:
    reply = Reply(model.name, _family(question, model, chosen), mode=str(chosen.mode), prefilled=chosen.prefilled)
    # Native thinking that is continued arrives as content, in tags.
    reply.has_separate_thinking = bool(question.reply_prefix and chosen.think)
    reply.resumable = can_continue(model, chosen)
    return reply


def _family(question: Question, model: Model, chosen: Plan) -> Family:
    """The family that parses the reply; a reply with a schema continues after the family's own closing tag."""
    if question.reply_prefix:
        return reading_family(model, chosen, question.reply_prefix)
    constrained = question.schema is not None and question.ask_options.family is None
    return content_family(model, chosen) if constrained and chosen.in_content else chosen.family


async def _write_raw(run: ChatRun, write: Callable[[str], None], note: Callable[[str], None]) -> None:
    thinking = False
    async with aclosing(stream_reply(run)) as pieces:
        async for chunk, _ in pieces:
            for text in chunk.notes:
                note(text)
            if bool(chunk.thinking) is not thinking and (chunk.thinking or chunk.content):
                write("<thinking>" if chunk.thinking else "</thinking>\n")
                thinking = bool(chunk.thinking)
            write(chunk.thinking + chunk.content)
    if run.reply.done_reason == "length":
        hint = limit_hint(run.question, run.model, run.reply.usage)
        raise NoAnswerError("the reply was cut off at the token limit", hint)
    run.reply.close()
    run.reply.reread_thinking()
    if failure := no_answer_error_of(run.reply, run.question):
        raise failure


async def _receive(run: ChatRun, renderer: Renderer, recorder: ReplyRecorder | None, waits: RetryBudget) -> None:
    """Show a reply as it arrives; before its first text, retry if the server is busy or the prompt did not fit."""
    first, retry_note = run, ""
    while True:
        try:
            async with run_ticker(renderer.tick, *_recorder_watchers(recorder)), aclosing(stream_reply(run)) as pieces:
                turn = FairYield()
                async for _, events in pieces:
                    for event in events:
                        if retry_note:
                            renderer.note(retry_note)
                            retry_note = ""
                        renderer.show(event)
                    await turn.yield_if_due()
        except BusyError as error:
            if run.reply.segments:
                raise
            await waits.wait(error)
        except PromptTooLongError as error:
            if run is not first:
                raise
            run = await _enlarge_context(run, error)
            # Shown with the first event of the retry, so that a refusal stays one line.
            retry_note = f"{error}: retrying with {_context_of(run)}, which reloads the model"
        else:
            return


def _context_of(run: ChatRun) -> str:
    return f"num_ctx={dict(run.question.ask_options.options)[NUM_CTX]}"


async def _enlarge_context(run: ChatRun, error: PromptTooLongError) -> ChatRun:
    """Change the question to a context that holds it, as long as nothing has been generated.

    Raises:
        PromptTooLongError: no larger context is possible; the hint gives the reason.
    """
    from reflectty.chat.context import context_advice, find_larger_context, with_context

    room = await find_larger_context(run.engine, run.question, run.model, error)
    if not room.tokens or run.reply.segments:
        error.hint = room.hint or context_advice(run.question, run.model, error) or error.hint
        error.resizable = error.resizable and not room.hint
        raise error
    return run._replace(question=with_context(run.question, room.tokens))


async def _show_end(run: ChatRun, renderer: Renderer, failure: ReflecttyError | None) -> None:
    """Show the end of a reply with its warnings.

    Raises:
        ReflecttyError: the reply broke off with `failure`, or is not complete.
    """
    reply, question = run.reply, run.question
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


async def _plan_with_vocabulary(run: ChatRun) -> tuple[Plan, Model]:
    """The plan and the model, with the tags of the model's vocabulary if expected tags are missing."""
    if run.question.schema:
        # A grammar allows no tags, so none are expected.
        return run.plan._replace(expects_tags=False), run.model
    if not is_untagged(run.reply, run.plan):
        return run.plan, run.model
    model = await load_tags(run.engine, run.model)
    return run.plan._replace(lost_tokens=lost_tokens_of(model, run.plan.family)), model


def _recorder_watchers(recorder: ReplyRecorder | None) -> tuple[Callable[[float], None], ...]:
    return (lambda _: recorder.tick(),) if recorder else ()


def _stop_nothing() -> None:
    """Do nothing: raw output has no renderer to stop."""


@contextlib.asynccontextmanager
async def _record_run(
    recorder: ReplyRecorder | None, run: ChatRun, note: Callable[[str], None], stop: Callable[[], None]
) -> AsyncIterator[None]:
    """Record how the exchange begins and ends; on an error, stop the renderer before the end is written."""
    if recorder is None:
        yield
        return
    recorder.begin(run.stored_reply, run.reply, note)
    try:
        yield
    except ReflecttyError as error:
        _stop_quietly(stop)
        await _end_record(recorder, run, error)
        raise
    except BaseException as error:
        # Cancelled or an internal error: make no further request for the digest.
        _stop_quietly(stop)
        recorder.end(status_of(run.reply, error))
        raise
    await _end_record(recorder, run, None)


async def _end_record(recorder: ReplyRecorder, run: ChatRun, error: ReflecttyError | None) -> None:
    """Record the end with the model's digest, or without it if the user stops while it is looked up."""
    digest = ""
    try:
        digest = "" if isinstance(error, DeadlineError) else await _find_digest(run)
    finally:
        recorder.end(status_of(run.reply, error), str(error or ""), digest)


def _stop_quietly(stop: Callable[[], None]) -> None:
    # The final `stop` raises the same error again.
    with contextlib.suppress(OutputError, StoppedError):
        stop()


async def _find_digest(run: ChatRun) -> str:
    """The digest of the model, which `show` does not include; empty if the server does not list it."""
    if run.stored_reply.digest:
        return run.stored_reply.digest
    try:
        async with asyncio.timeout(DIGEST_SECONDS):
            installed = await run.engine.models()
    except (ReflecttyError, TimeoutError):
        return ""
    return digest_in(installed, run.model.name)
