"""Examines a session file read-only: damage, version and size."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from reflectty.core.errors import StoreError
from reflectty.store import schema
from reflectty.store.database import damage_marker_of, is_remote, read_mounts

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_SECONDS: Final = 8.0
_STEPS_PER_CHECK: Final = 20_000
"""So many steps SQLite takes before it is asked whether to go on."""


class Health(NamedTuple):
    """What was seen of a file."""

    sessions: int
    size: int
    """Bytes of the file and its log."""
    damage: str = ""
    """What SQLite found wrong, in its words; nothing where all is well."""
    is_complete: bool = True
    """Whether there was time to look at all of it."""
    is_newer: bool = False
    """Whether a newer version wrote it, so that it can be read only."""
    is_suspect: bool = False
    """Whether damage was met before, so that the next start looks at all of it."""


def examine_file(path: Path, patience: float = PATIENCE_SECONDS) -> Health:
    """Look at all of a file, for that many seconds at most.

    Raises:
        StoreError: it cannot be read, or holds something else than sessions.
    """
    try:
        with contextlib.closing(_open_read_only(path)) as connection:
            return _examine(connection, path, patience)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error


def is_on_remote_disk(path: Path) -> bool:
    """Whether the file would be on another machine's disk, where no write-ahead log is kept."""
    return is_remote(path, read_mounts())


def _open_read_only(path: Path) -> sqlite3.Connection:
    """Open a file for reading; where no log lies beside it, without even the files that SQLite shares with others."""
    log = path.with_name(f"{path.name}-wal")
    how = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=0.5, isolation_level=None)


def _examine(connection: sqlite3.Connection, path: Path, patience: float) -> Health:
    seen = schema.read_schema_info(connection)
    if seen.application_id != schema.APPLICATION_ID and seen.tables:
        raise StoreError(f"{path} belongs to another program", "move it away")
    damage, whole = _find_damage(connection, time.monotonic() + patience)
    return Health(
        sessions=_count_sessions(connection),
        size=sum(part.stat().st_size for part in (path, path.with_name(f"{path.name}-wal")) if part.exists()),
        damage=damage,
        is_complete=whole,
        is_newer=seen.version > len(schema.MIGRATIONS),
        is_suspect=damage_marker_of(path).exists(),
    )


def _find_damage(connection: sqlite3.Connection, deadline: float) -> tuple[str, bool]:
    """Return what is wrong with a file, and whether there was time to look at all of it."""
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS_PER_CHECK)
    try:
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return "", False
        raise
    finally:
        connection.set_progress_handler(None, 0)
    return ("" if said == "ok" else " ".join(str(said).split())), True


def _count_sessions(connection: sqlite3.Connection) -> int:
    try:
        (number,) = connection.execute("SELECT count(*) FROM sessions").fetchone()
    except sqlite3.OperationalError:
        return 0
    return int(number)
