from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.store.database import set_journal_mode

if TYPE_CHECKING:
    from pathlib import Path


class Refusing(sqlite3.Connection):
    """A connection whose first attempts to switch to a write-ahead log fail."""

    refusals = 0
    code = sqlite3.SQLITE_BUSY

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql == "PRAGMA journal_mode = wal" and self.refusals:
            self.refusals -= 1
            error = sqlite3.OperationalError("refused")
            error.sqlite_errorcode = self.code
            raise error
        return super().execute(sql, parameters)


@pytest.fixture
def connection(tmp_path: Path) -> Refusing:
    return sqlite3.connect(tmp_path / "sessions.db", isolation_level=None, factory=Refusing)


def log_of(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def test_journal_switch_is_retried_while_busy(connection: Refusing) -> None:
    # SQLite calls no busy handler where waiting could deadlock.
    connection.refusals = 3
    set_journal_mode(connection, remote=False)
    assert (connection.refusals, log_of(connection)) == (0, "wal")
    connection.close()


@pytest.mark.parametrize("code", [sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_IOERR_LOCK])
def test_rollback_journal_is_used_if_the_disk_does_not_support_wal(connection: Refusing, code: int) -> None:
    connection.refusals, connection.code = 1, code
    set_journal_mode(connection, remote=False)
    assert (connection.refusals, log_of(connection)) == (0, "delete")
    connection.close()


def test_other_errors_are_raised(connection: Refusing) -> None:
    connection.refusals, connection.code = 1, sqlite3.SQLITE_CORRUPT
    with pytest.raises(sqlite3.OperationalError, match="refused"):
        set_journal_mode(connection, remote=False)
    connection.close()


def test_in_memory_store_keeps_the_memory_journal() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    set_journal_mode(connection, remote=False)
    assert log_of(connection) == "memory"
    connection.close()
