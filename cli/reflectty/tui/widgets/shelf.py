"""The sessions that the panel lists, as far as they are known, and what a search found of them; draws nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.tui.widgets.heading import Heading
from reflectty.tui.widgets.session_entries import Listed, Matched, State, when

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reflectty.session import Found, Session
    from reflectty.tui.widgets.listing import Entry


class Shelf:
    """Sessions, the latest first, page by page; `now` is in seconds since 1970."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.state = State()
        self.found: tuple[Found, ...] | None = None
        """What the search found; None while nothing is searched."""
        self.stale = True
        """Whether the next sessions replace those that are known."""
        self._now = now
        self._sessions: dict[str, Session] = {}
        self._heading = ""
        self._waiting = self._ended = False

    def renew(self) -> int:
        """Return the offset to ask for, so that everything is asked for again."""
        self.stale = self._waiting = True
        return 0

    def wanted(self) -> int | None:
        """Return the offset of the next sessions; None while they are waited for, or when there are no more."""
        if self._waiting or self._ended or self.found is not None:
            return None
        self._waiting = True
        return len(self._sessions)

    def add(self, sessions: Sequence[Session]) -> list[Entry]:
        """Take the next sessions, and return the entries that they add to the list; none ends it."""
        if self.stale:
            self._sessions, self._heading = {}, ""
        new = [session for session in sessions if session.id not in self._sessions]
        self.stale = self._waiting = False
        self._ended = not new
        self._sessions |= {session.id: session for session in new}
        return self._listed(new)

    def entries(self) -> list[Entry]:
        """Return the whole list: what was found, or the sessions under their headings."""
        if self.found is not None:
            return [Matched(found, self.state) for found in self.found]
        self._heading = ""
        return self._listed(self._sessions.values())

    def remove(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
        if self.found is not None:
            self.found = tuple(found for found in self.found if found.session.id != session_id)

    def rename(self, session_id: str, title: str) -> None:
        if session_id in self._sessions:
            self._sessions[session_id] = self._sessions[session_id]._replace(title=title)
        if self.found is not None:
            self.found = tuple(_renamed(found, session_id, title) for found in self.found)

    def _listed(self, sessions: Iterable[Session]) -> list[Entry]:
        entries: list[Entry] = []
        now = self._now()
        for session in sessions:
            heading = when(session.updated, now)
            if heading != self._heading:
                entries.append(Heading(heading, first=not self._heading))
                self._heading = heading
            entries.append(Listed(session, self.state))
        return entries


def _renamed(found: Found, session_id: str, title: str) -> Found:
    if found.session.id != session_id:
        return found
    named = found._replace(session=found.session._replace(title=title))
    return named._replace(passage=((title, False),)) if found.part == "title" else named
