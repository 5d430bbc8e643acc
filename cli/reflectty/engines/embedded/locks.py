"""Locks on files, which the kernel frees when their holder dies, however it dies; waits for none."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def take(path: Path, *, shared: bool = False) -> int | None:
    """Lock a file, made where it is not there, and return it open: closing it frees it. None where another has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    # Between opening and locking, whoever had it may have removed it: then another file has its name, or none.
    if lock(file, shared=shared) and is_named(file, path):
        return file
    os.close(file)
    return None


def lock(file: int, *, shared: bool = False) -> bool:
    """Lock an open file, if nobody else has; say whether it is locked now."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def free(file: int) -> None:
    """Let others lock a file that stays open."""
    fcntl.flock(file, fcntl.LOCK_UN)


def is_named(file: int, path: Path) -> bool:
    """Whether an open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


def is_held(path: Path) -> bool:
    """Whether somebody has locked the file of that name for himself alone; makes no file."""
    with suppress(FileNotFoundError):
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            return not lock(file, shared=True)
        finally:
            os.close(file)
    return False
