"""Turns a block of Markdown into rows; whether a document comes whole or block by block, the rows are the same.

Blank lines inside lists are kept as the source has them, so that no later item can change how an earlier one looks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from markdown_it.tree import SyntaxTreeNode as Node
from rich.style import Style

from reflectty.drawing.code import code
from reflectty.drawing.grammar import NESTING, markdown
from reflectty.drawing.inline import styled, wrapped
from reflectty.drawing.paint import BOLD, PLAIN, Row
from reflectty.drawing.table import table
from reflectty.drawing.wrap import cells, expand
from reflectty.safety import is_safe_link

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it import MarkdownIt

    from reflectty.drawing.paint import Palette

_LISTS = ("bullet_list", "ordered_list")
_NARROW = 10
"""What stands in a list or quote is not indented further once fewer columns than this would be left."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What a block must know of those before it."""

    begun: bool = False
    """Whether something stands above it."""
    marker: str = ""
    """The kind of list that was the last block, or nothing."""
    number: int = 0
    """The number that the next item of that list gets."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a block is drawn: its source, and how much room its container leaves."""

    source: tuple[str, ...]
    palette: Palette
    prose: int
    full: int
    style: Style
    quoted: bool = False

    def inside(self, columns: int) -> _Place:
        return replace(self, prose=self.prose - columns, full=self.full - columns)


@cache
def _parser() -> MarkdownIt:
    # Without `text_join`, what an entity or an escape stood for can be told from what the source says.
    parser = markdown("normalize", "block", "inline")
    # Addresses are shown as they are written, and what is no link with all its brackets.
    parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    parser.validateLink = is_safe_link  # type: ignore[method-assign]
    return parser


def render(source: str, prose: int, full: int, palette: Palette, flow: Flow) -> tuple[list[Row], Flow]:
    """Return the rows of one or more blocks and what the next block must know.

    Args:
        source: Markdown that is safe to show.
        prose: columns for text.
        full: columns for code and tables.
        palette: how it looks.
        flow: what came before.
    """
    tokens = _parser().parse(source)
    place = _Place(tuple(source.split("\n")), palette, prose, full, palette.styles["answer"])
    if any(token.level >= NESTING - 1 for token in tokens):
        # The parser leaves out what lies deeper.
        return [*_gap(flow), *literal(source, full, palette)], Flow(begun=True)
    rows: list[Row] = []
    for node in Node(tokens).children:
        drawn, flow = _top(place, node, flow)
        rows += drawn
    return rows, flow


def literal(source: str, width: int, palette: Palette) -> list[Row]:
    """Return text as it is."""
    style = palette.styles["answer"]
    return [row for line in source.strip("\n").split("\n") for row in wrapped([(expand(line), style)], width)]


def _gap(flow: Flow) -> list[Row]:
    return [[]] if flow.begun else []


def _top(place: _Place, node: Node, flow: Flow) -> tuple[list[Row], Flow]:
    """Draw a block that stands in no other; a list goes on where its last item, drawn before, left it."""
    if node.type not in _LISTS:
        return [*_gap(flow), *_block(place, node)], Flow(begun=True)
    marker = node.type + node.markup
    goes_on = marker == flow.marker
    number = flow.number if goes_on else int(node.attrs.get("start", 1))
    gap = [] if goes_on and not _after_blank(place, node.children[0]) else _gap(flow)
    return [*gap, *_list(place, node, number)], Flow(begun=True, marker=marker, number=number + len(node.children))


def _after_blank(place: _Place, node: Node) -> bool:
    start = node.map[0] if node.map else 0
    return start > 0 and not place.source[start - 1].strip(" \t>" if place.quoted else " \t")


def _block(place: _Place, node: Node) -> list[Row]:
    return _DRAW[node.type](place, node)


def _blocks(place: _Place, nodes: Sequence[Node]) -> list[Row]:
    rows: list[Row] = []
    for at, node in enumerate(nodes):
        rows += [[]] if at and _after_blank(place, node) else []
        rows += _block(place, node)
    return rows


def _lines(place: _Place, node: Node, style: Style = PLAIN) -> list[Row]:
    tokens = [token for child in node.children for token in (child.token.children if child.token else ()) or ()]
    return styled(tokens, place.palette, place.style + style, breaks=node.type == "paragraph")


def _paragraph(place: _Place, node: Node) -> list[Row]:
    return [row for line in _lines(place, node) for row in wrapped(line, place.prose)]


def _heading(place: _Place, node: Node) -> list[Row]:
    style = BOLD + Style(underline=True) if node.tag == "h1" else BOLD
    lines = _lines(place, node, style)
    if place.palette.plain:
        lines = _marked(lines, node.markup, place.style)
    return [row for line in lines for row in wrapped(line, place.prose)]


def _marked(lines: list[Row], markup: str, style: Style) -> list[Row]:
    """Return a heading with the marks that make it one: in front of it, or below."""
    if markup.startswith("#"):
        return [[(f"{markup} ", style), *lines[0]], *lines[1:]]
    return [*lines, [(markup * 3, style)]]


def _rule(place: _Place, _: Node) -> list[Row]:
    return [[(place.palette.glyphs.rule * place.prose, place.palette.styles["faint"])]]


def _code(place: _Place, node: Node) -> list[Row]:
    language = node.info.split(maxsplit=1)[0].lower() if node.info.strip() else ""
    return code(node.content, language, place.prose, place.full, place.palette)


def _quote(place: _Place, node: Node) -> list[Row]:
    bar = (f"{place.palette.glyphs.quote} ", place.palette.styles["faint"])
    inside = replace(place, quoted=True, style=place.palette.styles["text"])
    if place.prose - 2 < _NARROW:
        return _blocks(inside, node.children)
    return [[bar, *row] for row in _blocks(inside.inside(2), node.children) or [[]]]


def _list(place: _Place, node: Node, number: int | None = None) -> list[Row]:
    number = int(node.attrs.get("start", 1)) if number is None else number
    rows: list[Row] = []
    for at, item in enumerate(node.children):
        ordered = node.type == "ordered_list"
        marker = f"{number + at}{node.markup} " if ordered else f"{place.palette.glyphs.bullet} "
        rows += [[]] if at and _after_blank(place, item) else []
        rows += _item(place, item, marker)
    return rows


def _item(place: _Place, item: Node, marker: str) -> list[Row]:
    style, width = place.palette.styles["dim"], cells(marker)
    if place.prose - width < _NARROW:
        return [[(marker.rstrip(), style)], *_blocks(place, item.children)]
    first, *others = _blocks(place.inside(width), item.children) or [[]]
    indent = (" " * width, PLAIN)
    return [[(marker, style), *first], *([indent, *row] if row else [] for row in others)]


def _table(place: _Place, node: Node) -> list[Row]:
    rows = [row for part in node.children for row in part.children]
    styles = [BOLD if cell.type == "th" else PLAIN for row in rows for cell in row.children[:1]]
    drawn = [
        [[run for line in _lines(place, cell, style) for run in line] for cell in row.children]
        for row, style in zip(rows, styles, strict=True)
    ]
    aligns = [str(cell.attrs.get("style", "")).removeprefix("text-align:") for cell in rows[0].children]
    return table(drawn, aligns, place.full, place.palette)


_DRAW: dict[str, Callable[[_Place, Node], list[Row]]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "hr": _rule,
    "fence": _code,
    "code_block": _code,
    "blockquote": _quote,
    "bullet_list": _list,
    "ordered_list": _list,
    "table": _table,
}
