"""`reflect config …`: the user's settings, to see and to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import typer

from reflectty.commands.config import changing, showing
from reflectty.commands.listing import HELP, ListByDefault

if TYPE_CHECKING:
    from collections.abc import Callable

SUBCOMMANDS: dict[str, Callable[..., None]] = {
    "show": showing.show,
    "path": showing.path,
    "edit": changing.edit,
    "set": changing.set_,
    "unset": changing.unset,
}


class ShowByDefault(ListByDefault):
    """Shows where no subcommand is named."""

    default: ClassVar = "show"


def config() -> typer.Typer:
    """Return the command with its subcommands."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        cls=ShowByDefault,
        context_settings=HELP,
        help="See and change the settings; shows them where nothing else is said.",
    )
    for name, command in SUBCOMMANDS.items():
        app.command(name, context_settings=HELP)(command)
    return app
