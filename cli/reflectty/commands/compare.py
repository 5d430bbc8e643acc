"""`reflect compare QUESTION`: defines the options and starts the comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reflectty.commands import options as args
from reflectty.commands.ask_options import AskArguments
from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple

Prompt = Annotated[list[str] | None, args.typer_option("prompt")]
Files = Annotated[list[Path] | None, args.typer_option("file")]
Images = Annotated[list[Path] | None, args.typer_option("image")]
NoStdin = Annotated[bool, args.typer_option("no_stdin")]
NoStore = Annotated[bool, args.typer_option("no_store")]
Arms = Annotated[
    list[str] | None,
    typer.Option(
        "--arms",
        metavar="ARMS",
        help="The ways of asking, with commas: direct, cot (step by step), reflect, revise, think, vote-5; with an"
        " effort, a budget or a model: think:low, think:2000, cot@MODEL.",
        show_default="cot and what --mode auto does",
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option("--models", metavar="NAMES", help="The models, with commas; each is asked in each way."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print all replies as one JSON object.")]
Final = Annotated[bool, typer.Option("--final", hidden=True)]


class CompareArguments(NamedTuple):
    """The arguments of one call; the fields have the names of the command's parameters."""

    ask_arguments: AskArguments
    """The arguments shared with a single question."""
    arms: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


def compare_arguments_of(values: dict[str, Any]) -> CompareArguments:
    """The arguments made from the values of the command's parameters.

    Raises:
        UsageError: some of them cannot be combined, or make no sense here.
    """
    arms, models = tuple(values.pop("arms") or ()), tuple(values.pop("models") or ())
    if values.pop("final"):
        raise UsageError("a comparison has no single final answer", "--json has the answer of each arm")
    shared = AskArguments(**values)
    if models and shared.model:
        raise UsageError("--models and --model cannot be combined", "name all models with --models")
    return CompareArguments(shared, arms, models)


def compare(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    prompt: Prompt = None,
    arms: Arms = None,
    models: Models = None,
    file: Files = None,
    image: Images = None,
    template: args.TemplateName = "",
    field: args.Fields = None,
    system: args.System = "",
    no_stdin: NoStdin = False,
    model: args.ModelName = "",
    host: args.Host = "",
    engine: args.EngineOption = None,
    profile: args.Profile = "",
    option: args.Options = None,
    keep_alive: args.KeepAlive = "",
    timeout: args.Timeout = "",
    deadline: args.DeadlineText = "",
    as_json: AsJson = False,
    quiet: args.Quiet = False,
    no_store: NoStore = False,
    final: Final = False,
) -> None:
    """Ask one question in several ways, side by side, and tell whether the answers agree.

    The replies stream beside each other where the terminal has room, else one after the other. They are saved as
    branches of one question. The arms of one model are asked at once, different models one after the other.

    Exit codes: 0 every arm has a complete answer; else that of the first arm without one, as for a question.
    """
    arguments = compare_arguments_of({name: value for name, value in locals().items() if name != "context"})
    from reflectty.commands.compare_run import run_compare

    run_compare(arguments, context.obj)
