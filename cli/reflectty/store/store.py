"""The session store: each method is one short transaction."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from reflectty.core.errors import StoreError
from reflectty.core.session import ReplyStatus, Session, Turn
from reflectty.store import read, search, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from reflectty.core.session import Attachment, SearchHit, StoredReply
    from reflectty.store.database import Database


class Store:
    """Sessions in one file, or in memory; whatever goes wrong is a StoreError with a hint.

    It may go from thread to thread; calls wait for each other.
    """

    def __init__(self, database: Database, clock: Callable[[], float], open_in_memory: Callable[[], Store]) -> None:
        self.database = database
        self._clock = clock
        self._open_in_memory = open_in_memory
        # So that what a killed program left can be found by its words; it is shown the same without.
        with contextlib.suppress(StoreError):
            self._finish_abandoned_replies()

    @property
    def path(self) -> Path | None:
        """The file; None where everything is in memory."""
        return self.database.path

    # Writing

    def create_session(self, title: str) -> Session:
        """Begin a session; its title is one line of at most 200 characters."""
        return self.database.write(lambda c: write.create_session(c, title, self._clock()))

    def add_question(
        self, session: str, parent: int | None, text: str, attachments: tuple[Attachment, ...] = ()
    ) -> Turn:
        """Keep a question, which becomes the leaf."""
        turn = Turn(0, parent, self._clock(), text, attachments)
        return turn._replace(id=self.database.write(lambda c: write.add_turn(c, session, turn)))

    def add_reply(self, session: str, parent: int, said: StoredReply) -> Turn:
        """Keep a reply that begins to stream, which becomes the leaf; `said.raw` is what it begins with."""
        turn = Turn(0, parent, self._clock(), said=said._replace(ended=ReplyStatus.STREAMING))
        return turn._replace(id=self.database.write(lambda c: write.add_turn(c, session, turn)))

    def checkpoint(self, turn: int, raw: str, raw_thinking: str) -> None:
        """Append what came since the last time, and give a sign of life; both may be empty."""
        self.database.write(lambda c: write.checkpoint(c, turn, raw, raw_thinking, self._clock()))

    def restart(self, turn: int, said: StoredReply) -> None:
        """Let a reply stream again, from `said.raw` on."""
        self.database.write(lambda c: write.restart(c, turn, said, self._clock()))

    def finish(self, turn: int, said: StoredReply) -> None:
        """End a reply, whichever way it ended; from here on it can be searched."""
        self.database.write(lambda c: write.finish(c, turn, said, self._clock()))

    def set_leaf(self, session: str, leaf: int) -> None:
        """Remember which branch was looked at last."""
        self.database.write(lambda c: write.set_leaf(c, session, leaf))

    def rename(self, session: str, title: str) -> None:
        self.database.write(lambda c: write.rename(c, session, title))

    def remove(self, session: str) -> None:
        """Remove a session with all that belongs to it; its text is overwritten on the disk."""
        self.database.write(lambda c: write.remove(c, session, has_index=self.database.has_index))
        self.database.truncate_log()

    def fork(self, session: str, leaf: int | None = None) -> Session:
        """Begin a session with the turns of one branch, the one looked at last unless `leaf` says which."""
        return self.database.write(lambda c: write.fork(c, session, leaf, self._clock()))

    # Reading

    def sessions(self, limit: int = 50, offset: int = 0) -> tuple[Session, ...]:
        """Return the sessions, the latest first."""
        return self.database.read(lambda c: read.sessions(c, limit, offset))

    def latest(self) -> Session | None:
        return next(iter(self.sessions(1)), None)

    def find(self, name: str) -> Session:
        """Return the session meant by an id, the beginning of one, a title or a part of one.

        Raises:
            UsageError: none is meant, or several are; the hint says which are near.
        """
        return self.database.read(lambda c: read.find(c, name))

    def turns(self, session: str) -> tuple[Turn, ...]:
        """Return all turns of a session in the order they were added.

        A reply whose writer is gone comes back as interrupted, with the text that was kept of it.
        """
        return self.database.read(lambda c: read.turns(c, session, self._clock()))

    def search(self, words: str, limit: int = 50) -> tuple[SearchHit, ...]:
        """Return where all the words are, the last of them perhaps only begun; quotes hold words together.

        Titles come first, then where the words stand side by side, then the rest; the latest first in each.
        """
        return self.database.read(lambda c: search.search_passages(c, words, limit, has_index=self.database.has_index))

    def questions(self, limit: int = 200) -> tuple[str, ...]:
        """Return what was asked in all sessions, the latest first, each once."""
        return self.database.read(lambda c: read.questions(c, limit))

    # Going on

    def fall_back_to_memory(self, session: str, turns: Iterable[Turn] | None = None) -> Store:
        """Return a store in memory with one session under the same ids, for when the file can no longer be written.

        Args:
            session: its id.
            turns: what is known of it; None reads them from the file, which leaves out what cannot be read.
        """
        refuge = self._open_in_memory()
        known = Session(session, "", self._clock(), self._clock())
        with contextlib.suppress(StoreError):
            known = self.database.read(lambda c: read.session(c, session)) or known
        with contextlib.suppress(StoreError):
            turns = self.turns(session) if turns is None else turns
        refuge.database.write(lambda c: write.import_session(c, known, turns or ()))
        return refuge

    def close(self) -> None:
        """Close the file; what is called afterwards is a StoreError."""
        self.database.close()

    def _finish_abandoned_replies(self) -> None:
        now = self._clock()
        if self.database.read(lambda c: read.abandoned_replies(c, now)):
            self.database.write(lambda c: write.finish_abandoned_replies(c, now))
