"""Opens the session file read-only, and lists ids and titles without loading the whole store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from reflectty.store.encoding import decode_bytes, decode_text

if TYPE_CHECKING:
    from pathlib import Path

LOCK_TIMEOUT_SECONDS: Final = 0.1
"""Seconds to wait for a locked file."""


def list_titles(path: Path, limit: int = 1000) -> tuple[tuple[str, str], ...]:
    """Ids and titles, latest first; none if the file does not exist or cannot be read."""
    if not path.is_file():
        return ()
    try:
        with closing(open_read_only(path, LOCK_TIMEOUT_SECONDS)) as connection:
            connection.text_factory = decode_bytes
            query = "SELECT id, title FROM sessions ORDER BY updated DESC, rowid DESC LIMIT ?"
            return tuple((decode_text(name), decode_text(title)) for name, title in connection.execute(query, (limit,)))
    except (sqlite3.Error, OSError, ValueError):
        return ()


def open_read_only(path: Path, timeout: float) -> sqlite3.Connection:
    """Open the file read-only; if it has no log, as immutable, so that SQLite creates no shared files.

    `timeout` is the number of seconds to wait for a locked file.
    """
    log = path.with_name(f"{path.name}-wal")
    parameters = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{parameters}", timeout=timeout, uri=True)
