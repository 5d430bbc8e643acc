"""What the panel of sessions lists: headings, sessions and passages found, as rows; moves nothing and asks nobody."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from rich.style import Style

from reflectty.drawing.paint import BOLD
from reflectty.drawing.wrap import cells
from reflectty.safety import clean_line
from reflectty.tui.widgets.listing import GUTTER, cut, padded
from reflectty.tui.widgets.passage import passage

if TYPE_CHECKING:
    from reflectty.drawing.paint import Row
    from reflectty.session import Found, Session
    from reflectty.tui.widgets.listing import Pen
    from reflectty.tui.widgets.passage import Passage

UNTITLED = "untitled"
UNDATED = "some time"
_PARTS = {"reflection": "correction"}
_PASSAGE_ROWS = 2
_WEEK = 7
UNDERLINED = Style(underline=True)


class State:
    """What the rows of sessions depend on beside the sessions: which is open, and in which a reply is written."""

    def __init__(self) -> None:
        self.current = ""
        self.running: frozenset[str] = frozenset()


class Listed(NamedTuple):
    """A session."""

    session: Session
    state: State

    @property
    def choosable(self) -> bool:
        return True

    def height(self, width: int) -> int:  # noqa: ARG002 - the same at any
        return 1

    def row(self, at: int, pen: Pen) -> Row:  # noqa: ARG002 - there is one
        current = self.session.id == self.state.current
        look = _title_look(self.session, pen, current=current)
        return [*pen.gutter(current=current), *_line(self.session, self.state, pen.width - GUTTER, look, pen)]


class Matched:
    """A place where a search matched: the session, and below it the passage with the match bold."""

    choosable = True

    def __init__(self, found: Found, state: State) -> None:
        self.session, self.turn = found.session, found.turn
        self._part = _PARTS.get(found.part, found.part)
        self._passage = passage(found.passage)
        self._state = state

    def height(self, width: int) -> int:
        """Return the title's row, those of the passage, and a blank one."""
        return 2 + len(self._laid(width, "~")[1])

    def row(self, at: int, pen: Pen) -> Row:
        shown, rows = self._laid(pen.width, pen.signs.more)
        if at == 0:
            return self._head(pen)
        if at > len(rows):
            return []
        part = [(f"{self._part}  ", pen.look("correction" if self._part == "correction" else "faint"))]
        matched = pen.look("text") + BOLD
        return [*pen.gutter(first=False), *part[at - 1 : at], *shown.run(*rows[at - 1], pen.look("dim"), matched)]

    def _head(self, pen: Pen) -> Row:
        current = self.session.id == self._state.current
        room, look = pen.width - GUTTER, _title_look(self.session, pen, current=current)
        row = pen.gutter(current=current)
        if self._part == "title":
            return row + self._passage.run(0, self._passage.fitting(room), look, look + BOLD + UNDERLINED)
        return [*row, *_line(self.session, self._state, room, look, pen)]

    def _laid(self, width: int, more: str) -> tuple[Passage, list[tuple[int, int]]]:
        """Return the passage from where it is shown on, and its rows; the first stands behind the part's name."""
        room, lead = max(1, width - GUTTER), len(self._part) + 2
        shown = self._passage.around(max(8, room - lead), more)
        return shown, [] if self._part == "title" else shown.rows(room, lead, _PASSAGE_ROWS)


def titled(session: Session) -> str:
    """Return the title of a session as it is shown."""
    return clean_line(session.title) or UNTITLED


def when(updated: float, now: float) -> str:
    """Return in words when something was, by the calendar of this machine: a day, last week, or a month."""
    try:
        then, today = datetime.fromtimestamp(updated).astimezone(), datetime.fromtimestamp(now).astimezone()
    except (ValueError, OverflowError, OSError):
        return UNDATED
    days = (today.date() - then.date()).days
    if days <= 1:
        return "yesterday" if days == 1 else "today"
    if days <= _WEEK:
        return "last week"
    return f"{then:%B}" if then.year == today.year else f"{then:%B %Y}"


def _title_look(session: Session, pen: Pen, *, current: bool) -> Style:
    return pen.look("you" if current else "text" if session.title.strip() else "dim")


def _line(session: Session, state: State, width: int, look: Style, pen: Pen) -> Row:
    """Return a title, and at the right edge what there is to say about its session now."""
    tail = _tail(session, state, pen)
    room = max(0, width - sum(cells(text) for text, _ in tail))
    return [(padded(cut(titled(session), room, pen.signs.more), room), look), *tail]


def _tail(session: Session, state: State, pen: Pen) -> Row:
    return [(f" {pen.signs.running}", pen.look("accent"))] if session.id in state.running else []
