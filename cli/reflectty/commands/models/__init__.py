"""`reflect models`: the group of subcommands for the models on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.console import make_group
from reflectty.commands.models import change, create, repair, show

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

SUBCOMMANDS: dict[str, Callable[..., None]] = {
    "list": show.list_,
    "show": show.show,
    "pull": change.pull,
    "create": create.create,
    "repair": repair.repair,
    "copy": change.copy,
    "remove": change.remove,
    "load": change.load,
    "unload": change.unload,
}


def models() -> typer.Typer:
    """The command group with its subcommands."""
    return make_group(SUBCOMMANDS, "Manage the models on a server (default: list).")
