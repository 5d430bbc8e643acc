"""Opens the session file, migrates it, quarantines a damaged one, or falls back to memory."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.core.errors import ReflecttyError, StoreError, reason_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.store import schema
from reflectty.store.database import (
    DAMAGE_CODES,
    Database,
    damage_marker_of,
    error_code,
    is_remote,
    read_mounts,
    set_journal_mode,
)
from reflectty.store.encoding import decode_bytes
from reflectty.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Warn = Callable[[str], None]


FileIdentity = tuple[int, int]
_FILE_SUFFIXES = ("-wal", "-shm", "-journal", "")
"""Suffixes in the order of renaming; the file itself is last, so that no old log remains next to a new file."""


def identity_of(path: Path) -> FileIdentity:
    """Device and inode, which distinguish a file from another of the same name."""
    status = path.stat()
    return status.st_dev, status.st_ino


def quarantine_file(path: Path, damaged: FileIdentity) -> Path | None:
    """Rename a damaged file and its logs; None if another program has already done so.

    Raises:
        OSError: the file cannot be renamed.
    """
    with _lock_folder(path.parent):
        if not path.exists() or identity_of(path) != damaged:
            return None
        new_path = _free_name(path)
        for part in _FILE_SUFFIXES:
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + part).rename(new_path.with_name(new_path.name + part))
    return new_path


def _free_name(path: Path) -> Path:
    now = time.time()
    while True:
        timestamp = time.strftime("%Y-%m-%d-%H%M%S", time.localtime(now))
        name = path.with_name(f"{path.name}.corrupt-{timestamp}")
        if not name.exists():
            return name
        now += 1


@contextlib.contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


BUSY_SECONDS = 5.0
OPENING_SECONDS = 30.0
"""Seconds to wait for locks while the file is created or migrated."""
_TABLE_NAMES = ("sessions", "turns", "attachments", "pieces", "writers", "passages")


class StoreEnvironment(NamedTuple):
    """The clock, the schema and the system functions that the store uses."""

    clock: Callable[[], float] = time.time
    migrations: tuple[schema.Migration, ...] = schema.MIGRATIONS
    has_fts5: Callable[[sqlite3.Connection], bool] = schema.has_fts5
    read_mounts: Callable[[], str] = read_mounts


SYSTEM = StoreEnvironment()


class _DamagedError(ReflecttyError):
    """The file is not a database, or tables are missing."""


class _ForeignError(ReflecttyError):
    """The file belongs to another program, or is not a regular file."""


def open_store(path: Path | None, warn: Warn, environment: StoreEnvironment = SYSTEM) -> Store:
    """Open the store, creating the file if needed.

    If the file cannot be opened or written, sessions stay in memory; a damaged file is moved aside and replaced; a
    file of a newer version is read-only. Each of these warns in one sentence.

    Args:
        path: the file; None keeps everything in memory and touches no file.
        warn: called with each warning.
        environment: clock, schema and system; tests pass their own.
    """
    if path is None:
        return open_in_memory(environment)
    try:
        return open_saved(path, warn, environment)
    except StoreError as error:
        warn(f"this session is kept in memory only, because {error}")
        return open_in_memory(environment)


def open_saved(path: Path, warn: Warn, environment: StoreEnvironment = SYSTEM) -> Store:
    """Open the store in a file, as `open_store` does, for a command that is useless without it.

    Raises:
        StoreError: the file cannot be opened or written.
    """
    try:
        return Store(
            _open_file(Path(os.path.realpath(path)), warn, environment),
            environment.clock,
            lambda: open_in_memory(environment),
        )
    except (OSError, sqlite3.Error, ReflecttyError) as error:
        raise StoreError(f"{path} cannot be used: {reason_of(error)}") from error


def open_in_memory(environment: StoreEnvironment = SYSTEM) -> Store:
    """Open a store that lasts as long as the program."""
    connection = _connect(":memory:")
    connection.execute("PRAGMA foreign_keys = ON")
    fts5 = environment.has_fts5(connection)
    schema.migrate(connection, environment.migrations, fts5=fts5, back_up=lambda _: None)
    return Store(Database(connection, has_index=fts5), environment.clock, lambda: open_in_memory(environment))


def _open_file(path: Path, warn: Warn, environment: StoreEnvironment) -> Database:
    for _ in range(3):
        _make_private(path)
        file = identity_of(path)
        try:
            return _open_database(path, warn, environment)
        except _DamagedError as error:
            moved = quarantine_file(path, file)
            if moved:
                warn(f"the sessions in {path} cannot be read ({error}): moved to {moved.name}, new file created")
    raise StoreError("it is damaged repeatedly")


def _make_private(path: Path) -> None:
    """Create folder and file readable by the owner only; SQLite gives its logs the mode of the file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Does not block if the path is a pipe, and does not follow a symbolic link created since it was resolved.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    number = os.open(path, flags, 0o600)
    try:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            raise _ForeignError("it is not a regular file")
        if stat.S_IMODE(status.st_mode) & 0o077:
            os.fchmod(number, 0o600)
    finally:
        os.close(number)


def _connect(name: str | Path) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=OPENING_SECONDS, isolation_level=None, check_same_thread=False)
    connection.text_factory = decode_bytes
    return connection


def _open_database(path: Path, warn: Warn, environment: StoreEnvironment) -> Database:
    """Connect to the file and prepare it.

    Raises:
        _DamagedError: the file is damaged.
    """
    connection = _connect(path)
    try:
        return _prepare_database(connection, path, warn, environment)
    except sqlite3.DatabaseError as error:
        connection.close()
        if error_code(error) in DAMAGE_CODES:
            raise _DamagedError(str(error)) from error
        raise
    except UnicodeDecodeError as error:
        # Python decodes the names of columns, which damage can change.
        connection.close()
        raise _DamagedError("its tables are damaged") from error
    except BaseException:
        connection.close()
        raise


def _prepare_database(
    connection: sqlite3.Connection, path: Path, warn: Warn, environment: StoreEnvironment
) -> Database:
    _check_owner(schema.read_schema_info(connection))
    set_journal_mode(connection, remote=is_remote(path, environment.read_mounts()))
    for setting in ("foreign_keys = ON", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {setting}")
    fts5 = environment.has_fts5(connection)
    schema.migrate(connection, environment.migrations, fts5=fts5, back_up=lambda version: _back_up(path, version))
    if schema.read_schema_info(connection).version > len(environment.migrations):
        connection.execute("PRAGMA query_only = ON")
        warn(f"{path} was written by a newer reflectty: its sessions can be read, but nothing new is saved")
    else:
        _check_tables(connection, path)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
    return Database(connection, path, has_index=fts5)


def _check_owner(info: schema.SchemaInfo) -> None:
    empty = info.version == 0 and info.application_id == 0 and info.tables == 0
    if info.application_id != schema.APPLICATION_ID and not empty:
        raise _ForeignError("it belongs to another program")


def _check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Check that the tables exist; check the whole file if damage was found earlier."""
    for table in _TABLE_NAMES:
        try:
            connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608 - our own table names
        except sqlite3.OperationalError as error:
            if error_code(error) == sqlite3.SQLITE_ERROR:
                raise _DamagedError(str(error)) from error
            raise
    if damage_marker_of(path).exists():
        (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        damage_marker_of(path).unlink(missing_ok=True)
        if result != "ok":
            raise _DamagedError(str(result).replace("\n", " "))


def _back_up(path: Path, version: int) -> None:
    """Copy the file before a migration, over a second connection: it may read while the first holds the write lock."""
    unfinished = path.with_name(f"{path.name}.backup")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    with contextlib.closing(_connect(path)) as source, contextlib.closing(_connect(unfinished)) as target:
        source.backup(target)
    unfinished.replace(path.with_name(f"{path.name}.version-{version}"))
