"""Styled rows of text: cell widths, wrapping, palettes and glyphs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from rich.cells import get_character_cell_size
from rich.color import ColorSystem, ColorType
from rich.style import Style

from reflectty.core.named_tuple import NamedTuple
from reflectty.system.terminal import TRUECOLOR
from reflectty.system.theme import COLOR_ROLES
from reflectty.view.colors import INDEXED, nearest_256, rgb_of, theme_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Self

    from reflectty.system.terminal import Sink
    from reflectty.system.theme import Theme


MAX_PROSE_WIDTH = 100
"""Maximum columns of prose, gutter included, on any terminal."""
GUTTER_WIDTH = 2
"""Columns of the gutter."""

# A row may break anywhere between wide characters, but not before closing punctuation or a closing bracket.
_WIDE = "\u2e80-\u2fff\u3040-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\U00020000-\U0003ffff"
_CLOSERS = "\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff1f\uff01\u300d\u300f\uff09\u3011\u300b\u3009\u3015\u201d\u2019"
_PIECES = re.compile(f"[ ]+|[{_WIDE}][{_CLOSERS}]{{0,3}}|[^ {_WIDE}]+")
_MARKER = re.compile(r" *(?:(?:[-*+•\u2013]|\d{1,3}[.)]) +)?")
# No screen shows a longer gap whole; without a limit an endless one would be kept and measured again.
_GAP = 400
_GAPS = re.compile(f" {{{_GAP},}}")
_JOINER, _WIDENER = "\u200d", "\ufe0f"


class Columns(NamedTuple):
    """Columns beside the gutter: for prose, and for code and tables."""

    prose: int
    full: int


UNLIMITED_WIDTH = 100_000
"""The width of a pipe: nothing is wrapped, so that a program finds each paragraph on one line."""


def columns_for(width: int) -> Columns:
    """The columns of a screen with this width."""
    full = max(1, width - GUTTER_WIDTH)
    if width >= UNLIMITED_WIDTH:
        return Columns(full, full)
    return Columns(min(full, MAX_PROSE_WIDTH - GUTTER_WIDTH), full)


def cell_width(text: str) -> int:
    """The columns that a text fills; if terminals differ (joined emoji), the largest value."""
    return len(text) if text.isascii() else sum(width for _, width in _character_widths(text))


def _character_widths(text: str) -> Iterator[tuple[str, int]]:
    last = 0
    for character in text:
        # An emoji's variation selector makes a narrow character two columns wide.
        width = int(last == 1) if character == _WIDENER else get_character_cell_size(character)
        last = width or last
        yield character, width


def fitting_length(text: str, width: int) -> int:
    """The number of characters that fit into this many columns, at least one, never splitting a joined one."""
    used = safe = 0
    previous = ""
    for at, (character, size) in enumerate(_character_widths(text)):
        if size and previous != _JOINER and character != _WIDENER:
            safe = at
        used += size
        if used > width:
            return safe or max(at, 1)
        previous = character
    return len(text)


def expand_tabs(text: str) -> str:
    """Replace tabs by spaces, and shorten gaps wider than any screen."""
    return _GAPS.sub(" " * _GAP, text.replace("\t", "    "))


def hanging_indent(line: str, width: int) -> int:
    """The indent of a line's further rows: below its text, after its own indent or list marker."""
    found = _MARKER.match(line)
    return min(found.end() if found else 0, width // 3)


def row_spans(line: str, width: int, indent: int = 0, *, begun: bool = False) -> list[tuple[int, int]]:
    """The start and end of each row of a line: as many words as fit, long ones cut, no gaps at the breaks.

    Rows after the first have `indent` fewer columns; so has the first if the line has `begun` on an earlier row.
    """
    lead = 0 if begun else max(0, len(line) - len(line.lstrip(" ")) - width // 3)
    room = width - indent if begun else width
    rows: list[tuple[int, int]] = []
    start = end = lead
    used = 0
    for piece in _PIECES.finditer(line, lead):
        at, stop = piece.span()
        if line[at] == " ":
            # A gap counts if a word follows it on the same row; an indent counts at the start of the line.
            start, end = (stop, stop) if end == start and (begun or rows) else (start, end)
            continue
        size = cell_width(piece[0])
        if end > start and used + (at - end) + size > room:
            rows.append((start, end))
            start = end = at
            used, room = 0, width - indent
        used += at - end
        while used + size > room:
            cut = at + fitting_length(line[at:stop], max(1, room - used))
            rows.append((start, cut))
            size -= cell_width(line[at:cut])
            start = end = at = cut
            used, room = 0, width - indent
        used, end = used + size, stop
    return [*rows, (start, end)] if end > start or not rows else rows


class ShownText(str):
    """Text of a row that is copied in another form than it is shown.

    Args:
        text: the text as shown.
        before: what the copy has in place of the line break above and all text before it in the row; None keeps them.
        skip: the number of its first characters that the copy leaves out.
        written: the text as the copy has it, whole or not at all if it has another length; empty for the text itself.
    """

    __slots__ = ("before", "skip", "written")

    def __new__(cls, text: str, *, before: str | None = None, skip: int = 0, written: str = "") -> Self:
        """Make the text; its further values belong to it like its characters."""
        made = super().__new__(cls, text)
        made.before, made.skip, made.written = before, skip, written or text
        return made

    before: str | None
    skip: int
    written: str


LINE_BREAK = "\n"
"""What stands before a row that begins a line of the source."""
Run = tuple[str, Style]
"""A piece of a row with one style."""
Row = list[Run]
"""One row of the screen, without its line break."""

PLAIN = Style.null()
MARGIN: Run = (ShownText(" " * GUTTER_WIDTH, before=LINE_BREAK, skip=GUTTER_WIDTH), PLAIN)
"""A blank gutter."""
BOLD = Style(bold=True)
_DIM_ROLES = ("dim", "faint", "thinking", "line")
_COLOR_SYSTEMS = {16: ColorSystem.STANDARD, 256: ColorSystem.EIGHT_BIT, TRUECOLOR: ColorSystem.TRUECOLOR}
# Control characters that passed cleaning for any reason: none may leave this module.
CONTROL_REPLACEMENTS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Symbols of the gutter, of lists, quotes and rules, and of states."""

    bar: str = "│"
    correction: str = "↺"
    bullet: str = "•"
    quote: str = "▎"
    rule: str = "─"
    cross: str = "┼"
    tee: str = "├"
    more: str = "⋯"
    dot: str = "·"
    spinner: str = "◐◓◑◒"
    question: str = "▌"
    expanded: str = "▾"
    collapsed: str = "▸"
    steered: str = "✎"
    below: str = "↓"
    full: str = "▰"
    empty: str = "▱"
    present: str = "●"
    absent: str = "○"
    good: str = "✓"
    wrong: str = "✗"
    advice: str = "→"
    undone: str = "☐"
    done: str = "☑"
    second_correction: str = "↶"
    check: str = "?"
    alternative: str = "⇄"
    settled: str = "◆"
    counts: str = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺"
    """Digits behind a sign, and what stands for more than nine."""

    def of_thought(self, kind: str) -> str:
        """The symbol of a kind of second thought, which is weaker than that of a tagged correction."""
        return {"correction": self.second_correction, "check": self.check}.get(kind, self.alternative)


ASCII_GLYPHS = Glyphs(
    counts="0123456789+",
    bar="|",
    correction="~",
    bullet="-",
    quote=">",
    rule="-",
    cross="+",
    tee="+",
    more="...",
    dot="-",
    spinner="*",
    question=">",
    expanded="v",
    collapsed=">",
    steered="*",
    below="v",
    full="#",
    empty=".",
    present="*",
    absent="o",
    good="+",
    wrong="x",
    advice="->",
    undone="[ ]",
    done="[x]",
    second_correction="^",
    alternative="/",
    settled="=",
)


@dataclass(frozen=True, slots=True)
class Palette:
    """Styles by role, glyphs, and the color system of a stream; None without styles."""

    styles: Mapping[str, Style]
    glyphs: Glyphs
    color_system: ColorSystem | None
    has_color: bool
    panel: Style | None = None
    """The background of code, if the theme has one."""
    background: Style = PLAIN
    """The background of everything on a filled screen."""
    has_links: bool = False
    """Whether addresses are links that the terminal can open."""

    @property
    def is_plain(self) -> bool:
        """True if no style is visible, not even bold."""
        return self.color_system is None

    @property
    def unicode(self) -> bool:
        """True if characters beyond ASCII are visible."""
        return self.glyphs != ASCII_GLYPHS

    def words(self, role: str) -> Style:
        """The style of words in a role's color.

        Of the terminal's sixteen colors, none is readable on every background of the common palettes: words are bold
        in the text's own color instead, and only signs have the color.
        """
        style = self.styles[role]
        return BOLD if _is_named(style) else style

    def mark(self, role: str) -> Style:
        """The style of the sign that begins something, in bold; reversed if its color may be unreadable."""
        style = self.styles[role] + BOLD
        return style + Style(reverse=True) if _is_named(style) else style

    @property
    def marks_code(self) -> bool:
        """True if code within a sentence keeps its marks, as no color tells it apart readably."""
        return not self.has_color or _is_named(self.styles["you"])

    def paint(self, row: Row) -> str:
        """A row as sent to the terminal."""
        return "".join(
            with_link_id(style).render(
                text.translate(CONTROL_REPLACEMENTS), color_system=self.color_system, legacy_windows=False
            )
            for text, style in row
        )


def _is_named(style: Style) -> bool:
    """Whether a style has one of the terminal's sixteen colors."""
    return style.color is not None and style.color.type is ColorType.STANDARD


def with_link_id(style: Style) -> Style:
    """Give a style with a link the id of its address, so that all pieces of a wrapped link are one to the terminal.

    Rich gives each style, and each sum of two, a random one.
    """
    if style.link:
        style._link_id = f"{crc32(style.link.encode()):x}"  # noqa: SLF001 - there is no parameter for it
    return style


def palette_for(theme: Theme, sink: Sink, *, can_redraw: bool) -> Palette:
    """The palette of a theme on a stream.

    Without colors, bold and dim remain if the terminal `can_redraw`.
    """
    count = sink.color_count
    colours = theme_for(theme, count).colors
    coloured = count > 0
    system = _COLOR_SYSTEMS.get(count) if coloured else ColorSystem.STANDARD if can_redraw else None
    styles = {role: _style_of(role, getattr(colours, role), count) for role in COLOR_ROLES}
    glyphs = Glyphs() if sink.unicode else ASCII_GLYPHS
    panel, ground = _background_of(colours.panel, count), _background_of(colours.background, count)
    return Palette(styles, glyphs, system, coloured, panel, ground or PLAIN, has_links=can_redraw and sink.tty)


def _style_of(role: str, color: str, color_count: int) -> Style:
    named = _color_of(color, color_count)
    return Style(color=named, dim=True if role in _DIM_ROLES and not named else None)


def _background_of(color: str, color_count: int) -> Style | None:
    named = _color_of(color, color_count)
    return Style(bgcolor=named) if named else None


def _color_of(color: str, color_count: int) -> str | None:
    """A theme's color in Rich's notation; None for the terminal's own. Of 256 colors, Rich would pick other grays."""
    if not color_count or color == "default":
        return None
    return f"color({nearest_256(rgb_of(color))})" if color_count == INDEXED and color.startswith("#") else color


def text_of_row(row: Iterable[Run]) -> str:
    return "".join(text for text, _ in row)


def uncopied(row: Row) -> Row:
    """The row, of which a copy has nothing, not even its line break."""
    *others, (text, style) = row
    return [*others, (ShownText(text, before="", skip=len(text)), style)]


def cut_row(row: Row, width: int) -> Row:
    """The beginning of a row that fits into this many columns."""
    beginning: Row = []
    for text, style in row:
        piece = text[: fitting_length(text, width)] if width > 0 else ""
        width -= cell_width(piece)
        beginning += [(piece, style)] if piece else []
    return beginning
