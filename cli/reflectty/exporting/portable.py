"""Rewrites what GitHub and its like would draw otherwise than it is drawn here: nested fences, pipes within cells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.drawing.fences import opener
from reflectty.drawing.grammar import markdown
from reflectty.drawing.pipes import divided

if TYPE_CHECKING:
    from markdown_it.token import Token

_MARKS = re.compile(r"`{3,}|~{3,}")
_PIPE = re.compile(r"(?<!\\)((?:\\\\)*)\|")


def portable(text: str) -> str:
    """Return Markdown that others read as it is drawn here; most is so already and stays as it is."""
    lines = text.split("\n")
    for token in markdown("normalize", "block").parse(text):
        if token.type == "fence":
            _lengthen(lines, token)
        elif token.type == "table_open":
            _divide(lines, token)
    return "\n".join(lines)


def _lengthen(lines: list[str], token: Token) -> None:
    """Make the fences of a block longer than those inside of it that would end it."""
    inside = [found.marks for line in token.content.split("\n") if (found := opener(line))]
    longest = max((len(marks) for marks in inside if marks.startswith(token.markup)), default=0)
    if not longest or token.map is None:
        return
    longer = token.markup[0] * (longest + 1)
    start, end = token.map
    for at in {start, end - 1}:
        last = opener(lines[at].strip(" \t>"))
        if at == start or (last and not last.info.strip()):
            lines[at] = _MARKS.sub(longer, lines[at], count=1)


def _divide(lines: list[str], token: Token) -> None:
    """Escape the pipes that divide nothing; a row without any is left alone."""
    start, end = token.map or [0, 0]
    if token.level:
        return
    columns = len(divided(lines[start]))
    for at in (start, *range(start + 2, end)):
        cells = divided(lines[at], columns)
        if any(_PIPE.search(cell) for cell in cells):
            lines[at] = f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(cell: str) -> str:
    return _PIPE.sub(r"\1\\|", cell)
