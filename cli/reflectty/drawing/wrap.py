"""Breaks lines into rows by the cells they fill, the same whether a line comes whole or in pieces; draws nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import get_character_cell_size

if TYPE_CHECKING:
    from collections.abc import Iterator

PROSE = 100
"""Prose is at most this many columns wide, gutter included, however wide the terminal."""
GUTTER = 2
"""Columns that the gutter takes."""

# Between wide characters a row may break anywhere, but not before what closes a sentence or a bracket.
_WIDE = "\u2e80-\u2fff\u3040-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\U00020000-\U0003ffff"
_CLOSERS = "\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff1f\uff01\u300d\u300f\uff09\u3011\u300b\u3009\u3015\u201d\u2019"
_PIECES = re.compile(f"[ ]+|[{_WIDE}][{_CLOSERS}]{{0,3}}|[^ {_WIDE}]+")
_MARKER = re.compile(r" *(?:(?:[-*+•\u2013]|\d{1,3}[.)]) +)?")
# A gap longer than this is never seen whole; without a limit an endless one would be kept and measured again.
_GAP = 400
_GAPS = re.compile(f" {{{_GAP},}}")
_JOINER, _WIDENER = "\u200d", "\ufe0f"


class Columns(NamedTuple):
    """How many columns there are beside the gutter: for prose, and for code and tables."""

    prose: int
    full: int


def columns(width: int) -> Columns:
    """Return how a screen of that many columns is used."""
    full = max(1, width - GUTTER)
    return Columns(min(full, PROSE - GUTTER), full)


def cells(text: str) -> int:
    """Return how many columns a text fills; where terminals differ (joined emoji), the most that any takes."""
    return len(text) if text.isascii() else sum(width for _, width in _characters(text))


def _characters(text: str) -> Iterator[tuple[str, int]]:
    last = 0
    for character in text:
        # An emoji's variation selector makes a narrow sign two columns wide.
        width = int(last == 1) if character == _WIDENER else get_character_cell_size(character)
        last = width or last
        yield character, width


def chop(text: str, width: int) -> int:
    """Return how many characters fit into that many columns, at least one, never splitting a joined one."""
    used = safe = 0
    previous = ""
    for at, (character, size) in enumerate(_characters(text)):
        if size and previous != _JOINER and character != _WIDENER:
            safe = at
        used += size
        if used > width:
            return safe or max(at, 1)
        previous = character
    return len(text)


def expand(text: str) -> str:
    """Return text without tabs, and without gaps that no screen could show."""
    return _GAPS.sub(" " * _GAP, text.replace("\t", "    "))


def hang(line: str, width: int) -> int:
    """Return how far the further rows of a line are indented: under its text, behind its indent or list marker."""
    found = _MARKER.match(line)
    return min(found.end() if found else 0, width // 3)


def fold(line: str, width: int, indent: int = 0, *, begun: bool = False) -> list[tuple[int, int]]:
    """Return where the rows of a line start and end: as many words as fit, too long ones cut, no gaps at the breaks.

    Rows after the first have `indent` fewer columns; so has the first when the line has `begun` on an earlier row.
    """
    lead = 0 if begun else max(0, len(line) - len(line.lstrip(" ")) - width // 3)
    room = width - indent if begun else width
    rows: list[tuple[int, int]] = []
    start = end = lead
    used = 0
    for piece in _PIECES.finditer(line, lead):
        at, stop = piece.span()
        if line[at] == " ":
            # A gap counts when a word follows it on the same row; an indent does, at the start of the line.
            start, end = (stop, stop) if end == start and (begun or rows) else (start, end)
            continue
        size = cells(piece[0])
        if end > start and used + (at - end) + size > room:
            rows.append((start, end))
            start = end = at
            used, room = 0, width - indent
        used += at - end
        while used + size > room:
            cut = at + chop(line[at:stop], max(1, room - used))
            rows.append((start, cut))
            size -= cells(line[at:cut])
            start = end = at = cut
            used, room = 0, width - indent
        used, end = used + size, stop
    return [*rows, (start, end)] if end > start or not rows else rows
