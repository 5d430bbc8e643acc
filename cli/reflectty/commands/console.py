"""Helpers of the command groups: default subcommands, JSON options, pages, notes and confirmations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, NoReturn

import typer
from typer.core import TyperGroup

from reflectty import config
from reflectty.commands.help_page import HelpWithExamples, SingleCommand
from reflectty.core.errors import StoppedError, UsageError
from reflectty.output import write_remark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reflectty.output.tables import Page
    from reflectty.system.terminal import Terminal
    from reflectty.system.theme import LoadedTheme, Theme


HELP_SETTINGS = {"help_option_names": ["-h", "--help"]}
DEFAULT_SUBCOMMAND = "list"
NO_EFFECT_EXIT_CODE = 1


class ListByDefault(HelpWithExamples, TyperGroup):
    """Runs a default subcommand if none is named: `list`, unless a subclass sets another."""

    default: ClassVar = DEFAULT_SUBCOMMAND

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if not args or (args[0].startswith("-") and args[0] not in HELP_SETTINGS["help_option_names"]):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


class ShowByDefault(ListByDefault):
    """Runs `show` if no subcommand is named."""

    default: ClassVar = "show"


def make_group(
    subcommands: Mapping[str, Callable[..., None]], about: str, by_default: type[ListByDefault] = ListByDefault
) -> typer.Typer:
    """Make the Typer app of a command group; `about` is its help text."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        cls=by_default,
        context_settings=HELP_SETTINGS,
        help=about,
    )
    for name, command in subcommands.items():
        app.command(name, cls=SingleCommand, context_settings=HELP_SETTINGS)(command)
    return app


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def load_theme(terminal: Terminal) -> Theme:
    """Load the theme from the settings; a broken theme causes a remark."""
    loaded = find_theme()
    if loaded.problem:
        write_remark(terminal, loaded.problem)
    return loaded.theme


def find_theme() -> LoadedTheme:
    """The theme from the settings, or the reason why it is another."""
    from reflectty.system import theme

    return theme.load_theme(config.load_settings().theme)


def open_page(terminal: Terminal) -> Page:
    """Stdout as a page in the colors of the theme."""
    from reflectty.output.tables import Page

    return Page(terminal, load_theme(terminal), reads_thoughts=config.load_settings().second_thoughts)


def exclusive(flags: Sequence[tuple[str, bool]], hint: str) -> None:
    """Refuse options that cannot be combined.

    Raises:
        UsageError: more than one of them is given.
    """
    chosen = [flag for flag, is_set in flags if is_set]
    if len(chosen) > 1:
        raise UsageError(f"{chosen[0]} and {chosen[1]} cannot be combined", hint)


def info(terminal: Terminal, text: str) -> None:
    """Write a remark if stderr is a terminal."""
    if terminal.err.tty:
        write_remark(terminal, text)


def require_yes(terminal: Terminal, what: str, *, yes: bool) -> None:
    """Refuse to remove something if the removal can be confirmed neither by --yes nor on a terminal.

    Raises:
        UsageError: there is no terminal, and no --yes.
    """
    if not (yes or (terminal.stdin_tty and terminal.err.tty)):
        raise UsageError(f"refusing to remove {what} without --yes", "no terminal to confirm on")


def end_without_effect(terminal: Terminal, text: str) -> NoReturn:
    """End a command that found or did nothing: with a note, and with exit code 1 for scripts.

    Raises:
        StoppedError: always.
    """
    info(terminal, text)
    raise StoppedError(NO_EFFECT_EXIT_CODE)


def confirm(terminal: Terminal, items: Iterable[str]) -> bool:
    """List the items and ask on the terminal whether to remove them."""
    for item in items:
        write_remark(terminal, item)
    return is_confirmed(terminal, "Remove for good?")


def is_confirmed(terminal: Terminal, question: str) -> bool:
    """Ask a question on the terminal; only `y` and `yes` confirm."""
    terminal.write_stderr(f"{question} [y/N] ")
    answer = terminal.stdin.readline() if terminal.stdin else b""
    if not answer.endswith(b"\n"):
        terminal.write_stderr("\n")
    return answer.strip().lower() in (b"y", b"yes")
