"""`reflect models copy|remove|load|unload`: arguments become values, and values one change on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.commands import output
from reflectty.commands.arguments import Host, KeepAlive  # noqa: TC001 - Typer reads the annotations
from reflectty.commands.models import arguments as args
from reflectty.drawing.model import advice, landed
from reflectty.drawing.sizes import size
from reflectty.errors import UsageError
from reflectty.names import short

if TYPE_CHECKING:
    from reflectty.chat import Running
    from reflectty.library import Installed
    from reflectty.library.library import Library
    from reflectty.terminal import Terminal

Target = Annotated[str, typer.Argument(metavar="NAME", help="What the copy is called.", show_default=False)]


def copy(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    target: Target,
    force: args.Force = False,
    host: Host = "",
    as_json: output.AsJson = False,
) -> None:
    """Give a model a second name; it takes no room."""
    terminal: Terminal = context.obj
    source, wanted = args.named(name), args.named(target)

    async def work(library: Library) -> None:
        if not force and await library.has(wanted):
            raise UsageError(f"there is a model {wanted} already", "--force replaces it")
        await library.copy(source, wanted)

    args.using(terminal, host, work)
    if as_json:
        _print({"name": wanted, "from": source}, terminal)
    output.told(terminal, f"{source} is {wanted} as well")


def remove(
    context: typer.Context, names: args.Names, yes: output.Yes = False, host: Host = "", as_json: output.AsJson = False
) -> None:
    """Remove models from the server for good."""
    terminal: Terminal = context.obj
    output.may_remove(terminal, "models", yes=yes)
    wanted = tuple(dict.fromkeys(short(args.named(name)) for name in names))

    async def find(library: Library) -> tuple[Installed, ...]:
        return tuple([await library.find(name) for name in wanted])

    async def take_away(library: Library) -> None:
        for one in found:
            await library.remove(one.name)

    found = args.using(terminal, host, find)
    # Nobody is asked while a connection waits.
    if not yes and not output.agreed(terminal, map(_described, found)):
        output.told(terminal, "nothing was removed")
        found = ()
    args.using(terminal, host, take_away)
    if as_json:
        _print([{"name": one.name, "size": one.model.size} for one in found], terminal)
    for one in found:
        output.told(terminal, f"removed {one.short_name}")


def _described(one: Installed) -> str:
    loaded = ", loaded" if one.running else ""
    return f"{one.short_name}, {size(one.model.size)}{loaded}"


def load(
    context: typer.Context, name: args.Name, keep_alive: KeepAlive = "", host: Host = "", as_json: output.AsJson = False
) -> None:
    """Load a model, and say where it runs."""
    terminal: Terminal = context.obj
    wanted = args.named(name)

    settings = config.load()

    async def work(library: Library) -> Running | None:
        return await library.load(wanted, keep_alive or settings.keep_alive, settings.options)

    running = args.using(terminal, host, work)
    if as_json:
        from reflectty.exporting.models import running_object  # noqa: PLC0415 - only --json needs it

        _print({"name": wanted, "loaded": running_object(running) if running else None}, terminal)
    told = f"{wanted} is loaded: {landed(running)}" if running else f"{wanted} was loaded, and is not kept"
    output.told(terminal, told)
    if running and advice(running, wanted):
        output.told(terminal, advice(running, wanted))


def unload(context: typer.Context, name: args.Name, host: Host = "", as_json: output.AsJson = False) -> None:
    """Unload a model; it stays installed."""
    terminal: Terminal = context.obj
    wanted = args.named(name)

    async def work(library: Library) -> bool:
        return await library.unload(wanted)

    was = args.using(terminal, host, work)
    if as_json:
        _print({"name": wanted, "unloaded": was}, terminal)
    output.told(terminal, f"{wanted} is unloaded" if was else f"{wanted} was not loaded")


def _print(value: object, terminal: Terminal) -> None:
    from reflectty.exporting.json import written  # noqa: PLC0415 - only --json needs it

    terminal.out.write(written(value))
