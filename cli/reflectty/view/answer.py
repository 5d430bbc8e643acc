"""Renders an answer while it streams: final rows of complete blocks and live rows of the open one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.view.blocks import Splitter
from reflectty.view.code import render_code
from reflectty.view.markdown import Flow, render_blocks, render_literal
from reflectty.view.rows import MARGIN, row_spans

if TYPE_CHECKING:
    from reflectty.core.segments import Kind
    from reflectty.view.rows import Columns, Palette, Row
    from reflectty.view.sections import Canvas

MAX_OPEN_LENGTH = 200_000
"""An open block with more characters than this turns the rest of the answer into literal text."""

_MAX_LIVE_LENGTH = 3_000
"""An open block up to this many characters is drawn as Markdown; of a longer one only the end, as literal text."""
_MAX_LITERAL_LINE = 4_000
# A marker without its text would briefly be drawn as something else.
_BARE_MARKER = re.compile(r"(?:^|(?<=\n))[ \t]*(?:[-*+#>`~|=_:]+|\d{1,9}[.)]?)[ \t]*$")


class AnswerRenderer:
    """Renders text that is safe to show behind a blank gutter; returned rows never change."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._splitter = Splitter()
        self._flow = Flow()
        self._literal_rest: str | None = None

    @property
    def open_text(self) -> str:
        """The text not yet in a returned row."""
        return self._splitter.open_text if self._literal_rest is None else self._literal_rest

    def begin(self, _: Kind, columns: Columns) -> list[Row]:
        """Start a block: a paragraph that goes on in the same Markdown."""
        has_text = self._flow.has_begun or self._literal_rest is not None or self.open_text.strip()
        return self.feed("\n\n", columns) if has_text else []

    def feed(self, text: str, columns: Columns) -> list[Row]:
        """Add text; return the rows that are now complete."""
        return _indent(self._feed(text, columns))

    def _feed(self, text: str, columns: Columns) -> list[Row]:
        if self._literal_rest is not None:
            return self._render_literal(text, columns)
        rows = [row for block in self._splitter.feed(text) for row in self._render(block, columns)]
        if self._splitter.open_length > MAX_OPEN_LENGTH:
            self._literal_rest = ""
            rows += self._render_literal("".join(self._splitter.close()), columns)
        return rows

    def close(self, columns: Columns) -> list[Row]:
        """End the answer; return the rows of the open block."""
        if self._literal_rest is not None:
            return _indent(self._render_literal("\n", columns)) if self._literal_rest else []
        return _indent([row for block in self._splitter.close() for row in self._render(block, columns)])

    def live_rows(self, canvas: Canvas) -> list[Row]:
        """The rows of the open block that fit the canvas; the first tells how many are left out."""
        return _indent(self._live_rows(canvas.columns, canvas.height))

    def _live_rows(self, columns: Columns, height: int) -> list[Row]:
        text = self.open_text
        if not text.strip():
            return []
        if self._splitter.is_fence:
            return self._fence(text, columns, height)
        if self._literal_rest is None and len(text) <= _MAX_LIVE_LENGTH:
            rows, _ = render_blocks(_BARE_MARKER.sub("", text), *columns, self._palette, self._flow)
            return self._last_rows(rows, height, 0)
        return self._last_rows(render_literal(text[-height * columns.prose :], columns.prose, self._palette), height, 0)

    def _render(self, block: str, columns: Columns) -> list[Row]:
        rows, self._flow = render_blocks(block, *columns, self._palette, self._flow)
        return rows

    def _fence(self, text: str, columns: Columns, height: int) -> list[Row]:
        """The end of an open code block; it is highlighted once complete."""
        lines = text.strip("\n").split("\n")[1:]
        start = max(0, len(lines) - height)
        rows = render_code("\n".join(lines[start:]), "", *columns, self._palette)
        gap: list[Row] = [[]] if self._flow.has_begun and not start else []
        return self._last_rows([*gap, *rows], height, start)

    def _last_rows(self, rows: list[Row], height: int, hidden: int) -> list[Row]:
        over = max(0, len(rows) - height)
        if not over and not hidden:
            return rows
        keep = rows[-(height - 1) :] if height > 1 else []
        above = hidden + len(rows) - len(keep)
        return [[(f"{self._palette.glyphs.more} {above} more above", self._palette.styles["faint"])], *keep]

    def _render_literal(self, text: str, columns: Columns) -> list[Row]:
        *lines, rest = f"{self._literal_rest}{text}".split("\n")
        rows = [row for line in lines for row in render_literal(line, columns.prose, self._palette)]
        if len(rest) > _MAX_LITERAL_LINE:
            start = row_spans(rest, columns.prose)[-1][0]
            rows += render_literal(rest[:start], columns.prose, self._palette)
            rest = rest[start:]
        self._literal_rest = rest
        return rows


def _indent(rows: list[Row]) -> list[Row]:
    return [[MARGIN, *row] if row else row for row in rows]
