"""One SQLite connection: transactions, journal mode, and SQLite errors as StoreError."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from reflectty.core.errors import StoreError
from reflectty.store import schema

if TYPE_CHECKING:
    from collections.abc import Callable


T = TypeVar("T")

DAMAGE_CODES = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
_REASONS = {
    sqlite3.SQLITE_FULL: ("the disk is full", "free some space: until then nothing new is saved"),
    sqlite3.SQLITE_BUSY: ("another program has kept it locked for too long", ""),
    sqlite3.SQLITE_LOCKED: ("another program has kept it locked for too long", ""),
    sqlite3.SQLITE_READONLY: ("it is read-only", ""),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", "the next start moves a damaged file aside and creates a new one"),
    sqlite3.SQLITE_NOTADB: ("the file is not a database", "the next start moves it aside and creates a new one"),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", ""),
    sqlite3.SQLITE_TOOBIG: ("the text is too long", ""),
    sqlite3.SQLITE_CONSTRAINT: ("that session no longer exists", "it may have been removed in another window"),
}


class Database:
    """A connection that several threads may use, one at a time."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None = None, *, has_index: bool = True) -> None:
        self.connection = connection
        self.path = path
        self.has_index = has_index
        """True if the database has a full-text index."""
        self._lock = threading.RLock()

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a write transaction.

        Raises:
            StoreError: the transaction failed and was rolled back.
        """
        return self._run("BEGIN IMMEDIATE", work, "written")

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on one snapshot of the database.

        Raises:
            StoreError: the transaction failed.
        """
        return self._run("BEGIN", work, "read")

    def truncate_log(self) -> None:
        """Checkpoint the write-ahead log and truncate it, unless other connections are using it."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        with self._lock, contextlib.suppress(sqlite3.Error):
            self.connection.close()

    def _run(self, begin: str, work: Callable[[sqlite3.Connection], T], action: str) -> T:
        with self._lock:
            try:
                return self._run_with_repair(begin, work)
            except sqlite3.Error as error:
                self._raise_store_error(error, action)

    def _run_with_repair(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._run_transaction(begin, work)
        except sqlite3.DatabaseError as error:
            if error_code(error, extended=True) != sqlite3.SQLITE_CORRUPT_VTAB:
                raise
        # Only the full-text index is damaged; it can be rebuilt from the tables.
        self._run_transaction("BEGIN IMMEDIATE", schema.rebuild_index)
        return self._run_transaction(begin, work)

    def _run_transaction(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        # An earlier rollback may have failed.
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

    def _raise_store_error(self, error: sqlite3.Error, action: str) -> NoReturn:
        code = error_code(error)
        if code in DAMAGE_CODES and self.path is not None:
            with contextlib.suppress(OSError):
                damage_marker_of(self.path).touch(mode=0o600)
        reason, hint = _REASONS.get(code, (str(error), ""))
        raise StoreError(f"{self.path or 'the session'} cannot be {action}: {reason}", hint) from error


def error_code(error: sqlite3.Error, *, extended: bool = False) -> int:
    """SQLite's code of an error; 0 for errors that Python's sqlite3 module raises itself."""
    code = int(getattr(error, "sqlite_errorcode", 0))
    return code if extended else code & 0xFF


def damage_marker_of(path: Path) -> Path:
    """The marker file of a damaged database: while it exists, the next open checks the whole database."""
    return path.with_name(f"{path.name}.suspect")


SWITCH_SECONDS = 30.0
_BUSY_CODES = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
_UNSUPPORTED_CODES = frozenset((sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN))
_REMOTE_FILE_SYSTEMS = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "afs", "ceph", "lustre", "glusterfs")


def read_mounts() -> str:
    """The system's mount table; empty if it cannot be read."""
    try:
        return Path("/proc/self/mounts").read_text("utf-8", "replace")
    except OSError:
        return ""


def is_remote(path: Path, mounted: str) -> bool:
    """True if the file is on a network file system, where processes cannot share the memory that a WAL needs."""
    if not any(f" {name}" in mounted for name in _REMOTE_FILE_SYSTEMS):
        return False
    longest, kind = "", ""
    for line in mounted.splitlines():
        _, mount_point, file_system, *_ = [*line.split(" "), "", "", ""]
        mount_point = mount_point.replace("\\040", " ")
        if len(mount_point) >= len(longest) and os.path.commonpath((str(path), mount_point or "/")) == mount_point:
            longest, kind = mount_point, file_system
    return kind.startswith(_REMOTE_FILE_SYSTEMS)


def set_journal_mode(connection: sqlite3.Connection, *, remote: bool) -> None:
    """Switch to a write-ahead log, or to a rollback journal if `remote` or if WAL is not supported."""
    if not remote and _switch_journal(connection, "wal"):
        return
    _switch_journal(connection, "delete")


def _switch_journal(connection: sqlite3.Connection, mode: str) -> bool:
    """Switch the journal mode, retrying while the file is busy: SQLite's busy timeout does not apply here."""
    deadline = time.monotonic() + SWITCH_SECONDS
    while True:
        try:
            (now,) = connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
        except sqlite3.OperationalError as error:
            if error_code(error) in _UNSUPPORTED_CODES:
                return False
            if error_code(error) not in _BUSY_CODES or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return str(now) == mode
