"""`reflect models create`: makes a reflecting variant of an installed model, and asks it one question as a proof."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands import output
from reflectty.commands.arguments import Host, decoded
from reflectty.commands.models import arguments as args
from reflectty.drawing.summary import counted
from reflectty.errors import UsageError
from reflectty.library import Transfer, Variant, reflecting
from reflectty.material import as_text, read_file
from reflectty.options import parse_options
from reflectty.render.progress import ProgressLine
from reflectty.render.remark import remark

if TYPE_CHECKING:
    from reflectty.library.library import Library
    from reflectty.library.proof import Proof
    from reflectty.terminal import Terminal

NewName = Annotated[str, typer.Argument(metavar="NAME", help="What the new model is called.", show_default=False)]
Source = Annotated[
    str, typer.Option("--from", metavar="MODEL", help="The installed model it is made of.", show_default=False)
]
System = Annotated[
    str,
    typer.Option(
        "--system",
        "-s",
        metavar="TEXT|@FILE",
        help="A system prompt beside the source's own; what teaches the tags is added.",
        show_default=False,
    ),
]
Template = Annotated[
    str, typer.Option("--template", metavar="TEXT|@FILE", help="Another template.", show_default="the source's")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-p",
        metavar="KEY=VALUE",
        help="A parameter in place of the source's: temperature, num_ctx, ….",
        show_default=False,
    ),
]
NoProof = Annotated[bool, typer.Option("--no-proof", help="Do not ask the new model a question.")]


def create(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: NewName,
    source: Source,
    system: System = "",
    template: Template = "",
    parameter: Parameters = None,
    no_proof: NoProof = False,
    force: args.Force = False,
    host: Host = "",
    as_json: output.AsJson = False,
) -> None:
    """Make a model that reflects of one that is installed.

    Template and parameters are the source's; its system prompt gets one beside it that teaches the tags.
    """
    terminal: Terminal = context.obj
    wished = Variant(
        name=args.named(name),
        source=args.named(source),
        system=_text(system, terminal),
        template=_text(template, terminal),
        parameters=parse_options(tuple(parameter or ()), "--parameter"),
    )

    async def work(library: Library) -> Proof | None:
        await _make(library, wished, terminal, force=force)
        return None if no_proof else await _prove(library, wished.name, terminal)

    proof = args.using(terminal, host, work)
    if as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - only --json needs it

        told = proof._asdict() if proof else None
        terminal.out.write(written({"name": wished.name, "from": wished.source, "proof": told}))


def _text(given: str, terminal: Terminal) -> str:
    """Return a text, or that of the file that `@` names."""
    text = decoded(given)
    if not text.startswith("@"):
        return text
    path = Path(given[1:])
    return as_text(read_file(path), str(path), lambda problem: remark(terminal, problem))


async def _make(library: Library, wished: Variant, terminal: Terminal, *, force: bool) -> None:
    source = await library.show(wished.source)
    if not force and await library.has(wished.name):
        raise UsageError(f"there is a model {wished.name} already", "--force replaces it")
    line = ProgressLine(terminal, output.themed(terminal), f"creating {wished.name}")
    transfer = Transfer()
    try:
        async with aclosing(library.create(reflecting(source.model, wished))) as progress:
            async for part in progress:
                transfer.feed(part)
                line.show(transfer)
    finally:
        line.stop()
    output.told(terminal, f"created {wished.name} from {wished.source}")


async def _prove(library: Library, name: str, terminal: Terminal) -> Proof:
    from reflectty.library.proof import QUESTION, prove  # noqa: PLC0415 - only a proof needs it

    output.told(terminal, f"asking it: {QUESTION}")
    proof = await prove(library.engine, name)
    if proof.passed:
        found = f"thinking, {counted(proof.corrections, 'correction')}, and an answer: {proof.answer}"
        output.told(terminal, f"proven: its tags came back with {found}")
    else:
        hint = "it is there all the same; a larger model follows the tags better"
        remark(terminal, f"{name} is not proven to reflect: {proof.problem} ({hint})")
    return proof
