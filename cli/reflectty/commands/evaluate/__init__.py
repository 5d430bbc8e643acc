"""`reflect eval`: the group of subcommands that measure whether reflection helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.console import ListByDefault, make_group
from reflectty.commands.evaluate import apply, fetch, report, run

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

SUBCOMMANDS: dict[str, Callable[..., None]] = {
    "run": run.run,
    "list": report.list_,
    "report": report.report,
    "regrade": report.regrade,
    "apply": apply.apply,
    "fetch": fetch.fetch,
    "path": run.path,
}


def evaluate() -> typer.Typer:
    """The command group with its subcommands."""
    return make_group(
        SUBCOMMANDS,
        "Measure whether reflection helps, on your model and your questions (default: list).",
        ListByDefault,
    )
