"""`reflect probe`: tells what one correction of a stored reply is worth, by going on with and without it."""

from __future__ import annotations

from typing import Annotated

import typer

from reflectty.commands import console
from reflectty.commands import options as args
from reflectty.commands.ask_options import decode_argument
from reflectty.commands.sessions import NameOrLast
from reflectty.evaluation.probe_points import ProbeMethod
from reflectty.evaluation.probe_result import ProbeOptions

TurnNumber = Annotated[
    int | None,
    typer.Option("--turn", metavar="N", min=1, help="The number of the question.", show_default="the last one"),
]
CorrectionNumber = Annotated[
    int | None,
    typer.Option("--correction", metavar="N", min=1, help="The number of the correction.", show_default="the only one"),
]
All = Annotated[bool, typer.Option("--all", help="Probe all corrections, tagged or read in the thinking.")]
Most = Annotated[int, typer.Option("--most", metavar="N", min=1, help="With --all, probe at most N.")]
Samples = Annotated[
    int,
    typer.Option(
        "--samples", "-n", metavar="N", min=1, max=100, help="Go on N times with the correction, and N times without."
    ),
]
Method = Annotated[
    ProbeMethod,
    typer.Option(
        "--method",
        help="Without the correction, let the model go on, or put a sentence that says nothing in its place.",
    ),
]
Key = Annotated[str, typer.Option("--answer", metavar="TEXT", help="The right answer.", show_default=False)]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="The seed of the first continuations.")]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs", "-j", metavar="N", min=0, max=64, help="How many at once.", show_default="as many as the server can"
    ),
]


def probe(  # noqa: PLR0913, PLR0917 - one argument per option
    context: typer.Context,
    session: NameOrLast = "",
    turn: TurnNumber = None,
    correction: CorrectionNumber = None,
    every: All = False,
    most: Most = 5,
    samples: Samples = 5,
    method: Method = ProbeMethod.RESAMPLE,
    answer: Key = "",
    seed: Seed = 0,
    jobs: Jobs = 0,
    model: args.ModelName = "",
    host: args.Host = "",
    engine: args.EngineOption = None,
    timeout: args.Timeout = "",
    yes: console.Yes = False,
    as_json: console.AsJson = False,
) -> None:
    """Tell what a correction of a reply is worth: goes on with it and without it, and compares the final answers.

    Without --correction or --all, probes the only correction of the reply, or lists them.
    """
    from reflectty.commands.probe_run import ProbeArguments, run_probes

    console.exclusive((("--correction", correction is not None), ("--all", every)), "use one of them")
    arguments = ProbeArguments(
        session=session,
        turn=turn,
        correction=correction,
        most=most if every else 0,
        options=ProbeOptions(samples, method, seed, jobs),
        key=decode_argument(answer),
        model=decode_argument(model),
        host=decode_argument(host),
        engine=engine,
        timeout=timeout,
        yes=yes,
        as_json=as_json,
    )
    run_probes(arguments, context.obj)
