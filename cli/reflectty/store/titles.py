"""The ids and titles of the sessions in a file, for who completes one; makes no file and changes none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from reflectty.store.text import given, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE: Final = 0.1
"""Seconds to wait for somebody who has locked the file."""


def titles(path: Path, limit: int = 1000) -> tuple[tuple[str, str], ...]:
    """Return ids and titles, the latest first; of a file that is not there or cannot be read, none."""
    if not path.is_file():
        return ()
    try:
        with closing(_opened(path)) as connection:
            connection.text_factory = read_bytes
            query = "SELECT id, title FROM sessions ORDER BY updated DESC, rowid DESC LIMIT ?"
            return tuple((given(name), given(title)) for name, title in connection.execute(query, (limit,)))
    except (sqlite3.Error, OSError, ValueError):
        return ()


def _opened(path: Path) -> sqlite3.Connection:
    """Open a file for reading; where no log lies beside it, without even the files that SQLite shares with others."""
    log = path.with_name(f"{path.name}-wal")
    how = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", timeout=PATIENCE, uri=True)
