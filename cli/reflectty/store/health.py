"""Examines a session file read-only: damage, version and size."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import StoreError
from reflectty.core.named_tuple import NamedTuple
from reflectty.store import schema
from reflectty.store.database import damage_marker_of, is_remote, read_mounts
from reflectty.store.titles import open_read_only

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_SECONDS: Final = 8.0
LOCK_TIMEOUT_SECONDS: Final = 0.5
"""Seconds to wait for a locked file."""
_STEPS_PER_CHECK: Final = 20_000
"""SQLite virtual machine steps between two checks of the deadline."""


class Health(NamedTuple):
    """The result of examining a session file."""

    sessions: int
    size: int
    """Bytes of the file and its write-ahead log."""
    damage: str = ""
    """The first problem that SQLite's quick_check reports; empty if none."""
    is_complete: bool = True
    """False if the check timed out."""
    is_newer: bool = False
    """True if a newer version wrote the file, which is then read-only."""
    is_suspect: bool = False
    """True if damage was found earlier, so that the next start checks the whole file."""


def examine_file(path: Path, patience: float = PATIENCE_SECONDS) -> Health:
    """Examine the whole file, for at most `patience` seconds.

    Raises:
        StoreError: the file cannot be read, or belongs to another program.
    """
    try:
        with contextlib.closing(open_read_only(path, LOCK_TIMEOUT_SECONDS)) as connection:
            return _examine(connection, path, patience)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error


def is_on_remote_disk(path: Path) -> bool:
    """True if the path is on a network file system, where the store uses no write-ahead log."""
    return is_remote(path, read_mounts())


def _examine(connection: sqlite3.Connection, path: Path, patience: float) -> Health:
    info = schema.read_schema_info(connection)
    if info.application_id != schema.APPLICATION_ID and info.tables:
        raise StoreError(f"{path} belongs to another program", "move it elsewhere")
    damage, whole = _find_damage(connection, time.monotonic() + patience)
    return Health(
        sessions=_count_sessions(connection),
        size=sum(part.stat().st_size for part in (path, path.with_name(f"{path.name}-wal")) if part.exists()),
        damage=damage,
        is_complete=whole,
        is_newer=info.version > len(schema.MIGRATIONS),
        is_suspect=damage_marker_of(path).exists(),
    )


def _find_damage(connection: sqlite3.Connection, deadline: float) -> tuple[str, bool]:
    """The damage found, and whether the check finished before the deadline."""
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS_PER_CHECK)
    try:
        (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return "", False
        raise
    finally:
        connection.set_progress_handler(None, 0)
    return ("" if result == "ok" else " ".join(str(result).split())), True


def _count_sessions(connection: sqlite3.Connection) -> int:
    try:
        (number,) = connection.execute("SELECT count(*) FROM sessions").fetchone()
    except sqlite3.OperationalError:
        return 0
    return int(number)
