"""`reflect config …`: the user's settings, to see and to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.config import changing, showing
from reflectty.commands.listing import ShowByDefault, grouped

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

SUBCOMMANDS: dict[str, Callable[..., None]] = {
    "show": showing.show,
    "path": showing.path,
    "edit": changing.edit,
    "set": changing.set_,
    "unset": changing.unset,
}


def config() -> typer.Typer:
    """Return the command with its subcommands."""
    return grouped(SUBCOMMANDS, "See and change the settings; shows them where nothing else is said.", ShowByDefault)
