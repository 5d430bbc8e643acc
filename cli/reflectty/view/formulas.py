r"""Markdown rules that find TeX formulas, such as `$…$`, and keep them verbatim.

A single dollar begins a formula under the rules of Pandoc and GitHub (no blank inside it, no digit after it), and
only if the text between could be one: amounts of money are not. A display formula is one block, whatever lists,
headings or blank lines it contains. Whether one is open after a line depends only on the lines up to there, so that a
text can be parsed while it streams.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

_RULE_NAME = "formula"
"""The type of a formula's token; its content is the source, delimiters included."""

_TEX = re.compile(r"[\\^_={}<>]")
_DOLLAR = re.compile(r"\$(?!\s)((?:[^$\\]|\\.)+)(?<![\s:=,(/\"])\$(?![$0-9{])", re.DOTALL)
_COMMAND = re.compile(r"\\[A-Za-z,;!{}]|[_^]\{")
_AFTER_FORMULA = re.compile(r"(?:th|st|nd|rd|s|d|D)?(?![A-Za-z0-9_])")
_TWO_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}[,;]?\s+[A-Za-z]{2,}")
_WORD = re.compile(r"[A-Za-z]{2,}")
_BEGIN = re.compile(r"\\begin\{([A-Za-z]+\*?)\}")
_CLOSERS = {"$$": "$$", "\\(": "\\)", "\\[": "\\]"}
# Marks of items, quotes and headings are stripped before the search; a fence has no formulas.
_BLOCK_MARK = re.compile(r"\s*(?:[-+*][ \t]|\d{1,9}[.)][ \t]|>|#{1,6}[ \t]|```|~~~)")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_ENDS_ANY = re.compile(r" {0,3}(?:```|~~~|#{1,6}[ \t])")
_ENDS_AFTER_BLANK = re.compile(r" {0,3}(?:\d{1,9}[.)][ \t]|>|(?:[*+-][ \t]+)?\*\*)")
_INDENT = 4


class OpenFormula(NamedTuple):
    """A display formula that has begun and not ended."""

    closer: str
    nested_opener: str = ""
    """The text that requires one more closer."""
    depth: int = 1
    is_alone: bool = False
    """Whether its opener ends a line: only then may blank lines follow."""


def add_formula_rules(parser: MarkdownIt) -> None:
    """Add the formula rules to a parser."""
    parser.block.ruler.before(
        "table", _RULE_NAME, _block_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    parser.inline.ruler.before("escape", _RULE_NAME, _inline_rule)


def find_open_formula(line: str) -> OpenFormula | None:
    """The display formula that a line begins and does not end, or None."""
    if "$$" not in line and "\\" not in line:
        return None
    text = line.strip()
    if _BLOCK_MARK.match(line):
        return None
    found = _opener_of(text)
    return _formula_after_opener(text, *found) if found else _opener_at_end(text)


def _formula_after_opener(text: str, opened: OpenFormula, end: int) -> OpenFormula | None:
    """The formula open at the end of a line that begins with an opener, which ends at `end`."""
    rest = text[end:]
    if not rest.strip():
        return opened._replace(is_alone=True)
    still = formula_after(rest, opened)
    if still is None or opened.nested_opener:
        return still
    doubtful = opened.closer == "\\]" and re.match(r"[^\\\]]*\]", rest)
    return still if still != opened or (_TEX.search(rest) and not doubtful) else None


def _opener_of(text: str) -> tuple[OpenFormula, int] | None:
    if begin := _BEGIN.match(text):
        return OpenFormula(f"\\end{{{begin[1]}}}", begin[0], is_alone=True), begin.end()
    two = text[:2]
    if two == "\\[" or (two == "$$" and text[2:3] != "$"):
        return OpenFormula(_CLOSERS[two]), 2
    return None


def _opener_at_end(text: str) -> OpenFormula | None:
    """The formula whose opener is the last word of a line, or None."""
    if re.search(r"(?:^|[^\\])\\\[$", text) or re.search(r"(?:^|\s)\$\$$", text):
        return OpenFormula(_CLOSERS[text[-2:]], is_alone=True) if _is_balanced(text) else None
    return None


def _is_balanced(text: str) -> bool:
    """True if all formulas before the last two characters of a line end in it."""
    return text[-2:] != "$$" or text.count("$$") % 2 == 1


def formula_after(line: str, opened: OpenFormula) -> OpenFormula | None:
    """The formula open after a further line, or None."""
    at, depth = 0, opened.depth
    while True:
        closes = line.find(opened.closer, at)
        if opened.nested_opener:
            upto = closes if closes >= 0 else len(line)
            depth += line.count(opened.nested_opener, at, upto)
        if closes < 0:
            return opened._replace(depth=depth)
        at, depth = closes + len(opened.closer), depth - 1
        if depth <= 0:
            return _opener_at_end(line[at:].strip())


def is_abandoned_at(line: str, opened: OpenFormula, *, after_blank: bool) -> bool:
    """True if a formula without its closer ends before a line."""
    if not line.strip():
        return not opened.is_alone
    if opened.nested_opener:
        return bool(_FENCE.match(line))
    return bool(_ENDS_ANY.match(line)) or (after_blank and bool(_ENDS_AFTER_BLANK.match(line)))


def _block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    opened = find_open_formula(_line_text(state, start))
    if opened is None:
        return False
    return silent or _push_formula_block(state, start, _end_of_block(state, start + 1, end, opened))


def _line_text(state: StateBlock, at: int) -> str:
    return state.src[state.bMarks[at] + state.tShift[at] : state.eMarks[at]]


def _end_of_block(state: StateBlock, at: int, end: int, opened: OpenFormula | None) -> int:
    """The line after a formula; in an item or a quote its lines may lack the indent, but not after a blank line."""
    blank = False
    lazy = False
    last = at
    while at < end and opened is not None:
        line = _line_text(state, at)
        if is_abandoned_at(line, opened, after_blank=blank) or (lazy and not line.strip()):
            break
        if line.strip():
            outside = state.sCount[at] < state.blkIndent
            if outside and (blank or _BLOCK_MARK.match(line)):
                break
            lazy = lazy or outside
            opened = formula_after(line, opened)
            last = at + 1
        blank = not line.strip()
        at += 1
    return last


def _push_formula_block(state: StateBlock, start: int, end: int) -> bool:
    state.push("paragraph_open", "p", 1).map = [start, end]
    inline = state.push("inline", "", 0)
    inline.content = state.getLines(start, end, state.blkIndent, keepLastLF=False).strip()
    inline.map, inline.children = [start, end], []
    state.push("paragraph_close", "p", -1)
    state.line = end
    return True


class _ForwardSearch:
    """Finds the next occurrence in a text and caches it for all positions before it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._found: dict[str, tuple[int, int]] = {}

    def find(self, what: str, start: int) -> int:
        """The position at or after `start`, or the length of the text."""
        since, at = self._found.get(what, (0, -1))
        if not since <= start <= at:
            found = self.source.find(what, start)
            at = found if found >= 0 else len(self.source)
            self._found[what] = (start, at)
        return at


def _inline_rule(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    two = source[start : start + 2]
    if two[:1] == "$":
        end, formula = _scan_dollars(state, start)
    elif two in ("\\(", "\\["):
        end, formula = _scan_brackets(state, start, two)
    elif two in ("\\)", "\\]"):
        end, formula = start + 2, False
    elif two == "\\b" and (begin := _BEGIN.match(source, start, state.posMax)):
        end, formula = _scan_environment(state, begin), True
    else:
        return False
    if not silent and formula:
        state.push(_RULE_NAME, "", 0).content = source[start:end]
    elif not silent:
        state.append_pending(source[start:end])
    state.pos = end
    return True


def _forward_search_of(state: StateInline) -> _ForwardSearch:
    ahead = state.env.get(_RULE_NAME)
    if not isinstance(ahead, _ForwardSearch) or ahead.source is not state.src:
        ahead = state.env[_RULE_NAME] = _ForwardSearch(state.src)
    return ahead


def _scan_dollars(state: StateInline, start: int) -> tuple[int, bool]:
    source = state.src
    run = len(source[start : start + 4]) - len(source[start : start + 4].lstrip("$"))
    if run > 2:  # noqa: PLR2004 - two dollars are the most that begin a formula
        end = start
        while end < state.posMax and source[end] == "$":
            end += 1
        return end, False
    if run == 1:
        end = _scan_single_dollar(state, start)
        return (end, True) if end else (_end_of_unfinished(state, start, "$"), False)
    end = _forward_search_of(state).find("$$", start + 2)
    if end < state.posMax:
        formula = source[end + 2 : end + 3] != "$" and _is_formula(source, start + 2, end)
        return (end + 2, True) if formula else (start + 2, False)
    return (state.posMax, True) if _opens_block(state, start) else (_end_of_unfinished(state, start, "$$"), False)


def _scan_single_dollar(state: StateInline, start: int) -> int:
    """The end of the formula that a dollar begins, or 0."""
    before = state.src[start - 1] if start else " "
    found = _DOLLAR.match(state.src, start, state.posMax)
    if not found or (before.isascii() and before.isalnum()) or not _is_formula(state.src, *found.span(1)):
        return 0
    return found.end() if _AFTER_FORMULA.match(state.src, found.end()) else 0


def _end_of_unfinished(state: StateInline, start: int, opener: str) -> int:
    """The end of the text after an opener without its closer: a formula still incomplete keeps its line."""
    ahead = _forward_search_of(state)
    behind = start + len(opener)
    if ahead.find(_CLOSERS.get(opener, opener), behind) < state.posMax or state.src[behind : behind + 1] == "\n":
        return behind
    stops_at = min(ahead.find("\n", start), ahead.find("`", start), state.posMax)
    return stops_at if _COMMAND.search(state.src, behind, stops_at) else behind


def _is_formula(source: str, start: int, end: int) -> bool:
    """True if the text between dollars could be a formula, as opposed to amounts or prose."""
    text = source[start:end].strip()
    if not text or "`" in text:
        return False
    if "\\" in text or "^" in text:
        return True
    if _TWO_WORDS.search(text) or (text[0].isdigit() and _WORD.search(text)):
        return False
    if _TEX.search(text):
        return True
    return " " not in source[start:end] or not (text[0].isdigit() or _WORD.search(text))


def _scan_brackets(state: StateInline, start: int, opener: str) -> tuple[int, bool]:
    ahead = _forward_search_of(state)
    end = ahead.find(_CLOSERS[opener], start + 2)
    if end < state.posMax:
        inside = ahead.find("`", start + 2) < end or ahead.find(opener, start + 2) < end
        return (start + 2, False) if inside or not state.src[start + 2 : end].strip() else (end + 2, True)
    if opener == "\\[":
        return (state.posMax, True) if _opens_block(state, start) else (_end_of_unfinished(state, start, opener), False)
    stops_at = min(ahead.find("\n", start), ahead.find("`", start), state.posMax)
    return stops_at, False


def _opens_block(state: StateInline, start: int) -> bool:
    """True if an opener without its closer begins a display formula."""
    ahead = _forward_search_of(state)
    begins = state.src.rfind("\n", max(0, start - 200), start) + 1
    line = state.src[start : min(ahead.find("\n", start), state.posMax)]
    first = not state.src[begins:start].strip()
    return find_open_formula(line) is not None if first else line == state.src[start : start + 2]


def _scan_environment(state: StateInline, begin: re.Match[str]) -> int:
    closer, nests = f"\\end{{{begin[1]}}}", begin[0]
    at, depth = begin.end(), 1
    ahead = _forward_search_of(state)
    while depth:
        closes, deeper = ahead.find(closer, at), ahead.find(nests, at)
        if closes >= state.posMax:
            return state.posMax
        depth += 1 if deeper < closes else -1
        at = deeper + len(nests) if deeper < closes else closes + len(closer)
    return at
