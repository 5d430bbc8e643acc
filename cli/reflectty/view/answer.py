"""Renders an answer while it streams: final rows of complete blocks and live rows of the open one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.view.blocks import Splitter
from reflectty.view.code import CodeRenderer, language_of
from reflectty.view.markdown import Flow, render_blocks, render_literal
from reflectty.view.rows import MARGIN, row_spans, uncopied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.segments import Kind
    from reflectty.view.grammar import FenceOpener
    from reflectty.view.rows import Columns, Palette, Row
    from reflectty.view.sections import Canvas

MAX_OPEN_LENGTH = 200_000
"""An open block with more undrawn characters than this turns the rest of the answer into literal text."""

_MAX_LIVE_LENGTH = 3_000
"""An open block up to this many characters is drawn anew with each frame; of a longer one the end is literal text."""
_MAX_LITERAL_LINE = 4_000
# A marker without its text would briefly be drawn as something else.
_BARE_MARKER = re.compile(r"(?:^|(?<=\n))[ \t]*(?:[-*+#>`~|=_:]+|\d{1,9}[.)]?)[ \t]*$")


class _OpenCode:
    """An open code block, whose lines are drawn as they come."""

    def __init__(self, opener: FenceOpener, columns: Columns, palette: Palette) -> None:
        self.line_count = 0
        """The number of its lines that are drawn, with its opener and blank lines above."""
        self._opener = opener
        self._renderer = CodeRenderer(language_of(opener.info), *columns, palette)

    def feed(self, lines: list[str]) -> list[Row]:
        """Add complete lines."""
        self.line_count += len(lines)
        return [row for line in lines for row in self._renderer.feed(line.removesuffix("\n"))]

    def preview(self, line: str) -> list[Row]:
        """The rows of an incomplete line, unless it may close the block."""
        may_close = not line.strip(f" \t{self._opener.marks[0]}")
        return self._renderer.close() if may_close else self._renderer.preview(line)

    def end(self, lines: list[str]) -> list[Row]:
        """Add the last lines; the last of them may close the block."""
        if lines and self._opener.is_closed_by(lines[-1]):
            lines = lines[:-1]
        return [*self.feed(lines), *self._renderer.close()]


class _LiveBlock(NamedTuple):
    """The beginning of an open block as last drawn, to draw a long one anew only once it has grown."""

    length: int = -1
    """The number of characters drawn; -1 if nothing is."""
    rows: Sequence[Row] = ()

    def is_near(self, text: str) -> bool:
        """True if not much has come since, and the block is long."""
        return len(text) > _MAX_LIVE_LENGTH and 0 <= len(text) - self.length <= len(text) // 8


class AnswerRenderer:
    """Renders text that is safe to show behind a blank gutter; returned rows never change."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._splitter = Splitter()
        self._flow = Flow()
        self._code: _OpenCode | None = None
        self._live = _LiveBlock()
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
        rows += self._render_open_code(columns)
        if self._splitter.open_length > MAX_OPEN_LENGTH:
            rest = self._splitter.open_line if self._code else self._splitter.open_text
            if len(rest) > MAX_OPEN_LENGTH:
                self._splitter.close()
                self._literal_rest, self._code = "", None
                rows += self._render_literal(rest, columns)
        return rows

    def close(self, columns: Columns) -> list[Row]:
        """End the answer; return the rows of the open block."""
        if self._literal_rest is not None:
            return _indent(self._render_literal("\n", columns)) if self._literal_rest else []
        return _indent([row for block in self._splitter.close() for row in self._render(block, columns)])

    def live_rows(self, canvas: Canvas) -> list[Row]:
        """The rows of the open block that fit the canvas; the first tells how many are left out."""
        return _indent(self._last_rows(self._live_rows(canvas.columns), canvas.live_height))

    def _live_rows(self, columns: Columns) -> list[Row]:
        if self._code:
            return self._code.preview(self._splitter.open_line[-_MAX_LIVE_LENGTH:])
        text = self.open_text
        if not text.strip():
            return []
        if self._literal_rest is not None:
            return render_literal(text, columns.prose, self._palette)
        if not self._live.is_near(text):
            whole = _BARE_MARKER.sub("", text) if len(text) <= _MAX_LIVE_LENGTH else text[: _last_break(text)]
            rows, _ = render_blocks(whole, *columns, self._palette, self._flow)
            self._live = _LiveBlock(len(whole) if len(text) > _MAX_LIVE_LENGTH else -1, rows)
        rest = text[self._live.length :] if len(text) > _MAX_LIVE_LENGTH else ""
        return [*self._live.rows, *(render_literal(rest, columns.prose, self._palette) if rest.strip() else ())]

    def _render(self, block: str, columns: Columns) -> list[Row]:
        self._live = _LiveBlock()
        if self._code:
            code, self._code, self._flow = self._code, None, Flow(has_begun=True)
            return code.end(block.removesuffix("\n").split("\n")[code.line_count :])
        rows, self._flow = render_blocks(block, *columns, self._palette, self._flow)
        return rows

    def _render_open_code(self, columns: Columns) -> list[Row]:
        """The rows of the new lines of an open code block."""
        opener, lines = self._splitter.open_code, self._splitter.open_lines
        if opener is None:
            return []
        if self._code:
            return self._code.feed(lines[self._code.line_count :])
        self._code = _OpenCode(opener, columns, self._palette)
        begin = next(at for at, line in enumerate(lines) if line.strip()) + 1
        self._code.line_count = begin
        return [*([[]] if self._flow.has_begun else []), *self._code.feed(lines[begin:])]

    def _last_rows(self, rows: list[Row], height: int) -> list[Row]:
        if len(rows) <= height:
            return rows
        keep = rows[-(height - 1) :] if height > 1 else []
        above = len(rows) - len(keep)
        return [uncopied([(f"{self._palette.glyphs.more} {above} more above", self._palette.styles["faint"])]), *keep]

    def _render_literal(self, text: str, columns: Columns) -> list[Row]:
        *lines, rest = f"{self._literal_rest}{text}".split("\n")
        rows = [row for line in lines for row in render_literal(line, columns.prose, self._palette)]
        if len(rest) > _MAX_LITERAL_LINE:
            start = row_spans(rest, columns.prose)[-1][0]
            rows += render_literal(rest[:start], columns.prose, self._palette)
            rest = rest[start:]
        self._literal_rest = rest
        return rows


def _last_break(text: str) -> int:
    """Where the last line or word of a text begins, whichever is near its end."""
    line = text.rfind("\n") + 1
    return line if len(text) - line < len(text) // 16 else text.rfind(" ") + 1 or len(text)


def _indent(rows: list[Row]) -> list[Row]:
    return [[MARGIN, *row] if row else row for row in rows]
