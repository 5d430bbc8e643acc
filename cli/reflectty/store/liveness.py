"""Detects whether the process that was streaming a reply is still alive."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

SILENCE_SECONDS = 60.0
"""How long a writer may give no sign of life."""
_STATE, _START = 0, 19


class Writer(NamedTuple):
    """A process; `boot` and `started` are empty where the system does not tell."""

    pid: int
    boot: str
    """The one run of one machine, and the container, that `pid` belongs to."""
    started: str
    """When the process began, in the system's ticks: the number of a dead process is given again."""


def current_writer() -> Writer:
    return writer_of(os.getpid())


def writer_of(pid: int) -> Writer:
    """Return a process of this machine."""
    return Writer(pid, _boot_id(), _start_ticks_of(pid))


def is_gone(writer: Writer, beat: float, now: float) -> bool:
    """Whether a writer that gave its last sign of life at `beat` will write no more."""
    if abs(now - beat) > SILENCE_SECONDS:
        return True
    # What runs on another machine, or in another container, is known by its beat alone.
    return bool(writer.boot) and writer.boot == _boot_id() and _start_ticks_of(writer.pid) != writer.started


@cache
def _boot_id() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _start_ticks_of(pid: int) -> str:
    """Return when a process began; nothing where there is none, or one that is dead and only not yet buried."""
    try:
        # The name in parentheses may hold anything, spaces and parentheses too.
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return "" if fields[_STATE] in "ZX" else fields[_START]
    except (OSError, IndexError):
        return ""
