"""Renders inline Markdown as styled lines, and wraps them into rows.

Without visible styles, emphasis keeps its marks. A formula is rendered in Unicode if that is exact, a display formula
on its own line; else it keeps its source form.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rich.style import Style

from reflectty.core.safety import clean
from reflectty.view.links import link_style, split_at_addresses
from reflectty.view.rows import BOLD, PLAIN, Row, ShownText, expand_tabs, row_spans, text_of_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

from reflectty.view.rows import Palette

_TAGS = {"em": Style(italic=True), "strong": BOLD, "s": Style(strike=True)}
_UNDERLINE = Style(underline=True)
_DISPLAY_OPENERS = ("$$", "\\[")
_INDENT = "  "


class _InlineRenderer:
    """Renders the tokens of one paragraph into `lines`."""

    def __init__(self, palette: Palette, base: Style, *, breaks: bool) -> None:
        self.lines: list[Row] = [[]]
        self._breaks = breaks
        self._is_after_display = False
        self._palette = palette
        self._styles = [base]
        self._links: list[tuple[str, int]] = []

    def add_token(self, token: Token) -> None:
        if token.type in ("softbreak", "hardbreak"):
            self._is_after_display = False
            self.lines.append([])
        elif token.type == "code_inline":
            self._add_code(token.content)
        elif token.type == "formula":
            self._add_formula(token.content)
        elif token.type == "image":
            self._add_text(token.content)
            self._add_address(str(token.attrs.get("src", "")), token.content)
        elif token.tag == "a":
            self._add_link(token)
        elif token.nesting:
            self._toggle_style(token)
        else:
            # A decoded entity or address may contain characters that the source did not have.
            decoded = token.type == "text_special" or self._links
            self._add_words(clean(token.content) if decoded else token.content)

    def _add_text(self, text: str, style: Style = PLAIN) -> None:
        if text and self._is_after_display:
            text = self._end_formula_line(text)
        if text:
            self.lines[-1].append((expand_tabs(text), self._styles[-1] + style))

    def _add_words(self, text: str) -> None:
        """Add text in which bare addresses become links."""
        if self._links or not self._palette.has_links:
            self._add_text(text)
            return
        for piece, url in split_at_addresses(text):
            self._add_text(piece, link_style(url) + _UNDERLINE if url else PLAIN)

    def _add_formula(self, source: str) -> None:
        from reflectty.view.tex import render_formula

        pieces = render_formula(source) if self._palette.unicode else None
        if pieces is None or (self._palette.is_plain and any(boxed for _, boxed in pieces)):
            self._add_source(source)
            return
        displayed = self._breaks and source.startswith(_DISPLAY_OPENERS)
        if displayed and self.lines[-1]:
            self.lines.append([])
        self._add_text(_INDENT if displayed else "")
        for text, boxed in pieces:
            self._add_text(text, BOLD if boxed else PLAIN)
        self._is_after_display = displayed

    def _add_source(self, source: str) -> None:
        first, *others = source.split("\n")
        self._add_text(first)
        for other in others:
            self.lines.append([])
            self._add_text(other)

    def _end_formula_line(self, text: str) -> str:
        """Put punctuation after a formula on its line; return the rest, which begins another line."""
        self._is_after_display = False
        rest = text.lstrip(".,;:!? ")
        mark = text[: len(text) - len(rest)].strip()
        if mark:
            self.lines[-1].append((mark, self._styles[-1]))
        if rest and self.lines[-1]:
            self.lines.append([])
        return rest

    def _add_code(self, text: str) -> None:
        marks = self._palette.marks_code
        self._add_text(f"`{text}`" if marks else text, PLAIN if marks else self._palette.styles["you"])

    def _toggle_style(self, token: Token) -> None:
        if self._palette.is_plain:
            self._add_text(token.markup)
        elif token.nesting > 0:
            self._styles.append(self._styles[-1] + _TAGS.get(token.tag, PLAIN))
        elif len(self._styles) > 1:
            self._styles.pop()

    def _add_link(self, token: Token) -> None:
        if token.nesting > 0:
            self._links.append((str(token.attrs.get("href", "")), len(self.lines[-1])))
            self._styles.append(self._styles[-1] + _UNDERLINE + self._link_style(self._links[-1][0]))
        else:
            url, start = self._links.pop()
            self._styles.pop()
            self._add_address(url, text_of_row(self.lines[-1][start:]))

    def _add_address(self, url: str, shown: str) -> None:
        if url.removeprefix("mailto:") != shown.removeprefix("mailto:"):
            dim = self._palette.styles["dim"]
            self.lines[-1] += [(" (", dim), (clean(url), dim + self._link_style(url)), (")", dim)]

    def _link_style(self, url: str) -> Style:
        return link_style(url) if self._palette.has_links else PLAIN


def render_inline(tokens: Sequence[Token], palette: Palette, base: Style, *, breaks: bool = True) -> list[Row]:
    """The lines of a paragraph, a heading or a cell, broken only where the source breaks them.

    With `breaks`, a display formula gets its own line.
    """
    inline = _InlineRenderer(palette, base, breaks=breaks)
    for token in tokens:
        inline.add_token(token)
    return inline.lines


def wrap_line(line: Row, width: int, indent: int = 0) -> list[Row]:
    """Wrap a styled line into rows; those after the first are indented."""
    text = text_of_row(line)
    spans = row_spans(text, width, indent)
    first, *others = _slice_line(line, spans)
    gaps = [text[end:start] for (_, end), (start, _) in pairwise(spans)]
    return [first, *(_continue_row(row, gap, indent) for row, gap in zip(others, gaps, strict=True))]


def _continue_row(row: Row, gap: str, indent: int) -> Row:
    """A row that goes on a line, after the gap that the wrap has swallowed."""
    if indent or not row:
        return [(ShownText(" " * indent, before=gap, skip=indent), PLAIN), *row]
    (text, style), *others = row
    return [(ShownText(text, before=gap), style), *others]


def _slice_line(line: Row, spans: Sequence[tuple[int, int]]) -> list[Row]:
    """Slice a line at ascending spans in one pass: a line may have very many runs."""
    rows: list[Row] = []
    first = before = 0
    for start, end in spans:
        while first < len(line) and before + len(line[first][0]) <= start:
            before += len(line[first][0])
            first += 1
        row: Row = []
        at, number = before, first
        while number < len(line) and at < end:
            text, style = line[number]
            piece = text[max(0, start - at) : end - at]
            row += [(piece, style)] if piece else []
            at += len(text)
            number += 1
        rows.append(row)
    return rows
