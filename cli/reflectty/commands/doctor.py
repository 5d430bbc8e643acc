"""`reflect doctor`: runs the checks and prints the findings as lines or JSON."""

from __future__ import annotations

import os
from contextlib import aclosing
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.commands import options as args
from reflectty.commands.ask_options import decode_argument
from reflectty.commands.config.mistakes import find_every_mistake
from reflectty.config.load import read_toml
from reflectty.core.errors import UsageError
from reflectty.system import theme
from reflectty.system.signals import run_interruptible
from reflectty.system.terminal import system_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reflectty.config.load import Document
    from reflectty.doctor import DoctorContext
    from reflectty.doctor.files import UsableSettings
    from reflectty.system.terminal import Terminal

NO_HOME = Path(os.devnull, "no home")
NoQuestion = Annotated[
    bool,
    typer.Option(
        "--no-question",
        help="Do not ask the model a question; 0 then means only that no problem prevents an answer.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the findings as one JSON object.")]


def doctor(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    model: args.ModelName = "",
    profile: args.Profile = "",
    host: args.Host = "",
    engine: args.EngineOption = None,
    timeout: args.Timeout = "",
    no_question: NoQuestion = False,
    as_json: AsJson = False,
) -> None:
    """Check the terminal, settings, sessions, server and models, ask one question, and suggest fixes.

    Exit codes: 0 the question was answered; 2 a setting or the host is invalid; 3 no Ollama server is reachable;
    4 the server refuses or the model is not installed; 5 the answer is incomplete.
    """
    terminal: Terminal = context.obj
    doctor_context = _make_doctor_context(
        terminal,
        decode_argument(model),
        decode_argument(host),
        decode_argument(profile),
        engine or "",
        timeout,
    )
    run_interruptible(_run_checks(doctor_context._replace(may_ask=not no_question), as_json=as_json))


async def _run_checks(doctor_context: DoctorContext, *, as_json: bool) -> None:
    """Run the checks and print the findings.

    Raises:
        ReflecttyError: the error that blocks questions, if any and if it is not on the screen yet.
        Exit: its exit code, if it is.
    """
    from reflectty.chat.waits import run_ticker
    from reflectty.doctor import Check, DoctorState, Finding, run_checks
    from reflectty.output.doctor import DoctorReport, report_object

    report = DoctorReport(doctor_context.terminal, _load_theme(doctor_context), quiet=as_json)
    state, findings, start = DoctorState(), list[Finding](), perf_counter()
    try:
        async with run_ticker(report.tick), aclosing(run_checks(doctor_context, state)) as events:
            async for event in events:
                if isinstance(event, Check):
                    report.begin(event.activity)
                else:
                    findings.append(event)
                    report.show(event)
    finally:
        report.stop()
    is_proven = state.reply is not None
    if as_json:
        seconds = perf_counter() - start
        report.write(report_object(findings, state.blocking_error, proven=is_proven, seconds=seconds))
    else:
        report.close(findings, state.blocking_error, proven=is_proven)
    if state.blocking_error:
        # On a terminal the finding and the result above say it already.
        shown = not as_json and doctor_context.terminal.out.tty and doctor_context.terminal.err.tty
        raise typer.Exit(state.blocking_error.exit_code) if shown else state.blocking_error


def _make_doctor_context(  # noqa: PLR0913, PLR0917 - one argument per option
    terminal: Terminal, model: str, host: str, profile: str, engine: str, timeout: str
) -> DoctorContext:
    """Make the context of the checks; an invalid setting becomes a finding, an invalid argument an error."""
    from reflectty.commands.engine_factory import engine_for
    from reflectty.doctor import DoctorContext, SourcedValue
    from reflectty.doctor.files import load_usable_settings
    from reflectty.doctor.terminal import make_terminal_asker
    from reflectty.system.clipboard import list_clipboards

    environment, (path, store_path) = system_environment(), _find_paths()
    usable = load_usable_settings(environment, path, profile, engine)
    settings = usable.settings._replace(timeouts=config.parse_timeouts(timeout, usable.settings.timeouts))
    blocking = tuple(_find_blocking_mistakes(usable, path))
    sourced_host = SourcedValue(host, "--host") if host else SourcedValue(settings.host, usable.source_of("host"))
    return DoctorContext(
        settings=settings,
        host=sourced_host,
        model=SourcedValue(model, "-m") if model else SourcedValue(settings.model, usable.source_of("model")),
        connect=partial(
            engine_for, settings, host, model=model or settings.model, unasked=not model, has_notices=False
        ),
        terminal=terminal,
        environment=environment,
        config_path=path,
        store_path=store_path,
        setting_errors=(*usable.mistakes, *blocking),
        setting_warnings=_find_other_mistakes(environment, path, (*usable.mistakes, *blocking)),
        clipboards=list_clipboards(environment),
        ask_terminal=make_terminal_asker(terminal),
    )


def _find_paths() -> tuple[Path, Path]:
    """The paths of the config file and the sessions; without a home folder, paths that cannot exist."""
    try:
        return config.config_path(), config.store_path()
    except UsageError:
        return NO_HOME / "config.toml", NO_HOME / "sessions.db"


_BLOCKING_FIELDS = ("model", "keep_alive", "template")
"""Settings that make every question fail if their value cannot be used; another check tries the server."""


def _find_blocking_mistakes(usable: UsableSettings, path: Path) -> Iterator[UsageError]:
    """Yield the mistakes in values that are well-formed, in effect, and make every question fail."""
    from reflectty.config.usability import ConfigFile, check_use

    last = {one.setting.field: one for one in usable.sources}
    for source in (last[field] for field in _BLOCKING_FIELDS if field in last):
        try:
            check_use(source, ConfigFile(_read_document(path), path))
        except UsageError as error:
            yield error


def _find_other_mistakes(
    environment: Mapping[str, str], path: Path, known: tuple[UsageError, ...]
) -> tuple[UsageError, ...]:
    """The mistakes that leave some questions possible: those of themes, keys, and profiles that are not in use."""
    found = find_every_mistake(_read_document(path), path, environment)
    texts = {str(error) for error in known}
    return tuple(error for error in found if str(error) not in texts)


def _read_document(path: Path) -> Document:
    """The config file; empty if it cannot be read, which is a mistake of its own."""
    try:
        return read_toml(path)
    except UsageError:
        return {}


def _load_theme(doctor_context: DoctorContext) -> theme.Theme:
    return theme.load_theme(doctor_context.settings.theme).theme
