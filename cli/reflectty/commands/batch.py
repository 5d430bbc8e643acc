"""`reflect batch FILE`: defines the options and starts the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from reflectty.batch.prompts import InputFormat
from reflectty.commands import options as args  # noqa: TC001 - Typer reads the annotations when the command runs
from reflectty.commands.options import AskArguments, decode_argument
from reflectty.core.errors import UsageError
from reflectty.core.options import OPTIONS

STDIN = Path("-")
"""The input where it is stdin, and the output where it is stdout."""

Input = Annotated[
    Path, typer.Argument(metavar="FILE", help="The questions, one a line; - is stdin.", show_default=False)
]
Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="HOST",
        help="A server, as in OLLAMA_HOST; given several times, the lines are spread over all of them.",
        show_default="hosts of the settings, else 127.0.0.1:11434",
    ),
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="KEY=VALUE", help="A model option: num_ctx, temperature, seed, ….", show_default=False
    ),
]
FormOption = Annotated[
    InputFormat | None,
    typer.Option(
        "--format",
        help='What the lines are: plain questions, or objects: {"prompt": …, "id", "system", "model", fields of the'
        " template}.",
        show_default="by the file's name, else by its first line",
    ),
]
OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write to a file: a line that is finished is in it at once; it is put in order at the end.",
        show_default="stdout",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the output file: ask what is not answered there, or failed.")
]
Force = Annotated[bool, typer.Option("--force", help="Begin anew where the output file is there already.")]
Unordered = Annotated[
    bool, typer.Option("--unordered", help="Write the lines as they are finished, not in the order of the questions.")
]
Fields = Annotated[
    str,
    typer.Option(
        "--fields",
        metavar="NAMES",
        help="What to write beside line, id and error: answer,usage,thinking,prompt,host, …, as --json has them.",
        show_default="model,answer,complete",
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Write all that --json of a question has, the question included.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        min=1,
        max=512,
        help="How many to ask at the same time of each server.",
        show_default="what it answers at once, which is found out",
    ),
]
Retry = Annotated[
    int,
    typer.Option(
        "--retry", metavar="N", min=0, max=100, help="How often to ask again where a server was busy or a reply cut."
    ),
]
Patience = Annotated[
    float,
    typer.Option(
        "--patience",
        metavar="SECONDS",
        min=0,
        help="How long to wait for servers that have gone away, all of them.",
        show_default="an hour",
    ),
]


class BatchArguments(NamedTuple):
    """The values of one call; the fields bear the names of the command's parameters."""

    ask_arguments: AskArguments
    """What it shares with a question of one shot."""
    file: Path
    host: list[str] | None
    form: InputFormat | None
    output: Path | None
    """None is stdout."""
    resume: bool
    force: bool
    unordered: bool
    fields: str
    full: bool
    jobs: int | None
    retry: int
    patience: float

    @property
    def hosts(self) -> tuple[str, ...]:
        """The servers that were named."""
        return tuple(map(decode_argument, self.host or ()))


def batch_arguments_of(values: dict[str, Any]) -> BatchArguments:
    """Return the values of the command's parameters, those of a question of one shot apart."""
    own = {name: values[name] for name in BatchArguments._fields if name in values}
    shared = {name: value for name, value in values.items() if name not in own}
    if own["output"] == STDIN:
        own["output"] = None
    return BatchArguments(AskArguments(**shared), **own)


def refuse_contradictions(arguments: BatchArguments) -> None:
    """Refuse options that cannot hold together.

    Raises:
        UsageError: the first of them.
    """
    key = str(arguments.output or "").partition("=")
    if key[1] and key[0] in OPTIONS:
        raise UsageError(f"-o {arguments.output} is a model option", "write --option: -o is the output file of a batch")
    if arguments.resume and arguments.force:
        raise UsageError("--resume and --force exclude each other", "go on, or begin anew")
    if arguments.fields and arguments.full:
        raise UsageError("--fields and --full exclude each other", "--full has every field")
    if arguments.output is None and (arguments.resume or arguments.force):
        flag = "--resume" if arguments.resume else "--force"
        raise UsageError(f"{flag} is about an output file, and none is named", "name it with --output")


def batch(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    file: Input,
    output: OutputFile = None,
    resume: Resume = False,
    force: Force = False,
    unordered: Unordered = False,
    fields: Fields = "",
    full: Full = False,
    form: FormOption = None,
    jobs: Jobs = None,
    retry: Retry = 3,
    patience: Patience = 3600.0,
    model: args.ModelName = "",
    profile: args.Profile = "",
    template: args.TemplateName = "",
    field: args.Fields = None,
    host: Hosts = None,
    engine: args.EngineOption = None,
    mode: args.ModeOption = None,
    effort: args.EffortOption = None,
    family: args.FamilyName = "",
    system: args.System = "",
    option: Options = None,
    keep_alive: args.KeepAlive = "",
    schema: args.SchemaText = "",
    timeout: args.Timeout = "",
    quiet: args.Quiet = False,
) -> None:
    """Ask every line of a file, and write a line of JSON for each, in the same order.

    A line that cannot be asked or has no complete answer gets an error of its own and stops no other. With
    --output nothing that is finished is lost, and --resume goes on. What is asked here is not kept as sessions.

    Exit codes: 0 every line has a complete answer; 2 the call or a file cannot be used; 3 no server answers, at
    first or for as long as --patience; 4 the model is not installed; 5 some lines have no complete answer; 6 the
    output cannot be written.
    """
    given = batch_arguments_of({name: value for name, value in locals().items() if name != "context"})
    refuse_contradictions(given)
    from reflectty.commands.batch_run import run_batch

    run_batch(given, context.obj)
