"""Exports a branch as a Markdown document, with every text escaped or contained.

`escape_markdown` is for plain text. `contain_markdown` is for Markdown: it stays Markdown, but without HTML, without
pictures that a reader's program would fetch, without definitions that change other text, and without open fences.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from reflectty.core.safety import clean, clean_line
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyOrigin
from reflectty.core.text import format_count
from reflectty.view.grammar import MAX_NESTING, gfm_parser, markdown_parser, parse_fence_opener, split_cells
from reflectty.view.summary import ORIGIN_LABELS, remarks_on, summary_facts
from reflectty.view.units import format_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from markdown_it.token import Token

    from reflectty.core.session import Attachment, Session, StoredReply, Turn


_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~$]")
_BLOCK_BEGINNING = re.compile(r"#|[-+=](?=[-+= ]|$)|\d{1,9}(?P<point>[.)])(?= |$)")
_TAB = "    "
_FENCE = re.compile(r" {0,3}(?:>[ >]*)?(?:`{3,}|~{3,})")
# Existing escapes, addresses in angle brackets and code stay; of the rest only what begins markup is escaped.
_RISKY = re.compile(
    r"(?P<keep>\\[\s\S]"
    r"|<(?:https?:|mailto:)[^\s<>`]*>"
    r"|(?P<ticks>`++)[^`]*+(?:(?!(?P=ticks)(?!`))`++[^`]*+)*+(?P=ticks))"
    r"|`++|<|!?\[(?=(?:[^\[\]\\]|\\.)*\]:)|!(?=\[)"
)


def escape_markdown(text: str) -> str:
    """Plain text that is safe to show as Markdown with the same lines and indents, and no markup."""
    lines = [_escape_line(line) for line in text.replace("\t", _TAB).split("\n")]
    return "\n".join(
        f"{line}  " if line and at < len(lines) - 1 and lines[at + 1] else line for at, line in enumerate(lines)
    )


def _escape_line(line: str) -> str:
    stripped = line.strip()
    begins = _BLOCK_BEGINNING.match(stripped)
    text = _SPECIAL.sub(r"\\\g<0>", stripped)
    if begins:
        at = begins.start("point") if begins["point"] else 0
        text = f"{text[:at]}\\{text[at:]}"
    indent = len(line) - len(line.lstrip())
    return "&nbsp;" * indent + text if text else ""


def has_fence(text: str) -> bool:
    """True if a line of a text opens a code block."""
    return any(_FENCE.match(line) for line in text.split("\n"))


def fence_text(text: str) -> str:
    """Text as a code block, in a fence longer than any that it contains."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    end = "" if text.endswith("\n") or not text else "\n"
    return f"{fence}\n{text}{end}{fence}"


def contain_markdown(text: str) -> str:
    """Markdown that is safe to show as Markdown without effect beyond its own end."""
    lines = text.lstrip("\n").split("\n")
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    text = "\n".join(lines)
    tokens = gfm_parser("normalize", "block").parse(text)
    # The parser omits deeper nesting.
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        return escape_markdown(text)
    return "\n".join(_contained_pieces(lines, tokens)) + _missing_fence(lines, tokens)


def _contained_pieces(lines: list[str], tokens: Sequence[Token]) -> Iterator[str]:
    code, cells, paragraphs = _line_kinds(tokens)
    at = 0
    while at < len(lines):
        end = paragraphs.get(at, at + 1)
        if at in code:
            yield lines[at]
        elif at in cells:
            # A pipe ends a cell anywhere, even in code.
            yield "|".join(_escape_risky(cell) for cell in lines[at].split("|"))
        else:
            yield _escape_risky("\n".join(lines[at:end]))
        at = max(at + 1, end)


def _line_kinds(tokens: Iterable[Token]) -> tuple[set[int], set[int], dict[int, int]]:
    """The lines of code, those of tables, and the end of each paragraph by its first line."""
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


def _escape_risky(text: str) -> str:
    return _RISKY.sub(_escape_match, text)


def _escape_match(match: re.Match[str]) -> str:
    text = match[0]
    if match["ticks"] and "\n" in text:
        # HTML at the start of a line ends the paragraph, and with it the code.
        return text.replace("<", "\\<")
    return text if match["keep"] or text[0] == "`" else f"\\{text}"


def _missing_fence(lines: list[str], tokens: Sequence[Token]) -> str:
    """The end of a fence that the text leaves open; one in a list or a quote ends with that."""
    last = tokens[-1] if tokens else None
    if last is None or last.type != "fence" or last.level or last.map is None or last.map[1] < len(lines):
        return ""
    closed = last.map[1] - last.map[0] > 1 and re.fullmatch(
        rf" {{0,3}}{re.escape(last.markup)}{re.escape(last.markup[0])}*[ \t]*", lines[-1]
    )
    return "" if closed else f"\n{last.markup}"


_MARKS = re.compile(r"`{3,}|~{3,}")
_PIPE = re.compile(r"(?<!\\)((?:\\\\)*)\|")


def make_portable(text: str) -> str:
    """Rewrite Markdown so that other renderers read it as it is drawn here; most text stays unchanged."""
    lines = text.split("\n")
    for token in markdown_parser("normalize", "block").parse(text):
        if token.type == "fence":
            _lengthen_fence(lines, token)
        elif token.type == "table_open":
            _escape_row_pipes(lines, token)
    return "\n".join(lines)


def _lengthen_fence(lines: list[str], token: Token) -> None:
    """Make the fences of a block longer than those inside it that would end it."""
    inside = [found.marks for line in token.content.split("\n") if (found := parse_fence_opener(line))]
    longest = max((len(marks) for marks in inside if marks.startswith(token.markup)), default=0)
    if not longest or token.map is None:
        return
    longer = token.markup[0] * (longest + 1)
    start, end = token.map
    for at in {start, end - 1}:
        last = parse_fence_opener(lines[at].strip(" \t>"))
        if at == start or (last and not last.info.strip()):
            lines[at] = _MARKS.sub(longer, lines[at], count=1)


def _escape_row_pipes(lines: list[str], token: Token) -> None:
    """Escape the pipes that divide nothing; a row without any stays unchanged."""
    start, end = token.map or [0, 0]
    if token.level:
        return
    columns = len(split_cells(lines[start]))
    for at in (start, *range(start + 2, end)):
        cells = split_cells(lines[at], columns)
        if any(_PIPE.search(cell) for cell in cells):
            lines[at] = f"| {' | '.join(map(_escape_pipes, cells))} |"


def _escape_pipes(cell: str) -> str:
    return _PIPE.sub(r"\1\\|", cell)


def as_markdown(session: Session, path: Iterable[Turn]) -> str:
    """A branch as Markdown: questions as headings, thinking folded and quoted, answers as they are."""
    turns = tuple(path)
    questions = [turn.id for turn in turns if turn.said is None]
    parts = [
        f"# {escape_markdown(session.display_title)}",
        escape_markdown(session_line_of(session, len(questions))),
    ]
    for turn in turns:
        parts += _reply_parts(turn.said) if turn.said else _question_parts(turn, questions.index(turn.id) + 1)
    return "\n\n".join(part for part in parts if part) + "\n"


def session_line_of(session: Session, questions: int) -> str:
    """A line on a session: its model, its start and its number of questions."""
    model = clean_line(session.model, 100)
    return " · ".join(filter(None, (model, format_date(session.created), format_count(questions, "question"))))


def thinking_heading_of(reply: StoredReply) -> str:
    """The line that stands for the thinking of a reply."""
    steered = (f"✎ {ORIGIN_LABELS[reply.origin]}",) if reply.origin in ORIGIN_LABELS else ()
    return " · ".join((*steered, *(fact.text for fact in summary_facts(reply.measured)))) or "thinking"


def _question_parts(turn: Turn, number: int) -> Iterator[str]:
    text = clean(turn.text).strip("\n")
    yield f"## Question {number}"
    yield contain_markdown(text) if has_fence(text) else escape_markdown(text)
    for item in turn.attachments:
        yield _attachment_part(item)


def _attachment_part(item: Attachment) -> str:
    name = html.escape(clean_line(item.name))
    if item.kind == "image":
        return f"\\+ {escape_markdown(clean_line(item.name))} (image)"
    return f"<details>\n<summary>+ {name}</summary>\n\n{fence_text(clean(item.content))}\n\n</details>"


def _reply_parts(reply: StoredReply) -> Iterator[str]:
    thoughts = [(kind, clean(text).strip("\n")) for kind, text in reply.segments if kind is not Kind.ANSWER]
    if any(text.strip() for _, text in thoughts):
        yield _thinking_part([(kind, text) for kind, text in thoughts if text.strip()], thinking_heading_of(reply))
    else:
        # A list may stand above, and the answer must not become a part of it.
        yield "<!-- answer -->" if reply.origin is ReplyOrigin.ASKED else f"*{thinking_heading_of(reply)}*"
    yield contain_markdown(make_portable(clean(answer_text_of(reply))))
    for text, wrong in remarks_on(reply):
        yield f"{'**!** ' if wrong else ''}*{escape_markdown(clean_line(text))}*"


def answer_text_of(reply: StoredReply) -> str:
    """The text shown as the answer."""
    texts = [text.strip("\n") for kind, text in reply.segments if kind is Kind.ANSWER and text.strip()]
    return "\n\n".join(texts) if reply.segments else reply.answer or reply.raw


def _thinking_part(thoughts: list[tuple[Kind, str]], summary: str) -> str:
    quotes = [
        _quote_text(f"**↺** {escape_markdown(text)}", "> > ")
        if kind is Kind.REFLECTION
        else _quote_text(escape_markdown(text), "> ")
        for kind, text in thoughts
    ]
    body = "\n>\n".join(quotes)
    return f"<details>\n<summary>{html.escape(summary)}</summary>\n\n{body}\n\n</details>"


def _quote_text(text: str, mark: str) -> str:
    return "\n".join(f"{mark}{line}" if line else mark.rstrip() for line in text.split("\n"))
