"""Detects whether the process that was streaming a reply is still alive."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

from reflectty.core.named_tuple import NamedTuple

SILENCE_SECONDS = 60.0
"""Seconds without a heartbeat after which a writer counts as ended."""
_STATE, _START = 0, 19
RUNNING = "running"


class Writer(NamedTuple):
    """The identity of a process; `boot` and `started` are empty if the system does not report them."""

    pid: int
    boot: str
    """The boot id and the pid namespace (container) that `pid` belongs to, or the name of the machine."""
    started: str
    """Start time in clock ticks, as the system reuses the pid of a dead process; `RUNNING` where it is unknown."""


def current_writer() -> Writer:
    return writer_of(os.getpid())


def writer_of(pid: int) -> Writer:
    """Identify a process of this machine."""
    return Writer(pid, _machine(), _start_ticks_of(pid))


def is_gone(writer: Writer, beat: float, now: float) -> bool:
    """True if a writer whose last heartbeat was at `beat` is no longer alive."""
    if abs(now - beat) > SILENCE_SECONDS:
        return True
    # Processes on other machines or in other containers can only be judged by their heartbeat.
    return bool(writer.boot) and writer.boot == _machine() and _start_ticks_of(writer.pid) != writer.started


def _machine() -> str:
    # Only Linux has pid namespaces. Another machine of the same name revives its reply with its next heartbeat.
    return _boot_id() if sys.platform == "linux" else os.uname().nodename


@cache
def _boot_id() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _start_ticks_of(pid: int) -> str:
    """Start time of a process in clock ticks; empty if there is none, or only a zombie."""
    if sys.platform != "linux":
        return RUNNING if _exists(pid) else ""
    try:
        # The program name in parentheses may contain spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return "" if fields[_STATE] in "ZX" else fields[_START]
    except (OSError, IndexError):
        return ""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError, TypeError):
        return False
    return True
