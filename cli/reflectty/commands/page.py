"""Where commands that list and change put what they have to say; decides nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.render.remark import remark

if TYPE_CHECKING:
    from reflectty.render.page import Page
    from reflectty.terminal import Terminal

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def paged(terminal: Terminal) -> Page:
    """Return stdout as a page in the colours of the theme."""
    from reflectty import assets, theme  # noqa: PLC0415 - JSON needs no colours
    from reflectty.render.page import Page  # noqa: PLC0415

    name = config.load().theme
    own = () if name == theme.TERMINAL.name else (config.themes_folder(), assets.folder("themes"))
    loaded = theme.load(name, own)
    if loaded.problem:
        remark(terminal, loaded.problem)
    return Page(terminal, loaded.theme)


def told(terminal: Terminal, text: str) -> None:
    """Say what was done, to whoever looks on."""
    if terminal.err.tty:
        remark(terminal, text)


def agreed(terminal: Terminal, question: str, *, unless: bool = False) -> bool:
    """Ask on the terminal; an empty line is `unless`, and whatever else is no yes is a no."""
    terminal.say(f"{question} [{'Y/n' if unless else 'y/N'}] ")
    answer = terminal.stdin.readline() if terminal.stdin else b""
    if not answer.endswith(b"\n"):
        terminal.say("\n")
        return answer.strip().lower() in (b"y", b"yes")
    word = answer.strip().lower()
    return unless if not word else word in (b"y", b"yes")
