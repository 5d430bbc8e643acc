"""The Markdown parser: GFM with rules for emphasis, tables and fences that suit model output.

A delimiter next to a digit on its outer side is never emphasis, nor is a single star inside a word. A pair is not
emphasis either if both outer sides are doubtful: a letter, a bracket, an operator, the dot of a file name. Chinese,
Japanese, Korean and the other scripts without spaces keep emphasis in the middle of text.

In a row with more cells than the head, the last cell holds the surplus as written.

In CommonMark any bare fence that is long enough ends a code block. Models still put a ```python block into a
```markdown block with a fence of the same length, so a fence with a language begins a nested block here, and the next
bare fence ends that one. If the outer block never ends this way, it is read as in CommonMark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.rules_inline import strikethrough
from markdown_it.rules_inline.state_inline import Delimiter

from reflectty.core.named_tuple import NamedTuple
from reflectty.view import formulas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline


_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\U0010ffff]")
_OPERATORS = "=+<>^%&|~"
_ENCLOSED = {"()", "[]", "{}", "<>", "''", '""', "||", "\u201c\u201d", "\u2018\u2019"}
# Names with a meaning in Python, Node and test runners; other text between two such marks is bold.
_DUNDER_NAMES = re.compile(
    r"__(?:init|main|name|file|doc|all|dict|class|str|repr|len|iter|next|call|enter|exit|getitem|setitem|delitem"
    r"|contains|eq|ne|lt|le|gt|ge|hash|bool|new|del|add|sub|mul|truediv|floordiv|mod|pow|xor|neg|pos|abs|int|float"
    r"|index|getattr|setattr|delattr|getattribute|slots|module|qualname|version|author|path|package|spec|loader"
    r"|builtins|future|annotations|mro|bases|subclasses|aenter|aexit|aiter|anext|await|post_init|pycache|import"
    r"|init_subclass|set_name|format|bytes|sizeof|reduce|copy|deepcopy|missing|reversed|matmul|radd|rmul|iadd"
    r"|debug|wrapped|weakref|code|defaults|globals|self|func|proto|tests|mocks|snapshots|fixtures)__(?![A-Za-z0-9_])"
)


class _DelimiterRun(NamedTuple):
    """A run of equal delimiters and the characters around it."""

    marks: str
    before: str
    after: str
    further_before: str
    further_after: str

    @property
    def is_inside_word(self) -> bool:
        return _is_word_character(self.before) and _is_word_character(self.after)

    @property
    def is_enclosed(self) -> bool:
        return self.before + self.after in _ENCLOSED


@dataclass(slots=True)
class _EmphasisDelimiter(Delimiter):
    """A delimiter that may form emphasis with another one."""

    doubtful_opener: bool = False
    doubtful_closer: bool = False


def add_emphasis_rules(parser: MarkdownIt) -> None:
    """Add the emphasis rules of this module to a parser."""
    parser.inline.ruler.at("emphasis", _emphasis_rule)
    parser.inline.ruler.at("strikethrough", _strikethrough_rule)
    parser.inline.ruler2.after("balance_pairs", "doubts", _drop_doubtful_pairs)


def _is_word_character(character: str) -> bool:
    return character.isalnum() and not _UNSPACED.match(character)


def _emphasis_rule(state: StateInline, silent: bool) -> bool:
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    if name := _DUNDER_NAMES.match(state.src, state.pos, state.posMax):
        state.append_pending(name[0])
        state.pos = name.end()
        return True
    scanned = state.scanDelims(state.pos, canSplitWord=marker == "*")
    run = _delimiter_run_at(state, scanned.length)
    unspaced = marker == "*" and not run.before.isspace() and not run.after.isspace()
    opens = (scanned.can_open or (unspaced and bool(_UNSPACED.match(run.before)))) and not _never_opens(run)
    closes = (scanned.can_close or (unspaced and bool(_UNSPACED.match(run.after)))) and not _never_closes(run)
    if opens or closes:
        _push_delimiters(state, run, opens=opens, closes=closes)
    else:
        state.append_pending(run.marks)
    state.pos += scanned.length
    return True


def _delimiter_run_at(state: StateInline, length: int) -> _DelimiterRun:
    source, start, end = state.src, state.pos, state.pos + length
    return _DelimiterRun(
        source[start:end],
        source[start - 1] if start else " ",
        source[end] if end < state.posMax else " ",
        source[start - 2] if start > 1 else " ",
        source[end + 1] if end + 1 < state.posMax else " ",
    )


def _push_delimiters(state: StateInline, run: _DelimiterRun, *, opens: bool, closes: bool) -> None:
    doubts = _is_doubtful_opener(run), _is_doubtful_closer(run)
    length = len(run.marks)
    for mark in run.marks:
        state.push("text", "", 0).content = mark
        at = len(state.tokens) - 1
        state.delimiters.append(_EmphasisDelimiter(ord(mark), length, at, -1, opens, closes, None, *doubts))


def _is_never_emphasis(run: _DelimiterRun, outer: str) -> bool:
    return outer.isdigit() or run.is_enclosed or (run.is_inside_word and run.marks == "*")


def _never_opens(run: _DelimiterRun) -> bool:
    named = run.marks[0] == "_" and run.before in "./\\$@&#="
    glob = run.after in "./" and not run.before.isspace() and run.before not in "([{'\""
    factor = run.marks == "*" and run.before in ")]}"
    return named or glob or factor or run.after in ",;)]}" or _is_never_emphasis(run, run.before)


def _never_closes(run: _DelimiterRun) -> bool:
    dotted = run.after == "." and _is_word_character(run.further_after)
    named = run.marks[0] == "_" and (dotted or run.after in "/\\$@&#=([")
    return named or run.before in "/([{" or _is_never_emphasis(run, run.after)


def _is_doubtful_opener(run: _DelimiterRun) -> bool:
    if run.before in ")]}!":
        return _is_word_character(run.after) or run.after == "("
    path = run.before == "." or run.after == "/" or (run.after == "." and _is_word_character(run.further_after))
    return path or _is_doubtful(run, run.before, run.further_before)


def _is_doubtful_closer(run: _DelimiterRun) -> bool:
    dotted = run.after == "." and _is_word_character(run.further_after)
    pattern = run.before == "." and run.after in "?$+|)"
    return (
        dotted or pattern or run.before == "=" or run.after in "([{" or _is_doubtful(run, run.after, run.further_after)
    )


def _is_doubtful(run: _DelimiterRun, outer: str, further: str) -> bool:
    """True if the character outside may belong to the same expression or name; a hyphen between words does not."""
    if outer == "-":
        return not further.isalpha()
    return _is_word_character(outer) or outer in _OPERATORS or (outer == "/" and run.marks == "*")


def _drop_doubtful_pairs(state: StateInline) -> None:
    _drop_pairs(state.delimiters)
    for meta in state.tokens_meta:
        _drop_pairs(meta.get("delimiters", ()) if meta else ())


def _drop_pairs(delimiters: Iterable[Delimiter]) -> None:
    marks = list(delimiters)
    for opener in marks:
        closer = marks[opener.end] if opener.end >= 0 else None
        if isinstance(opener, _EmphasisDelimiter) and isinstance(closer, _EmphasisDelimiter):
            opener.end = -1 if opener.doubtful_opener and closer.doubtful_closer else opener.end


def _strikethrough_rule(state: StateInline, silent: bool) -> bool:
    if silent or state.src[state.pos] != "~":
        return False
    length = state.scanDelims(state.pos, canSplitWord=True).length
    run = _delimiter_run_at(state, length)
    if not (run.is_inside_word or run.is_enclosed):
        return strikethrough.tokenize(state, silent)
    state.append_pending(run.marks)
    state.pos += length
    return True


_DELIMITER_ROW = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")
_MAX_MISSING_CELLS = 0x10000
"""Limit of missing cells in a table: short rows below a wide head would cost far more than their text."""
_ALIGNS = {(True, True): "center", (True, False): "left", (False, True): "right"}
_PIECES = re.compile(r"\\\((?:[^\\]|\\[^()])*\\\)|\\.|`+|\$[^\s$`](?:[^$`\\]|\\.)*(?<![\s\\])\$(?![0-9])|\|")


def add_table_rule(parser: MarkdownIt) -> None:
    """Add the table rule of this module to a parser."""
    parser.block.ruler.at("table", _table_rule, {"alt": ["paragraph", "reference"]})


def split_cells(line: str, columns: int = 0) -> list[str]:
    r"""The cells of a row, `\|` still in them; with `columns`, the last cell holds those beyond."""
    line = line.strip()
    pipes = list(_find_pipes(line, guarded=True))
    if columns and len(_cells_between(line, pipes)) < columns:
        # A stray backtick in each of two cells does not make code between them.
        everywhere = list(_find_pipes(line, guarded=False))
        pipes = everywhere if len(_cells_between(line, everywhere)) == columns else pipes
    return _cells_between(line, pipes, columns)


def _cells_between(line: str, pipes: Sequence[int], columns: int = 0) -> list[str]:
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


def _find_pipes(line: str, *, guarded: bool) -> Iterator[int]:
    """Yield the positions of the pipes that divide a line; if `guarded`, pipes in code or a formula do not count."""
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


def _table_line(state: StateBlock, at: int) -> str:
    return state.src[state.bMarks[at] + state.tShift[at] : state.eMarks[at]].strip()


def _alignments_of(state: StateBlock, at: int) -> list[str]:
    """The column alignments if a line is a delimiter row, else an empty list."""
    if state.sCount[at] < state.blkIndent or state.is_code_block(at):
        return []
    line = _table_line(state, at)
    if line == "-" or not _DELIMITER_ROW.fullmatch(line):
        return []
    columns = [column.strip() for column in line.strip("|").split("|")]
    return [_ALIGNS.get((column.startswith(":"), column.endswith(":")), "") for column in columns]


def _table_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if start + 2 > end or state.is_code_block(start):
        return False
    aligns = _alignments_of(state, start + 1)
    head = _table_line(state, start)
    if not aligns or "|" not in head or len(cells := split_cells(head)) != len(aligns) or cells == [""]:
        return False
    return silent or _push_table(state, start, end, aligns)


def _push_table(state: StateBlock, start: int, end: int, aligns: Sequence[str]) -> bool:
    before, state.parentType = state.parentType, "table"
    state.push("table_open", "table", 1).map = lines = [start, 0]
    state.push("thead_open", "thead", 1).map = [start, start + 1]
    _push_table_row(state, start, "th", aligns)
    state.push("thead_close", "thead", -1)
    at = _push_table_body(state, start + 2, end, aligns)
    state.push("table_close", "table", -1)
    lines[1], state.line, state.parentType = at, at, before
    return True


def _push_table_body(state: StateBlock, start: int, end: int, aligns: Sequence[str]) -> int:
    at, missing = start, 0
    while at < end and _is_body_line(state, at, end):
        if at == start:
            state.push("tbody_open", "tbody", 1).map = lines = [start, 0]
        missing += _push_table_row(state, at, "td", aligns)
        at += 1
        if missing > _MAX_MISSING_CELLS:
            break
    if at > start:
        state.push("tbody_close", "tbody", -1)
        lines[1] = at
    return at


def _is_body_line(state: StateBlock, at: int, end: int) -> bool:
    if state.sCount[at] < state.blkIndent or state.is_code_block(at) or not _table_line(state, at):
        return False
    silent = True
    return not any(rule(state, at, end, silent) for rule in state.md.block.ruler.getRules("blockquote"))


def _push_table_row(state: StateBlock, at: int, tag: str, aligns: Sequence[str]) -> int:
    """Push the cells of a line and return how many are missing."""
    cells = split_cells(_table_line(state, at), len(aligns))
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


_FENCE_OPENER = re.compile(r" {0,3}(?:(`{3,})([^`\n]*)|(~{3,})([^\n]*))\n?")
_FENCE_CLOSER = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*\n?")
_NESTING_LANGUAGES = frozenset({"markdown", "md", "mdx"})
_MAX_FAILED_SEARCHES = 50
"""After this many failed searches for a closing fence, CommonMark applies at once: each search may be long."""


class FenceOpener(NamedTuple):
    """The line that begins a fenced code block."""

    marks: str
    info: str

    @property
    def can_nest(self) -> bool:
        """True if other blocks may begin inside it."""
        words = self.info.split(maxsplit=1)
        return bool(words) and words[0].strip("{}.").lower() in _NESTING_LANGUAGES

    def is_closed_by(self, line: str) -> bool:
        """True if a line ends the block."""
        found = _FENCE_CLOSER.fullmatch(line)
        return found is not None and found[1].startswith(self.marks)


class FenceTracker:
    """Follows an open code block line by line."""

    def __init__(self, opener: FenceOpener) -> None:
        self._open_fences = [opener]

    def take_line(self, line: str) -> bool:
        """Take a line; True if it ends the outermost block."""
        top = self._open_fences[-1]
        if top.is_closed_by(line):
            self._open_fences.pop()
        elif (
            top.can_nest
            and (inner := parse_fence_opener(line))
            and inner.info.strip()
            and inner.marks.startswith(top.marks)
        ):
            self._open_fences.append(inner)
        return not self._open_fences


def add_fence_rule(parser: MarkdownIt) -> None:
    """Add the fence rule of this module to a parser."""
    parser.block.ruler.at("fence", _fence_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def parse_fence_opener(line: str) -> FenceOpener | None:
    """The fence that a line opens, or None."""
    found = _FENCE_OPENER.fullmatch(line)
    if not found:
        return None
    return FenceOpener(found[1], found[2]) if found[1] else FenceOpener(found[3], found[4])


def _fence_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    begun = parse_fence_opener(_fence_line(state, start))
    if begun is None:
        return False
    return silent or _push_fence(state, start, begun, *_find_fence_end(state, start, end, begun))


def _fence_line(state: StateBlock, at: int) -> str:
    return state.src[state.bMarks[at] + state.tShift[at] : state.eMarks[at]]


def _block_lines(state: StateBlock, start: int, end: int) -> Iterator[tuple[int, str]]:
    """Yield the lines that may belong to a block: those of the item or quote that contains it."""
    for at in range(start, end):
        if state.sCount[at] < state.blkIndent and not state.isEmpty(at):
            return
        yield at, "" if state.is_code_block(at) else _fence_line(state, at)


def _find_fence_end(state: StateBlock, start: int, end: int, begun: FenceOpener) -> tuple[int, bool]:
    """The line after the content of a block, and whether that line is its closing fence."""
    vain = int(state.env.get("vain", 0))
    if begun.can_nest and vain < _MAX_FAILED_SEARCHES:
        follower = FenceTracker(begun)
        for at, line in _block_lines(state, start + 1, end):
            if follower.take_line(line):
                return at, True
        state.env["vain"] = vain + 1
    last = start
    for at, line in _block_lines(state, start + 1, end):
        if begun.is_closed_by(line):
            return at, True
        last = at
    return last + 1, False


def _push_fence(state: StateBlock, start: int, begun: FenceOpener, end: int, closed: bool) -> bool:
    state.line = end + closed
    token = state.push("fence", "code", 0)
    token.info, token.markup = begun.info, begun.marks
    token.content = state.getLines(start + 1, end, state.sCount[start], keepLastLF=True)
    token.map = [start, state.line]
    return True


MAX_NESTING = 60
"""Depth up to which the parser follows nested lists and quotes."""


def gfm_parser(*rules: str) -> MarkdownIt:
    """A parser for GitHub-flavored Markdown, without HTML and link definitions.

    `rules` names the core rules to enable; default: all.
    """
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
    parser.disable(["reference", "html_block", "html_inline"])
    if rules:
        parser.core.ruler.enableOnly(list(rules))
    return parser


def markdown_parser(*rules: str) -> MarkdownIt:
    """The parser for display, which drops no text; `rules` as for `gfm_parser`."""
    parser = gfm_parser(*rules)
    add_emphasis_rules(parser)
    add_table_rule(parser)
    add_fence_rule(parser)
    formulas.add_formula_rules(parser)
    return parser


def code_blocks(answer: str) -> tuple[str, ...]:
    """The contents of the fenced code blocks of an answer, in order."""
    return tuple(
        token.content for token in markdown_parser("normalize", "block").parse(answer) if token.type == "fence"
    )


def last_code_block(answer: str) -> str:
    """The content of the last fenced code block without the line breaks at its end; empty if there is none."""
    last = next(reversed(code_blocks(answer)), "").rstrip("\n")
    return last if last.strip() else ""
