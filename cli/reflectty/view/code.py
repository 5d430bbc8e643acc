"""Renders code blocks as rows with syntax highlighting."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from reflectty.view.inline import wrap_line
from reflectty.view.rows import BOLD, LINE_BREAK, PLAIN, Row, ShownText, cell_width, expand_tabs, text_of_row
from reflectty.view.syntax import LineHighlighter

if TYPE_CHECKING:
    from reflectty.view.rows import Palette

_CONTINUATION_STEP = 4


class CodeRenderer:
    """Renders code line by line; returned rows never change.

    The rows are on the panel if the theme has one, else indented. The panel is `least` columns wide, and as wide as the
    row where that is more, up to `most`.
    """

    def __init__(self, language: str, least: int, most: int, palette: Palette) -> None:
        self._highlighter = LineHighlighter(language if palette.has_color else "")
        self._least, self._palette = least, palette
        self._inset = 1 if palette.panel else 2
        self._room = max(1, most - self._inset * 2)
        self._blank_count = 0
        """Number of blank lines that are drawn once another line follows."""
        self._has_rows = False

    def feed(self, line: str) -> list[Row]:
        """Add a complete line, without its line break."""
        line = expand_tabs(line)
        pieces = self._highlighter.feed(line + "\n")
        if not line.strip():
            self._blank_count += 1
            return []
        styles = self._palette.styles
        row = [(text.rstrip("\n"), styles[role] + BOLD if bold else styles[role]) for text, role, bold in pieces]
        wrapped = wrap_line([run for run in row if run[0]], self._room, _continuation_indent(line, self._room))
        rows = [*([[]] * self._blank_count), *wrapped]
        self._blank_count, self._has_rows = 0, True
        return [self._frame(row) for row in rows]

    def preview(self, line: str) -> list[Row]:
        """The rows of a line that is not complete yet."""
        before = self._highlighter, self._blank_count, self._has_rows
        self._highlighter = copy(self._highlighter)
        rows = self.feed(line)
        self._highlighter, self._blank_count, self._has_rows = before
        return rows

    def close(self) -> list[Row]:
        """The one row of a block without any text."""
        return [] if self._has_rows else [self._frame([])]

    def _frame(self, row: Row) -> Row:
        indent, panel = ShownText(" " * self._inset, before=LINE_BREAK, skip=self._inset), self._palette.panel
        if panel is None:
            return [(indent, PLAIN), *row] if row else []
        rest = self._least - self._inset - cell_width(text_of_row(row))
        tail = " " * max(self._inset, rest)
        return [(indent, panel), *((text, panel + style) for text, style in row), (tail, panel)]


def render_code(text: str, language: str, least: int, most: int, palette: Palette) -> list[Row]:
    """The rows of a whole code block."""
    code = CodeRenderer(language, least, most, palette)
    rows = [row for line in text.split("\n") for row in code.feed(line)]
    return rows + code.close()


def language_of(info: str) -> str:
    """The language that the opener of a code block names; empty if it names none."""
    words = info.split(maxsplit=1)
    return words[0].lower() if words else ""


def _continuation_indent(line: str, width: int) -> int:
    """The indent of a wrapped line: deeper than its start, so that it does not look like a new line."""
    return min(len(line) - len(line.lstrip(" ")) + _CONTINUATION_STEP, width // 2)
