"""What the commands with subcommands share in what they write: the page, JSON, a word on what was done, a question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.errors import UsageError
from reflectty.render.remark import remark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.render.page import Page
    from reflectty.terminal import Terminal
    from reflectty.theme import Theme

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def themed(terminal: Terminal) -> Theme:
    """Return the theme that the settings name; a broken one is a remark."""
    from reflectty import assets, theme  # noqa: PLC0415 - JSON needs no colours

    name = config.load().theme
    own = () if name == theme.TERMINAL.name else (config.themes_folder(), assets.folder("themes"))
    loaded = theme.load(name, own)
    if loaded.problem:
        remark(terminal, loaded.problem)
    return loaded.theme


def paged(terminal: Terminal) -> Page:
    """Return stdout as a page in the colours of the theme."""
    from reflectty.render.page import Page  # noqa: PLC0415 - JSON needs no colours

    return Page(terminal, themed(terminal))


def one_of(flags: Sequence[tuple[str, bool]], hint: str) -> None:
    """Refuse two options that exclude each other.

    Raises:
        UsageError: more than one of them is given.
    """
    chosen = [flag for flag, given in flags if given]
    if len(chosen) > 1:
        raise UsageError(f"{chosen[0]} and {chosen[1]} exclude each other", hint)


def told(terminal: Terminal, text: str) -> None:
    """Say what was done, to whoever looks on."""
    if terminal.err.tty:
        remark(terminal, text)


def may_remove(terminal: Terminal, what: str, *, yes: bool) -> None:
    """Refuse to remove something unasked where nobody can be asked.

    Raises:
        UsageError: there is no terminal, and no --yes.
    """
    if not (yes or (terminal.stdin_tty and terminal.err.tty)):
        raise UsageError(f"{what} are not removed unasked, and there is no terminal to ask on", "--yes removes them")


def agreed(terminal: Terminal, listed: Iterable[str]) -> bool:
    """Ask on the terminal whether to remove what is listed; whatever is no yes is a no."""
    for text in listed:
        remark(terminal, text)
    terminal.say("Remove for good? [y/N] ")
    answer = terminal.stdin.readline() if terminal.stdin else b""
    if not answer.endswith(b"\n"):
        terminal.say("\n")
    return answer.strip().lower() in (b"y", b"yes")
