"""`reflect config`: shows and changes the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.config import display, subcommands
from reflectty.commands.console import ShowByDefault, make_group

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

SUBCOMMANDS: dict[str, Callable[..., None]] = {
    "show": display.show,
    "list": display.show,
    "get": display.get,
    "set": subcommands.set_,
    "unset": subcommands.unset,
    "edit": subcommands.edit,
    "path": display.path,
    "schema": display.schema,
}


def config() -> typer.Typer:
    """The command group with its subcommands."""
    return make_group(SUBCOMMANDS, "Show and change the settings (default: show).", ShowByDefault)
