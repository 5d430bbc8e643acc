"""`reflect doctor`: arguments become what is looked at, and what is found lines or JSON; checks nothing itself."""

from __future__ import annotations

import os
from contextlib import aclosing
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import assets, config, theme
from reflectty.commands import arguments as args
from reflectty.errors import UsageError
from reflectty.interrupts import run
from reflectty.terminal import system_environment

if TYPE_CHECKING:
    from reflectty.checking import Around
    from reflectty.terminal import Terminal

HOMELESS = Path(os.devnull, "no home")
NoQuestion = Annotated[
    bool,
    typer.Option(
        "--no-question",
        help="Ask the model nothing; then 0 says only that nothing found is in the way of an answer.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print what was found as one JSON object.")]


def doctor(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    model: args.ModelName = "",
    profile: args.Profile = "",
    host: args.Host = "",
    engine: args.Engines = None,
    timeout: args.Timeout = "",
    no_question: NoQuestion = False,
    as_json: AsJson = False,
) -> None:
    """Check the terminal, settings, sessions, server and models, ask one question, and say what to do.

    Exit codes: 0 a question was answered; 2 a setting or the host cannot be used; 3 no Ollama server is reached;
    4 it refuses, or the model is not installed; 5 no complete answer came.
    """
    terminal: Terminal = context.obj
    around = _around(terminal, args.decoded(model), args.decoded(host), args.decoded(profile), engine or "", timeout)
    run(_check(around._replace(asks=not no_question), as_json=as_json))


async def _check(around: Around, *, as_json: bool) -> None:
    """Check everything, and end as a question would."""
    from reflectty.asking.ticking import ticking  # noqa: PLC0415 - --help needs none of this
    from reflectty.checking import Check, Finding, Known, checkup  # noqa: PLC0415
    from reflectty.render.checkup import Report, as_object  # noqa: PLC0415

    report = Report(around.terminal, _theme(around), quiet=as_json)
    known, findings, began = Known(), list[Finding](), perf_counter()
    try:
        async with ticking(report.tick), aclosing(checkup(around, known)) as events:
            async for event in events:
                if isinstance(event, Check):
                    report.begin(event.doing)
                else:
                    findings.append(event)
                    report.show(event)
    finally:
        report.stop()
    proven = known.reply is not None
    if as_json:
        seconds = perf_counter() - began
        report.write(as_object(findings, known.obstacle, proven=proven, seconds=seconds))
    else:
        report.close(findings, known.obstacle, proven=proven)
    if known.obstacle:
        raise known.obstacle


def _around(  # noqa: PLR0913, PLR0917 - all that the call names
    terminal: Terminal, model: str, host: str, profile: str, engine: str, timeout: str
) -> Around:
    """Return what is looked at; a setting that cannot be used is a finding, an argument is an error."""
    from reflectty.checking import Around, Chosen  # noqa: PLC0415 - --help needs none of this
    from reflectty.checking.keys import answering  # noqa: PLC0415
    from reflectty.checking.settings import usable  # noqa: PLC0415
    from reflectty.commands.serving import engine_for  # noqa: PLC0415
    from reflectty.tui.clipboard import ways  # noqa: PLC0415

    environment, (path, kept) = system_environment(), _places()
    found = usable(environment, path, profile, engine)
    settings = found.settings._replace(timeouts=config.parse_timeouts(timeout, found.settings.timeouts))
    named = Chosen(host, "--host") if host else Chosen(settings.host, found.source("host"))
    return Around(
        settings=settings,
        host=named,
        model=Chosen(model, "-m") if model else Chosen(settings.model, found.source("model")),
        connect=partial(engine_for, settings, host, model=model or settings.model, unasked=not model, told=False),
        terminal=terminal,
        environment=environment,
        config_path=path,
        store_path=kept,
        mistakes=found.mistakes,
        oddities=_oddities(settings),
        clipboards=ways(environment),
        answered=answering(terminal),
    )


def _places() -> tuple[Path, Path]:
    """Return where settings and sessions are; where there is no home, nothing can be at either place."""
    try:
        return config.config_path(), config.store_path()
    except UsageError:
        return HOMELESS / "config.toml", HOMELESS / "sessions.db"


def _oddities(settings: config.Settings) -> tuple[UsageError, ...]:
    """Return what keeps no question from being asked: a theme, or keys of the chat, that cannot be used."""
    found = []
    problem = theme.load(settings.theme, _folders(settings)).problem
    if problem:
        found.append(UsageError(problem, "the terminal's own colours are used"))
    if settings.keys:
        from reflectty.tui.keys import bound  # noqa: PLC0415 - most have no keys of their own

        try:
            bound(settings.keys)
        except UsageError as error:
            found.append(error)
    return tuple(found)


def _folders(settings: config.Settings) -> tuple[Path, ...]:
    own = settings.theme != theme.TERMINAL.name
    return (config.themes_folder(), assets.folder("themes")) if own else ()


def _theme(around: Around) -> theme.Theme:
    return theme.load(around.settings.theme, _folders(around.settings)).theme
