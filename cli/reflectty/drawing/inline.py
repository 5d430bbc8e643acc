"""Turns the inside of a paragraph into styled lines, and those into rows; links show their address.

Where no style can be seen, the marks of emphasis stay as they were written. A formula is written in Unicode where
that is exact, on a line of its own where it was meant to have one; else it stays as it was said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style

from reflectty.drawing.paint import BOLD, PLAIN, Row, plain
from reflectty.drawing.wrap import expand, fold
from reflectty.safety import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

from reflectty.drawing.paint import Palette

_TAGS = {"em": Style(italic=True), "strong": BOLD, "s": Style(strike=True)}
_UNDERLINE = Style(underline=True)
_DISPLAYED = ("$$", "\\[")
_INDENT = "  "


class _Inline:
    """Follows the tokens of one paragraph; `lines` is what came of them."""

    def __init__(self, palette: Palette, base: Style, *, breaks: bool) -> None:
        self.lines: list[Row] = [[]]
        self._breaks = breaks
        self._displayed = False
        self._palette = palette
        self._styles = [base]
        self._links: list[tuple[str, int]] = []

    def take(self, token: Token) -> None:
        if token.type in ("softbreak", "hardbreak"):
            self._displayed = False
            self.lines.append([])
        elif token.type == "code_inline":
            self._code(token.content)
        elif token.type == "formula":
            self._formula(token.content)
        elif token.type == "image":
            self._say(token.content)
            self._address(str(token.attrs.get("src", "")), token.content)
        elif token.tag == "a":
            self._link(token)
        elif token.nesting:
            self._turn(token)
        else:
            # A decoded entity or address may be a character that the source did not have.
            decoded = token.type == "text_special" or self._links
            self._say(clean(token.content) if decoded else token.content)

    def _say(self, text: str, style: Style = PLAIN) -> None:
        if text and self._displayed:
            text = self._behind_formula(text)
        if text:
            self.lines[-1].append((expand(text), self._styles[-1] + style))

    def _formula(self, source: str) -> None:
        from reflectty.drawing.tex import written  # noqa: PLC0415 - most answers have no formula

        pieces = written(source) if self._palette.unicode else None
        if pieces is None or (self._palette.plain and any(boxed for _, boxed in pieces)):
            self._as_said(source)
            return
        displayed = self._breaks and source.startswith(_DISPLAYED)
        if displayed and self.lines[-1]:
            self.lines.append([])
        self._say(_INDENT if displayed else "")
        for text, boxed in pieces:
            self._say(text, BOLD if boxed else PLAIN)
        self._displayed = displayed

    def _as_said(self, source: str) -> None:
        first, *others = source.split("\n")
        self._say(first)
        for other in others:
            self.lines.append([])
            self._say(other)

    def _behind_formula(self, text: str) -> str:
        """Put what ends a sentence behind a formula on its line; return the rest, which begins another one."""
        self._displayed = False
        rest = text.lstrip(".,;:!? ")
        mark = text[: len(text) - len(rest)].strip()
        if mark:
            self.lines[-1].append((mark, self._styles[-1]))
        if rest and self.lines[-1]:
            self.lines.append([])
        return rest

    def _code(self, text: str) -> None:
        tick = "" if self._palette.coloured else "`"
        self._say(f"{tick}{text}{tick}", self._palette.styles["you"])

    def _turn(self, token: Token) -> None:
        if self._palette.plain:
            self._say(token.markup)
        elif token.nesting > 0:
            self._styles.append(self._styles[-1] + _TAGS.get(token.tag, PLAIN))
        elif len(self._styles) > 1:
            self._styles.pop()

    def _link(self, token: Token) -> None:
        if token.nesting > 0:
            self._links.append((str(token.attrs.get("href", "")), len(self.lines[-1])))
            self._styles.append(self._styles[-1] + _UNDERLINE)
        else:
            url, start = self._links.pop()
            self._styles.pop()
            self._address(url, plain(self.lines[-1][start:]))

    def _address(self, url: str, shown: str) -> None:
        if url.removeprefix("mailto:") != shown.removeprefix("mailto:"):
            dim = self._palette.styles["dim"]
            self.lines[-1] += [(" (", dim), (clean(url), dim), (")", dim)]


def styled(tokens: Sequence[Token], palette: Palette, base: Style, *, breaks: bool = True) -> list[Row]:
    """Return the lines of a paragraph, a heading or a cell, broken only where the source breaks them.

    With `breaks`, a formula that was displayed stands on a line of its own.
    """
    inline = _Inline(palette, base, breaks=breaks)
    for token in tokens:
        inline.take(token)
    return inline.lines


def wrapped(line: Row, width: int, indent: int = 0) -> list[Row]:
    """Return the rows of a styled line; those after the first are indented."""
    first, *others = _cut(line, fold(plain(line), width, indent))
    return [first, *([(" " * indent, PLAIN), *other] if indent else other for other in others)]


def _cut(line: Row, spans: Sequence[tuple[int, int]]) -> list[Row]:
    """Return the parts of a line between places that only go up, in one pass: a line may be of very many runs."""
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
