"""Starts or continues one run: its questions, its servers, its file, and what is shown of it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reflectty import config
from reflectty.batch.progress import BatchProgress
from reflectty.batch.runner import BatchOptions
from reflectty.batch.scheduler import Scheduler
from reflectty.batch.server import check_servers
from reflectty.chat.request import Question
from reflectty.chat.waits import Deadline, run_ticker
from reflectty.commands.ask import question_of
from reflectty.commands.ask_options import decode_argument, parse_deadline
from reflectty.commands.batch_reporter import BatchReporter
from reflectty.commands.batch_servers import make_servers
from reflectty.commands.console import info
from reflectty.commands.evaluate.questions import load_questions
from reflectty.commands.evaluate.report import write_table
from reflectty.commands.inputs import with_texts
from reflectty.core.errors import IncompleteError, ReflecttyError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.text import format_count
from reflectty.evaluation.arms import parse_arm, parse_arms
from reflectty.evaluation.formulas import FormulaChecker, require_formula_check
from reflectty.evaluation.plan import (
    RunLimits,
    RunPlan,
    context_for,
    default_arms,
    manifest_of,
    plan_lines,
    refuse_changed_models,
    refuse_impossible_arms,
    setup_of,
)
from reflectty.evaluation.run import Evaluation
from reflectty.evaluation.run_file import read_run
from reflectty.evaluation.run_writer import RunContent, create_run, resume_run
from reflectty.evaluation.runs import find_run, new_run_path
from reflectty.output import write_remark
from reflectty.reasoning.modes import AskOptions
from reflectty.system.signals import run_interruptible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from reflectty.batch.server import Server
    from reflectty.commands.evaluate.run import EvalArguments
    from reflectty.core.messages import Model
    from reflectty.evaluation.arms import Arm
    from reflectty.evaluation.grader import MathCheck
    from reflectty.evaluation.items import ItemSet
    from reflectty.evaluation.records import ProbeRecord
    from reflectty.evaluation.run_writer import RunWriter
    from reflectty.system.terminal import Terminal

_LAST = "last"
NEXT_STEPS = "reflect eval report -o report.html shows every answer; reflect eval apply makes the result a setting"


class RunContext(NamedTuple):
    """The inputs of one call."""

    terminal: Terminal
    arguments: EvalArguments
    settings: config.Settings
    base: Question
    """What all questions share."""
    progress: BatchProgress
    reporter: BatchReporter


class RunFiles(NamedTuple):
    """A plan, and where its results go."""

    plan: RunPlan
    writer: RunWriter
    path: Path


def run_evaluation(arguments: EvalArguments, terminal: Terminal) -> None:
    """Ask what a new run plans, or what is left of an earlier one, and show the result.

    Raises:
        ReflecttyError: the arguments are invalid, no server responds, or some requests failed.
    """
    context = _make_context(arguments, terminal)
    if arguments.resume:
        path = find_run("" if arguments.resume == _LAST else arguments.resume)
        content, writer = resume_run(path)
        with writer:
            require_formula_check(content.items)
            run_interruptible(_resume_in_time(context, content, writer, path))
    else:
        items = _load_items(context)
        path = run_interruptible(_begin_in_time(context, items))
    _show_result(context, path)


def _make_context(arguments: EvalArguments, terminal: Terminal) -> RunContext:
    texts = with_texts(arguments.ask_arguments, terminal, lambda text: write_remark(terminal, text))
    arguments = arguments._replace(ask_arguments=texts)
    settings = config.load_settings(profile=decode_argument(texts.profile), engine=texts.engine or "")
    asked = question_of(texts, settings).ask_options
    # How the model thinks is what the arms vary: nothing of the settings may do it, too.
    base = Question(
        "", AskOptions(system=asked.system, model=asked.model, options=asked.options, keep_alive=asked.keep_alive)
    )
    progress = BatchProgress()
    return RunContext(
        terminal, arguments, settings, base, progress, BatchReporter(terminal, progress, quiet=texts.quiet)
    )


def _load_items(context: RunContext) -> ItemSet:
    found = load_questions(context.arguments, context.terminal)
    require_formula_check(found.items)
    return found


async def _begin_in_time(context: RunContext, items: ItemSet) -> Path:
    async with _deadline(context).enforce():
        return await _begin(context, items)


async def _begin(context: RunContext, items: ItemSet) -> Path:
    """Plan a new run, show the plan, and ask."""
    async with AsyncExitStack() as stack:
        servers = await _open_servers(context, stack)
        scheduler = Scheduler(len(servers), context.arguments.jobs or 1)
        plan, model = await _plan(context, items, servers, scheduler)
        path = context.arguments.output or new_run_path(
            f"{datetime.now(UTC):%Y-%m-%d}", model.name, plan.content.manifest.set_name
        )
        _show_plan(context, plan)
        if context.arguments.plan_only:
            return path
        with create_run(path, plan.content) as writer:
            await _ask(context, RunFiles(plan, writer, path), servers, scheduler)
    return path


async def _open_servers(context: RunContext, stack: AsyncExitStack) -> list[Server]:
    arguments = context.arguments
    shared = arguments.ask_arguments._replace(model=context.base.ask_options.model)
    made = make_servers(shared, arguments.hosts, context.settings, context.terminal, context.reporter)
    return [await stack.enter_async_context(server) for server in made]


async def _plan(
    context: RunContext, items: ItemSet, servers: Sequence[Server], scheduler: Scheduler
) -> tuple[RunPlan, Model]:
    """Plan a new run for the models that the servers have."""
    arguments = context.arguments
    arms = parse_arms(arguments.arms or (), map(decode_argument, arguments.models or ()))
    named = context.base.ask_options.model or next((arm.model for arm in arms if arm.model), "")
    name = await check_servers(servers, scheduler, named, context.reporter.note)
    models = {arm.model: await _find_model(servers, arm.model or name) for arm in arms}
    model = models.get("") or await _find_model(servers, name)
    if not arms:
        arms, models = default_arms(model), {"": model}
    refuse_impossible_arms(arms, models)
    digests = await _find_digests(servers[0], (model.name for model in models.values()))
    setups = []
    for arm in arms:
        asked = models[arm.model]
        limits = RunLimits(arguments.max_tokens, context_for(items.items, arms, arguments.max_tokens, asked))
        setup = setup_of(arm, asked, context.base.ask_options.options, limits, digests[asked.name])
        setups.append(setup._replace(instruction="") if arguments.bare else setup)
    manifest = manifest_of(items, tuple(setups), arguments.seed, model)
    manifest = manifest._replace(host=servers[0].name, system=context.base.ask_options.system, is_bare=arguments.bare)
    return _plan_of(context, RunContent(manifest, items.items), arms, name), model


def _plan_of(context: RunContext, content: RunContent, arms: tuple[Arm, ...], model: str) -> RunPlan:
    base = context.base.ask_options._replace(model=model, system=content.manifest.system)
    return RunPlan(content, arms, context.base._replace(ask_options=base, announce=False))


async def _find_model(servers: Sequence[Server], name: str) -> Model:
    """Look a model up on the first server that has it.

    Raises:
        ReflecttyError: none has it; the error of the first.
    """
    first: ReflecttyError | None = None
    for server in servers:
        try:
            return await server.find_model(name)
        except ReflecttyError as error:
            first = first or error
    raise first or ReflecttyError(f"no server has {name}")


async def _find_digests(server: Server, names: Iterable[str]) -> dict[str, str]:
    """The digest of each model on a server; empty where it is unknown."""
    return {name: await server.digest_of(name) for name in dict.fromkeys(names)}


async def _resume_in_time(context: RunContext, content: RunContent, writer: RunWriter, path: Path) -> None:
    async with _deadline(context).enforce():
        await _resume(context, content, writer, path)


async def _resume(context: RunContext, content: RunContent, writer: RunWriter, path: Path) -> None:
    manifest = content.manifest
    arms = tuple(parse_arm(setup.name) for setup in manifest.arms)
    async with AsyncExitStack() as stack:
        model = manifest.arms[0].model
        context = context._replace(base=context.base._replace(ask_options=AskOptions(model=model)))
        servers = await _open_servers(context, stack)
        scheduler = Scheduler(len(servers), context.arguments.jobs or 1)
        await check_servers(servers, scheduler, model, context.reporter.note)
        digests = await _find_digests(servers[0], (setup.model for setup in manifest.arms))
        refuse_changed_models(manifest, digests.__getitem__)
        plan = _plan_of(context, content, arms, model)
        _show_plan(context, plan)
        await _ask(context, RunFiles(plan, writer, path), servers, scheduler)


async def _ask(context: RunContext, files: RunFiles, servers: Sequence[Server], scheduler: Scheduler) -> None:
    """Ask what is left of a plan; say how to go on if it is stopped.

    Raises:
        IncompleteError: some requests failed.
    """
    arguments, reporter, progress, plan = context.arguments, context.reporter, context.progress, files.plan
    progress.total, progress.answered_before = plan.total, len(plan.content.done)
    options = BatchOptions(arguments.jobs or 0, arguments.retry, arguments.patience)
    again = f"reflect eval run --resume {clean_line(str(arguments.output or files.path.stem))}"
    try:
        with FormulaChecker() as check_math:
            evaluation = Evaluation(plan, files.writer, progress, reporter.note, check_math)
            async with run_ticker(reporter.tick):
                await evaluation.run(servers, scheduler, options)
                if arguments.probe:
                    await _probe(context, files, servers, check_math)
    except asyncio.CancelledError:
        reporter.clear()
        finished = progress.answered_before + progress.finished
        reporter.note(f"stopped: {finished:,} of {plan.total:,} answers are kept; {again} continues")
        raise
    finally:
        reporter.clear()
    if evaluation.errors:
        message = f"{format_count(evaluation.errors, 'request')} failed"
        raise IncompleteError(message, f"{again} asks them again")


async def _probe(context: RunContext, files: RunFiles, servers: Sequence[Server], check_math: MathCheck) -> None:
    """Probe corrections of the replies, after the last question: what each was worth."""
    from reflectty.evaluation.probe_result import ProbeOptions
    from reflectty.evaluation.run_probes import probe_run

    progress, count = context.progress, context.arguments.probe
    probed: list[ProbeRecord] = []

    def tell(record: ProbeRecord) -> None:
        probed.append(record)
        progress.details = f"{len(probed)} of {count} corrections probed"

    progress.details = f"0 of {count} corrections probed"
    run, options = read_run(files.path), ProbeOptions(seed=context.arguments.seed)
    await probe_run(run, files.plan, lambda _: servers[0], count, options, files.writer.put, tell, check_math)
    context.reporter.note(f"{format_count(len(probed), 'correction')} probed")


def _deadline(context: RunContext) -> Deadline:
    seconds = parse_deadline(context.arguments.ask_arguments.deadline)
    return Deadline(seconds, "the run", "--resume continues it")


def _show_plan(context: RunContext, plan: RunPlan) -> None:
    """Say before the first question what the run asks, and what it can show."""
    for line in plan_lines(plan.content.manifest, plan.total - len(plan.content.done)):
        context.reporter.note(line)


def _show_result(context: RunContext, path: Path) -> None:
    """Print the report of a run, also of one that is not over."""
    if context.arguments.plan_only:
        return
    write_table(read_run(path), context.terminal)
    info(context.terminal, NEXT_STEPS)
