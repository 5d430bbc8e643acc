"""Turns thinking and reflections, as they arrive, into rows with a gutter; knows no Markdown, writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.paint import BOLD, Row
from reflectty.drawing.wrap import expand, fold, hang
from reflectty.stream import Kind

if TYPE_CHECKING:
    from reflectty.drawing.paint import Palette


class Thinking:
    """One block after another: `begin`, then `feed` as text comes; a row that is given out never changes."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._kind = Kind.THINKING
        self._marked = self._blank = self._said = False
        self._line = ""
        self._indent = 0
        self._begun = False

    def begin(self, kind: Kind) -> None:
        """Start a block; the one before must have been closed."""
        self._kind, self._marked = kind, kind is Kind.REFLECTION
        self._line, self._blank, self._said, self._begun = "", False, False, False

    def feed(self, text: str, width: int) -> list[Row]:
        """Take text that is safe to show; return its complete rows, `width` columns wide and the gutter."""
        *lines, last = expand(self._line + text).split("\n")
        rows: list[Row] = []
        for line in lines:
            rows += self._end(line, width)
        complete, self._line = self._split(last, width)
        return rows + complete

    def live(self, width: int) -> list[Row]:
        """Return the rows of what may still change: one, or two while a word may not fit, or none."""
        indent = self._hang(self._line, width)
        spans = fold(self._line, width, indent, begun=self._begun)
        texts = [self._line[start:end] for start, end in spans if end > start]
        return self._drawn(texts, indent)

    def close(self, width: int) -> list[Row]:
        """End the block; return its last row, if there is one."""
        line, self._line = self._line, ""
        return self._end(line, width) if line.strip() else []

    def _hang(self, line: str, width: int) -> int:
        return self._indent if self._begun else hang(line, width)

    def _split(self, line: str, width: int) -> tuple[list[Row], str]:
        """Return the rows of a line that no further text can change, and the rest of it."""
        indent = self._hang(line, width)
        *spans, (start, _) = fold(line, width, indent, begun=self._begun)
        rows = self._rows([line[begin:end] for begin, end in spans], indent)
        if rows:
            self._begun, self._indent = True, indent
        return rows, line[start:]

    def _end(self, line: str, width: int) -> list[Row]:
        rows, rest = self._split(line, width)
        if rest.strip(" "):
            rows += self._rows([rest.rstrip(" ")], self._indent)
        elif not self._begun:
            self._blank = self._said
        self._begun = False
        return rows

    def _rows(self, texts: list[str], indent: int) -> list[Row]:
        rows = self._drawn(texts, indent)
        if texts:
            self._marked, self._blank, self._said = False, False, True
        return rows

    def _drawn(self, texts: list[str], indent: int) -> list[Row]:
        rows = [self._row("", marked=False)] if texts and self._blank else []
        for at, text in enumerate(texts):
            shift = " " * indent if at or self._begun else ""
            rows.append(self._row(shift + text, marked=self._marked and at == 0))
        return rows

    def _row(self, text: str, *, marked: bool) -> Row:
        styles, glyphs = self._palette.styles, self._palette.glyphs
        if self._kind is Kind.REFLECTION:
            style = styles["correction"]
            gutter = (glyphs.correction, style + BOLD) if marked else (glyphs.bar, style)
        else:
            style, gutter = styles["thinking"], (glyphs.bar, styles["faint"])
        return [gutter, (" " + text, style)] if text else [gutter]
