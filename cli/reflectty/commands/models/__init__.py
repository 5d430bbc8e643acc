"""`reflect models …`: the models on a server, to look at, to fetch, to make and to put in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from reflectty.commands.listing import HELP, ListByDefault
from reflectty.commands.models import changing, fetching, making, reading, repair

if TYPE_CHECKING:
    from collections.abc import Callable

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
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        cls=ListByDefault,
        context_settings=HELP,
        help="See, fetch, make and put in order the models on a server; lists them where nothing else is said.",
    )
    for name, command in SUBCOMMANDS.items():
        app.command(name, context_settings=HELP)(command)
    return app
