"""The session store: each method is one short transaction."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from reflectty.core.errors import StoreError
from reflectty.core.session import NO_SETTINGS, ReplyStatus, Session, Turn
from reflectty.store import read, write

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from reflectty.core.segments import SecondThoughtKind
    from reflectty.core.session import Attachment, SearchHit, SessionSettings, Span, StoredReply
    from reflectty.store.database import Database

_PAGE = 200
"""Replies that are read at once."""


class Store:
    """Sessions in one file or in memory; every failure is a StoreError with a hint.

    Thread-safe: calls wait for each other.
    """

    def __init__(self, database: Database, clock: Callable[[], float], open_in_memory: Callable[[], Store]) -> None:
        self.database = database
        self._clock = clock
        self._open_in_memory = open_in_memory
        # Makes replies of killed processes searchable; they are displayed the same without.
        with contextlib.suppress(StoreError):
            self._finish_abandoned_replies()

    @property
    def path(self) -> Path | None:
        """The file; None if the store is in memory."""
        return self.database.path

    # Writing

    def create_session(self, title: str, settings: SessionSettings = NO_SETTINGS) -> Session:
        """Create a session; the title is normalized to one line of at most 200 characters."""
        return self.database.write(lambda c: write.create_session(c, title, self._clock(), settings))

    def add_question(
        self,
        session: str,
        parent: int | None,
        text: str,
        attachments: tuple[Attachment, ...] = (),
        pastes: tuple[Span, ...] = (),
    ) -> Turn:
        """Add a question, which becomes the leaf."""
        turn = Turn(0, parent, self._clock(), text, attachments, pastes=pastes)
        return turn._replace(id=self.database.write(lambda c: write.add_turn(c, session, turn)))

    def add_reply(self, session: str, parent: int, reply: StoredReply) -> Turn:
        """Add a streaming reply, which becomes the leaf; `reply.raw` is the text it begins with."""
        turn = Turn(0, parent, self._clock(), said=reply._replace(ended=ReplyStatus.STREAMING))
        return turn._replace(id=self.database.write(lambda c: write.add_turn(c, session, turn)))

    def add_exchange(self, session: str, question: Turn, reply: StoredReply, title: str = "") -> tuple[str, Turn, Turn]:
        """Add a question and its finished reply at once; return the session's id and both turns.

        Args:
            session: the session's id; empty for a new one.
            question: the question; one with an id is stored already, and gets another reply.
            reply: the reply.
            title: the title of a new session.
        """
        now = self._clock()

        def add(connection: sqlite3.Connection) -> tuple[str, Turn, Turn]:
            number = session or write.create_session(connection, title, now).id
            return (number, *write.add_exchange(connection, number, question, reply, now))

        return self.database.write(add)

    def checkpoint(self, turn: int, raw: str, raw_thinking: str) -> None:
        """Append new text to a streaming reply and write a heartbeat; both texts may be empty."""
        self.database.write(lambda c: write.checkpoint(c, turn, raw, raw_thinking, self._clock()))

    def restart(self, turn: int, reply: StoredReply) -> None:
        """Set a reply to streaming again; its text continues after `reply.raw`."""
        self.database.write(lambda c: write.restart(c, turn, reply, self._clock()))

    def finish(self, turn: int, reply: StoredReply) -> None:
        """Store the end of a reply and make it searchable."""
        self.database.write(lambda c: write.finish(c, turn, reply, self._clock()))

    def set_leaf(self, session: str, leaf: int) -> None:
        """Store the leaf of the branch viewed last."""
        self.database.write(lambda c: write.set_leaf(c, session, leaf))

    def set_label(self, session: str, turn: int, label: str) -> None:
        """Name a turn, normalized like a title; an empty label removes the name."""
        self.database.write(lambda c: write.set_label(c, session, turn, label))

    def set_settings(self, session: str, settings: SessionSettings) -> None:
        """Store how the questions of a session are asked."""
        self.database.write(lambda c: write.set_settings(c, session, settings))

    def remove_turns(self, session: str, turn: int) -> None:
        """Remove a turn with everything below it; its text is overwritten on the disk."""
        self.database.write(lambda c: write.remove_turns(c, session, turn, has_index=self.database.has_index))
        self.database.truncate_log()

    def rename(self, session: str, title: str) -> None:
        self.database.write(lambda c: write.rename(c, session, title))

    def remove(self, session: str) -> None:
        """Remove a session with all its turns; its text is overwritten on the disk."""
        self.database.write(lambda c: write.remove(c, session, has_index=self.database.has_index))
        self.database.truncate_log()

    def fork(self, session: str, leaf: int | None = None) -> Session:
        """Create a session from the branch that ends at `leaf`, or else from the branch viewed last."""
        return self.database.write(lambda c: write.fork(c, session, leaf, self._clock()))

    def add_session(self, session: Session, turns: Iterable[Turn]) -> Session:
        """Add a session of elsewhere with all its turns, parents first; all get new ids."""
        return self.database.write(lambda c: write.add_session(c, session, turns))

    # Reading

    def sessions(self, limit: int = 50, offset: int = 0) -> tuple[Session, ...]:
        """The sessions, latest first."""
        return self.database.read(lambda c: read.sessions(c, limit, offset))

    def latest(self) -> Session | None:
        return next(iter(self.sessions(1)), None)

    def get(self, session: str) -> Session | None:
        """The session with an id; None if there is none."""
        return self.database.read(lambda c: read.session(c, session))

    def find(self, name: str) -> Session:
        """Find a session by an id, the beginning of one, a title or a part of one.

        Raises:
            UsageError: no session matches, or several do; the hint names similar ones.
        """
        return self.database.read(lambda c: read.find(c, name))

    def turns(self, session: str) -> tuple[Turn, ...]:
        """All turns of a session in the order they were added.

        A reply whose writer has ended has the status INTERRUPTED and the text written so far.
        """
        return self.database.read(lambda c: read.turns(c, session, self._clock()))

    def replies(self) -> Iterator[Turn]:
        """Yield the replies of all sessions that have ended, the oldest first, a page at a time.

        Copies of a reply in a fork and replies of probes are left out.
        """
        after, seen = 0, set[float]()
        while page := self.database.read(partial(read.ended_replies, after=after, limit=_PAGE)):
            after = page[-1].id
            for turn in page:
                if turn.created not in seen:
                    seen.add(turn.created)
                    yield turn

    def search(self, words: str, limit: int = 50) -> tuple[SearchHit, ...]:
        """Search passages that contain all words; the last word is a prefix, and quotes make phrases.

        Titles are first, then passages with the words in sequence, then the rest; each group has the latest first. Of
        more than `limit`, each session has a few before any has more.
        """
        from reflectty.store import search

        return self.database.read(lambda c: search.search_passages(c, words, limit, has_index=self.database.has_index))

    def search_second_thoughts(
        self, kind: SecondThoughtKind, words: str = "", limit: int = 50
    ) -> tuple[SearchHit, ...]:
        """Search the sentences with which a kind of second thought begins; each contains all words, latest first."""
        from reflectty.store import search

        return self.database.read(lambda c: search.search_second_thoughts(c, kind, words, limit))

    def questions(self, limit: int = 200) -> tuple[str, ...]:
        """The questions of all sessions without duplicates, latest first."""
        return self.database.read(lambda c: read.questions(c, limit))

    # Fallback and end

    def fall_back_to_memory(self, session: str, turns: Iterable[Turn] | None = None) -> Store:
        """Copy one session with its ids to a store in memory, when the file can no longer be written.

        Args:
            session: the session's id.
            turns: its turns; None reads them from the file and omits them if they cannot be read.
        """
        memory = self._open_in_memory()
        original = Session(session, "", self._clock(), self._clock())
        with contextlib.suppress(StoreError):
            original = self.database.read(lambda c: read.session(c, session)) or original
        with contextlib.suppress(StoreError):
            turns = self.turns(session) if turns is None else turns
        memory.database.write(lambda c: write.import_session(c, original, turns or ()))
        return memory

    def close(self) -> None:
        """Close the file; later calls raise StoreError."""
        self.database.close()

    def _finish_abandoned_replies(self) -> None:
        now = self._clock()
        if self.database.read(lambda c: read.abandoned_replies(c, now)):
            self.database.write(lambda c: write.finish_abandoned_replies(c, now))
