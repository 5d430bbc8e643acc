"""Reads what nvidia-smi tells of NVIDIA's GPUs; runs nothing."""

from __future__ import annotations

import re
from typing import Final

from reflectty.fitting.device import Device, Machine, Memory
from reflectty.safety import clean_line

TOOL: Final = "nvidia-smi"
QUERY: Final = (
    "--query-gpu=name,memory.total,memory.free,driver_version,uuid",
    "--format=csv,noheader,nounits",
)
LEAST_DRIVER: Final = 550
"""Ollama 0.32 uses no older one (its docs/gpu.mdx)."""
_COLUMNS: Final = 5
_MIB: Final = 1 << 20
_NAME, _VERSION, _REASON = 60, 20, 160


def read(text: str, machine: Machine, visible: str | None = None) -> Machine:
    """Return the machine with the GPUs that the text lists, of them only those that CUDA_VISIBLE_DEVICES names.

    A GPU whose memory is `[N/A]` shares that of the machine, as GB10 does.
    """
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines()]
    rows = [row for row in rows if len(row) == _COLUMNS and row[0]]
    if text.strip() and not rows:
        return _noting(machine, f"{TOOL} shows no GPU: {clean_line(text.strip().splitlines()[0], _REASON)}")
    chosen = [row for at, row in enumerate(rows) if _is_visible(visible, at, row[-1])]
    machine = machine._replace(gpus=machine.gpus + tuple(_device(row, machine) for row in chosen))
    if len(chosen) < len(rows):
        machine = _noting(machine, "CUDA_VISIBLE_DEVICES leaves GPUs out; it is taken to hold for the server as well")
    return _old(machine, chosen)


def _noting(machine: Machine, note: str) -> Machine:
    return machine._replace(notes=(*machine.notes, note))


def _is_visible(visible: str | None, at: int, uuid: str) -> bool:
    """Say whether a GPU is named by its number or the beginning of its UUID; what follows a wrong name is not used."""
    if visible is None:
        return True
    for name in (part.strip() for part in visible.split(",")):
        if name == str(at) or (name.startswith("GPU-") and uuid.startswith(name)):
            return True
        if not (name.isdecimal() or name.startswith("GPU-")):
            return False
    return False


def _device(row: list[str], machine: Machine) -> Device:
    name, total, free, driver, _ = row
    shown, version = clean_line(name, _NAME), clean_line(driver, _VERSION)
    if not _mib(total):
        return Device(shown, machine.total, machine.available, Memory.SHARED, version, TOOL, estimated=True)
    return Device(shown, _mib(total), min(_mib(free), _mib(total)), Memory.OWN, version, TOOL)


def _mib(text: str) -> int:
    return int(text) * _MIB if re.fullmatch(r"[0-9]{1,9}", text) else 0


def _old(machine: Machine, rows: list[list[str]]) -> Machine:
    for row in rows:
        major = re.match(r"[0-9]{1,4}", row[3])
        if major and int(major[0]) < LEAST_DRIVER:
            driver = clean_line(row[3], _VERSION)
            return _noting(machine, f"driver {driver} is too old for Ollama: it wants {LEAST_DRIVER} or newer")
    return machine
