"""Reads the memory of the machine itself, of Linux and of a Mac with Apple silicon; runs nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.fitting.device import Device, Machine, Memory
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from pathlib import Path

SYSCTL: Final = "sysctl"
QUERY: Final = ("hw.memsize", "iogpu.wired_limit_mb", "machdep.cpu.brand_string", "hw.optional.arm64")
_SMALL_MAC: Final = 36 << 30
_CGROUPS: Final = (
    ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current", "sys/fs/cgroup/memory.stat"),
    (
        "sys/fs/cgroup/memory/memory.limit_in_bytes",
        "sys/fs/cgroup/memory/memory.usage_in_bytes",
        "sys/fs/cgroup/memory/memory.stat",
    ),
)
_LONGEST_FILE: Final = 1 << 16


def of_linux(root: Path) -> Machine:
    """Return the memory that the kernel tells of, or the limit of the container if that is less."""
    text = _content(root / "proc/meminfo")
    total, available = _kib(text, "MemTotal"), _kib(text, "MemAvailable")
    for limit_file, used_file, stat_file in _CGROUPS:
        limit = _number(_content(root / limit_file))
        if limit and (not total or limit < total):
            used = _number(_content(root / used_file))
            cached = re.search(r"^(?:total_)?inactive_file ([0-9]{1,18})$", _content(root / stat_file), re.MULTILINE)
            left = max(0, limit - max(0, used - (int(cached[1]) if cached else 0)))
            return Machine(total=limit, available=min(left, available) if available else left)
    return Machine(total=total, available=available)


def of_mac(text: str) -> Machine:
    """Return the memory that sysctl tells of, and the GPU that shares it.

    Unless `iogpu.wired_limit_mb` says otherwise, the GPU of a Mac may use about two thirds of up to 36 GB and three
    quarters of more: a rule of thumb for Metal's recommendedMaxWorkingSetSize, which no command prints.
    """
    values = dict(re.findall(r"^([\w.]+): *(.*)$", text, re.MULTILINE))
    total = _number(values.get("hw.memsize", ""))
    machine = Machine(total=total, available=total, notes=("how much of the memory is in use is not known",))
    if not total or values.get("hw.optional.arm64") != "1":
        return machine
    limit = _number(values.get("iogpu.wired_limit_mb", "")) << 20
    usable = min(limit, total) or (total * 2 // 3 if total <= _SMALL_MAC else total * 3 // 4)
    name = clean_line(values.get("machdep.cpu.brand_string", ""), 60) or "Apple GPU"
    gpu = Device(name, usable, usable, Memory.SHARED, "", SYSCTL, estimated=not limit)
    return machine._replace(gpus=(gpu,))


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_FILE).decode(errors="replace").strip()
    except OSError:
        return ""


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0


def _kib(text: str, name: str) -> int:
    found = re.search(rf"^{name}: +([0-9]{{1,15}}) kB$", text, re.MULTILINE)
    return int(found[1]) << 10 if found else 0
