"""`reflect models …`: the models on a server, to look at, to fetch, to make and to put in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.listing import grouped
from reflectty.commands.models import changing, fetching, making, reading, repair

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

SUBCOMMANDS: dict[str, Callable[..., None]] = {
    "list": reading.list_,
    "show": reading.show,
    "pull": fetching.pull,
    "create": making.create,
    "repair": repair.repair,
    "copy": changing.copy,
    "remove": changing.remove,
    "load": changing.load,
    "unload": changing.unload,
}


def models() -> typer.Typer:
    """Return the command with its subcommands."""
    return grouped(
        SUBCOMMANDS, "See, fetch, make and put in order the models on a server; lists them where nothing else is said."
    )
