"""`reflect models list|show`: arguments become values, and values what is printed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands import output
from reflectty.commands.arguments import Host  # noqa: TC001 - Typer reads the annotations when the command runs
from reflectty.commands.models import arguments as args
from reflectty.errors import RefusedError
from reflectty.render.remark import remark
from reflectty.safety import clean

if TYPE_CHECKING:
    from reflectty.library import Installed
    from reflectty.library.library import Library
    from reflectty.terminal import Terminal

Template = Annotated[bool, typer.Option("--template", help="Print the template alone.")]
System = Annotated[bool, typer.Option("--system", help="Print the system prompt alone.")]
Parameters = Annotated[bool, typer.Option("--parameters", help="Print the parameters alone.")]
Licence = Annotated[bool, typer.Option("--licence", "--license", help="Print the licence alone.")]
EMPTY = "no model is installed on the server: reflect models pull MODEL gets one"


def list_(context: typer.Context, host: Host = "", as_json: output.AsJson = False) -> None:
    """List the models: size, context, what they can do, and where they run."""
    terminal: Terminal = context.obj

    async def work(library: Library) -> tuple[Installed, ...]:
        return await library.installed()

    models = args.using(terminal, host, work)
    if as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - each form loads only itself
        from reflectty.exporting.models import model_object  # noqa: PLC0415

        terminal.out.write(written([model_object(one) for one in models]))
    elif models:
        from reflectty.render.models import model_rows  # noqa: PLC0415 - each form loads only itself

        page = output.paged(terminal)
        page.write(model_rows(models, page, time.time()))
    else:
        remark(terminal, EMPTY)


def show(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    template: Template = False,
    system: System = False,
    parameters: Parameters = False,
    licence: Licence = False,
    host: Host = "",
    as_json: output.AsJson = False,
) -> None:
    """Show all that is known of a model, and how it would be asked."""
    terminal: Terminal = context.obj
    flags = (("--template", template), ("--system", system), ("--parameters", parameters), ("--licence", licence))
    output.one_of([*flags, ("--json", as_json)], "--json has all of them")
    wanted = args.named(name)

    async def work(library: Library) -> Installed:
        return await library.show(wanted)

    one = args.using(terminal, host, work)
    chosen = next((flag for flag, given in flags if given), "")
    if chosen:
        _print_text(one, chosen, terminal)
    elif as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - each form loads only itself
        from reflectty.exporting.models import model_object  # noqa: PLC0415

        terminal.out.write(written(model_object(one, whole=True)))
    else:
        from reflectty.render.models import one_model  # noqa: PLC0415 - each form loads only itself

        page = output.paged(terminal)
        page.write(one_model(one, page, time.time()))


def _print_text(one: Installed, flag: str, terminal: Terminal) -> None:
    texts = {
        "--template": ("template", one.model.template),
        "--system": ("system prompt", one.model.system),
        "--parameters": ("parameters", one.model.parameters),
        "--licence": ("licence", one.model.license),
    }
    name, text = texts[flag]
    if not text.strip():
        raise RefusedError(f"{one.short_name} has no {name}")
    terminal.out.write(clean(text).rstrip("\n") + "\n")
