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
from reflectty.core.errors import UsageError
from reflectty.system import assets, theme
from reflectty.system.signals import run_interruptible
from reflectty.system.terminal import system_environment

if TYPE_CHECKING:
    from reflectty.doctor import DoctorContext
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
    """Check everything, and end as a question would."""
    from reflectty.chat.run import run_ticker
    from reflectty.doctor import Check, DoctorState, Finding, run_checks
    from reflectty.output.doctor import DoctorReport, report_object

    report = DoctorReport(doctor_context.terminal, _load_theme(doctor_context), quiet=as_json)
    known, findings, began = DoctorState(), list[Finding](), perf_counter()
    try:
        async with run_ticker(report.tick), aclosing(run_checks(doctor_context, known)) as events:
            async for event in events:
                if isinstance(event, Check):
                    report.begin(event.activity)
                else:
                    findings.append(event)
                    report.show(event)
    finally:
        report.stop()
    proven = known.reply is not None
    if as_json:
        seconds = perf_counter() - began
        report.write(report_object(findings, known.blocking_error, proven=proven, seconds=seconds))
    else:
        report.close(findings, known.blocking_error, proven=proven)
    if known.blocking_error:
        raise known.blocking_error


def _make_doctor_context(  # noqa: PLR0913, PLR0917 - one argument per option
    terminal: Terminal, model: str, host: str, profile: str, engine: str, timeout: str
) -> DoctorContext:
    """Return what is looked at; a setting that cannot be used is a finding, an argument is an error."""
    from reflectty.commands.engine_factory import engine_for
    from reflectty.doctor import DoctorContext, SourcedValue
    from reflectty.doctor.files import load_usable_settings
    from reflectty.doctor.terminal import make_terminal_asker
    from reflectty.tui.clipboard import list_clipboards

    environment, (path, kept) = system_environment(), _find_paths()
    found = load_usable_settings(environment, path, profile, engine)
    settings = found.settings._replace(timeouts=config.parse_timeouts(timeout, found.settings.timeouts))
    named = SourcedValue(host, "--host") if host else SourcedValue(settings.host, found.source_of("host"))
    return DoctorContext(
        settings=settings,
        host=named,
        model=SourcedValue(model, "-m") if model else SourcedValue(settings.model, found.source_of("model")),
        connect=partial(
            engine_for, settings, host, model=model or settings.model, unasked=not model, has_notices=False
        ),
        terminal=terminal,
        environment=environment,
        config_path=path,
        store_path=kept,
        setting_errors=found.mistakes,
        setting_warnings=_find_harmless_mistakes(settings),
        clipboards=list_clipboards(environment),
        ask_terminal=make_terminal_asker(terminal),
    )


def _find_paths() -> tuple[Path, Path]:
    """Return where settings and sessions are; where there is no home, nothing can be at either place."""
    try:
        return config.config_path(), config.store_path()
    except UsageError:
        return NO_HOME / "config.toml", NO_HOME / "sessions.db"


def _find_harmless_mistakes(settings: config.Settings) -> tuple[UsageError, ...]:
    """Return what keeps no question from being asked: a theme, or keys of the chat, that cannot be used."""
    found = []
    problem = theme.load_theme(settings.theme, _theme_folders_of(settings)).problem
    if problem:
        found.append(UsageError(problem, "using the terminal's own colors"))
    if settings.keys:
        from reflectty.tui.keys import bind_actions

        try:
            bind_actions(settings.keys)
        except UsageError as error:
            found.append(error)
    return tuple(found)


def _theme_folders_of(settings: config.Settings) -> tuple[Path, ...]:
    own = settings.theme != theme.TERMINAL_THEME.name
    return (config.themes_folder(), assets.find_asset_folder("themes")) if own else ()


def _load_theme(doctor_context: DoctorContext) -> theme.Theme:
    return theme.load_theme(doctor_context.settings.theme, _theme_folders_of(doctor_context.settings)).theme
