"""Runs the probes of one stored reply: finds it, tells the cost, goes on from it, and prints what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty import config
from reflectty.commands import console
from reflectty.commands.engine_factory import engine_for
from reflectty.commands.session_option import settings_for_session
from reflectty.commands.sessions import find_or_last, open_session_store
from reflectty.core.errors import NoAnswerError, StoppedError, StoreError, UsageError
from reflectty.core.model_names import is_same_model
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.session import ProbedCorrection, ReplyStatus, branch_to, history_of, message_of
from reflectty.core.text import format_count
from reflectty.evaluation.probe_points import points_of
from reflectty.evaluation.probe_result import cost_of
from reflectty.output import write_remark
from reflectty.system.signals import run_interruptible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.batch.server import Server
    from reflectty.chat.request import Question
    from reflectty.core.session import Session, StoredReply, Turn
    from reflectty.engines import EngineName
    from reflectty.evaluation.probe import ProbeTarget
    from reflectty.evaluation.probe_points import ProbePoint
    from reflectty.evaluation.probe_result import ProbeOptions, ProbeResult
    from reflectty.reasoning.modes import AskOptions
    from reflectty.store import Store
    from reflectty.system.terminal import Terminal

ALL_AT_ONCE: Final = 5
"""Corrections that a script without --correction gets at most."""
NO_CORRECTION: Final = ("the reply has no correction to probe", "reflect sessions show prints it; --turn names another")
OTHER_VERSION: Final = "{model} has changed since the reply: another version of it goes on"
OTHER_MODEL: Final = "the reply is from {author}: {model} goes on with the words of another model"


class ProbeArguments(NamedTuple):
    """The arguments of one call; the model and the server are empty for those of the session."""

    session: str
    turn: int | None
    correction: int | None
    most: int
    """How many corrections to probe, if not one; 0 if --all is not given."""
    options: ProbeOptions
    key: str
    model: str
    host: str
    engine: EngineName | None
    timeout: str
    yes: bool
    as_json: bool


class StoredExchange(NamedTuple):
    """A stored reply with its question and what came before."""

    session: Session
    number: int
    """The number of the question on its branch, from 1."""
    before: tuple[Turn, ...]
    question: Turn
    turn: int
    """The turn of the reply."""
    reply: StoredReply


def run_probes(arguments: ProbeArguments, terminal: Terminal) -> None:
    """Probe the corrections that the arguments name, or list them if they name none of several.

    Raises:
        ReflecttyError: there is no such reply or correction, or the reply cannot be continued.
    """
    with open_session_store(terminal) as store:
        exchange = find_exchange(store, arguments.session, arguments.turn, terminal)
    points = points_of(exchange.reply.segments)
    chosen = choose_points(points, arguments.correction, arguments.most or ALL_AT_ONCE * (not terminal.out.tty))
    if not chosen:
        _list_points(points, terminal)
        return
    _tell_cost(exchange.reply, chosen, arguments, terminal)
    results: list[ProbeResult] = []

    def deliver(result: ProbeResult) -> None:
        results.append(result)
        _keep_result(exchange, result, terminal)
        if not arguments.as_json:
            _write_result(result, terminal, is_first=len(results) == 1)

    run_interruptible(_probe(exchange, chosen, arguments, terminal, deliver))
    if arguments.as_json:
        _write_json(exchange, results, terminal)


def find_exchange(store: Store, name: str, number: int | None, terminal: Terminal) -> StoredExchange:
    """Find a reply on the branch that a session was last seen on.

    Args:
        store: the sessions.
        name: the session; empty for the last one of this terminal.
        number: the number of the question from 1; None for the last one with a reply.
        terminal: the terminal.

    Raises:
        UsageError: there is no such session or question.
        NoAnswerError: it has no reply.
    """
    session = find_or_last(store, name, terminal)
    path = branch_to(store.turns(session.id), session.leaf)
    asked = [at for at, turn in enumerate(path) if turn.said is None]
    if number is not None and number > len(asked):
        raise UsageError(f"the session {session.id} has {format_count(len(asked), 'question')}", "--turn counts from 1")
    wanted = [asked[number - 1]] if number else asked[::-1]
    for at in wanted:
        reply = path[at + 1] if at + 1 < len(path) else None
        if reply and reply.said:
            return StoredExchange(session, asked.index(at) + 1, path[:at], path[at], reply.id, reply.said)
    raise NoAnswerError(f"the session {session.id} has no reply yet" if number is None else "it has no reply yet")


def choose_points(points: Sequence[ProbePoint], number: int | None, most: int) -> tuple[ProbePoint, ...]:
    """The corrections to probe: the one with a number, the only one, or so many; empty if the user has to choose.

    Checks and alternatives are probed by their number alone.

    Raises:
        UsageError: there is none, or none with that number.
    """
    if not points:
        raise UsageError(*NO_CORRECTION)
    if number is not None:
        if number > len(points):
            raise UsageError(f"the reply has {format_count(len(points), 'correction')}", "--correction counts from 1")
        return (points[number - 1],)
    corrections = tuple(point for point in points if point.is_correction) or tuple(points)
    return corrections if len(points) == 1 else corrections[:most]


def _list_points(points: Sequence[ProbePoint], terminal: Terminal) -> None:
    from reflectty.evaluation.probe_report import point_rows

    page = console.open_page(terminal)
    page.write(point_rows(points, page))
    write_remark(terminal, "choose one with --correction N, or all with --all")


def _tell_cost(reply: StoredReply, points: Sequence[ProbePoint], arguments: ProbeArguments, terminal: Terminal) -> None:
    """Tell what the probes cost, and on a terminal ask whether to go on.

    Raises:
        StoppedError: the user declined.
    """
    cost = cost_of(reply, points, arguments.options.samples)
    which = f"correction {points[0].number}" if len(points) == 1 else format_count(len(points), "correction")
    write_remark(terminal, f"probing {which}: {cost}")
    if arguments.yes or not (terminal.stdin_tty and terminal.err.tty):
        return
    if not console.is_confirmed(terminal, "Go on?"):
        raise StoppedError(console.NO_EFFECT_EXIT_CODE)


async def _probe(
    exchange: StoredExchange,
    points: Sequence[ProbePoint],
    arguments: ProbeArguments,
    terminal: Terminal,
    deliver: Callable[[ProbeResult], None],
) -> None:
    """Probe one correction after the other, and deliver each result as soon as it is there."""
    from reflectty.batch.server import Server
    from reflectty.commands.probe_progress import ProbeProgress
    from reflectty.evaluation.probe import Probe, find_target, run_probe, temperature_note
    from reflectty.evaluation.probe_judge import judge_for

    settings = settings_of(exchange.session, arguments)
    question = question_of(exchange, settings.ask_options, arguments.model)
    timeouts = config.parse_timeouts(arguments.timeout, settings.timeouts)
    model = question.ask_options.model
    engine = engine_for(settings, arguments.host, timeouts, model=model, terminal=terminal)
    progress = ProbeProgress(terminal, len(points), arguments.options.samples)
    async with Server(model, engine, note=progress.note, first_time=lambda _: False) as server:
        target = await find_target(server, question, exchange.reply)
        for text in filter(None, (await _version_note(server, target), temperature_note(target))):
            progress.note(text)
        judge = judge_for(exchange.reply.answer, arguments.key)
        try:
            for point in points:
                progress.begin(point)
                result = await run_probe(server, Probe(target, point, arguments.options, judge), progress.count)
                progress.stop()
                deliver(result)
        finally:
            progress.stop()


async def _version_note(server: Server, target: ProbeTarget) -> str:
    """The note that another model, or another version of it, goes on; empty if it is the same."""
    author, model = target.reply.model, target.model.name
    if not is_same_model(author, model):
        return OTHER_MODEL.format(author=author, model=model)
    digest = target.model.digest or await server.digest_of(model)
    has_changed = digest and target.reply.digest and digest != target.reply.digest
    return OTHER_VERSION.format(model=model) if has_changed else ""


def settings_of(session: Session, arguments: ProbeArguments) -> config.Settings:
    """The settings with the profile and the server of a session, unless the command line names a server."""
    engine = str(arguments.engine or "")
    try:
        settings = config.load_settings(profile=session.settings.profile, engine=engine)
    except UsageError:
        # The profile may be gone since.
        settings = config.load_settings(engine=engine)
    is_named = engine or arguments.host or settings.is_server_explicit or settings.engine != "ollama"
    return settings if is_named else settings_for_session(settings, session.id)


def question_of(exchange: StoredExchange, ask_options: AskOptions, model: str) -> Question:
    """The question of a stored reply as it was asked, but for another model if one is named."""
    from reflectty.chat.request import Question
    from reflectty.evaluation.probe import as_asked

    reply, message = exchange.reply, message_of(exchange.question)
    question = Question(
        prompt=message.content,
        ask_options=ask_options.override(system=exchange.session.settings.system),
        images=message.images,
        history=history_of(exchange.before, model or reply.model),
    )
    asked = as_asked(question, reply)
    return asked._replace(ask_options=asked.ask_options.override(model=model))


def _keep_result(exchange: StoredExchange, result: ProbeResult, terminal: Terminal) -> None:
    """Store with the reply what a correction was worth; a store that fails costs no result."""
    found = ProbedCorrection(result.point.number, result.changed, result.compared)
    try:
        with open_session_store(terminal) as store:
            turns = (turn for turn in store.turns(exchange.session.id) if turn.id == exchange.turn)
            said = next((turn.said for turn in turns if turn.said), None)
            if said and said.ended is not ReplyStatus.STREAMING:
                store.finish(exchange.turn, said._replace(measured=said.measured.with_probed(found)))
    except StoreError as error:
        write_remark(terminal, f"what was found is not stored: {error}")


def _write_result(result: ProbeResult, terminal: Terminal, *, is_first: bool) -> None:
    from reflectty.evaluation.probe_report import result_rows

    page = console.open_page(terminal)
    page.write([*([] if is_first else [[("", page.palette.styles["text"])]]), *result_rows(result, page)])


def _write_json(exchange: StoredExchange, results: Sequence[ProbeResult], terminal: Terminal) -> None:
    from reflectty.evaluation.probe_report import probe_object
    from reflectty.export.json import dump_json

    reply = exchange.reply
    value = {"session": exchange.session.id, "turn": exchange.number, "model": reply.model, "digest": reply.digest}
    terminal.out.write(dump_json(value | {"probes": [probe_object(result) for result in results]}))
