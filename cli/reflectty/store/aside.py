"""Moves a damaged file out of the way, once, however many programs meet it; repairs nothing."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Identity = tuple[int, int]
_PARTS = ("-wal", "-shm", "-journal", "")
"""The file itself last: without it, a log that was left would be taken for the new file's."""


def identity(path: Path) -> Identity:
    """Return what tells a file from another of the same name."""
    status = path.stat()
    return status.st_dev, status.st_ino


def move_aside(path: Path, damaged: Identity) -> Path | None:
    """Rename a file and what belongs to it; None where another program has done so already.

    Raises:
        OSError: it cannot be renamed.
    """
    with _alone_in(path.parent):
        if not path.exists() or identity(path) != damaged:
            return None
        instead = _free_name(path)
        for part in _PARTS:
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + part).rename(instead.with_name(instead.name + part))
    return instead


def _free_name(path: Path) -> Path:
    now = time.time()
    while True:
        moment = time.strftime("%Y-%m-%d-%H%M%S", time.localtime(now))
        name = path.with_name(f"{path.name}.corrupt-{moment}")
        if not name.exists():
            return name
        now += 1


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)
