"""A small file system of its own below a folder, for tests of full and read-only disks."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def small_disk(folder: Path, *options: str) -> Iterator[None]:
    """Mount a file system in memory; skip the test where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        (mount, "-t", "tmpfs", *options, "tmpfs", str(folder)), capture_output=True, text=True, check=False
    )
    if not done or done.returncode:
        pytest.skip(f"NOT TESTED: a disk that fills up needs a mount, which this system does not allow: {done}")
    try:
        yield
    finally:
        subprocess.run(("umount", "-l", str(folder)), check=True)
