"""What the commands with subcommands share: one is meant where none is named, and they help by the same options."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from typer.core import TyperGroup

if TYPE_CHECKING:
    import typer

HELP = {"help_option_names": ["-h", "--help"]}
DEFAULT = "list"


class ListByDefault(TyperGroup):
    """Lists where no subcommand is named, or does what else is the default."""

    default: ClassVar = DEFAULT

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if not args or (args[0].startswith("-") and args[0] not in HELP["help_option_names"]):
            args = [self.default, *args]
        return super().parse_args(ctx, args)
