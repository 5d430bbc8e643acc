"""The panel's list: loaded sessions and search hits as rows, with snippets of the matches."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from rich.style import Style

from reflectty.core.safety import Sanitizer
from reflectty.tui.widgets.list import GUTTER, Heading, pad, truncate
from reflectty.view.rows import BOLD, cell_width, fitting_length, row_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reflectty.core.session import SearchHit, Session
    from reflectty.tui.widgets.list import ListEntry, RowPainter
    from reflectty.view.rows import Row


class SnippetView(NamedTuple):
    """A text and the ranges in it that match."""

    text: str
    marks: tuple[tuple[int, int], ...]

    def trim_before_match(self, before: int, more: str) -> SnippetView:
        """The snippet from the start of a word, at most `before` characters ahead of the first match."""
        start = self.marks[0][0] - before if self.marks else 0
        if start <= 0:
            return self
        gap = self.text.find(" ", start, self.marks[0][0])
        start = gap + 1 if gap >= 0 else start
        marks = ((first - start + len(more), last - start + len(more)) for first, last in self.marks)
        return SnippetView(more + self.text[start:], tuple(marks))

    def rows(self, width: int, lead: int, limit: int) -> list[tuple[int, int]]:
        """The ranges of its first rows; the first row has `lead` fewer columns."""
        first = row_spans(self.text, max(1, width - lead))[:1]
        if not first or limit == 1:
            return first
        start = first[0][1]
        start += len(self.text[start:]) - len(self.text[start:].lstrip())
        rest = row_spans(self.text[start:], width) if start < len(self.text) else []
        return [*first, *((start + begin, start + end) for begin, end in rest[: limit - 1])]

    def draw(self, start: int, end: int, look: Style, marked: Style) -> Row:
        """A range of it as a row, with matches in the style `marked`."""
        row: Row = []
        for mark in self.marks:
            first, last = max(start, mark[0]), min(end, mark[1])
            if first < last:
                row += (self.text[start:first], look), (self.text[first:last], marked)
                start = last
        return [*row, (self.text[start:end], look)]

    def count_fitting(self, width: int) -> int:
        """The number of its characters that fit into a width."""
        return len(self.text) if cell_width(self.text) <= width else fitting_length(self.text, max(1, width))


def snippet_view_of(pieces: Iterable[tuple[str, bool]]) -> SnippetView:
    """The pieces of a match as one line, safe for a terminal."""
    sanitizer = Sanitizer()
    safe = [(sanitizer.feed(text), flag) for text, flag in pieces]
    safe.append((sanitizer.close(), False))
    text, marks = "", []
    for piece, flag in safe:
        start = len(text)
        text += re.sub(r"\s", " ", piece)
        if flag and piece:
            marks.append((start, len(text)))
    return SnippetView(text, tuple(marks))


UNDATED = "unknown date"
_PART_LABELS = {"reflection": "correction"}
_MAX_SNIPPET_ROWS = 2
_DAYS_IN_WEEK = 7
UNDERLINED = Style(underline=True)


class PanelState:
    """State that the rows share: the open session, and those with a running reply."""

    def __init__(self) -> None:
        self.current_id = ""
        self.running_ids: frozenset[str] = frozenset()


class SessionRow(NamedTuple):
    """A session as a row."""

    session: Session
    state: PanelState

    @property
    def is_choosable(self) -> bool:
        return True

    def height(self, width: int) -> int:  # noqa: ARG002 - the same at any
        return 1

    def row(self, at: int, painter: RowPainter) -> Row:  # noqa: ARG002 - there is one
        current = self.session.id == self.state.current_id
        look = _title_style_of(self.session, painter, current=current)
        return [
            *painter.gutter(current=current),
            *_session_row(self.session, self.state, painter.width - GUTTER, look, painter),
        ]


class SearchHitRow:
    """A search hit: the session, and below it the snippet with the match in bold."""

    is_choosable = True

    def __init__(self, found: SearchHit, state: PanelState) -> None:
        self.session, self.turn = found.session, found.turn
        self._part = _PART_LABELS.get(found.part, found.part)
        self._snippet = snippet_view_of(found.passage)
        self._state = state

    def height(self, width: int) -> int:
        """The number of rows: the title, the snippet and a blank."""
        return 2 + len(self._lay_out(width, "~")[1])

    def row(self, at: int, painter: RowPainter) -> Row:
        shown, rows = self._lay_out(painter.width, painter.glyphs.more)
        if at == 0:
            return self._title_row(painter)
        if at > len(rows):
            return []
        part = [(f"{self._part}  ", painter.style_of("correction" if self._part == "correction" else "faint"))]
        matched = painter.style_of("text") + BOLD
        return [
            *painter.gutter(first=False),
            *part[at - 1 : at],
            *shown.draw(*rows[at - 1], painter.style_of("dim"), matched),
        ]

    def _title_row(self, painter: RowPainter) -> Row:
        current = self.session.id == self._state.current_id
        room, look = painter.width - GUTTER, _title_style_of(self.session, painter, current=current)
        row = painter.gutter(current=current)
        if self._part == "title":
            return row + self._snippet.draw(0, self._snippet.count_fitting(room), look, look + BOLD + UNDERLINED)
        return [*row, *_session_row(self.session, self._state, room, look, painter)]

    def _lay_out(self, width: int, more: str) -> tuple[SnippetView, list[tuple[int, int]]]:
        """The trimmed snippet and its rows; the first row begins after the part's name."""
        room, lead = max(1, width - GUTTER), len(self._part) + 2
        shown = self._snippet.trim_before_match(max(8, room - lead), more)
        return shown, [] if self._part == "title" else shown.rows(room, lead, _MAX_SNIPPET_ROWS)


def date_heading_of(updated: float, now: float) -> str:
    """A date in words, in this machine's time zone: a day, last week, or a month."""
    try:
        then, today = datetime.fromtimestamp(updated).astimezone(), datetime.fromtimestamp(now).astimezone()
    except (ValueError, OverflowError, OSError):
        return UNDATED
    days = (today.date() - then.date()).days
    if days <= 1:
        return "yesterday" if days == 1 else "today"
    if days <= _DAYS_IN_WEEK:
        return "last week"
    return f"{then:%B}" if then.year == today.year else f"{then:%B %Y}"


def _title_style_of(session: Session, painter: RowPainter, *, current: bool) -> Style:
    return painter.style_of("you" if current else "text" if session.title.strip() else "dim")


def _session_row(session: Session, state: PanelState, width: int, look: Style, painter: RowPainter) -> Row:
    """The title, and at the right edge the mark of a running reply."""
    tail = _running_mark(session, state, painter)
    room = max(0, width - sum(cell_width(text) for text, _ in tail))
    return [(pad(truncate(session.display_title, room, painter.glyphs.more), room), look), *tail]


def _running_mark(session: Session, state: PanelState, painter: RowPainter) -> Row:
    return [(f" {painter.glyphs.running}", painter.style_of("accent"))] if session.id in state.running_ids else []


class SessionList:
    """Loaded sessions, latest first, page by page; `now` returns seconds since 1970."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.state = PanelState()
        self.hits: tuple[SearchHit, ...] | None = None
        """The search hits; None without a search."""
        self.is_stale = True
        """True if the next page replaces the loaded sessions."""
        self._now = now
        self._sessions: dict[str, Session] = {}
        self._heading = ""
        self._is_waiting = self._is_complete = False

    def restart(self) -> int:
        """Start over and return the offset of the first page to request."""
        self.is_stale = self._is_waiting = True
        return 0

    def next_offset(self) -> int | None:
        """The offset of the next page; None while it is loading, during a search, or after the last page."""
        if self._is_waiting or self._is_complete or self.hits is not None:
            return None
        self._is_waiting = True
        return len(self._sessions)

    def add(self, sessions: Sequence[Session]) -> list[ListEntry]:
        """Add a page and return its new entries; an empty page is the last one."""
        if self.is_stale:
            self._sessions, self._heading = {}, ""
        new = [session for session in sessions if session.id not in self._sessions]
        self.is_stale = self._is_waiting = False
        self._is_complete = not new
        self._sessions |= {session.id: session for session in new}
        return self._build_entries(new)

    def entries(self) -> list[ListEntry]:
        """The whole list: search hits, or sessions under their headings."""
        if self.hits is not None:
            return [SearchHitRow(found, self.state) for found in self.hits]
        self._heading = ""
        return self._build_entries(self._sessions.values())

    def remove(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
        if self.hits is not None:
            self.hits = tuple(found for found in self.hits if found.session.id != session_id)

    def rename(self, session_id: str, title: str) -> None:
        if session_id in self._sessions:
            self._sessions[session_id] = self._sessions[session_id]._replace(title=title)
        if self.hits is not None:
            self.hits = tuple(_rename_hit(found, session_id, title) for found in self.hits)

    def _build_entries(self, sessions: Iterable[Session]) -> list[ListEntry]:
        entries: list[ListEntry] = []
        now = self._now()
        for session in sessions:
            heading = date_heading_of(session.updated, now)
            if heading != self._heading:
                entries.append(Heading(heading, is_first=not self._heading))
                self._heading = heading
            entries.append(SessionRow(session, self.state))
        return entries


def _rename_hit(found: SearchHit, session_id: str, title: str) -> SearchHit:
    if found.session.id != session_id:
        return found
    named = found._replace(session=found.session._replace(title=title))
    return named._replace(passage=((title, False),)) if found.part == "title" else named
