"""Splits Markdown into complete blocks while it streams.

A line is a safe place to cut if the text before it and the text from it on, parsed separately, give the same blocks
as parsed together. The Markdown parser itself decides what a line begins; the patterns here only skip the parse if
the result is known. Items of a list are cut apart, too: consecutive lists with the same marker are one list.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from reflectty.view.formulas import OpenFormula, find_open_formula, formula_after, is_abandoned_at
from reflectty.view.grammar import FenceTracker, markdown_parser, parse_fence_opener

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from reflectty.view.grammar import FenceOpener

_CODE_INDENT = 4
_ITEM = re.compile(r"( {0,3}(?:[-+*]|\d{1,9}[.)]))( {1,4}(?! )| |(?=\n))")
_QUOTE = re.compile(r" {0,3}>")
_MAY_BEGIN = re.compile(r" {0,3}(?:#|>|```|~~~|[-+*_][ \t\n]|---|___|\*\*\*|\d{1,9}[.)][ \t\n])")
_MAY_END = re.compile(r" {0,3}(?:#{1,6}[ \t\n]|=+[ \t]*\n|([-*_])[ \t]*(?:\1[ \t]*)*\n)")
_CLOSED_BY_BLANK = {"paragraph_close", "heading_close", "table_close", "blockquote_close", "hr"}
_CLOSED_AT_ONCE = {"heading_close", "hr"}


@cache
def _parser() -> MarkdownIt:
    return markdown_parser("normalize", "block")


class Splitter:
    """Splits the text of one answer into blocks that join to that text, independent of chunk boundaries."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._rest: list[str] = []
        self._done: list[str] = []
        self._reset()
        self.open_length = 0
        """Number of open characters."""

    @property
    def open_text(self) -> str:
        """The text that is not in a complete block yet."""
        return "".join((*self._lines, *self._rest))

    @property
    def open_lines(self) -> list[str]:
        """The complete lines of the open block, with blank ones above it."""
        return self._lines

    @property
    def open_line(self) -> str:
        """The line that is not complete yet."""
        return "".join(self._rest)

    @property
    def open_code(self) -> FenceOpener | None:
        """The opener of the open code block if each of its lines is code until one closes it."""
        return self._code

    def feed(self, text: str) -> list[str]:
        """Add text; return the blocks that are now complete."""
        first, *others = text.split("\n")
        self._rest.append(first)
        self.open_length += len(text)
        for other in others:
            line, self._rest = "".join(self._rest) + "\n", [other]
            self._line(line)
        done, self._done = self._done, []
        self.open_length -= sum(map(len, done))
        return done

    def close(self) -> list[str]:
        """End the text; return the rest as one block."""
        text = self.open_text
        self._lines, self._rest, self.open_length = [], [], 0
        self._reset()
        return [text] if text else []

    def _reset(self) -> None:
        self._has_begun = self._is_quote = False
        self._fence: FenceTracker | None = None
        self._code: FenceOpener | None = None
        self._formula: OpenFormula | None = None
        self._indent = self._refused_at = 0

    def _line(self, line: str) -> None:
        if self._fence:
            self._lines.append(line)
            if self._fence.take_line(line):
                self._cut(len(self._lines))
        elif self._formula:
            self._take_formula_line(line, self._formula)
        elif _is_blank(line):
            if self._has_begun and not self._indent and not _is_blank(self._lines[-1]) and self._ends(_CLOSED_BY_BLANK):
                self._cut(len(self._lines))
            self._lines.append(line)
        else:
            self._text(line)

    def _take_formula_line(self, line: str, formula: OpenFormula) -> None:
        """Add a line to the open formula, which alone decides where it ends."""
        if is_abandoned_at(line, formula, after_blank=_is_blank(self._lines[-1])):
            self._cut(len(self._lines))
            self._line(line)
            return
        self._lines.append(line)
        if not _is_blank(line):
            self._formula = formula_after(line, formula)
            if self._formula is None:
                self._cut(len(self._lines))

    def _text(self, line: str) -> None:
        # Any line with a pipe is a table head if a block may begin there and a delimiter row follows.
        if self._has_begun and self._may_begin(line) and self._begins(line):
            self._cut(len(self._lines))
        self._lines.append(line)
        if not self._has_begun:
            self._begin(line)
        if (
            not self._fence
            and not self._formula
            and _MAY_END.match(line)
            and "|" not in line
            and self._ends(_CLOSED_AT_ONCE)
        ):
            self._cut(len(self._lines))

    def _begin(self, line: str) -> None:
        self._has_begun = True
        fence, item = parse_fence_opener(line), _ITEM.match(line)
        self._fence = FenceTracker(fence) if fence and "|" not in line else None
        self._code = fence if self._fence and fence and not fence.can_nest and not line.startswith(" ") else None
        self._indent = len(item[1]) + (len(item[2]) or 1) if item else 0
        self._is_quote = bool(_QUOTE.match(line))
        self._formula = None if _is_indented(line) else find_open_formula(line)

    def _cut(self, at: int) -> None:
        """End the open block; blank lines at its end go to the next one, whose rendering depends on them."""
        while at and _is_blank(self._lines[at - 1]):
            at -= 1
        self._done.append("".join(self._lines[:at]))
        self._lines = self._lines[at:]
        self._reset()

    def _may_begin(self, line: str) -> bool:
        indent = len(line) - len(line.lstrip(" "))
        if indent >= _CODE_INDENT or (self._indent and indent >= self._indent) or line[indent] == "\t":
            return False
        if self._is_quote and _QUOTE.match(line):
            return False
        return _is_blank(self._lines[-1]) or _MAY_BEGIN.match(line) is not None or find_open_formula(line) is not None

    def _is_worth_parsing(self) -> bool:
        """True if the open block has grown enough since the parser last refused, which keeps parsing cheap."""
        return len(self._lines) >= self._refused_at + self._refused_at // 8

    def _begins(self, line: str) -> bool:
        if not self._is_worth_parsing():
            return False
        at = len(self._lines)
        found = any(
            token.map is not None and token.map[0] == at
            for token in _parse(self._open_lines() + line)
            if token.level == 0 or (token.level == 1 and token.type == "list_item_open" and "|" not in line)
        )
        self._refused_at = 0 if found else at
        return found

    def _ends(self, kinds: set[str]) -> bool:
        if not self._is_worth_parsing():
            return False
        tokens = _parse(self._open_lines())
        found = bool(tokens) and tokens[-1].type in kinds
        self._refused_at = self._refused_at if found else len(self._lines)
        return found

    def _open_lines(self) -> str:
        return "".join(self._lines)


def _is_blank(line: str) -> bool:
    return not line.strip(" \t\n")


def _is_indented(line: str) -> bool:
    start = line.expandtabs(_CODE_INDENT)
    return len(start) - len(start.lstrip(" ")) >= _CODE_INDENT


def _parse(text: str) -> list[Token]:
    return _parser().parse(text)
