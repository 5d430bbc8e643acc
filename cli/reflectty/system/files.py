"""Reads files that a user wrote by hand, and writes files atomically: no reader and no crash finds a part."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from reflectty.core.errors import UsageError, reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILE_BYTES = 1 << 20
"""The maximum size of a file that a user writes by hand."""


def read_text(path: Path) -> str | None:
    """Read a file that a user wrote; None if it does not exist.

    Raises:
        UsageError: it cannot be read, is not UTF-8, or is larger than `MAX_FILE_BYTES`.
    """
    try:
        raw = _read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {reason_of(error)}") from error
    if len(raw) > MAX_FILE_BYTES:
        raise UsageError(f"{path}: larger than {MAX_FILE_BYTES >> 20} MB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8", "save it as UTF-8") from error
    if "\0" in text:
        raise UsageError(f"{path}: not a text file (contains NUL bytes)", "save it as UTF-8")
    return text


def _read_bytes(path: Path) -> bytes:
    # A special file may block or never end; a pipe without a writer is empty here.
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    with open(number, "rb") as file:  # noqa: PTH123 - an open file descriptor has no path
        return file.read(MAX_FILE_BYTES + 1)


def write_atomically(
    path: Path, text: str, mode: int = 0o666, *, with_folder: bool = False, synced: bool = True
) -> None:
    """Write a text to a file in UTF-8; see `open_atomically`.

    `with_folder` creates its folder for the user only, if it does not exist.

    Raises:
        ValueError: the text has no form in UTF-8.
    """
    data = text.encode()
    if with_folder:
        Path(os.path.realpath(path)).parent.mkdir(0o700, parents=True, exist_ok=True)
    with open_atomically(path, mode, synced=synced) as file:
        file.write(data)


@contextmanager
def open_atomically(path: Path, mode: int = 0o666, *, synced: bool = True, force: bool = True) -> Iterator[BinaryIO]:
    """Open a file that gets its name once the block ends without an error.

    Args:
        path: the file; a symbolic link is kept, and its target replaced.
        mode: the permissions of a new file, before the umask; a replaced one keeps its own.
        synced: whether it is on the disk before it gets its name; False where a crash of the system may lose it.
        force: whether to replace an existing file.

    Raises:
        FileExistsError: the file exists, and may not be replaced.
        OSError: it cannot be written, or is not a regular file.
    """
    target = Path(os.path.realpath(path))
    kept_mode = _mode_of(target)
    fresh = target.with_name(f".{target.name[:40]}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        # Private until it has the permissions of the file that it replaces.
        number = os.open(
            fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode if kept_mode is None else 0o600
        )
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            if kept_mode is not None:
                os.fchmod(number, kept_mode)
            if synced:
                os.fsync(number)
        if force:
            fresh.replace(target)
        else:
            _link_into_place(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)


def _mode_of(target: Path) -> int | None:
    """The permissions of a file, which may not exist."""
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    return stat.S_IMODE(found.st_mode)


def _link_into_place(written: Path, target: Path) -> None:
    """Give a file its final name, unless another one has it by now."""
    try:
        target.hardlink_to(written)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no links.
        target.open("x").close()
        written.replace(target)
