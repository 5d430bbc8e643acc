"""What the commands with subcommands share: one is meant where none is named, and they help by the same options."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HELP = {"help_option_names": ["-h", "--help"]}
DEFAULT = "list"


class ListByDefault(TyperGroup):
    """Lists where no subcommand is named, or does what else is the default."""

    default: ClassVar = DEFAULT

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if not args or (args[0].startswith("-") and args[0] not in HELP["help_option_names"]):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


class ShowByDefault(ListByDefault):
    """Shows where no subcommand is named."""

    default: ClassVar = "show"


def grouped(
    subcommands: Mapping[str, Callable[..., None]], about: str, by_default: type[ListByDefault] = ListByDefault
) -> typer.Typer:
    """Return a command with subcommands; `about` is what it says of itself."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        cls=by_default,
        context_settings=HELP,
        help=about,
    )
    for name, command in subcommands.items():
        app.command(name, context_settings=HELP)(command)
    return app
