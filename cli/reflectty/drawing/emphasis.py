"""Which marks are emphasis: those of sums, globs and file names are text, which CommonMark would make bold or italic.

A mark whose outer side is a digit is never emphasis, nor is a single star inside a word. A pair is none either where
both of its outer sides are doubtful: a letter, a bracket, an operator, the dot of a file name. Chinese, Japanese,
Korean and the other scripts without blanks have emphasis in the middle of text, and it stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from markdown_it.rules_inline import strikethrough
from markdown_it.rules_inline.state_inline import Delimiter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\U0010ffff]")
_OPERATORS = "=+<>^%&|~"
_ENCLOSED = {"()", "[]", "{}", "<>", "''", '""', "||", "\u201c\u201d", "\u2018\u2019"}
# Names that Python, Node and test runners give a meaning to; anything else between two such marks is bold.
_NAMES = re.compile(
    r"__(?:init|main|name|file|doc|all|dict|class|str|repr|len|iter|next|call|enter|exit|getitem|setitem|delitem"
    r"|contains|eq|ne|lt|le|gt|ge|hash|bool|new|del|add|sub|mul|truediv|floordiv|mod|pow|xor|neg|pos|abs|int|float"
    r"|index|getattr|setattr|delattr|getattribute|slots|module|qualname|version|author|path|package|spec|loader"
    r"|builtins|future|annotations|mro|bases|subclasses|aenter|aexit|aiter|anext|await|post_init|pycache|import"
    r"|init_subclass|set_name|format|bytes|sizeof|reduce|copy|deepcopy|missing|reversed|matmul|radd|rmul|iadd"
    r"|debug|wrapped|weakref|code|defaults|globals|self|func|proto|tests|mocks|snapshots|fixtures)__(?![A-Za-z0-9_])"
)


class _Run(NamedTuple):
    """Marks of one kind in a row, and what stands around them."""

    marks: str
    before: str
    after: str
    further_before: str
    further_after: str

    @property
    def inside_word(self) -> bool:
        return _word(self.before) and _word(self.after)

    @property
    def enclosed(self) -> bool:
        return self.before + self.after in _ENCLOSED


@dataclass(slots=True)
class _Mark(Delimiter):
    """A mark that may be emphasis together with another one."""

    doubtful_opener: bool = False
    doubtful_closer: bool = False


def use(parser: MarkdownIt) -> None:
    """Make a parser read marks by these rules."""
    parser.inline.ruler.at("emphasis", _emphasis)
    parser.inline.ruler.at("strikethrough", _strikethrough)
    parser.inline.ruler2.after("balance_pairs", "doubts", _drop_doubtful_pairs)


def _word(character: str) -> bool:
    return character.isalnum() and not _UNSPACED.match(character)


def _emphasis(state: StateInline, silent: bool) -> bool:
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    if name := _NAMES.match(state.src, state.pos, state.posMax):
        state.append_pending(name[0])
        state.pos = name.end()
        return True
    scanned = state.scanDelims(state.pos, canSplitWord=marker == "*")
    run = _run(state, scanned.length)
    unspaced = marker == "*" and not run.before.isspace() and not run.after.isspace()
    opens = (scanned.can_open or (unspaced and bool(_UNSPACED.match(run.before)))) and not _never_opens(run)
    closes = (scanned.can_close or (unspaced and bool(_UNSPACED.match(run.after)))) and not _never_closes(run)
    if opens or closes:
        _push(state, run, opens=opens, closes=closes)
    else:
        state.append_pending(run.marks)
    state.pos += scanned.length
    return True


def _run(state: StateInline, length: int) -> _Run:
    source, start, end = state.src, state.pos, state.pos + length
    return _Run(
        source[start:end],
        source[start - 1] if start else " ",
        source[end] if end < state.posMax else " ",
        source[start - 2] if start > 1 else " ",
        source[end + 1] if end + 1 < state.posMax else " ",
    )


def _push(state: StateInline, run: _Run, *, opens: bool, closes: bool) -> None:
    doubts = _doubtful_opener(run), _doubtful_closer(run)
    length = len(run.marks)
    for mark in run.marks:
        state.push("text", "", 0).content = mark
        at = len(state.tokens) - 1
        state.delimiters.append(_Mark(ord(mark), length, at, -1, opens, closes, None, *doubts))


def _never(run: _Run, outer: str) -> bool:
    return outer.isdigit() or run.enclosed or (run.inside_word and run.marks == "*")


def _never_opens(run: _Run) -> bool:
    named = run.marks[0] == "_" and run.before in "./\\$@&#="
    glob = run.after in "./" and not run.before.isspace() and run.before not in "([{'\""
    factor = run.marks == "*" and run.before in ")]}"
    return named or glob or factor or run.after in ",;)]}" or _never(run, run.before)


def _never_closes(run: _Run) -> bool:
    dotted = run.after == "." and _word(run.further_after)
    named = run.marks[0] == "_" and (dotted or run.after in "/\\$@&#=([")
    return named or run.before in "/([{" or _never(run, run.after)


def _doubtful_opener(run: _Run) -> bool:
    if run.before in ")]}!":
        return _word(run.after) or run.after == "("
    path = run.before == "." or run.after == "/" or (run.after == "." and _word(run.further_after))
    return path or _doubtful(run, run.before, run.further_before)


def _doubtful_closer(run: _Run) -> bool:
    dotted = run.after == "." and _word(run.further_after)
    pattern = run.before == "." and run.after in "?$+|)"
    return dotted or pattern or run.before == "=" or run.after in "([{" or _doubtful(run, run.after, run.further_after)


def _doubtful(run: _Run, outer: str, further: str) -> bool:
    """Return whether what stands outside may be a part of the same sum or name; a hyphen between words is none."""
    if outer == "-":
        return not further.isalpha()
    return _word(outer) or outer in _OPERATORS or (outer == "/" and run.marks == "*")


def _drop_doubtful_pairs(state: StateInline) -> None:
    _drop(state.delimiters)
    for meta in state.tokens_meta:
        _drop(meta.get("delimiters", ()) if meta else ())


def _drop(delimiters: Iterable[Delimiter]) -> None:
    marks = list(delimiters)
    for opener in marks:
        closer = marks[opener.end] if opener.end >= 0 else None
        if isinstance(opener, _Mark) and isinstance(closer, _Mark):
            opener.end = -1 if opener.doubtful_opener and closer.doubtful_closer else opener.end


def _strikethrough(state: StateInline, silent: bool) -> bool:
    if silent or state.src[state.pos] != "~":
        return False
    length = state.scanDelims(state.pos, canSplitWord=True).length
    run = _run(state, length)
    if not (run.inside_word or run.enclosed):
        return strikethrough.tokenize(state, silent)
    state.append_pending(run.marks)
    state.pos += length
    return True
