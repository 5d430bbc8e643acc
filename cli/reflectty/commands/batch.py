"""`reflect batch FILE`: defines the options and starts the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reflectty.batch.prompts import InputFormat
from reflectty.commands import options as args
from reflectty.commands.ask_options import AskArguments, decode_argument
from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple

STDIN = Path("-")
"""Stands for stdin as the input and for stdout as the output."""

Input = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="The questions, one per line; - reads stdin.", show_default="stdin"),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="HOST",
        help="A server, as in OLLAMA_HOST; repeat it to spread the lines across several servers.",
        show_default="the hosts setting, else 127.0.0.1:11434",
    ),
]
FormOption = Annotated[
    InputFormat | None,
    typer.Option(
        "--format",
        help="Lines of questions or of JSON objects, one JSON array, or CSV; objects have a prompt or messages, and may"
        " have id, model, system, fields of the template and members to pass through.",
        show_default="from the file name, else the first line",
    ),
]
OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="FILE",
        help="Write to a file: each line as soon as it finishes; the file is sorted at the end.",
        show_default="stdout",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Continue the output file: ask only the lines that are missing or failed.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the output file if it exists.")]
Unordered = Annotated[
    bool, typer.Option("--unordered", help="Write each line as it finishes, not in the order of the questions.")
]
Fields = Annotated[
    str,
    typer.Option(
        "--fields",
        metavar="NAMES",
        help="Fields of --json to write besides line, id and error, such as answer,usage,thinking,prompt,host.",
        show_default="model,answer,complete",
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Write every field of --json and the question.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        min=1,
        max=512,
        help="How many lines to send to each server at once.",
        show_default="as many as it answers in parallel, detected",
    ),
]
Retry = Annotated[
    int,
    typer.Option(
        "--retry",
        metavar="N",
        min=0,
        max=100,
        help="How many times to retry if a server is busy or a reply is cut off.",
    ),
]
Patience = Annotated[
    float,
    typer.Option(
        "--patience",
        metavar="SECONDS",
        min=0,
        help="How long to wait while no server is reachable.",
        show_default="one hour",
    ),
]


Limit = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", min=1, help="Ask only the first N lines.", show_default=False),
]
Sample = Annotated[
    int | None,
    typer.Option(
        "--sample",
        metavar="N",
        min=1,
        help="Ask N lines drawn at random, the same for each --seed.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="The seed of --sample.")]


class BatchArguments(NamedTuple):
    """The arguments of one call; the fields have the names of the command's parameters."""

    ask_arguments: AskArguments
    """The arguments shared with a single question."""
    file: Path
    host: list[str] | None
    form: InputFormat | None
    output: Path | None
    """None for stdout."""
    resume: bool
    force: bool
    unordered: bool
    fields: str
    full: bool
    jobs: int | None
    retry: int
    patience: float
    limit: int | None = None
    sample: int | None = None
    seed: int = 0

    @property
    def hosts(self) -> tuple[str, ...]:
        """The servers named on the command line."""
        return tuple(map(decode_argument, self.host or ()))


def batch_arguments_of(values: dict[str, Any]) -> BatchArguments:
    """The arguments made from the values of the command's parameters."""
    own = {name: values[name] for name in BatchArguments._fields if name in values}
    shared = {name: value for name, value in values.items() if name not in own}
    if own["output"] == STDIN:
        own["output"] = None
    return BatchArguments(AskArguments(**shared), **own)


def refuse_contradictions(arguments: BatchArguments) -> None:
    """Refuse options that cannot be combined.

    Raises:
        UsageError: the first conflict.
    """
    for option in arguments.ask_arguments.option or ():
        if "=" not in option:
            raise UsageError(f"-o {option} is not KEY=VALUE", f"-o is a model option; use --output {option} for a file")
    if arguments.resume and arguments.force:
        raise UsageError("--resume and --force cannot be combined", "use --resume to continue, --force to overwrite")
    if arguments.fields and arguments.full:
        raise UsageError("--fields and --full cannot be combined", "--full includes every field")
    if arguments.limit and arguments.sample:
        raise UsageError("--limit and --sample cannot be combined", "use one of them")
    if arguments.sample and arguments.file == STDIN:
        raise UsageError("--sample needs a file: stdin cannot be read twice", "use --limit, or save it to a file")
    flag = next((f"--{name}" for name in ("schema", "system") if getattr(arguments.ask_arguments, name) == "-"), "")
    if flag and arguments.file == STDIN:
        raise UsageError(f"{flag} - and the input - cannot be combined", "stdin is read once")
    if arguments.output is None and (arguments.resume or arguments.force):
        flag = "--resume" if arguments.resume else "--force"
        raise UsageError(f"{flag} needs an output file", "name one with --output")


def batch(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    file: Input = None,
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
    limit: Limit = None,
    sample: Sample = None,
    seed: Seed = 0,
    model: args.ModelName = "",
    profile: args.Profile = "",
    template: args.TemplateName = "",
    field: args.Fields = None,
    host: Hosts = None,
    engine: args.EngineOption = None,
    mode: args.ModeOption = None,
    effort: args.EffortOption = None,
    budget: args.BudgetText = "",
    loops: args.LoopsOption = None,
    until_settled: args.UntilSettled = False,
    samples: args.Samples = None,
    verify: args.Verify = False,
    family: args.FamilyName = "",
    system: args.System = "",
    option: args.Options = None,
    keep_alive: args.KeepAlive = "",
    schema: args.SchemaText = "",
    timeout: args.Timeout = "",
    deadline: args.DeadlineText = "",
    quiet: args.Quiet = False,
) -> None:
    """Ask every line of a file and write one line of JSON for each, in the same order.

    A line that cannot be asked or has no complete answer gets an error in its record; the other lines continue. With
    --output, finished lines are never lost and --resume continues. Batch questions are not saved as sessions.

    Exit codes: 0 every line has a complete answer; 2 an argument or a file is invalid; 3 no server responds, at
    the start or for as long as --patience; 4 the model is not installed; 5 some lines have no complete answer; 6 the
    output cannot be written; 8 --deadline ended the batch.
    """
    if file is None and context.obj.stdin_tty:
        raise UsageError("reflect batch needs a file", "for example: reflect batch questions.txt, or pipe the lines in")
    file = file or STDIN
    arguments = batch_arguments_of({name: value for name, value in locals().items() if name != "context"})
    refuse_contradictions(arguments)
    from reflectty.commands.batch_run import run_batch

    run_batch(arguments, context.obj)
