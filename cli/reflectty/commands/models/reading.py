"""`reflect models list|show`: arguments become values, and values what is printed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from reflectty.commands import output
from reflectty.commands.arguments import Host  # noqa: TC001 - Typer reads the annotations when the command runs
from reflectty.commands.models import arguments as args
from reflectty.engines import EngineName
from reflectty.errors import ModelMissingError, RefusedError, UnreachableError
from reflectty.interrupts import run
from reflectty.library import open_library
from reflectty.mini import NAME, is_mini
from reflectty.render.remark import remark
from reflectty.safety import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from reflectty.library import Installed
    from reflectty.library.fit import Fitted
    from reflectty.library.library import Library
    from reflectty.terminal import Terminal

Template = Annotated[bool, typer.Option("--template", help="Print the template alone.")]
System = Annotated[bool, typer.Option("--system", help="Print the system prompt alone.")]
Parameters = Annotated[bool, typer.Option("--parameters", help="Print the parameters alone.")]
Licence = Annotated[bool, typer.Option("--licence", "--license", help="Print the licence alone.")]
EMPTY = "no model is installed on the server: reflect models pull {} gets one"


def list_(context: typer.Context, host: Host = "", as_json: output.AsJson = False) -> None:
    """List the models: their size, what they can do, where they run."""
    terminal: Terminal = context.obj

    async def work(library: Library) -> tuple[Installed, ...]:
        models = await _looked_at(library, await library.installed())
        if not models and not as_json:
            remark(terminal, await _advice(library))
        return models

    models = args.using(terminal, host, work)
    if as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - each form loads only itself
        from reflectty.exporting.models import model_object  # noqa: PLC0415

        terminal.out.write(written([model_object(one) for one in models]))
    elif models:
        from reflectty.render.models import model_rows  # noqa: PLC0415 - each form loads only itself

        page = output.paged(terminal)
        page.write(model_rows(models, page, time.time()))


async def _looked_at(library: Library, models: Sequence[Installed]) -> tuple[Installed, ...]:
    """Return models with what their vocabularies say of tags."""
    from reflectty.asking.tags import all_looked_at  # noqa: PLC0415 - loaded beside the engine

    found = await all_looked_at(library.engine, [one.model for one in models])
    return tuple(one._replace(model=model) for one, model in zip(models, found, strict=True))


async def _advice(library: Library) -> str:
    """Return what to do where no model is installed: the one to pull is the largest that the machine holds."""
    from reflectty.drawing.fit import placement  # noqa: PLC0415 - only who has no model needs advice
    from reflectty.drawing.sizes import size  # noqa: PLC0415
    from reflectty.library.catalogue import suited  # noqa: PLC0415

    found = suited(await args.around(library))
    if found is None:
        return EMPTY.format("MODEL")
    where, *_ = placement(found.placement)
    offer = found.offer
    return f"{EMPTY.format(offer.name)} that {offer.kind}: {size(offer.size)}; by a rough estimate: {where}"


def show(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    template: Template = False,
    system: System = False,
    parameters: Parameters = False,
    licence: Licence = False,
    context_length: args.Context = None,
    host: Host = "",
    as_json: output.AsJson = False,
) -> None:
    """Show all that is known of a model, and how it would be asked."""
    terminal: Terminal = context.obj
    flags = (("--template", template), ("--system", system), ("--parameters", parameters), ("--licence", licence))
    output.one_of([*flags, ("--json", as_json)], "--json has all of them")
    wanted = args.named(name)
    chosen = next((flag for flag, given in flags if given), "")

    async def work(library: Library) -> Shown:
        (one,) = await _looked_at(library, [await library.show(wanted)])
        return Shown(one, None if chosen else await args.fitting(library, one, context_length))

    found = _known(terminal, host, wanted, work)
    if chosen:
        _print_text(found.one, chosen, terminal)
    elif as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - each form loads only itself
        from reflectty.exporting.models import model_object  # noqa: PLC0415
        from reflectty.render.fit import fit_object  # noqa: PLC0415

        fit = fit_object(*found.fitted) if found.fitted else None
        terminal.out.write(written({**model_object(found.one, whole=True), "fit": fit}))
    else:
        from reflectty.drawing import fit as words  # noqa: PLC0415 - each form loads only itself
        from reflectty.render.models import one_model  # noqa: PLC0415

        page = output.paged(terminal)
        page.write(one_model(found.one, page, time.time(), words.lines(*found.fitted) if found.fitted else ()))


def _known(terminal: Terminal, host: str, name: str, work: Callable[[Library], Coroutine[Any, Any, Shown]]) -> Shown:
    """Return all that is known of a model; of the built-in one where the server has none of that name."""
    try:
        return args.using(terminal, host, work)
    except (UnreachableError, ModelMissingError):
        from reflectty.engines.embedded import installed  # noqa: PLC0415 - few models are built in

        if not (is_mini(name) and installed()):
            raise
    return run(_built_in())


async def _built_in() -> Shown:
    async with open_library(engine=EngineName.EMBEDDED) as own:
        return Shown(await own.show(NAME), None)


class Shown(NamedTuple):
    """A model, and whether it fits, where that can be said."""

    one: Installed
    fitted: Fitted | None


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
