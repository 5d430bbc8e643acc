"""Sessions, and the places where a search found something, as rows; asks no store and writes nothing."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from reflectty.drawing.dates import ago
from reflectty.drawing.inline import wrapped
from reflectty.drawing.paint import BOLD, PLAIN
from reflectty.render.columns import LAST, Column, rows
from reflectty.safety import clean, clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reflectty.drawing.paint import Row
    from reflectty.render.page import Page
    from reflectty.session import Found, Session

UNTITLED = "untitled"
PARTS = {"reflection": "correction"}
"""What a part is called where people read."""
_TITLE = 18
"""Before a title gets fewer columns than this, another column is left out."""
_MODEL = 24
_INDENT = 2


def listed(sessions: Sequence[Session], page: Page, now: float) -> list[Row]:
    """Return a row for each session; on a terminal below a head, and no wider than it is."""
    return rows(_columns(sessions, now), page, _TITLE) if sessions else []


def named(session: Session) -> str:
    """Return the title of a session, safe to show."""
    return clean_line(session.title) or UNTITLED


def _columns(sessions: Sequence[Session], now: float) -> tuple[Column, ...]:
    return (
        Column("id", "accent", 0, tuple(clean_line(session.id) for session in sessions)),
        Column("when", "dim", 1, tuple(ago(session.updated, now) for session in sessions)),
        Column("model", "dim", 3, tuple(clean_line(session.model, _MODEL) or "-" for session in sessions)),
        Column("asked", "dim", 2, tuple(f"{session.questions:,}" for session in sessions), right=True),
        Column("title", "text", LAST, tuple(named(session) for session in sessions)),
    )


def found_rows(found: Iterable[Found], page: Page, now: float) -> Iterator[list[Row]]:
    """Yield the rows of each session where something was found: its line, then each passage below it."""
    for at, (_, group) in enumerate(groupby(found, key=lambda item: item.session.id)):
        items = list(group)
        rows = [*_session(items[0].session, page, now), *(row for item in items for row in _passage(item, page))]
        yield [[], *rows] if at else rows


def _session(session: Session, page: Page, now: float) -> list[Row]:
    styles = page.palette.styles
    dot = f" {page.palette.glyphs.dot} "
    line: Row = [
        (f"{clean_line(session.id)}  ", styles["accent"]),
        (named(session), styles["text"] + BOLD),
        (f"{dot}{ago(session.updated, now)}", styles["dim"]),
    ]
    return wrapped(line, page.columns.prose, _INDENT)


def _passage(found: Found, page: Page) -> list[Row]:
    dim, strong = page.palette.styles["dim"], page.palette.styles["correction"] + BOLD
    before, after = _marks(page)
    line: Row = [(f"{PARTS.get(found.part, clean_line(found.part))}: ", page.palette.styles["faint"])]
    for text, matched in found.passage:
        piece = re.sub(r"\s+", " ", clean(text))
        piece = piece.lstrip(" ") if len(line) == 1 else piece
        line.append((f"{before}{piece}{after}", strong) if matched else (piece, dim))
    return [[(" " * _INDENT, PLAIN), *row] for row in wrapped(line, page.columns.prose, _INDENT)]


def _marks(page: Page) -> tuple[str, str]:
    """Return what stands round a match where bold cannot be seen."""
    if page.bold:
        return "", ""
    return ("«", "»") if page.terminal.out.unicode else ("*", "*")
