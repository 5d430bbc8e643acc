"""How text looks on one stream: roles become styles and glyphs, rows become text with codes; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.color import ColorSystem
from rich.style import Style

from reflectty.terminal import TRUECOLOUR
from reflectty.theme import ROLES, TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reflectty.terminal import Sink
    from reflectty.theme import Theme

Run = tuple[str, Style]
"""A piece of a row that looks the same throughout."""
Row = list[Run]
"""One row of the screen, without its line break."""

PLAIN = Style.null()
BOLD = Style(bold=True)
_QUIET = ("dim", "faint", "thinking", "line")
_SYSTEMS = {16: ColorSystem.STANDARD, 256: ColorSystem.EIGHT_BIT, TRUECOLOUR: ColorSystem.TRUECOLOR}
# What cleaning let through, whatever its reason: no control character may leave this module.
CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs that tell who speaks, and those of lists, quotes and rules."""

    bar: str = "│"
    correction: str = "↺"
    bullet: str = "•"
    quote: str = "▎"
    rule: str = "─"
    cross: str = "┼"
    more: str = "⋯"
    dot: str = "·"
    spinner: str = "◐◓◑◒"
    question: str = "▌"
    opened: str = "▾"
    folded: str = "▸"
    steered: str = "✎"
    below: str = "↓"
    full: str = "▰"
    empty: str = "▱"
    there: str = "●"
    gone: str = "○"
    good: str = "✓"
    wrong: str = "✗"
    advice: str = "→"


ASCII = Glyphs(
    bar="|",
    correction="~",
    bullet="-",
    quote=">",
    rule="-",
    cross="+",
    more="...",
    dot="-",
    spinner="*",
    question=">",
    opened="v",
    folded=">",
    steered="*",
    below="v",
    full="#",
    empty=".",
    there="*",
    gone="o",
    good="+",
    wrong="x",
    advice="->",
)


@dataclass(frozen=True, slots=True)
class Palette:
    """Styles by role, glyphs, and the codes that a stream understands; None where it understands none."""

    styles: Mapping[str, Style]
    glyphs: Glyphs
    system: ColorSystem | None
    coloured: bool
    panel: Style | None = None
    """The ground that code stands on, where the theme has one."""
    ground: Style = PLAIN
    """The ground that everything stands on, where a screen is filled."""

    @property
    def plain(self) -> bool:
        """Whether no style can be seen, not even bold."""
        return self.system is None

    @property
    def unicode(self) -> bool:
        """Whether more than ASCII can be seen."""
        return self.glyphs != ASCII

    def paint(self, row: Row) -> str:
        """Return a row as it is sent to the terminal."""
        return "".join(
            style.render(text.translate(CONTROLS), color_system=self.system, legacy_windows=False)
            for text, style in row
        )


def palette(theme: Theme, sink: Sink, *, motion: bool) -> Palette:
    """Return how a theme looks on a stream.

    Sixteen colours are the terminal's own, so that a theme's shades cannot become one with the background.
    Without colours, bold and dim remain on a terminal that is not dumb (`motion`).
    """
    colours = (theme if sink.colours > ANSI_COLOURS else TERMINAL).colours
    coloured = sink.colours > 0
    system = _SYSTEMS.get(sink.colours) if coloured else ColorSystem.STANDARD if motion else None
    styles = {role: _style(role, getattr(colours, role), coloured=coloured) for role in ROLES}
    glyphs = Glyphs() if sink.unicode else ASCII
    panel, ground = _ground(colours.panel, coloured=coloured), _ground(colours.background, coloured=coloured)
    return Palette(styles, glyphs, system, coloured, panel, ground or PLAIN)


ANSI_COLOURS = 16


def _style(role: str, colour: str, *, coloured: bool) -> Style:
    named = coloured and colour != "default"
    return Style(color=colour if named else None, dim=True if role in _QUIET and not named else None)


def _ground(colour: str, *, coloured: bool) -> Style | None:
    return Style(bgcolor=colour) if coloured and colour != "default" else None


def plain(row: Iterable[Run]) -> str:
    """Return a row's text."""
    return "".join(text for text, _ in row)
