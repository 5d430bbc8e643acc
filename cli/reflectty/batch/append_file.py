"""A file that only grows: locked against a second writer, each record whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from reflectty.core.errors import OutputError, UsageError, reason_of
from reflectty.core.safety import clean_line

if TYPE_CHECKING:
    from pathlib import Path


class AppendFile:
    """An open file of records.

    Args:
        path: the file, which is made if it is not there.
        display_path: its name in messages.

    Raises:
        OutputError: it cannot be opened.
    """

    def __init__(self, path: Path, display_path: str) -> None:
        self.path = path
        self.display_path = display_path
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._file = os.fdopen(os.open(path, flags, 0o666), "r+b", buffering=0)
        except (OSError, ValueError) as error:
            raise write_error(display_path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def lock(self, writer: str) -> None:
        """Lock the file against a second writer; on a file system without locks there is no protection.

        Raises:
            UsageError: another process, a `writer` of the same kind, has locked it.
        """
        try:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise UsageError(
                    f"another {writer} is writing to {self.display_path}", "wait for it to finish, or name another file"
                ) from error

    def append(self, data: bytes) -> None:
        """Append a whole record, or nothing if that fails.

        Raises:
            OutputError: it cannot be written.
        """
        before = os.fstat(self._file.fileno()).st_size
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._file.fileno(), left) :]
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file.fileno(), before)
            raise write_error(self.display_path, error) from error

    def truncate(self, end: int) -> None:
        """Cut the file at a byte.

        Raises:
            OutputError: it cannot be cut.
        """
        try:
            os.ftruncate(self._file.fileno(), end)
        except OSError as error:
            raise write_error(self.display_path, error) from error

    def sync(self) -> None:
        """Wait until all records are on the disk.

        Raises:
            OutputError: they cannot be written.
        """
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise write_error(self.display_path, error) from error

    def read(self, offset: int, length: int) -> bytes:
        """Read a part of the file, in bytes."""
        return os.pread(self._file.fileno(), length, offset)


def display_path_of(path: Path) -> str:
    """The path as messages name it."""
    return clean_line(str(path))


def write_error(display_path: str, error: OSError | ValueError) -> OutputError:
    return OutputError(f"cannot write {display_path}: {reason_of(error)}")
