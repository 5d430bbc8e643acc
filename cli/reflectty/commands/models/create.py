"""`reflect models create`: creates a reflecting variant of a model, or installs `mini`, and tries it."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands import console
from reflectty.commands.ask_options import decode_argument
from reflectty.commands.inputs import read_text_argument
from reflectty.commands.models import options as args
from reflectty.commands.options import Host
from reflectty.core.errors import UsageError
from reflectty.core.model_spec import is_mini
from reflectty.core.options import AUTO, NUM_CTX, parse_options
from reflectty.core.safety import clean_line
from reflectty.core.text import format_count
from reflectty.models.installed import ModelVariant, TransferProgress, add_reflection_prompt
from reflectty.output import write_remark
from reflectty.output.live_region import TransferProgressLine

if TYPE_CHECKING:
    from reflectty.chat.trial import TrialResult
    from reflectty.core.messages import Model, OptionValue
    from reflectty.models.installed import ProgressUpdate
    from reflectty.models.manager import ModelLibrary
    from reflectty.system.terminal import Terminal

NewName = Annotated[str, typer.Argument(metavar="NAME", help="The name of the new model.", show_default=False)]
Source = Annotated[
    str,
    typer.Option(
        "--from", metavar="MODEL", help="The installed model to start from; mini needs none.", show_default=False
    ),
]
System = Annotated[
    str,
    typer.Option(
        "--system",
        "-s",
        metavar="TEXT|@FILE",
        help="A system prompt, added to the source's own; the prompt that teaches the tags is added too.",
        show_default=False,
    ),
]
Template = Annotated[
    str, typer.Option("--template", metavar="TEXT|@FILE", help="Use another template.", show_default="the source's")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-p",
        metavar="KEY=VALUE",
        help="Override a parameter of the source, such as temperature or num_ctx.",
        show_default=False,
    ),
]
NoProof = Annotated[bool, typer.Option("--no-proof", help="Do not test the new model with a question.")]


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
    as_json: console.AsJson = False,
) -> None:
    """Make a reflecting variant of an installed model; `create mini` installs the built-in one.

    Keeps the source's template and parameters; adds a prompt that teaches the tags to its system prompt.
    """
    terminal: Terminal = context.obj
    if not source:
        _refuse_changes(name, system=system, template=template, parameter=parameter)
    variant = ModelVariant(
        name=args.model_name_of(name),
        source=args.model_name_of(source) if source else "",
        system=read_text_argument(system, lambda problem: write_remark(terminal, problem)),
        template=read_text_argument(template, lambda problem: write_remark(terminal, problem)),
        parameters=_parse_parameters(parameter),
    )

    async def work(library: ModelLibrary) -> TrialResult | None:
        await (_create_variant if source else _push_mini)(library, variant, terminal, force=force)
        return None if no_proof else await _try_model(library, variant.name, terminal)

    proof = args.run_with_library(terminal, host, work)
    if as_json:
        from reflectty.export.json import dump_json

        result = proof._asdict() if proof else None
        terminal.out.write(dump_json({"name": variant.name, "from": variant.source or None, "proof": result}))


def _refuse_changes(name: str, **options: object) -> None:
    """Refuse to create a model without a source, unless it is mini, unchanged.

    Raises:
        UsageError: it is another model, or an option would change mini.
    """
    if not is_mini(decode_argument(name)):
        raise UsageError(
            f"{clean_line(decode_argument(name))} needs a source model", "add --from MODEL; only mini needs none"
        )
    for option, value in options.items():
        if value:
            raise UsageError(f"--{option} does not apply to mini", "add --from MODEL to use it")


async def _push_mini(library: ModelLibrary, variant: ModelVariant, terminal: Terminal, *, force: bool) -> None:
    """Install the built-in model on the server."""
    from reflectty.engines.embedded import is_installed
    from reflectty.engines.embedded.install import (
        how_to_install,
        join_weight_parts,
    )
    from reflectty.engines.embedded.runtime_files import find_paths
    from reflectty.models.merged_mini import can_merge, install_mini

    if not is_installed():
        raise UsageError("the built-in model is not installed", f"install it: {how_to_install()}")
    if not can_merge():
        missing = "cannot merge the adapter into the weights: numpy is not installed"
        raise UsageError(missing, f"install it: {how_to_install()}")
    await _refuse_taken_name(library, variant.name, force=force)
    line, transfer = _make_progress_line(variant.name, terminal), TransferProgress()

    def show_progress(part: ProgressUpdate) -> None:
        transfer.feed(part)
        line.show(transfer)

    paths = find_paths()
    try:
        await join_weight_parts(paths.weights)
        await install_mini(library.engine, variant.name, paths.weights, paths.adapter.parent, show_progress)
    finally:
        line.stop()
    console.info(terminal, f"created {variant.name}: see its license with `reflect models show --license`")


def _parse_parameters(arguments: list[str] | None) -> tuple[tuple[str, OptionValue], ...]:
    """Parse the parameters; `num_ctx=auto` works only for questions.

    Raises:
        UsageError: a parameter is invalid.
    """
    parameters = parse_options(tuple(arguments or ()), "--parameter")
    if dict(parameters).get(NUM_CTX) == AUTO:
        raise UsageError(
            "--parameter num_ctx must be a whole number, not 'auto'", "use -o num_ctx=auto with a question"
        )
    return parameters


async def _refuse_taken_name(library: ModelLibrary, name: str, *, force: bool) -> None:
    if not force and await library.is_installed(name):
        raise UsageError(f"{name} already exists", "--force to overwrite")


def _make_progress_line(name: str, terminal: Terminal) -> TransferProgressLine:
    return TransferProgressLine(terminal, console.load_theme(terminal), f"creating {name}")


async def _create_variant(library: ModelLibrary, variant: ModelVariant, terminal: Terminal, *, force: bool) -> None:
    source = await library.show(variant.source)
    await _refuse_taken_name(library, variant.name, force=force)
    line, transfer = _make_progress_line(variant.name, terminal), TransferProgress()
    try:
        async with aclosing(library.create(add_reflection_prompt(source.model, variant))) as progress:
            async for part in progress:
                transfer.feed(part)
                line.show(transfer)
    finally:
        line.stop()
    console.info(terminal, f"created {variant.name} from {variant.source}")
    _note_shared_template(source.model, variant, terminal)
    await _note_misfit(library, variant.name, terminal)


def _note_shared_template(source: Model, variant: ModelVariant, terminal: Terminal) -> None:
    """Warn that the variant changes the prompts of its source while it is loaded.

    Models of the same weights share one process in Ollama 0.34.2, with the template of the model that was asked first.
    A Go template makes it render the source's own Jinja template as ChatML (findings/ollama-sibling-template.sh).
    """
    if variant.template and source.is_jinja and not source._replace(template=variant.template).is_jinja:
        write_remark(
            terminal,
            f"Ollama may prompt {variant.source} in the wrong format while {variant.name} is loaded, as they share "
            f"weights (run `reflect models unload {variant.name}` before you ask {variant.source})",
        )


async def _note_misfit(library: ModelLibrary, name: str, terminal: Terminal) -> None:
    """Warn if the new model is prompted in a format other than its own."""
    from reflectty.models.files import template_mismatch_of

    mismatch = await template_mismatch_of(library.engine, await library.engine.show(name))
    if mismatch:
        write_remark(terminal, f"{name} is {mismatch.warning} (use --template to change it)")


async def _try_model(library: ModelLibrary, name: str, terminal: Terminal) -> TrialResult:
    from reflectty.chat.trial import QUESTION, run_trial

    console.info(terminal, f"test question: {QUESTION}")
    proof = await run_trial(library.engine, name)
    if proof.passed:
        found = f"thinking, {format_count(proof.corrections, 'correction')} and an answer: {proof.answer}"
        console.info(terminal, f"passed: the tagged reply has {found}")
    else:
        hint = "it is installed anyway; a larger model follows the tags better"
        write_remark(terminal, f"{name} failed the test question: {proof.problem} ({hint})")
    return proof
