"""Tables as GFM has them, save that a pipe in code or in a formula divides nothing and no cell is ever dropped.

In a row with more cells than the head has, those too many go on in the last one, as they were written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock

_DELIMITERS = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")
_MOST_MISSING = 0x10000
"""So many cells may be missing in a table: short rows below a wide head would cost far more than was said."""
_ALIGNS = {(True, True): "center", (True, False): "left", (False, True): "right"}
_PIECES = re.compile(r"\\\((?:[^\\]|\\[^()])*\\\)|\\.|`+|\$[^\s$`](?:[^$`\\]|\\.)*(?<![\s\\])\$(?![0-9])|\|")


def use(parser: MarkdownIt) -> None:
    """Make a parser read tables by these rules."""
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})


def divided(line: str, columns: int = 0) -> list[str]:
    r"""Return the cells of a row, `\|` still in them; those beyond `columns`, if that is given, are in the last one."""
    line = line.strip()
    pipes = list(_pipes(line, guarded=True))
    if columns and len(_cells(line, pipes)) < columns:
        # A stray backtick in each of two cells is no code between them.
        everywhere = list(_pipes(line, guarded=False))
        pipes = everywhere if len(_cells(line, everywhere)) == columns else pipes
    return _cells(line, pipes, columns)


def _cells(line: str, pipes: Sequence[int], columns: int = 0) -> list[str]:
    edges = list(pipes)
    start = 0
    if edges and edges[0] == 0:
        start, edges = 1, edges[1:]
    end = len(line)
    if edges and edges[-1] == len(line) - 1:
        end = edges.pop()
    edges = edges[: columns - 1] if columns else edges
    starts, ends = [start, *(edge + 1 for edge in edges)], [*edges, end]
    return [line[begin:stop].strip() for begin, stop in zip(starts, ends, strict=True)]


def _pipes(line: str, *, guarded: bool) -> Iterator[int]:
    """Yield where pipes divide a line; `guarded` pipes stand in code or a formula and do not."""
    pieces = list(_PIECES.finditer(line)) if guarded else [*re.finditer(r"\\.|\|", line)]
    last = {found[0]: at for at, found in enumerate(pieces) if found[0][0] == "`"}
    closer = ""
    for at, found in enumerate(pieces):
        text = found[0]
        if closer:
            closer = "" if text == closer else closer
        elif text[0] == "`":
            closer = text if last[text] > at else ""
        elif text == "|":
            yield found.start()


def _line(state: StateBlock, at: int) -> str:
    return state.src[state.bMarks[at] + state.tShift[at] : state.eMarks[at]].strip()


def _aligns(state: StateBlock, at: int) -> list[str]:
    """Return how columns are aligned, of a line that is a delimiter row; nothing of any other."""
    if state.sCount[at] < state.blkIndent or state.is_code_block(at):
        return []
    line = _line(state, at)
    if line == "-" or not _DELIMITERS.fullmatch(line):
        return []
    columns = [column.strip() for column in line.strip("|").split("|")]
    return [_ALIGNS.get((column.startswith(":"), column.endswith(":")), "") for column in columns]


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if start + 2 > end or state.is_code_block(start):
        return False
    aligns = _aligns(state, start + 1)
    head = _line(state, start)
    if not aligns or "|" not in head or len(cells := divided(head)) != len(aligns) or cells == [""]:
        return False
    return silent or _draw(state, start, end, aligns)


def _draw(state: StateBlock, start: int, end: int, aligns: Sequence[str]) -> bool:
    before, state.parentType = state.parentType, "table"
    state.push("table_open", "table", 1).map = lines = [start, 0]
    state.push("thead_open", "thead", 1).map = [start, start + 1]
    _row(state, start, "th", aligns)
    state.push("thead_close", "thead", -1)
    at = _body(state, start + 2, end, aligns)
    state.push("table_close", "table", -1)
    lines[1], state.line, state.parentType = at, at, before
    return True


def _body(state: StateBlock, start: int, end: int, aligns: Sequence[str]) -> int:
    at, missing = start, 0
    while at < end and _goes_on(state, at, end):
        if at == start:
            state.push("tbody_open", "tbody", 1).map = lines = [start, 0]
        missing += _row(state, at, "td", aligns)
        at += 1
        if missing > _MOST_MISSING:
            break
    if at > start:
        state.push("tbody_close", "tbody", -1)
        lines[1] = at
    return at


def _goes_on(state: StateBlock, at: int, end: int) -> bool:
    if state.sCount[at] < state.blkIndent or state.is_code_block(at) or not _line(state, at):
        return False
    silent = True
    return not any(rule(state, at, end, silent) for rule in state.md.block.ruler.getRules("blockquote"))


def _row(state: StateBlock, at: int, tag: str, aligns: Sequence[str]) -> int:
    """Push the cells of a line; return how many of them are not in it."""
    cells = divided(_line(state, at), len(aligns))
    state.push("tr_open", "tr", 1).map = [at, at + 1]
    for number, align in enumerate(aligns):
        opener = state.push(f"{tag}_open", tag, 1)
        opener.attrs = {"style": f"text-align:{align}"} if align else {}
        inline = state.push("inline", "", 0)
        inline.content = cells[number].replace("\\|", "|") if number < len(cells) else ""
        inline.map, inline.children = [at, at + 1], []
        state.push(f"{tag}_close", tag, -1)
    state.push("tr_close", "tr", -1)
    return len(aligns) - len(cells)
