"""A branch of a conversation as a Markdown document for GitHub and its like; nothing said can leave its place in it."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from reflectty.drawing.dates import date
from reflectty.drawing.summary import ORIGINS, counted, facts, remarks
from reflectty.exporting.contained import contained, fenced, has_fence, literal
from reflectty.exporting.portable import portable
from reflectty.safety import clean, clean_line
from reflectty.session import Origin
from reflectty.stream import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reflectty.session import Attachment, Said, Session, Turn

UNTITLED = "untitled"


def as_markdown(session: Session, path: Iterable[Turn]) -> str:
    """Return a branch as Markdown: questions as headings, thinking folded and quoted, answers as they are."""
    turns = tuple(path)
    questions = [turn.id for turn in turns if turn.said is None]
    parts = [f"# {literal(clean_line(session.title) or UNTITLED)}", literal(about(session, len(questions)))]
    for turn in turns:
        parts += _reply(turn.said) if turn.said else _question(turn, questions.index(turn.id) + 1)
    return "\n\n".join(part for part in parts if part) + "\n"


def about(session: Session, questions: int) -> str:
    """Return a line on a session: its model, when it began, how much was asked."""
    model = clean_line(session.model, 100)
    return " · ".join(filter(None, (model, date(session.created), counted(questions, "question"))))


def heading(said: Said) -> str:
    """Return the line that stands for the thinking of a reply."""
    steered = (f"✎ {ORIGINS[said.origin]}",) if said.origin in ORIGINS else ()
    return " · ".join((*steered, *(fact.text for fact in facts(said.measured)))) or "thinking"


def _question(turn: Turn, number: int) -> Iterator[str]:
    text = clean(turn.text).strip("\n")
    yield f"## Question {number}"
    yield contained(text) if has_fence(text) else literal(text)
    for item in turn.attachments:
        yield _attachment(item)


def _attachment(item: Attachment) -> str:
    name = html.escape(clean_line(item.name))
    if item.kind == "image":
        return f"\\+ {literal(clean_line(item.name))} (image)"
    return f"<details>\n<summary>+ {name}</summary>\n\n{fenced(clean(item.content))}\n\n</details>"


def _reply(said: Said) -> Iterator[str]:
    thoughts = [(kind, clean(text).strip("\n")) for kind, text in said.segments if kind is not Kind.ANSWER]
    if any(text.strip() for _, text in thoughts):
        yield _thinking([(kind, text) for kind, text in thoughts if text.strip()], heading(said))
    else:
        # What stands above may be a list, and the answer must not become a part of it.
        yield "<!-- answer -->" if said.origin is Origin.ASKED else f"*{heading(said)}*"
    yield contained(portable(clean(answered(said))))
    for text, wrong in remarks(said):
        yield f"{'**!** ' if wrong else ''}*{literal(clean_line(text))}*"


def answered(said: Said) -> str:
    """Return what was shown as the answer."""
    texts = [text.strip("\n") for kind, text in said.segments if kind is Kind.ANSWER and text.strip()]
    return "\n\n".join(texts) if said.segments else said.answer or said.raw


def _thinking(thoughts: list[tuple[Kind, str]], summary: str) -> str:
    quotes = [
        _quoted(f"**↺** {literal(text)}", "> > ") if kind is Kind.REFLECTION else _quoted(literal(text), "> ")
        for kind, text in thoughts
    ]
    body = "\n>\n".join(quotes)
    return f"<details>\n<summary>{html.escape(summary)}</summary>\n\n{body}\n\n</details>"


def _quoted(text: str, mark: str) -> str:
    return "\n".join(f"{mark}{line}" if line else mark.rstrip() for line in text.split("\n"))
