r"""Makes text fit to stand inside a Markdown document that others will render; renders nothing itself.

`literal` is for text that is no Markdown, `contained` for text that is: it stays Markdown, but no HTML, no picture
that a reader's program would fetch, no definition that changes what stands elsewhere, and no fence left open.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.drawing.grammar import NESTING, gfm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from markdown_it.token import Token

_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~$]")
_BEGINS = re.compile(r"#|[-+=](?=[-+= ]|$)|\d{1,9}(?P<point>[.)])(?= |$)")
_TAB = "    "
_FENCE = re.compile(r" {0,3}(?:>[ >]*)?(?:`{3,}|~{3,})")
# What was escaped already, an address in angle brackets, and code stay; of the rest only what begins something.
_RISKY = re.compile(
    r"(?P<keep>\\[\s\S]"
    r"|<(?:https?:|mailto:)[^\s<>`]*>"
    r"|(?P<ticks>`++)[^`]*+(?:(?!(?P=ticks)(?!`))`++[^`]*+)*+(?P=ticks))"
    r"|`++|<|!?\[(?=(?:[^\[\]\\]|\\.)*\]:)|!(?=\[)"
)


def literal(text: str) -> str:
    """Return text that is safe to show as Markdown that says the same: its lines, its indents, and no markup."""
    lines = [_line(line) for line in text.replace("\t", _TAB).split("\n")]
    return "\n".join(
        f"{line}  " if line and at < len(lines) - 1 and lines[at + 1] else line for at, line in enumerate(lines)
    )


def _line(line: str) -> str:
    stripped = line.strip()
    begins = _BEGINS.match(stripped)
    text = _SPECIAL.sub(r"\\\g<0>", stripped)
    if begins:
        at = begins.start("point") if begins["point"] else 0
        text = f"{text[:at]}\\{text[at:]}"
    indent = len(line) - len(line.lstrip())
    return "&nbsp;" * indent + text if text else ""


def has_fence(text: str) -> bool:
    """Whether a line of a text opens a block of code."""
    return any(_FENCE.match(line) for line in text.split("\n"))


def fenced(text: str) -> str:
    """Return text as a block of code, in a fence longer than any that it holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    end = "" if text.endswith("\n") or not text else "\n"
    return f"{fence}\n{text}{end}{fence}"


def contained(text: str) -> str:
    """Return Markdown that is safe to show as Markdown that reaches no further than its own end."""
    lines = text.lstrip("\n").split("\n")
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    text = "\n".join(lines)
    tokens = gfm("normalize", "block").parse(text)
    # The parser leaves out what is nested deeper.
    if any(token.level >= NESTING - 1 for token in tokens):
        return literal(text)
    return "\n".join(_pieces(lines, tokens)) + _missing_fence(lines, tokens)


def _pieces(lines: list[str], tokens: Sequence[Token]) -> Iterator[str]:
    code, cells, paragraphs = _map(tokens)
    at = 0
    while at < len(lines):
        end = paragraphs.get(at, at + 1)
        if at in code:
            yield lines[at]
        elif at in cells:
            # A bar ends a cell wherever it stands, code or not.
            yield "|".join(_harmless(cell) for cell in lines[at].split("|"))
        else:
            yield _harmless("\n".join(lines[at:end]))
        at = max(at + 1, end)


def _map(tokens: Iterable[Token]) -> tuple[set[int], set[int], dict[int, int]]:
    """Return which lines are code, which are of tables, and where the paragraph ends that begins in a line."""
    code: set[int] = set()
    cells: set[int] = set()
    paragraphs: dict[int, int] = {}
    for token in tokens:
        if token.map is None:
            continue
        if token.type in ("fence", "code_block"):
            code.update(range(*token.map))
        elif token.type == "table_open":
            cells.update(range(*token.map))
        elif token.type == "inline" and token.map[0] not in cells:
            paragraphs[token.map[0]] = token.map[1]
    return code, cells, paragraphs


def _harmless(text: str) -> str:
    return _RISKY.sub(_instead, text)


def _instead(found: re.Match[str]) -> str:
    text = found[0]
    if found["ticks"] and "\n" in text:
        # HTML that begins a line ends the paragraph, and with it the code.
        return text.replace("<", "\\<")
    return text if found["keep"] or text[0] == "`" else f"\\{text}"


def _missing_fence(lines: list[str], tokens: Sequence[Token]) -> str:
    """Return the end of a fence that the text leaves open; one in a list or a quote ends with that."""
    last = tokens[-1] if tokens else None
    if last is None or last.type != "fence" or last.level or last.map is None or last.map[1] < len(lines):
        return ""
    closed = last.map[1] - last.map[0] > 1 and re.fullmatch(
        rf" {{0,3}}{re.escape(last.markup)}{re.escape(last.markup[0])}*[ \t]*", lines[-1]
    )
    return "" if closed else f"\n{last.markup}"
