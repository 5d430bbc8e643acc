"""The panel's list: loaded sessions and search hits as rows, with snippets of the matches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.style import Style

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import Sanitizer
from reflectty.tui.widgets.list import Heading, ListEntry
from reflectty.view.rows import BOLD, cell_width, fitting_length, row_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reflectty.core.session import SearchHit, Session
    from reflectty.tui.widgets.list import RowPainter
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


@dataclass(frozen=True, slots=True)
class SessionRow(ListEntry):
    """A session as a row: its title, and at the right edge the mark of a running reply."""

    session: Session
    state: PanelState

    @property
    def is_current(self) -> bool:
        return self.session.id == self.state.current_id

    def height(self, width: int) -> int:  # noqa: ARG002 - the same at any; a list may hold thousands
        return 1

    def rows(self, painter: RowPainter) -> list[Row]:
        tail = (
            [painter.run(f" {painter.glyphs.running}", "accent")] if self.session.id in self.state.running_ids else []
        )
        room = max(0, painter.width - sum(cell_width(text) for text, _ in tail))
        return [[painter.cell(self.session.display_title, room, self.title_style(painter)), *tail]]

    def title_style(self, painter: RowPainter) -> Style:
        return painter.style_of("you" if self.is_current else "text" if self.session.title.strip() else "dim")


@dataclass(frozen=True, slots=True)
class SearchHitRow(SessionRow):
    """A search hit: the session, and below it the snippet with the match in bold."""

    turn: int | None
    part: str
    snippet: SnippetView

    def height(self, width: int) -> int:
        return ListEntry.height(self, width)

    def rows(self, painter: RowPainter) -> list[Row]:
        """The title, the snippet, and a blank."""
        if self.part == "title":
            look, end = self.title_style(painter), self.snippet.count_fitting(painter.width)
            return [self.snippet.draw(0, end, look, look + BOLD + UNDERLINED), []]
        room, lead = max(1, painter.width), len(self.part) + 2
        shown = self.snippet.trim_before_match(max(8, room - lead), painter.glyphs.more)
        rows = [
            shown.draw(start, end, painter.style_of("dim"), painter.style_of("text") + BOLD)
            for start, end in shown.rows(room, lead, _MAX_SNIPPET_ROWS)
        ]
        part = painter.run(f"{self.part}  ", "correction" if self.part == "correction" else "faint")
        return [*SessionRow.rows(self, painter), *([part, *row] for row in rows[:1]), *rows[1:], []]


def hit_row_of(found: SearchHit, state: PanelState) -> SearchHitRow:
    """The row of a search hit."""
    part = _PART_LABELS.get(found.part, found.part)
    return SearchHitRow(found.session, state, found.turn, part, snippet_view_of(found.passage))


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
            return [hit_row_of(found, self.state) for found in self.hits]
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
