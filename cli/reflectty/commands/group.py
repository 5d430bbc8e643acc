"""A command with subcommands, one of which is meant where none is named; does nothing by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HELP = {"help_option_names": ["-h", "--help"]}


def group(help_text: str, default: str, subcommands: Mapping[str, Callable[..., None]]) -> typer.Typer:
    """Return a command with its subcommands; `default` runs where none is named."""

    class Group(TyperGroup):
        """Runs the default where no subcommand is named."""

        def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
            if not args or (args[0].startswith("-") and args[0] not in HELP["help_option_names"]):
                args = [default, *args]
            return super().parse_args(ctx, args)

    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        cls=Group,
        context_settings=HELP,
        help=help_text,
    )
    for name, command in subcommands.items():
        app.command(name, context_settings=HELP)(command)
    return app
