"""`reflect models create`: makes a reflecting variant of an installed model, or `mini`, and asks it one question."""

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
from reflectty.mini import is_mini
from reflectty.options import AUTO, CONTEXT, parse_options
from reflectty.render.progress import ProgressLine
from reflectty.render.remark import remark
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from reflectty.chat import OptionValue
    from reflectty.library import Progress
    from reflectty.library.library import Library
    from reflectty.library.proof import Proof
    from reflectty.terminal import Terminal

NewName = Annotated[str, typer.Argument(metavar="NAME", help="What the new model is called.", show_default=False)]
Source = Annotated[
    str,
    typer.Option(
        "--from", metavar="MODEL", help="The installed model it is made of; mini needs none.", show_default=False
    ),
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
    source: Source = "",
    system: System = "",
    template: Template = "",
    parameter: Parameters = None,
    no_proof: NoProof = False,
    force: args.Force = False,
    host: Host = "",
    as_json: output.AsJson = False,
) -> None:
    """Make a model that reflects of one that is installed; `create mini` gives the server the built-in one.

    Template and parameters are the source's; its system prompt gets one beside it that teaches the tags.
    """
    terminal: Terminal = context.obj
    if not source:
        _refuse_to_change(name, system=system, template=template, parameter=parameter)
    wished = Variant(
        name=args.named(name),
        source=args.named(source) if source else "",
        system=_text(system, terminal),
        template=_text(template, terminal),
        parameters=_parameters(parameter),
    )

    async def work(library: Library) -> Proof | None:
        await (_make if source else _give)(library, wished, terminal, force=force)
        return None if no_proof else await _prove(library, wished.name, terminal)

    proof = args.using(terminal, host, work)
    if as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - only --json needs it

        told = proof._asdict() if proof else None
        terminal.out.write(written({"name": wished.name, "from": wished.source or None, "proof": told}))


def _text(given: str, terminal: Terminal) -> str:
    """Return a text, or that of the file that `@` names."""
    text = decoded(given)
    if not text.startswith("@"):
        return text
    path = Path(given[1:])
    return as_text(read_file(path), str(path), lambda problem: remark(terminal, problem))


def _refuse_to_change(name: str, **given: object) -> None:
    """Refuse what cannot be made of nothing: any model but the built-in one, and that one otherwise than it is.

    Raises:
        UsageError: it is such a thing.
    """
    if not is_mini(decoded(name)):
        raise UsageError(
            f"--from is missing: what is {clean_line(decoded(name))} made of?", "only mini needs no --from"
        )
    for option, value in given.items():
        if value:
            raise UsageError(f"mini is made as it is: --{option} has no meaning", "with --from it has")


async def _give(library: Library, wished: Variant, terminal: Terminal, *, force: bool) -> None:
    """Give the server the built-in model."""
    from reflectty.engines.embedded import installed  # noqa: PLC0415 - only this model is made of files
    from reflectty.engines.embedded.installing import how_to_install  # noqa: PLC0415
    from reflectty.engines.embedded.places import places  # noqa: PLC0415
    from reflectty.engines.embedded.weights import join  # noqa: PLC0415
    from reflectty.library.builtin import can_merge, put  # noqa: PLC0415

    if not installed():
        raise UsageError("the built-in model is not installed", f"{how_to_install()} installs it")
    if not can_merge():
        missing = "numpy is missing, by which the adapter is merged into the weights"
        raise UsageError(missing, f"{how_to_install()} installs it")
    await _refuse_taken(library, wished.name, force=force)
    line, transfer = _progress_of(wished.name, terminal), Transfer()

    def tell(part: Progress) -> None:
        transfer.feed(part)
        line.show(transfer)

    found = places()
    try:
        await join(found.weights)
        await put(library.engine, wished.name, found.weights, found.adapter.parent, tell)
    finally:
        line.stop()
    output.told(terminal, f"created {wished.name}: the terms that it is used by are shown by `models show --licence`")


def _parameters(given: list[str] | None) -> tuple[tuple[str, OptionValue], ...]:
    """Return the parameters of a model; a server knows no context that is chosen for each question.

    Raises:
        UsageError: one cannot be a parameter.
    """
    parameters = parse_options(tuple(given or ()), "--parameter")
    if dict(parameters).get(CONTEXT) == AUTO:
        raise UsageError("--parameter num_ctx takes a whole number, not 'auto'", "-o num_ctx=auto goes with a question")
    return parameters


async def _refuse_taken(library: Library, name: str, *, force: bool) -> None:
    if not force and await library.has(name):
        raise UsageError(f"there is a model {name} already", "--force replaces it")


def _progress_of(name: str, terminal: Terminal) -> ProgressLine:
    return ProgressLine(terminal, output.themed(terminal), f"creating {name}")


async def _make(library: Library, wished: Variant, terminal: Terminal, *, force: bool) -> None:
    source = await library.show(wished.source)
    await _refuse_taken(library, wished.name, force=force)
    line, transfer = _progress_of(wished.name, terminal), Transfer()
    try:
        async with aclosing(library.create(reflecting(source.model, wished))) as progress:
            async for part in progress:
                transfer.feed(part)
                line.show(transfer)
    finally:
        line.stop()
    output.told(terminal, f"created {wished.name} from {wished.source}")
    await _tell_misfit(library, wished.name, terminal)


async def _tell_misfit(library: Library, name: str, terminal: Terminal) -> None:
    """Say so where the new model is asked in another format than its own."""
    from reflectty.library.formats import misfit  # noqa: PLC0415 - only who makes or shows a model needs it

    found = await misfit(library.engine, await library.engine.show(name))
    if found:
        remark(terminal, f"{name} is {found.warning} (--template gives it another)")


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
