"""Writes files atomically: a reader, and a crash, find the old content or the new one, never a part."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator


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
