"""One connection to SQLite: transactions, and errors as ours; knows no table."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from typing import TYPE_CHECKING, NoReturn, TypeVar

from reflectty.errors import StoreError
from reflectty.store import schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

DAMAGE = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
_WHY = {
    sqlite3.SQLITE_FULL: ("the disk is full", "make room; until then nothing new is kept"),
    sqlite3.SQLITE_BUSY: ("another program has been writing to it for too long", ""),
    sqlite3.SQLITE_LOCKED: ("another program has been writing to it for too long", ""),
    sqlite3.SQLITE_READONLY: ("it can be read only", ""),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", "the next start moves it aside if so, and begins a new one"),
    sqlite3.SQLITE_NOTADB: ("the file is no database", "the next start moves it aside, and begins a new one"),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", ""),
    sqlite3.SQLITE_TOOBIG: ("the text is too long", ""),
    sqlite3.SQLITE_CONSTRAINT: ("that session is no longer there", "it may have been removed in another window"),
}


class Database:
    """A connection that may go from thread to thread, but is used by one at a time."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None = None, *, indexed: bool = True) -> None:
        self.connection = connection
        self.path = path
        self.indexed = indexed
        """Whether it has an index of words."""
        self._lock = threading.RLock()

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do some writing, all of it or nothing.

        Raises:
            StoreError: it could not be done.
        """
        return self._do("BEGIN IMMEDIATE", work, "written")

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do some reading, all of it of the same moment.

        Raises:
            StoreError: it could not be done.
        """
        return self._do("BEGIN", work, "read")

    def empty_log(self) -> None:
        """Write the log into the file and cut it to nothing; where others are at it, they will."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        with self._lock, contextlib.suppress(sqlite3.Error):
            self.connection.close()

    def _do(self, begin: str, work: Callable[[sqlite3.Connection], T], done: str) -> T:
        with self._lock:
            try:
                return self._mended(begin, work)
            except sqlite3.Error as error:
                self._tell(error, done)

    def _mended(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._transaction(begin, work)
        except sqlite3.DatabaseError as error:
            if error_code(error, extended=True) != sqlite3.SQLITE_CORRUPT_VTAB:
                raise
        # Only the index of words is damaged, and it holds nothing that the tables do not.
        self._transaction("BEGIN IMMEDIATE", schema.rebuild)
        return self._transaction(begin, work)

    def _transaction(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        # A rollback can fail as well.
        self._roll_back()
        try:
            self.connection.execute(begin)
            result = work(self.connection)
            self.connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._roll_back()
            raise
        return result

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def _tell(self, error: sqlite3.Error, done: str) -> NoReturn:
        code = error_code(error)
        if code in DAMAGE and self.path is not None:
            with contextlib.suppress(OSError):
                suspicion(self.path).touch(mode=0o600)
        why, hint = _WHY.get(code, (str(error), ""))
        raise StoreError(f"{self.path or 'the session'} cannot be {done}: {why}", hint) from error


def error_code(error: sqlite3.Error, *, extended: bool = False) -> int:
    """Return SQLite's own number for an error; 0 for those that Python made."""
    code = int(getattr(error, "sqlite_errorcode", 0))
    return code if extended else code & 0xFF


def suspicion(path: Path) -> Path:
    """Return the file whose existence says that damage was met: the next one to open it looks at all of it."""
    return path.with_name(f"{path.name}.suspect")
