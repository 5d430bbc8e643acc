"""A branch of a conversation as one HTML file that needs no other: no script, nothing fetched, everything escaped."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from reflectty.drawing.summary import ORIGINS, facts, remarks
from reflectty.exporting.looks import style
from reflectty.exporting.markdown import UNTITLED, about, answered
from reflectty.exporting.markup import markup
from reflectty.safety import clean, clean_line
from reflectty.stream import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reflectty.session import Attachment, Said, Session, Turn

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# How the base64 of a picture begins, and what it then is; anything else is not shown as one.
_PICTURES = {"iVBORw0KGgo": "png", "/9j/": "jpeg", "R0lGOD": "gif", "UklGR": "webp"}
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def as_html(session: Session, path: Iterable[Turn]) -> str:
    """Return a branch as a page."""
    turns = tuple(path)
    title = escape(clean_line(session.title) or UNTITLED)
    questions = sum(turn.said is None for turn in turns)
    body = "\n".join(piece for turn in turns for piece in _turn(turn))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style()}
</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{escape(about(session, questions))}</p>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def _turn(turn: Turn) -> Iterator[str]:
    if turn.said:
        yield from _reply(turn.said)
        return
    yield f'<section class="question"><div class="said">{escape(clean(turn.text).strip())}</div>'
    yield from map(_attachment, turn.attachments)
    yield "</section>"


def _attachment(item: Attachment) -> str:
    name = escape(clean_line(item.name))
    if item.kind == "image":
        return f'<div class="attached">+ {name}{_picture(item.content, name)}</div>'
    return f'<details class="attached"><summary>{name}</summary><pre>{escape(clean(item.content))}</pre></details>'


def _picture(content: str, name: str) -> str:
    kind = next((kind for begin, kind in _PICTURES.items() if content.startswith(begin)), "")
    if not kind or not _BASE64.fullmatch(content):
        return ""
    return f'<img alt="{name}" src="data:image/{kind};base64,{content}">'


def _reply(said: Said) -> Iterator[str]:
    thoughts = [(kind, clean(text).strip("\n")) for kind, text in said.segments if kind is not Kind.ANSWER]
    thoughts = [(kind, text) for kind, text in thoughts if text.strip()]
    yield '<section class="reply">'
    if thoughts:
        yield f'<details class="thought"><summary>{_summary(said) or "thinking"}</summary>'
        for kind, text in thoughts:
            yield f'<div class="{"correction" if kind is Kind.REFLECTION else "thinking"}">{escape(text)}</div>'
        yield "</details>"
    elif said.origin in ORIGINS:
        yield f'<p class="summary">{_summary(said)}</p>'
    yield f'<div class="answer">\n{markup(clean(answered(said)))}</div>'
    for text, wrong in remarks(said):
        yield f'<p class="{"wrong" if wrong else "remark"}">{escape(clean_line(text))}</p>'
    yield "</section>"


def _summary(said: Said) -> str:
    """Return what there is to say of the thinking, the corrections marked."""
    steered = ORIGINS.get(said.origin)
    known = [f'<b class="steered">{steered}</b>'] if steered else []
    known += [f"<b>{fact.text}</b>" if fact.strong else escape(fact.text) for fact in facts(said.measured)]
    return " · ".join(known)
