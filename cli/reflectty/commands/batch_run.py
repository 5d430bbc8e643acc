"""Runs one batch: opens its files and servers, asks its lines and reports progress."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from contextlib import AsyncExitStack, aclosing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from reflectty import config
from reflectty.batch.fingerprint import changed_parts, fingerprint_of
from reflectty.batch.output import StreamOutput, open_output
from reflectty.batch.progress import BatchProgress
from reflectty.batch.prompts import InputFormat, PromptFile, count_lines, fields_of, sample_lines
from reflectty.batch.records import ALL_FIELDS, COMPACT_FIELDS, LineStatus, ResumeIndex, parse_fields, record_of
from reflectty.batch.runner import BatchOptions, BatchRunner, Callbacks
from reflectty.batch.scheduler import Scheduler
from reflectty.batch.server import Server, check_servers
from reflectty.chat.waits import Deadline, run_ticker
from reflectty.commands.ask import question_of
from reflectty.commands.ask_options import decode_argument, parse_deadline
from reflectty.commands.batch import STDIN
from reflectty.commands.batch_reporter import BatchReporter
from reflectty.commands.batch_servers import make_servers
from reflectty.commands.inputs import QuestionInputs, with_texts
from reflectty.commands.session_option import add_option_source
from reflectty.commands.template_option import apply_template, select_template, settings_with
from reflectty.core.errors import IncompleteError, OptionError, UnreachableError, UsageError, reason_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.templates import refuse_unfillable_fields
from reflectty.core.text import format_count
from reflectty.output import write_remark
from reflectty.system.signals import run_interruptible

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Container, Iterator
    from pathlib import Path

    from reflectty.batch.output import Output
    from reflectty.batch.prompts import InputLine, PromptLine
    from reflectty.batch.records import Outcome, ResumeCursor
    from reflectty.chat.request import Question
    from reflectty.commands.batch import BatchArguments
    from reflectty.commands.template_option import FilledTemplate
    from reflectty.system.terminal import Terminal


def question_for(item: PromptLine, common: Question, template: FilledTemplate | None) -> Question:
    """The question of one line.

    Args:
        item: the line; its fields override `common`.
        common: the question that all lines share.
        template: the template, if any.

    Raises:
        UsageError: the line has no prompt, or a field of the template is missing.
    """
    inputs = QuestionInputs(words=item.prompt)
    if template:
        inputs = apply_template(template._replace(fields=template.fields | fields_of(item)), inputs)
    if not inputs.prompt.strip():
        raise UsageError("the line has no prompt", 'write it as {"prompt": "why is the sky blue?"}')
    return common._replace(
        prompt=inputs.prompt,
        ask_options=common.ask_options.override(model=item.model, system=item.system),
        history=item.history,
    )


class BatchContext(NamedTuple):
    """The inputs of one batch."""

    terminal: Terminal
    arguments: BatchArguments
    settings: config.Settings
    common_question: Question
    """The question that all lines share."""
    template: FilledTemplate | None
    """The template, if any."""
    fields: tuple[str, ...]
    """The fields of a reply to write."""
    reporter: BatchReporter
    progress: BatchProgress
    chosen_lines: Container[int]
    """The numbers of the lines to ask."""


class BatchFiles(NamedTuple):
    """The input and the output of one batch."""

    source: PromptFile
    output: Output
    resume_index: ResumeIndex
    """The records that the output already has."""
    known: frozenset[str] = frozenset()
    """How their lines were asked, as fingerprints."""


def run_batch(arguments: BatchArguments, terminal: Terminal) -> None:
    """Ask the lines of a file.

    Raises:
        ReflecttyError: the arguments are invalid, no server responds, or some lines have no complete answer.
    """
    context = _make_context(arguments, terminal)
    with _open_input(arguments, terminal) as descriptor:
        files = _open_files(context, descriptor)
        try:
            run_interruptible(_answer_in_time(context, files))
        except UnreachableError as error:
            raise UnreachableError(str(error), _resume_hint_for(arguments, error.hint)) from error
        finally:
            context.reporter.clear()
            files.output.close(context.reporter.note)
    context.reporter.report_totals()
    if context.progress.failed:
        message = f"{context.progress.failed:,} of {context.progress.finished:,} lines have no complete answer"
        retry_hint = f"; {_resume_command_for(arguments)} to retry them" if arguments.output else ""
        raise IncompleteError(message, f"each has its error in the output{retry_hint}")


def _make_context(arguments: BatchArguments, terminal: Terminal) -> BatchContext:
    texts = with_texts(arguments.ask_arguments, terminal, lambda text: write_remark(terminal, text))
    arguments = arguments._replace(ask_arguments=texts)
    settings = config.load_settings(
        profile=decode_argument(arguments.ask_arguments.profile), engine=arguments.ask_arguments.engine or ""
    )
    filling = select_template(arguments.ask_arguments, settings.template)
    settings = settings_with(filling.template, settings, is_named=True) if filling else settings
    question = question_of(arguments.ask_arguments, settings, filling)
    question = question._replace(deadline=0.0)  # it is one of the whole batch
    fields = ALL_FIELDS if arguments.full else parse_fields(arguments.fields) or COMPACT_FIELDS
    shows_progress = not arguments.ask_arguments.quiet and arguments.file != STDIN
    total = count_lines(arguments.file) if shows_progress else None
    chosen, total = _choose_lines(arguments, total)
    progress = BatchProgress(total)
    return BatchContext(
        terminal,
        arguments,
        settings,
        question,
        filling,
        fields,
        BatchReporter(terminal, progress, quiet=arguments.ask_arguments.quiet),
        progress,
        chosen,
    )


def _choose_lines(arguments: BatchArguments, total: int | None) -> tuple[Container[int], int | None]:
    """The numbers of the lines to ask, and how many there are, if known."""
    if arguments.sample:
        chosen = sample_lines(arguments.file, arguments.form, arguments.sample, arguments.seed)
        return chosen, len(chosen)
    last = arguments.limit or sys.maxsize
    return range(1, last + 1), total if total is None else min(total, last)


def _resume_hint_for(arguments: BatchArguments, default: str) -> str:
    return f"{_resume_command_for(arguments)} to continue" if arguments.output else default


def _resume_command_for(arguments: BatchArguments) -> str:
    """The instruction that continues the output file."""
    return "run it again with --resume instead of --force" if arguments.force else "run it again with --resume"


@contextmanager
def _open_input(arguments: BatchArguments, terminal: Terminal) -> Iterator[int]:
    """Open the input, which may be a pipe.

    Raises:
        UsageError: it cannot be read, or is also the output.
    """
    if arguments.file == STDIN:
        yield _stdin_descriptor_of(terminal)
        return
    descriptor = _open_file(arguments.file)
    try:
        _refuse_bad_input(descriptor, arguments)
        yield descriptor
    finally:
        os.close(descriptor)


def _open_file(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {reason_of(error)}") from error


def _stdin_descriptor_of(terminal: Terminal) -> int:
    if terminal.stdin is None:
        raise UsageError("stdin is closed", "name a file")
    return terminal.stdin.fileno()


def _refuse_bad_input(descriptor: int, arguments: BatchArguments) -> None:
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{arguments.file} is a folder", "name a file in it")
    if arguments.output and arguments.output.exists() and os.path.samestat(status, arguments.output.stat()):
        raise UsageError(f"{arguments.output} is also the input file", "name another file")


def _open_files(context: BatchContext, descriptor: int) -> BatchFiles:
    arguments, reporter = context.arguments, context.reporter
    name = "stdin" if arguments.file == STDIN else clean_line(str(arguments.file))
    source, ordered = PromptFile(descriptor, name, arguments.form), not arguments.unordered
    _refuse_unfillable_template(context, source)
    if arguments.output is None:
        return BatchFiles(source, StreamOutput(reporter.write, ordered=ordered), ResumeIndex())
    output, index = open_output(arguments.output, resume=arguments.resume, force=arguments.force, ordered=ordered)
    return BatchFiles(source, output, index, frozenset(index.fingerprints))


def _refuse_unfillable_template(context: BatchContext, source: PromptFile) -> None:
    """Refuse a template with a field that lines of plain text can never fill, once for all of them.

    Raises:
        UsageError: the lines are plain text and leave a field without a value.
    """
    if context.template and source.format is InputFormat.LINES:
        refuse_unfillable_fields(context.template.template, context.template.fields)


async def _answer_in_time(context: BatchContext, files: BatchFiles) -> None:
    """Ask the lines until `--deadline`."""
    hint = _resume_hint_for(context.arguments, "allow more with --deadline")
    async with Deadline(parse_deadline(context.arguments.ask_arguments.deadline), "the batch", hint).enforce():
        await _answer_lines(context, files)


async def _answer_lines(context: BatchContext, files: BatchFiles) -> None:
    """Ask the lines without an answer; needs no server if there are none."""
    resume_cursor = files.resume_index.create_cursor()
    _refuse_changed_way(context, files, context.common_question.ask_options.model)
    try:
        is_wanted, last = partial(_is_wanted, context, resume_cursor), context.arguments.limit or sys.maxsize
        async with aclosing(files.source.read_prompts(is_wanted, last)) as items:
            first = await anext(items, None)
            if first is not None:
                # The format of a pipe is known only now.
                _refuse_unfillable_template(context, files.source)
                unique = _watch_ids(_prepend(first, items), context.reporter.note)
                await _ask_lines(context, files, unique)
    except asyncio.CancelledError:
        summary = f"stopped: {format_count(context.progress.answered_before + context.progress.done, 'line')} answered"
        context.reporter.note(
            f"{summary}; {_resume_hint_for(context.arguments, 'use --output FILE to be able to --resume')}"
        )
        raise
    if resume_cursor.remaining and not (context.arguments.limit or context.arguments.sample):
        context.reporter.note(
            f"{context.arguments.output} has {format_count(resume_cursor.remaining, 'more line')} than "
            f"{context.arguments.file}"
        )


MAX_IDS = 1 << 18
"""How many ids are watched for doubles."""


async def _watch_ids(
    items: AsyncGenerator[PromptLine, None], note: Callable[[str], None]
) -> AsyncGenerator[PromptLine, None]:
    """Yield the lines, and note the first id that occurs twice: its records cannot be told apart by it.

    Keeps 8 bytes of each of the first `MAX_IDS` ids (20 MB), and none of the later ones: a batch may be endless.
    """
    seen: set[int] = set()
    is_noted = False
    async for item in items:
        if item.id is not None and not is_noted and len(seen) < MAX_IDS:
            before = len(seen)
            seen.add(hash(repr(item.id)))
            if len(seen) == before:
                note(f"the id {item.id!r} of line {item.line} is also that of an earlier line")
                is_noted = True
                seen.clear()
        yield item


async def _prepend(first: PromptLine, rest: AsyncGenerator[PromptLine, None]) -> AsyncGenerator[PromptLine, None]:
    yield first
    async for item in rest:
        yield item


def _is_wanted(context: BatchContext, resume_cursor: ResumeCursor, line: InputLine) -> bool:
    """Whether to ask a line: it is chosen, and new or failed, or has changed since its answer."""
    if line.number not in context.chosen_lines:
        return False
    status = resume_cursor.status_of(line.number, line.digest)
    if status is LineStatus.ANSWERED:
        context.progress.answered_before += 1
        return False
    if status is LineStatus.CHANGED:
        if not context.progress.changed:
            text = f"line {line.number} has changed since {context.arguments.output} was written"
            context.reporter.note(f"{text}: all changed lines are asked again")
        context.progress.changed += 1
    return True


def _refuse_changed_way(context: BatchContext, files: BatchFiles, model: str) -> None:
    """Refuse to resume a file whose answers were asked for in another way.

    Args:
        context: the inputs of the batch.
        files: its files.
        model: the model that is asked; empty if it is not known yet.

    Raises:
        UsageError: they were; the message names what has changed.
    """
    now = _fingerprint_of(context, model)
    changed = {part: None for before in files.known for part in changed_parts(before, now, knows_model=bool(model))}
    if changed:
        listed = " and ".join(filter(None, (", ".join([*changed][:-1]), [*changed][-1])))
        raise UsageError(
            f"{context.arguments.output} has answers with another {listed}",
            "resume with the same options, or write to another file; --force instead of --resume asks all lines again",
        )


def _fingerprint_of(context: BatchContext, model: str) -> str:
    template, fields = context.template or (None, {})
    return fingerprint_of(context.common_question, template, fields, model)


async def _ask_lines(context: BatchContext, files: BatchFiles, items: AsyncGenerator[PromptLine, None]) -> None:
    arguments, reporter = context.arguments, context.reporter
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(server) for server in _servers_of(context)]
        scheduler = Scheduler(len(servers), arguments.jobs or 1)
        model = await check_servers(servers, scheduler, context.common_question.ask_options.model, reporter.note)
        _refuse_changed_way(context, files, model)
        callbacks = _make_callbacks(context, files.output, model)
        options = BatchOptions(arguments.jobs or 0, arguments.retry, arguments.patience)
        runner = BatchRunner(servers, scheduler, options, callbacks, context.progress)
        async with run_ticker(reporter.tick):
            await runner.run(items)


def _servers_of(context: BatchContext) -> Iterator[Server]:
    shared = context.arguments.ask_arguments._replace(model=context.common_question.ask_options.model)
    return make_servers(shared, context.arguments.hosts, context.settings, context.terminal, context.reporter)


def _make_callbacks(context: BatchContext, output: Output, model: str) -> Callbacks:
    common = context.common_question
    common = common._replace(ask_options=common.ask_options.override(model=model))
    fingerprint = _fingerprint_of(context, model)

    def deliver(number: int, item: PromptLine, outcome: Outcome) -> None:
        if isinstance(outcome.error, OptionError):
            arguments = context.arguments.ask_arguments
            error = add_option_source(outcome.error, arguments.option or (), decode_argument(arguments.profile))
            outcome = outcome._replace(error=error)
        output.put(number, record_of(item, outcome, context.fields, fingerprint))

    def question(item: PromptLine) -> Question:
        return question_for(item, common, context.template)

    return Callbacks(question, output.has_room, deliver, context.reporter.note, context.reporter.info)
