"""Opens the file that sessions are kept in, whatever state it is in; a store always comes of it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reflectty.errors import ReflecttyError, StoreError
from reflectty.store import schema
from reflectty.store.aside import identity, move_aside
from reflectty.store.database import DAMAGE, Database, error_code, suspicion
from reflectty.store.journal import is_remote, keep_log, mounts
from reflectty.store.store import Store
from reflectty.store.text import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    Warn = Callable[[str], None]

BUSY_SECONDS = 5.0
OPENING_SECONDS = 30.0
"""How long to wait for others while the file is made or brought to a new version."""
_TABLES = ("sessions", "turns", "attachments", "pieces", "writers", "passages")


class Around(NamedTuple):
    """What the store finds around it."""

    clock: Callable[[], float] = time.time
    migrations: tuple[schema.Migration, ...] = schema.MIGRATIONS
    has_fts5: Callable[[sqlite3.Connection], bool] = schema.has_fts5
    mounts: Callable[[], str] = mounts


HERE = Around()


class _DamagedError(ReflecttyError):
    """The file is no database, or one with parts missing."""


class _ForeignError(ReflecttyError):
    """The file belongs to another program, or is no file."""


def open_store(path: Path | None, warn: Warn, around: Around = HERE) -> Store:
    """Open the store, and make it where there is none.

    What cannot be opened or written leaves sessions in memory; what is damaged is moved aside and begun anew; what a
    newer version has written can be read. Each is told in one sentence.

    Args:
        path: the file; None keeps everything in memory and touches no file.
        warn: told what is not as it should be.
        around: clock, schema and system; tests give their own.
    """
    if path is None:
        return in_memory(around)
    try:
        return Store(_open(Path(os.path.realpath(path)), warn, around), around.clock, lambda: in_memory(around))
    except (OSError, sqlite3.Error, ReflecttyError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        warn(f"this session is kept in memory only, because {path} cannot be used: {reason.lower()}")
        return in_memory(around)


def in_memory(around: Around = HERE) -> Store:
    """Return a store that lasts as long as the program."""
    connection = _connect(":memory:")
    connection.execute("PRAGMA foreign_keys = ON")
    fts5 = around.has_fts5(connection)
    schema.settle(connection, around.migrations, fts5=fts5, back_up=lambda _: None)
    return Store(Database(connection, indexed=fts5), around.clock, lambda: in_memory(around))


def _open(path: Path, warn: Warn, around: Around) -> Database:
    for _ in range(3):
        _make_private(path)
        file = identity(path)
        try:
            return _ready(path, warn, around)
        except _DamagedError as error:
            moved = move_aside(path, file)
            if moved:
                warn(f"the sessions in {path} cannot be read ({error}): moved to {moved.name}, a new file was begun")
    raise StoreError("it is damaged again and again")


def _make_private(path: Path) -> None:
    """Make the folder and the file so that nobody else can read them; SQLite gives its logs the file's own mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Neither waits where a pipe stands in the file's place, nor follows a link put there meanwhile.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    number = os.open(path, flags, 0o600)
    try:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            raise _ForeignError("it is no file")
        if stat.S_IMODE(status.st_mode) & 0o077:
            os.fchmod(number, 0o600)
    finally:
        os.close(number)


def _connect(name: str | Path) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=OPENING_SECONDS, isolation_level=None, check_same_thread=False)
    connection.text_factory = read_bytes
    return connection


def _ready(path: Path, warn: Warn, around: Around) -> Database:
    """Return a connection to a file in good order.

    Raises:
        _DamagedError: it is not.
    """
    connection = _connect(path)
    try:
        return _prepared(connection, path, warn, around)
    except sqlite3.DatabaseError as error:
        connection.close()
        if error_code(error) in DAMAGE:
            raise _DamagedError(str(error)) from error
        raise
    except BaseException:
        connection.close()
        raise


def _prepared(connection: sqlite3.Connection, path: Path, warn: Warn, around: Around) -> Database:
    _check_owner(schema.look(connection))
    keep_log(connection, remote=is_remote(path, around.mounts()))
    for setting in ("foreign_keys = ON", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {setting}")
    fts5 = around.has_fts5(connection)
    schema.settle(connection, around.migrations, fts5=fts5, back_up=lambda version: _back_up(path, version))
    if schema.look(connection).version > len(around.migrations):
        connection.execute("PRAGMA query_only = ON")
        warn(f"{path} was written by a newer reflectty: its sessions can be read, and nothing new is kept")
    else:
        _check(connection, path)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
    return Database(connection, path, indexed=fts5)


def _check_owner(seen: schema.Look) -> None:
    empty = seen.version == 0 and seen.application == 0 and seen.tables == 0
    if seen.application != schema.APPLICATION_ID and not empty:
        raise _ForeignError("it belongs to another program")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Look whether the tables are there; and at all of the file, when damage was met in it before."""
    for table in _TABLES:
        try:
            connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608 - names of ours
        except sqlite3.OperationalError as error:
            if error_code(error) == sqlite3.SQLITE_ERROR:
                raise _DamagedError(str(error)) from error
            raise
    if suspicion(path).exists():
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        suspicion(path).unlink(missing_ok=True)
        if said != "ok":
            raise _DamagedError(str(said).replace("\n", " "))


def _back_up(path: Path, version: int) -> None:
    """Keep a copy of the file as it is: a second connection may read while the first holds the right to write."""
    unfinished = path.with_name(f"{path.name}.backup")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    with contextlib.closing(_connect(path)) as source, contextlib.closing(_connect(unfinished)) as target:
        source.backup(target)
    unfinished.replace(path.with_name(f"{path.name}.version-{version}"))
