"""`reflect sessions …`: what was asked before, to read, search, export and put in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.listing import grouped
from reflectty.commands.sessions import changing, reading

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

SUBCOMMANDS: dict[str, Callable[..., None]] = {
    "list": reading.list_,
    "show": reading.show,
    "search": reading.search,
    "export": reading.export_,
    "rename": changing.rename,
    "remove": changing.remove,
    "fork": changing.fork,
}


def sessions() -> typer.Typer:
    """Return the command with its subcommands."""
    return grouped(
        SUBCOMMANDS, "Read, search, export and put in order what was asked before; lists it where nothing else is said."
    )
