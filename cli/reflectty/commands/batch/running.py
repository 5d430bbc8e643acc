"""One call of `reflect batch` from its files to its exit code: opens, lets the work be done, and says how it ended."""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import AsyncExitStack, aclosing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from reflectty import config
from reflectty.asking.ticking import ticking
from reflectty.batch.jobs import Hooks, Terms
from reflectty.batch.ledger import Before, Ledger
from reflectty.batch.opening import open_servers
from reflectty.batch.output import StreamOutput, open_output
from reflectty.batch.records import COMPACT, FULL, parse_fields, record
from reflectty.batch.roster import Roster
from reflectty.batch.server import Server
from reflectty.batch.source import Source, count_lines
from reflectty.batch.tally import Tally
from reflectty.batch.work import Work
from reflectty.commands import arguments as args
from reflectty.commands.ask import question_of
from reflectty.commands.batch.arguments import STDIN
from reflectty.commands.batch.questions import question_for
from reflectty.commands.batch.telling import Teller
from reflectty.commands.conversation import blamed
from reflectty.commands.serving import engine_for
from reflectty.commands.templating import filling
from reflectty.drawing.summary import counted
from reflectty.engines import address_of
from reflectty.errors import IncompleteError, OptionError, UnreachableError, UsageError
from reflectty.interrupts import run
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

    from reflectty.asking import Question
    from reflectty.batch.items import Item
    from reflectty.batch.ledger import Earlier
    from reflectty.batch.lines import Line
    from reflectty.batch.output import Output
    from reflectty.batch.records import Outcome
    from reflectty.commands.batch.arguments import Given
    from reflectty.commands.templating import Filling
    from reflectty.terminal import Terminal


class Setup(NamedTuple):
    """What one call works with."""

    given: Given
    settings: config.Settings
    common: Question
    """What all lines have in common."""
    wanted: Filling | None
    """The template, where there is one."""
    fields: tuple[str, ...]
    """What is written of a reply."""
    teller: Teller
    tally: Tally


class Files(NamedTuple):
    """Where the lines come from, and where the records go."""

    source: Source
    output: Output
    ledger: Ledger
    """What the output has said so far."""


def run_batch(given: Given, terminal: Terminal) -> None:
    """Answer the lines of a file.

    Raises:
        ReflecttyError: the call cannot be used, nobody can answer, or some lines have no complete answer.
    """
    setup = _setup(given, terminal)
    with _opened(given, terminal) as number:
        files = _files(setup, number)
        try:
            run(_answer(setup, files))
        except UnreachableError as error:
            raise UnreachableError(str(error), _how_to_go_on(given, error.hint)) from error
        finally:
            setup.teller.clear()
            files.output.close(setup.teller.note)
    setup.teller.conclude()
    if setup.tally.failed:
        message = f"{setup.tally.failed:,} of {setup.tally.finished:,} lines have no complete answer"
        again = f"; {_again(given)} asks them again" if given.output else ""
        raise IncompleteError(message, f"the error of each says why{again}")


def _setup(given: Given, terminal: Terminal) -> Setup:
    settings = config.load(profile=args.decoded(given.asked.profile), engine=given.asked.engine or "")
    question = question_of(given.asked, settings)
    fields = FULL if given.full else parse_fields(given.fields) or COMPACT
    total = count_lines(given.file) if terminal.err.tty and given.file != STDIN else None
    tally = Tally(total)
    return Setup(
        given,
        settings,
        question._replace(model=question.model or settings.model),
        filling(given.asked, settings.template),
        fields,
        Teller(terminal, tally, quiet=given.asked.quiet),
        tally,
    )


def _how_to_go_on(given: Given, otherwise: str) -> str:
    return f"{_again(given)} asks what is left" if given.output else otherwise


def _again(given: Given) -> str:
    """Return how the same command goes on with its output."""
    return "the same command with --resume in place of --force" if given.force else "the same command with --resume"


@contextmanager
def _opened(given: Given, terminal: Terminal) -> Iterator[int]:
    """Open the input; it may be a pipe.

    Raises:
        UsageError: it cannot be read, or it is the output as well.
    """
    if given.file == STDIN:
        yield _number_of_stdin(terminal)
        return
    number = _number_of_file(given.file)
    try:
        _refuse_unfit(number, given)
        yield number
    finally:
        os.close(number)


def _number_of_file(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise UsageError(f"cannot read {path}: {reason.lower()}") from error


def _number_of_stdin(terminal: Terminal) -> int:
    if terminal.stdin is None:
        raise UsageError("stdin is closed", "name a file")
    return terminal.stdin.fileno()


def _refuse_unfit(number: int, given: Given) -> None:
    found = os.fstat(number)
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{given.file} is a folder", "name a file in it")
    if given.output and given.output.exists() and os.path.samestat(found, given.output.stat()):
        raise UsageError(f"{given.output} is the input as well", "name another file")


def _files(setup: Setup, number: int) -> Files:
    given, teller = setup.given, setup.teller
    name = "stdin" if given.file == STDIN else clean_line(str(given.file))
    source, ordered = Source(number, name, given.form), not given.unordered
    if given.output is None:
        return Files(source, StreamOutput(teller.write, ordered=ordered), Ledger())
    output, ledger = open_output(given.output, resume=given.resume, force=given.force, ordered=ordered)
    return Files(source, output, ledger)


async def _answer(setup: Setup, files: Files) -> None:
    """Ask what is not answered yet; no server is needed where that is nothing."""
    earlier = files.ledger.earlier()
    before = frozenset(files.ledger.models)
    try:
        async with aclosing(files.source.items(partial(_is_wanted, setup, earlier))) as items:
            first = await anext(items, None)
            if first is not None:
                await _work(setup, files.output, _with(first, items), before)
    except asyncio.CancelledError:
        done = f"stopped: {counted(setup.tally.kept + setup.tally.done, 'line')} answered"
        setup.teller.note(f"{done}; {_how_to_go_on(setup.given, 'with --output FILE, --resume could go on')}")
        raise
    if earlier.beyond:
        setup.teller.note(f"{setup.given.output} has {counted(earlier.beyond, 'line')} more than {setup.given.file}")


async def _with(first: Item, rest: AsyncGenerator[Item, None]) -> AsyncGenerator[Item, None]:
    yield first
    async for item in rest:
        yield item


def _is_wanted(setup: Setup, earlier: Earlier, line: Line) -> bool:
    """Whether a line is to be asked: it was not, or not answered, or it is another by now."""
    found = earlier.of(line.number, line.digest)
    if found is Before.ANSWERED:
        setup.tally.kept += 1
        return False
    if found is Before.CHANGED:
        if not setup.tally.changed:
            text = f"line {line.number} is not what it was when {setup.given.output} was written"
            setup.teller.note(f"{text}: it is asked again, and so is every other that changed")
        setup.tally.changed += 1
    return True


async def _work(setup: Setup, output: Output, items: AsyncGenerator[Item, None], answered_by: frozenset[str]) -> None:
    given, teller = setup.given, setup.teller
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(server) for server in _servers(setup)]
        roster = Roster(len(servers), given.jobs or 1)
        model = await open_servers(servers, roster, setup.common.model, teller.note)
        for other in sorted(answered_by - {model}):
            teller.note(f"some lines were answered by {other} before: they stay as they are")
        terms = Terms(given.jobs or 0, given.retry, given.patience)
        work = Work(servers, roster, terms, _hooks(setup, output, model), setup.tally)
        async with ticking(teller.tick):
            await work.run(items)


def _servers(setup: Setup) -> Iterator[Server]:
    """Yield every server once that the call or the settings name."""
    timeouts = config.parse_timeouts(setup.given.asked.timeout, setup.settings.timeouts)
    hosts = setup.given.hosts or setup.settings.hosts or (setup.settings.host,)
    for name, host in {str(address_of(host, setup.settings.engine)): host for host in hosts}.items():
        engine = engine_for(setup.settings, host, timeouts, model=setup.common.model)
        if engine.warning:
            setup.teller.note(engine.warning)
        first_time = partial(config.first_time, "asked")
        yield Server(name, engine, note=setup.teller.once, first_time=first_time)


def _hooks(setup: Setup, output: Output, model: str) -> Hooks:
    common = setup.common._replace(model=model)

    def deliver(number: int, item: Item, outcome: Outcome) -> None:
        if isinstance(outcome.error, OptionError):
            asked = setup.given.asked
            error = blamed(outcome.error, asked.option or (), args.decoded(asked.profile))
            outcome = outcome._replace(error=error)
        output.put(number, record(item, outcome, setup.fields))

    def question(item: Item) -> Question:
        return question_for(item, common, setup.wanted)

    return Hooks(question, output.has_room, deliver, setup.teller.note, setup.teller.tell)
