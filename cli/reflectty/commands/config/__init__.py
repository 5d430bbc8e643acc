"""`reflect config`: shows and changes the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.config import subcommands
from reflectty.commands.console import ShowByDefault, make_group

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

SUBCOMMANDS: dict[str, Callable[..., None]] = {
    "show": subcommands.show,
    "path": subcommands.path,
    "edit": subcommands.edit,
    "set": subcommands.set_,
    "unset": subcommands.unset,
}


def config() -> typer.Typer:
    """The command group with its subcommands."""
    return make_group(SUBCOMMANDS, "Show and change the settings (default: show).", ShowByDefault)
