"""`reflect models list|show`: arguments become values, and values what is printed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from reflectty.commands import output
from reflectty.commands.arguments import Engines, Host, Profile, decoded
from reflectty.commands.models import arguments as args
from reflectty.commands.models import served
from reflectty.engines import EngineName
from reflectty.errors import ModelMissingError, RefusedError, UnreachableError
from reflectty.interrupts import run
from reflectty.library import open_library
from reflectty.mini import NAME, is_mini
from reflectty.render.remark import remark
from reflectty.safety import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from typing import Any

    from reflectty.library import Installed
    from reflectty.library.fit import Fitted
    from reflectty.library.formats import Formats
    from reflectty.library.library import Library
    from reflectty.terminal import Terminal

Template = Annotated[bool, typer.Option("--template", help="Print the template alone.")]
System = Annotated[bool, typer.Option("--system", help="Print the system prompt alone.")]
Parameters = Annotated[bool, typer.Option("--parameters", help="Print the parameters alone.")]
Licence = Annotated[bool, typer.Option("--licence", "--license", help="Print the licence alone.")]
EMPTY = "no model is installed on the server: reflect models pull {} gets one"


def list_(
    context: typer.Context,
    profile: Profile = "",
    host: Host = "",
    engine: Engines = None,
    as_json: output.AsJson = False,
) -> None:
    """List the models: their size, what they can do, where they run."""
    terminal: Terminal = context.obj
    named = served.Named(decoded(profile), decoded(host), engine or "")
    if served.is_asked(named):
        served.list_(terminal, named, as_json=as_json)
        return

    async def work(library: Library) -> tuple[Installed, ...]:
        models = await _looked_at(library, await library.installed())
        if not models and not as_json:
            remark(terminal, await _advice(library))
        return models

    models = args.using(terminal, named.host, work, named.profile, named.engine)
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
    from reflectty.library.first import first_offer  # noqa: PLC0415

    around = await args.around(library)
    offer, found = first_offer(around), suited(around)
    told = f"{EMPTY.format(offer.name)} that {offer.kind}: {size(offer.size)}"
    return f"{told}; by a rough estimate: {placement(found.placement)[0]}" if found else told


def show(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    template: Template = False,
    system: System = False,
    parameters: Parameters = False,
    licence: Licence = False,
    context_length: args.Context = None,
    profile: Profile = "",
    host: Host = "",
    engine: Engines = None,
    as_json: output.AsJson = False,
) -> None:
    """Show all that is known of a model, and how it would be asked."""
    terminal: Terminal = context.obj
    flags = (("--template", template), ("--system", system), ("--parameters", parameters), ("--licence", licence))
    output.one_of([*flags, ("--json", as_json)], "--json has all of them")
    chosen = next((flag for flag, given in flags if given), "")
    named = served.Named(decoded(profile), decoded(host), engine or "")
    if served.is_asked(named):
        served.show(terminal, named, decoded(name), chosen, as_json=as_json)
        return
    wanted = args.named(name)

    async def work(library: Library) -> Shown:
        (one,) = await _looked_at(library, [await library.show(wanted)])
        if chosen:
            return Shown(one, None)
        return await _looked_into(library, one, context_length)

    found = _known(terminal, named, wanted, work)
    if chosen:
        _print_text(found.one, chosen, terminal)
    elif as_json:
        terminal.out.write(_as_json(found))
    else:
        from reflectty.drawing import fit as words  # noqa: PLC0415 - each form loads only itself
        from reflectty.render.models import one_model  # noqa: PLC0415

        page = output.paged(terminal)
        more = words.lines(*found.fitted) if found.fitted else ()
        page.write(one_model(found.one, page, time.time(), (*more, *_remarkable(found))))


def _as_json(found: Shown) -> str:
    from reflectty.exporting.json import written  # noqa: PLC0415 - each form loads only itself
    from reflectty.exporting.models import model_object  # noqa: PLC0415
    from reflectty.render.fit import fit_object  # noqa: PLC0415

    fit = fit_object(*found.fitted) if found.fitted else None
    warning = found.formats.warning if found.formats else None
    return written({**model_object(found.one, whole=True), "fit": fit, "format_warning": warning})


def _known(
    terminal: Terminal, named: served.Named, name: str, work: Callable[[Library], Coroutine[Any, Any, Shown]]
) -> Shown:
    """Return all that is known of a model; of the built-in one where the server has none of that name."""
    try:
        return args.using(terminal, named.host, work, named.profile, named.engine)
    except (UnreachableError, ModelMissingError):
        from reflectty.engines.embedded import installed  # noqa: PLC0415 - few models are built in

        if not (is_mini(name) and installed()):
            raise
    return run(_built_in())


async def _looked_into(library: Library, one: Installed, context_length: int | None) -> Shown:
    from reflectty.library.formats import misfit  # noqa: PLC0415 - a text alone needs none

    fitted = await args.fitting(library, one, context_length)
    return Shown(one, fitted, await misfit(library.engine, one.model))


async def _built_in() -> Shown:
    async with open_library(engine=EngineName.EMBEDDED) as own:
        return Shown(await own.show(NAME), None)


class Shown(NamedTuple):
    """A model, and whether it fits, where that can be said."""

    one: Installed
    fitted: Fitted | None
    formats: Formats | None = None
    """Where it is asked in another format than its own."""


def _remarkable(found: Shown) -> Iterator[tuple[str, str]]:
    """Yield what few models have, each with its name."""
    if found.formats:
        yield "format", found.formats.warning


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
