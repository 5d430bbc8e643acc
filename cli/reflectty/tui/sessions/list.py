"""The panel's list: loaded sessions and search hits as rows, with snippets of the matches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from rich.style import Style

from reflectty.core.model_names import short_name_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import Sanitizer, clean_line
from reflectty.core.text import format_count
from reflectty.tui.widgets.list import Heading, ListEntry, truncate
from reflectty.view.rows import BOLD, cell_width, fitting_length, row_spans
from reflectty.view.units import format_clock, format_day

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


_PART_LABELS = {"reflection": "correction"}
_MAX_SNIPPET_ROWS = 2
ONE_ROW_WIDTH = 60
"""Columns from which a session fits on one row, with its time, model and number of questions beside the title."""
_MODEL_WIDTH, _COUNT_WIDTH, _WHEN_WIDTH = 18, 12, 11
MAX_HITS = 4
"""The most matches listed of one session."""
UNDERLINED = Style(underline=True)


class PanelState:
    """State that the rows share: the open session, and those with a running reply."""

    def __init__(self) -> None:
        self.current_id = ""
        self.running_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SessionRow(ListEntry):
    """A session: its title with the mark of a running reply, and beside or below it time, model and questions."""

    session: Session
    state: PanelState
    when: str

    @property
    def is_current(self) -> bool:
        return self.session.id == self.state.current_id

    def height(self, width: int) -> int:
        """The same for all sessions: a list may hold thousands."""
        return 1 if width >= ONE_ROW_WIDTH else 2

    def rows(self, painter: RowPainter) -> list[Row]:
        title = SnippetView(self.session.display_title, ())
        return self.head_rows(title, painter)

    def head_rows(self, title: SnippetView, painter: RowPainter) -> list[Row]:
        """The rows of the session, with the matches in its title in bold."""
        running = self.session.id in self.state.running_ids
        tail = [painter.run(f" {painter.glyphs.running}", "accent")] if running else []
        beside = self._facts_beside(painter) if painter.width >= ONE_ROW_WIDTH else []
        room = max(0, painter.width - sum(cell_width(text) for text, _ in (*tail, *beside)))
        look, end = self.title_style(painter), title.count_fitting(room)
        if end < len(title.text) and not title.marks:
            row = [painter.cell(title.text, room, look)]
        else:
            row = title.draw(0, end, look, look + BOLD + UNDERLINED)
        row.append(painter.run(" " * max(0, room - sum(cell_width(text) for text, _ in row))))
        return [[*row, *tail, *beside], *([] if beside else [self._facts_below(painter)])]

    def _facts_beside(self, painter: RowPainter) -> Row:
        count, model = self._count, self._model
        return [
            painter.run("  "),
            painter.cell(model, _MODEL_WIDTH, painter.style_of("faint")),
            painter.run(count.rjust(_COUNT_WIDTH + 1), "faint"),
            painter.run(self.when.rjust(_WHEN_WIDTH + 1), "dim"),
        ]

    def _facts_below(self, painter: RowPainter) -> Row:
        dot = f" {painter.glyphs.dot} "
        facts = [fact for fact in (self._count, self._model) if fact]
        line = truncate(dot.join((self.when, *facts)), painter.width, painter.glyphs.more)
        return [painter.run(line, "faint")]

    @property
    def _count(self) -> str:
        return format_count(self.session.questions, "question")

    @property
    def _model(self) -> str:
        return clean_line(short_name_of(self.session.model), 60) if self.session.model else ""

    def title_style(self, painter: RowPainter) -> Style:
        return painter.style_of("you" if self.is_current else "text" if self.session.title.strip() else "dim")


@dataclass(frozen=True, slots=True)
class SearchHitRow(SessionRow):
    """A search hit: its snippet with the match in bold; the first of a session stands below that."""

    turn: int | None
    part: str
    snippet: SnippetView
    is_first: bool = True
    more: int | None = 0
    """Below the last hit of a session, how many more there are; None for the others."""

    def height(self, width: int) -> int:
        return ListEntry.height(self, width)

    def rows(self, painter: RowPainter) -> list[Row]:
        """The session, the snippet, and after the last one a blank."""
        if self.part == "title":
            return [*self.head_rows(self.snippet, painter), *self._end_rows(painter)]
        room, lead = max(1, painter.width), len(self.part) + 2
        shown = self.snippet.trim_before_match(max(8, room - lead), painter.glyphs.more)
        rows = [
            shown.draw(start, end, painter.style_of("dim"), painter.style_of("text") + BOLD)
            for start, end in shown.rows(room, lead, _MAX_SNIPPET_ROWS)
        ]
        part = painter.run(f"{self.part}  ", "correction" if self.part == "correction" else "faint")
        head = SessionRow.rows(self, painter) if self.is_first else []
        return [*head, *([part, *row] for row in rows[:1]), *rows[1:], *self._end_rows(painter)]

    def _end_rows(self, painter: RowPainter) -> list[Row]:
        if self.more is None:
            return []
        more = f"{painter.glyphs.more} {self.more:,} more in this session"
        return [*([[painter.run(truncate(more, painter.width, ""), "faint")]] if self.more else []), []]


def hit_rows_of(hits: Sequence[SearchHit], state: PanelState, now: float) -> list[SearchHitRow]:
    """The rows of search hits, those of a session together, in the order of the best ones."""
    order = {session: at for at, session in enumerate(dict.fromkeys(found.session.id for found in hits))}
    rows: list[SearchHitRow] = []
    for _, group in groupby(sorted(hits, key=lambda found: order[found.session.id]), lambda found: found.session.id):
        found = list(group)
        last = min(len(found), MAX_HITS) - 1
        for at, one in enumerate(found[:MAX_HITS]):
            part, snippet = _PART_LABELS.get(one.part, one.part), snippet_view_of(one.passage)
            when = format_clock(one.session.updated, now, with_day=True)
            more = len(found) - MAX_HITS if len(found) > MAX_HITS else 0
            place = (at == 0, more if at == last else None)
            rows.append(SearchHitRow(one.session, state, when, one.turn, part, snippet, *place))
    return rows


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
            return [*hit_rows_of(self.hits, self.state, self._now())]
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
            heading = format_day(session.updated, now)
            if heading != self._heading:
                entries.append(Heading(heading, is_first=not self._heading))
                self._heading = heading
            when = format_clock(session.updated, now, with_day=False)
            entries.append(SessionRow(session, self.state, when))
        return entries


def _rename_hit(found: SearchHit, session_id: str, title: str) -> SearchHit:
    if found.session.id != session_id:
        return found
    named = found._replace(session=found.session._replace(title=title))
    return named._replace(passage=((title, False),)) if found.part == "title" else named
