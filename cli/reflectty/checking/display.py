"""What the terminal can show, and where what is copied goes; asks the terminal nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.finding import Finding, State
from reflectty.terminal import TRUECOLOUR, coloured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reflectty.checking.around import Around, Known
    from reflectty.terminal import Sink, Terminal

NARROW: Final = 40
"""Columns below which the chat leaves out more than it shows."""
_WITHIN: Final = (("TMUX", "tmux"), ("STY", "GNU screen"), ("SSH_CONNECTION", "ssh"), ("SSH_TTY", "ssh"))


async def terminal(around: Around, _: Known) -> Sequence[Finding]:
    """Say how wide the terminal is, which colours and characters it shows, and what stands in between."""
    here, environment = around.terminal, around.environment
    sink = here.out if here.out.tty else here.err
    colours, why = coloured(environment, tty=sink.tty)
    facts = (
        ("terminal", here.out.tty),
        ("columns", here.width),
        ("colours", colours),
        ("why", why),
        ("utf8", sink.unicode),
        ("within", within(environment)),
    )
    colourless = "no colours" if not sink.tty and not colours else _colours(colours, why)
    text = f"{_width(here, sink)}, {colourless}, {_charset(sink)}{_through(environment)}"
    return [Finding("terminal", State.OK, text, facts=facts), *_oddities(here, sink)]


def within(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what stands between the program and the screen."""
    return tuple(dict.fromkeys(name for variable, name in _WITHIN if environment.get(variable)))


def _width(here: Terminal, sink: Sink) -> str:
    if not here.out.tty:
        return "stdout is no terminal" + (f", stderr is, {here.width} columns" if sink.tty else "")
    return f"{here.width} columns"


def _colours(colours: int, why: str) -> str:
    if not colours:
        return f"no colours ({why})"
    return f"{'all' if colours == TRUECOLOUR else colours} colours ({why})"


def _charset(sink: Sink) -> str:
    return "UTF-8" if sink.unicode else f"no UTF-8 ({getattr(sink.file, 'encoding', None) or 'unknown'})"


def _through(environment: Mapping[str, str]) -> str:
    through = within(environment)
    return f", in {' over '.join(through)}" if through else ""


def _oddities(here: Terminal, sink: Sink) -> list[Finding]:
    found = []
    if not sink.unicode:
        text = "its characters are not UTF-8: the gutter is drawn with > | ~, and letters may be escaped"
        found.append(Finding("terminal", State.WARNING, text, "set LANG=C.UTF-8, or another locale with UTF-8"))
    if here.out.tty and here.width < NARROW:
        found.append(Finding("terminal", State.NOTE, f"{here.width} columns are few: figures are left out"))
    if here.out.tty and not here.motion:
        found.append(Finding("terminal", State.NOTE, "lines are not drawn again, so nothing moves (TERM)"))
    return found


async def clipboard(around: Around, _: Known) -> Sequence[Finding]:
    """Say where the chat would copy to."""
    ways = around.clipboards
    facts = (("ways", ways),)
    if ways:
        return [Finding("clipboard", State.OK, ", else ".join(ways), facts=facts)]
    advice = "wl-copy, xclip or xsel puts it into the desktop's clipboard"
    return [Finding("clipboard", State.NOTE, "none: what is copied goes into a file", advice, facts)]
