"""Renders Markdown blocks, including tables, as rows.

Blank lines inside lists stay as in the source, so that a later item cannot change how an earlier one looks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from markdown_it.tree import SyntaxTreeNode as Node
from rich.style import Style

from reflectty.core.safety import is_safe_link
from reflectty.view.code import language_of, render_code
from reflectty.view.grammar import MAX_NESTING, markdown_parser
from reflectty.view.inline import render_inline, wrap_line
from reflectty.view.rows import BOLD, MAX_PROSE_WIDTH, PLAIN, Row, ShownText, cell_width, expand_tabs, text_of_row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it import MarkdownIt

    from reflectty.view.rows import Palette


Cell = Row
_COLUMN_GAP = 3
_MIN_COLUMN_WIDTH = 6
"""Below this width a column is unreadable."""


def render_table(rows: Sequence[Sequence[Cell]], aligns: Sequence[str], width: int, palette: Palette) -> list[Row]:
    """The rows of a table whose first row is its head; `aligns` are `left`, `right` or `center`."""
    wanted = [max(1, *(cell_width(text_of_row(row[at])) for row in rows)) for at in range(len(aligns))]
    widths = _column_widths(wanted, width - _COLUMN_GAP * (len(wanted) - 1))
    if not widths:
        return _render_as_list(rows, width, palette)
    head, *body = [_lay_out_row(row, widths, aligns) for row in rows]
    return [*head, _head_rule(widths, palette), *(line for row in body for line in row)]


def _column_widths(wanted: list[int], room: int) -> list[int]:
    """Column widths that fit into `room`, the widest shrunk first; empty if one becomes too narrow."""
    if sum(wanted) <= room:
        return wanted
    widths = [min(want, _MIN_COLUMN_WIDTH) for want in wanted]
    left = room - sum(widths)
    if left < 0:
        return []
    for at in sorted(range(len(wanted)), key=lambda at: wanted[at]):
        growing = sum(1 for want, has in zip(wanted, widths, strict=True) if want > has)
        more = min(wanted[at] - widths[at], left // max(1, growing))
        widths[at] += more
        left -= more
    return widths


def _lay_out_row(row: Sequence[Cell], widths: list[int], aligns: Sequence[str]) -> list[Row]:
    columns = [wrap_line(cell, width) for cell, width in zip(row, widths, strict=True)]
    return [
        _join_cells([column[at] if at < len(column) else [] for column in columns], widths, aligns)
        for at in range(max(map(len, columns)))
    ]


def _join_cells(pieces: Sequence[Row], widths: list[int], aligns: Sequence[str]) -> Row:
    line: Row = []
    for at, (piece, width) in enumerate(zip(pieces, widths, strict=True)):
        free = width - cell_width(text_of_row(piece))
        before = free if aligns[at] == "right" else free // 2 if aligns[at] == "center" else 0
        after = free - before if at < len(widths) - 1 else 0
        # Beside other cells, the rows of a wrapped cell are no longer one line.
        shown = [(str(text), style) for text, style in piece]
        line += [*([(" " * _COLUMN_GAP, PLAIN)] if at else []), (" " * before, PLAIN), *shown, (" " * after, PLAIN)]
    while line and not line[-1][0].strip():
        line.pop()
    return line


def _head_rule(widths: list[int], palette: Palette) -> Row:
    return [((" " * _COLUMN_GAP).join(palette.glyphs.rule * width for width in widths), palette.styles["faint"])]


def _render_as_list(rows: Sequence[Sequence[Cell]], width: int, palette: Palette) -> list[Row]:
    head, *body = rows
    dim = palette.styles["dim"]
    lines: list[Row] = []
    for at, row in enumerate(body or [head]):
        lines += [[]] if at else []
        for name, cell in zip(head, row, strict=True):
            lines += wrap_line([(f"{text_of_row(name)}: ", dim), *cell] if body else cell, width)
    return lines


_TASKS = ("[ ] ", "[x] ", "[X] ")
_LISTS = ("bullet_list", "ordered_list")
_MIN_CONTENT_WIDTH = 10
"""Lists and quotes stop indenting once fewer columns than this would be left."""


@dataclass(frozen=True, slots=True)
class Flow:
    """State that a block needs from the blocks before it."""

    has_begun: bool = False
    """Whether something stands above it."""
    marker: str = ""
    """The list type and marker if the last block was a list, else ""."""
    number: int = 0
    """The number of the next item in that list."""


@dataclass(frozen=True, slots=True)
class _BlockContext:
    """The source of a block and the room its container leaves."""

    source: tuple[str, ...]
    palette: Palette
    prose: int
    full: int
    style: Style
    is_quoted: bool = False

    def narrow(self, columns: int) -> _BlockContext:
        return replace(self, prose=self.prose - columns, full=self.full - columns)


@cache
def _parser() -> MarkdownIt:
    # Without `text_join`, decoded entities and escapes stay distinct from source text.
    parser = markdown_parser("normalize", "block", "inline")
    # Addresses are shown as written, and invalid links with all their brackets.
    parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    parser.validateLink = is_safe_link  # type: ignore[method-assign]
    return parser


def render_blocks(source: str, prose: int, full: int, palette: Palette, flow: Flow) -> tuple[list[Row], Flow]:
    """The rows of one or more blocks, and the flow for the next block.

    Args:
        source: Markdown that is safe to show.
        prose: columns for text.
        full: columns for code and tables.
        palette: styles and glyphs.
        flow: state after the blocks before.
    """
    tokens = _parser().parse(source)
    place = _BlockContext(tuple(source.split("\n")), palette, prose, full, palette.styles["answer"])
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        # The parser omits deeper nesting.
        return [*_gap_above(flow), *render_literal(source, full, palette)], Flow(has_begun=True)
    rows: list[Row] = []
    for node in Node(tokens).children:
        drawn, flow = _draw_top_level(place, node, flow)
        rows += drawn
    return rows, flow


def render_literal(source: str, width: int, palette: Palette) -> list[Row]:
    """The rows of a text without markup."""
    style = palette.styles["answer"]
    return [row for line in source.strip("\n").split("\n") for row in wrap_line([(expand_tabs(line), style)], width)]


def _gap_above(flow: Flow) -> list[Row]:
    return [[]] if flow.has_begun else []


def _draw_top_level(place: _BlockContext, node: Node, flow: Flow) -> tuple[list[Row], Flow]:
    """Draw a top-level block; a list continues the numbers of an equal list drawn directly before it."""
    if node.type not in _LISTS:
        return [*_gap_above(flow), *_block(place, node)], Flow(has_begun=True)
    marker = node.type + node.markup
    goes_on = marker == flow.marker
    number = flow.number if goes_on else int(node.attrs.get("start", 1))
    gap = [] if goes_on and not _is_after_blank(place, node.children[0]) else _gap_above(flow)
    return [*gap, *_list(place, node, number)], Flow(has_begun=True, marker=marker, number=number + len(node.children))


def _is_after_blank(place: _BlockContext, node: Node) -> bool:
    start = node.map[0] if node.map else 0
    return start > 0 and not place.source[start - 1].strip(" \t>" if place.is_quoted else " \t")


def _block(place: _BlockContext, node: Node) -> list[Row]:
    return _DRAW[node.type](place, node)


def _blocks(place: _BlockContext, nodes: Sequence[Node]) -> list[Row]:
    rows: list[Row] = []
    for at, node in enumerate(nodes):
        rows += [[]] if at and _is_after_blank(place, node) else []
        rows += _block(place, node)
    return rows


def _inline_lines(place: _BlockContext, node: Node, style: Style = PLAIN) -> list[Row]:
    tokens = [token for child in node.children for token in (child.token.children if child.token else ()) or ()]
    return render_inline(tokens, place.palette, place.style + style, breaks=node.type == "paragraph")


def _paragraph(place: _BlockContext, node: Node) -> list[Row]:
    return [row for line in _inline_lines(place, node) for row in wrap_line(line, place.prose)]


def _heading(place: _BlockContext, node: Node) -> list[Row]:
    style = BOLD + Style(underline=True) if node.tag == "h1" else BOLD
    lines = _inline_lines(place, node, style)
    if place.palette.is_plain:
        lines = _mark_heading(lines, node.markup, place.style)
    return [row for line in lines for row in wrap_line(line, place.prose)]


def _mark_heading(lines: list[Row], markup: str, style: Style) -> list[Row]:
    """A heading with its Markdown marks, before or below it."""
    if markup.startswith("#"):
        return [[(f"{markup} ", style), *lines[0]], *lines[1:]]
    return [*lines, [(markup * 3, style)]]


def _rule(place: _BlockContext, _: Node) -> list[Row]:
    return [[(place.palette.glyphs.rule * min(place.prose, MAX_PROSE_WIDTH), place.palette.styles["faint"])]]


def _code(place: _BlockContext, node: Node) -> list[Row]:
    return render_code(node.content, language_of(node.info), place.prose, place.full, place.palette)


def _quote(place: _BlockContext, node: Node) -> list[Row]:
    bar = (ShownText(f"{place.palette.glyphs.quote} ", written="> "), place.palette.styles["faint"])
    inside = replace(place, is_quoted=True, style=place.palette.styles["text"])
    if place.prose - 2 < _MIN_CONTENT_WIDTH:
        return _blocks(inside, node.children)
    return [[bar, *row] for row in _blocks(inside.narrow(2), node.children) or [[]]]


def _list(place: _BlockContext, node: Node, number: int | None = None) -> list[Row]:
    number = int(node.attrs.get("start", 1)) if number is None else number
    rows: list[Row] = []
    for at, item in enumerate(node.children):
        written = f"{number + at}{node.markup} " if node.type == "ordered_list" else f"{node.markup} "
        shown = written if node.type == "ordered_list" else f"{place.palette.glyphs.bullet} "
        rows += [[]] if at and _is_after_blank(place, item) else []
        if task := _take_task(item, place.palette):
            written += task
            sign = place.palette.glyphs.undone if task[1] == " " else place.palette.glyphs.done
            shown = f"{shown if node.type == 'ordered_list' else ''}{sign} "
        rows += _item(place, item, ShownText(shown, written=written))
    return rows


def _take_task(item: Node, palette: Palette) -> str:
    """Take the box of a task from the beginning of an item, as it was written; empty if there is none."""
    inline = item.children[0].children[0].token if item.children and item.children[0].type == "paragraph" else None
    first = inline.children[0] if inline and inline.children else None
    if palette.is_plain or first is None or first.content[:4] not in _TASKS:
        return ""
    box, first.content = first.content[:4], first.content[4:]
    return box


def _item(place: _BlockContext, item: Node, marker: str) -> list[Row]:
    style, width = place.palette.styles["dim"], cell_width(marker)
    if place.prose - width < _MIN_CONTENT_WIDTH:
        return [[(marker.rstrip(), style)], *_blocks(place, item.children)]
    first, *others = _blocks(place.narrow(width), item.children) or [[]]
    indent = (" " * width, PLAIN)
    return [[(marker, style), *first], *([indent, *row] if row else [] for row in others)]


def _table(place: _BlockContext, node: Node) -> list[Row]:
    rows = [row for part in node.children for row in part.children]
    styles = [BOLD if cell.type == "th" else PLAIN for row in rows for cell in row.children[:1]]
    drawn = [
        [[run for line in _inline_lines(place, cell, style) for run in line] for cell in row.children]
        for row, style in zip(rows, styles, strict=True)
    ]
    aligns = [str(cell.attrs.get("style", "")).removeprefix("text-align:") for cell in rows[0].children]
    return render_table(drawn, aligns, place.full, place.palette)


_DRAW: dict[str, Callable[[_BlockContext, Node], list[Row]]] = {
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
