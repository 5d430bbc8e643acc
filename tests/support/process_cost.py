"""Runs a command and measures its time, its CPU and its memory, with all its child processes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Cost(NamedTuple):
    """The cost of one run."""

    wall: float
    cpu: float
    memory: float
    """That of the largest process, in MB."""


def once(command: Sequence[str], stdin: Path, environment: dict[str, str]) -> Cost:
    """Run a command with all its child processes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with stdin.open("rb") as lines:
        process = subprocess.Popen(
            command, stdin=lines, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        _, status, own = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, own.ru_maxrss / 1024)
