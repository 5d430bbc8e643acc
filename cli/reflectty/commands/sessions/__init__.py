"""`reflect sessions …`: what was asked before, to read, search, export and put in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from reflectty.commands.listing import HELP, ListByDefault
from reflectty.commands.sessions import changing, reading

if TYPE_CHECKING:
    from collections.abc import Callable

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
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        cls=ListByDefault,
        context_settings=HELP,
        help="Read, search, export and put in order what was asked before; lists it where nothing else is said.",
    )
    for name, command in SUBCOMMANDS.items():
        app.command(name, context_settings=HELP)(command)
    return app
