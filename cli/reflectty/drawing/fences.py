"""Blocks of fenced code, in which a block of Markdown may hold blocks of its own.

In CommonMark any bare fence that is long enough ends a block. Models put a ```python block into a ```markdown block
of the same length all the same, so a fence with a language inside of one begins a block within it, and the next bare
fence ends that. Where the outer block never ends when it is read so, it is read as CommonMark has it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock

_OPENER = re.compile(r" {0,3}(?:(`{3,})([^`\n]*)|(~{3,})([^\n]*))\n?")
_CLOSER = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*\n?")
_HOLDERS = frozenset({"markdown", "md", "mdx"})
_MOST_IN_VAIN = 50
"""After looking so often for an end that is not there, no more of one is looked for: each look may be long."""


class Opener(NamedTuple):
    """The line that begins a block of code."""

    marks: str
    info: str

    @property
    def holds(self) -> bool:
        """Whether other blocks may begin inside of it."""
        words = self.info.split(maxsplit=1)
        return bool(words) and words[0].strip("{}.").lower() in _HOLDERS

    def ends_with(self, line: str) -> bool:
        """Return whether a line ends the block."""
        found = _CLOSER.fullmatch(line)
        return found is not None and found[1].startswith(self.marks)


class Fence:
    """Follows an open block of code, a line at a time."""

    def __init__(self, opener: Opener) -> None:
        self._open = [opener]

    def closes(self, line: str) -> bool:
        """Take a line; return whether it ends the outermost block."""
        top = self._open[-1]
        if top.ends_with(line):
            self._open.pop()
        elif top.holds and (inner := opener(line)) and inner.info.strip() and inner.marks.startswith(top.marks):
            self._open.append(inner)
        return not self._open


def use(parser: MarkdownIt) -> None:
    """Make a parser read fences by these rules."""
    parser.block.ruler.at("fence", _fence, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def opener(line: str) -> Opener | None:
    """Return what a line begins, if that is a block of code."""
    found = _OPENER.fullmatch(line)
    if not found:
        return None
    return Opener(found[1], found[2]) if found[1] else Opener(found[3], found[4])


def _fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    begun = opener(_line(state, start))
    if begun is None:
        return False
    return silent or _push(state, start, begun, *_end(state, start, end, begun))


def _line(state: StateBlock, at: int) -> str:
    return state.src[state.bMarks[at] + state.tShift[at] : state.eMarks[at]]


def _lines(state: StateBlock, start: int, end: int) -> Iterator[tuple[int, str]]:
    """Yield the lines that may belong to a block: those of the item or quote that it stands in."""
    for at in range(start, end):
        if state.sCount[at] < state.blkIndent and not state.isEmpty(at):
            return
        yield at, "" if state.is_code_block(at) else _line(state, at)


def _end(state: StateBlock, start: int, end: int, begun: Opener) -> tuple[int, bool]:
    """Return the line behind the content of a block, and whether that is a fence."""
    vain = int(state.env.get("vain", 0))
    if begun.holds and vain < _MOST_IN_VAIN:
        follower = Fence(begun)
        for at, line in _lines(state, start + 1, end):
            if follower.closes(line):
                return at, True
        state.env["vain"] = vain + 1
    last = start
    for at, line in _lines(state, start + 1, end):
        if begun.ends_with(line):
            return at, True
        last = at
    return last + 1, False


def _push(state: StateBlock, start: int, begun: Opener, end: int, closed: bool) -> bool:
    state.line = end + closed
    token = state.push("fence", "code", 0)
    token.info, token.markup = begun.info, begun.marks
    token.content = state.getLines(start + 1, end, state.sCount[start], keepLastLF=True)
    token.map = [start, state.line]
    return True
