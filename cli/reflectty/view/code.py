"""Renders code blocks as rows with syntax highlighting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.view.inline import wrap_line
from reflectty.view.rows import BOLD, PLAIN, Row, cell_width, expand_tabs, text_of_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.style import Style

    from reflectty.view.rows import Palette, Run

_MAX_HIGHLIGHTED = 60_000
"""Longer code is not highlighted: the lexer may take long, for text rarely read in a terminal."""

_CONTINUATION_STEP = 4
_ROLES = {
    "Comment": "dim",
    "Keyword": "you",
    "Operator.Word": "you",
    "Name.Tag": "you",
    "Name.Builtin": "accent",
    "Name.Decorator": "accent",
    "Name.Attribute": "accent",
    "Name.Exception": "accent",
    "Literal.Number": "accent",
    "Literal.String": "good",
    "Generic.Inserted": "good",
    "Generic.Deleted": "error",
    "Generic.Heading": "dim",
    "Generic.Subheading": "dim",
    "Generic.Prompt": "dim",
}
_BOLD = ("Keyword", "Operator.Word", "Name.Function", "Name.Class")


def render_code(text: str, language: str, least: int, most: int, palette: Palette) -> list[Row]:
    """The rows of a code block, on the panel if the theme has one, else indented.

    The panel is `least` columns wide, or as wide as the code needs, up to `most`.
    """
    lines = _lines(_highlighted_runs(expand_tabs(text), language, palette))
    inset = 1 if palette.panel else 2
    room = max(1, most - inset * 2)
    rows = [row for line in lines for row in wrap_line(line, room, _continuation_indent(text_of_row(line), room))]
    width = max(least, *(cell_width(text_of_row(row)) + inset * 2 for row in rows))
    return [_frame_row(row, inset, width, palette.panel) for row in rows]


def _continuation_indent(line: str, width: int) -> int:
    """The indent of a wrapped line: deeper than its start, so that it does not look like a new line."""
    return min(len(line) - len(line.lstrip(" ")) + _CONTINUATION_STEP, width // 2)


def _frame_row(row: Row, inset: int, width: int, panel: Style | None) -> Row:
    indent = " " * inset
    if panel is None:
        return [(indent, PLAIN), *row] if row else []
    rest = width - inset - cell_width(text_of_row(row))
    return [(indent, panel), *((text, panel + style) for text, style in row), (" " * rest, panel)]


def _lines(runs: Iterable[Run]) -> list[Row]:
    lines: list[Row] = [[]]
    for text, style in runs:
        first, *others = text.split("\n")
        lines[-1].append((first, style))
        lines += [[(other, style)] for other in others]
    while len(lines) > 1 and not text_of_row(lines[-1]).strip():
        lines.pop()
    return [[run for run in line if run[0]] for line in lines]


def _highlighted_runs(text: str, language: str, palette: Palette) -> Iterator[Run]:
    if not palette.has_color:
        return iter([(text, palette.styles["text"])])
    return ((piece, _style_of(role, palette, bold=bold)) for piece, role, bold in highlight(text, language))


def _style_of(role: str, palette: Palette, *, bold: bool) -> Style:
    style = palette.styles[role]
    return style + BOLD if bold else style


def highlight(text: str, language: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the pieces of code, each with its color role and whether it is bold."""
    if not language or len(text) > _MAX_HIGHLIGHTED:
        yield text, "text", False
        return
    from pygments.lexers import (  # type: ignore[import-untyped]
        LEXERS,
        get_lexer_by_name,
    )

    # A lookup of an unknown name would search every installed package for plug-ins.
    if not any(language in aliases for _, _, aliases, _, _ in LEXERS.values()):
        yield text, "text", False
        return
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    for kind, piece in lexer.get_tokens(text):
        yield piece, *_look_of(str(kind).removeprefix("Token."))


def _look_of(kind: str) -> tuple[str, bool]:
    names = kind.split(".")
    prefixes = [".".join(names[:end]) for end in range(len(names), 0, -1)]
    role = next((_ROLES[prefix] for prefix in prefixes if prefix in _ROLES), "text")
    return role, any(prefix in _BOLD for prefix in prefixes)
