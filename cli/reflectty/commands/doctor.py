"""`reflect doctor`: arguments become what is looked at, and what is found lines or JSON; checks nothing itself."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import assets, config, theme
from reflectty.commands import arguments as args
from reflectty.errors import UsageError
from reflectty.interrupts import run
from reflectty.terminal import system_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reflectty.checking import Around, Chosen
    from reflectty.finding import Finding
    from reflectty.render.checkup import Report
    from reflectty.terminal import Terminal

NoQuestion = Annotated[
    bool,
    typer.Option(
        "--no-question",
        help="Ask the model nothing; then 0 says only that nothing found is in the way of an answer.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print what was found as one JSON object.")]
ENDS = """Exit codes: 0 a question was answered; 2 a setting or the host cannot be used; 3 no Ollama server is reached; \
4 it refuses, or the model is not installed; 5 no complete answer came."""


def doctor(
    context: typer.Context,
    model: args.ModelName = "",
    host: args.Host = "",
    timeout: args.Timeout = "",
    no_question: NoQuestion = False,
    as_json: AsJson = False,
) -> None:
    """Check the terminal, settings, sessions, server and models, ask one question, and say what to do.

    Exit codes: 0 a question was answered; 2 a setting or the host cannot be used; 3 no Ollama server is reached;
    4 it refuses, or the model is not installed; 5 no complete answer came.
    """
    terminal: Terminal = context.obj
    around = _around(terminal, model=args.decoded(model), host=args.decoded(host), timeout=timeout)
    run(_check(around._replace(asks=not no_question), as_json=as_json))


async def _check(around: Around, *, as_json: bool) -> None:
    """Check everything, and end as a question would."""
    from reflectty.asking.ticking import ticking  # noqa: PLC0415 - --help needs none of this
    from reflectty.checking import Check, Known, checkup  # noqa: PLC0415
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
