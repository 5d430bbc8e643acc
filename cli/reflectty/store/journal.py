"""How SQLite keeps its log: ahead of the file where that works, beside it elsewhere; knows no table."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from reflectty.store.database import error_code

SWITCH_SECONDS = 30.0
_BUSY = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
_UNFIT = frozenset((sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN))
_REMOTE = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "afs", "ceph", "lustre", "glusterfs")


def mounts() -> str:
    """Return the system's table of mounted file systems; nothing where it has none that can be read."""
    try:
        return Path("/proc/self/mounts").read_text("utf-8", "replace")
    except OSError:
        return ""


def is_remote(path: Path, mounted: str) -> bool:
    """Whether a file is on another machine's disk, where programs cannot share the memory that a WAL needs."""
    best, kind = "", ""
    for line in mounted.splitlines():
        _, place, this, *_ = [*line.split(" "), "", "", ""]
        place = place.replace("\\040", " ")
        if len(place) >= len(best) and os.path.commonpath((str(path), place or "/")) == place:
            best, kind = place, this
    return kind.startswith(_REMOTE)


def keep_log(connection: sqlite3.Connection, *, remote: bool) -> None:
    """Switch to a write-ahead log, or to a rollback journal where that cannot be or must not be."""
    if not remote and _switched(connection, "wal"):
        return
    _switched(connection, "delete")


def _switched(connection: sqlite3.Connection, mode: str) -> bool:
    """Switch the journal; SQLite does not wait for others here, so that it is tried until they are done."""
    deadline = time.monotonic() + SWITCH_SECONDS
    while True:
        try:
            (now,) = connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
        except sqlite3.OperationalError as error:
            if error_code(error) in _UNFIT:
                return False
            if error_code(error) not in _BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return str(now) == mode
