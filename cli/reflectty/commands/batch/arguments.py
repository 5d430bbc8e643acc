"""The arguments of `reflect batch` that a question of one shot does not have; nothing is done with them here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from reflectty.batch.items import Form
from reflectty.commands.arguments import Arguments, decoded
from reflectty.errors import UsageError
from reflectty.options import OPTIONS

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
Forms = Annotated[
    Form | None,
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


class Given(NamedTuple):
    """The values of one call; the fields bear the names of the command's parameters."""

    asked: Arguments
    """What it shares with a question of one shot."""
    file: Path
    host: list[str] | None
    form: Form | None
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
        return tuple(map(decoded, self.host or ()))


def given(values: dict[str, Any]) -> Given:
    """Return the values of the command's parameters, those of a question of one shot apart."""
    own = {name: values[name] for name in Given._fields if name in values}
    shared = {name: value for name, value in values.items() if name not in own}
    if own["output"] == STDIN:
        own["output"] = None
    return Given(Arguments(**shared), **own)


def refuse_contradictions(given: Given) -> None:
    """Refuse options that cannot hold together.

    Raises:
        UsageError: the first of them.
    """
    key = str(given.output or "").partition("=")
    if key[1] and key[0] in OPTIONS:
        raise UsageError(f"-o {given.output} is a model option", "write --option: -o is the output file of a batch")
    if given.resume and given.force:
        raise UsageError("--resume and --force exclude each other", "go on, or begin anew")
    if given.fields and given.full:
        raise UsageError("--fields and --full exclude each other", "--full has every field")
    if given.output is None and (given.resume or given.force):
        flag = "--resume" if given.resume else "--force"
        raise UsageError(f"{flag} is about an output file, and none is named", "name it with --output")
