"""Detects the GPUs and the memory of this machine.

A missing, failing or hanging source is normal: its facts are left out.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.models.fit import LOAD_VARIABLES, REMOTE_MACHINE, Gpu, Machine, MemoryKind, ServerHardware
from reflectty.system.programs import PATIENCE_SECONDS, ProgramOutput, run_program
from reflectty.system.terminal import system_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


SYSCTL: Final = "sysctl"
SYSCTL_NAMES: Final = ("hw.memsize", "iogpu.wired_limit_mb", "machdep.cpu.brand_string", "hw.optional.arm64")
_SMALL_MAC: Final = 36 << 30
_CGROUPS: Final = (
    ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current", "sys/fs/cgroup/memory.stat"),
    (
        "sys/fs/cgroup/memory/memory.limit_in_bytes",
        "sys/fs/cgroup/memory/memory.usage_in_bytes",
        "sys/fs/cgroup/memory/memory.stat",
    ),
)
_MAX_FILE_SIZE: Final = 1 << 16


def memory_of_linux(root: Path) -> Machine:
    """The memory that the kernel reports, or the container's limit if lower."""
    text = _text_of_file(root / "proc/meminfo")
    total, available = _kib(text, "MemTotal"), _kib(text, "MemAvailable")
    for limit_file, used_file, stat_file in _CGROUPS:
        limit = _number_in(root / limit_file)
        if limit and (not total or limit < total):
            used = _number_in(root / used_file)
            cached = re.search(
                r"^(?:total_)?inactive_file ([0-9]{1,18})$", _text_of_file(root / stat_file), re.MULTILINE
            )
            left = max(0, limit - max(0, used - (int(cached[1]) if cached else 0)))
            return Machine(total=limit, available=min(left, available) if available else left)
    return Machine(total=total, available=available)


def memory_of_mac(text: str) -> Machine:
    """The memory that sysctl reports, and the GPU that shares it.

    Unless `iogpu.wired_limit_mb` is set, the GPU of a Mac may use about two thirds of up to 36 GB and three quarters of
    more: a rule of thumb for Metal's recommendedMaxWorkingSetSize, which no command prints.
    """
    values = dict(re.findall(r"^([\w.]+): *(.*)$", text, re.MULTILINE))
    total = _number_from(values.get("hw.memsize", ""))
    machine = Machine(total=total, available=total, notes=("memory usage is unknown",))
    if not total or values.get("hw.optional.arm64") != "1":
        return machine
    limit = _number_from(values.get("iogpu.wired_limit_mb", "")) << 20
    usable = min(limit, total) or (total * 2 // 3 if total <= _SMALL_MAC else total * 3 // 4)
    name = clean_line(values.get("machdep.cpu.brand_string", ""), 60) or "Apple GPU"
    gpu = Gpu(name, usable, usable, MemoryKind.SHARED, "", SYSCTL, estimated=not limit)
    return machine._replace(gpus=(gpu,))


def _text_of_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE_SIZE).decode(errors="replace").strip()
    except OSError:
        return ""


def _number_from(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0


def _number_in(path: Path) -> int:
    return _number_from(_text_of_file(path))


def _kib(text: str, name: str) -> int:
    found = re.search(rf"^{name}: +([0-9]{{1,15}}) kB$", text, re.MULTILINE)
    return int(found[1]) << 10 if found else 0


NVIDIA_TOOL: Final = "nvidia-smi"
NVIDIA_QUERY: Final = (
    "--query-gpu=name,memory.total,memory.free,driver_version,uuid",
    "--format=csv,noheader,nounits",
)
OLDEST_NVIDIA_DRIVER: Final = 550
"""The oldest driver that Ollama 0.32 supports (its docs/gpu.mdx)."""
_COLUMNS: Final = 5
_MIB: Final = 1 << 20
_NAME, _VERSION, _REASON = 60, 20, 160


def add_nvidia_gpus(text: str, machine: Machine, visible: str | None = None) -> Machine:
    """The machine with the GPUs listed in `text`, limited to those that CUDA_VISIBLE_DEVICES names.

    A GPU whose memory is `[N/A]` shares the machine's, as GB10 does.
    """
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines()]
    rows = [row for row in rows if len(row) == _COLUMNS and row[0]]
    if text.strip() and not rows:
        return _add_note(machine, f"{NVIDIA_TOOL} reports no GPU: {clean_line(text.strip().splitlines()[0], _REASON)}")
    chosen = [row for at, row in enumerate(rows) if _is_visible(visible, at, row[-1])]
    machine = machine._replace(gpus=machine.gpus + tuple(_nvidia_gpu_of(row, machine) for row in chosen))
    if len(chosen) < len(rows):
        machine = _add_note(machine, "assuming that CUDA_VISIBLE_DEVICES, which hides GPUs, also applies to the server")
    return _note_old_driver(machine, chosen)


def _add_note(machine: Machine, note: str) -> Machine:
    return machine._replace(notes=(*machine.notes, note))


def _is_visible(visible: str | None, at: int, uuid: str) -> bool:
    """True if a GPU is named by its number or a prefix of its UUID; names after an invalid one are ignored."""
    if visible is None:
        return True
    for name in (part.strip() for part in visible.split(",")):
        if name == str(at) or (name.startswith("GPU-") and uuid.startswith(name)):
            return True
        if not (name.isdecimal() or name.startswith("GPU-")):
            return False
    return False


def _nvidia_gpu_of(row: list[str], machine: Machine) -> Gpu:
    name, total, free, driver, _ = row
    shown, version = clean_line(name, _NAME), clean_line(driver, _VERSION)
    if not _mib(total):
        return Gpu(shown, machine.total, machine.available, MemoryKind.SHARED, version, NVIDIA_TOOL, estimated=True)
    return Gpu(shown, _mib(total), min(_mib(free), _mib(total)), MemoryKind.OWN, version, NVIDIA_TOOL)


def _mib(text: str) -> int:
    return int(text) * _MIB if re.fullmatch(r"[0-9]{1,9}", text) else 0


def _note_old_driver(machine: Machine, rows: list[list[str]]) -> Machine:
    for row in rows:
        major = re.match(r"[0-9]{1,4}", row[3])
        if major and int(major[0]) < OLDEST_NVIDIA_DRIVER:
            driver = clean_line(row[3], _VERSION)
            return _add_note(
                machine, f"driver {driver} is too old for Ollama, which needs {OLDEST_NVIDIA_DRIVER} or newer"
            )
    return machine


AMD_TOOL: Final = "rocm-smi"
AMD_QUERY: Final = ("--showproductname", "--showmeminfo", "vram", "gtt", "--json")
AMD_FILES: Final = "sys/class/drm"
_AMD_VENDOR: Final = "0x1002"
_UNNAMED: Final = "AMD GPU"
_MAX_AMD_NAME_LENGTH: Final = 60
_GIB: Final = 1 << 30


def amd_gpus_from(text: str) -> tuple[Gpu, ...]:
    """The GPUs in rocm-smi's JSON, which may follow warnings; field names differ by version."""
    try:
        cards = json.loads(text[text.index("{") :])
    except (ValueError, RecursionError):
        return ()
    if not isinstance(cards, dict):
        return ()
    found = [_gpu_of_card(card) for name, card in cards.items() if name.startswith("card") and isinstance(card, dict)]
    return tuple(device for device in found if device)


def _gpu_of_card(card: Mapping[str, object]) -> Gpu | None:
    fields = {name.lower(): value for name, value in card.items()}
    vram, used = _bytes(fields, "vram total memory"), _bytes(fields, "vram total used memory")
    gtt, gtt_used = _bytes(fields, "gtt total memory"), _bytes(fields, "gtt total used memory")
    names = (fields.get(name) for name in ("card series", "device name", "card model"))
    name = next((each for each in names if isinstance(each, str) and each not in {"", "N/A"}), _UNNAMED)
    return _amd_gpu_of(name, (vram, used), (gtt, gtt_used), AMD_TOOL)


def _bytes(fields: Mapping[str, object], name: str) -> int:
    for unit, factor in (("b", 1), ("mib", 1 << 20)):
        text = str(fields.get(f"{name} ({unit})", ""))
        if re.fullmatch(r"[0-9]{1,18}", text):
            return int(text) * factor
    return 0


def _amd_gpu_of(name: str, vram: tuple[int, int], gtt: tuple[int, int], source: str) -> Gpu | None:
    """The GPU; None if its size is unknown.

    A GPU with at most 4 GiB of its own that may use at least 8 GiB and four times as much of the machine's is
    integrated, and uses the machine's: the rule of Ollama's discover/amd.go.
    """
    total, used = vram
    if not total:
        return None
    memory = MemoryKind.OWN
    if total <= 4 * _GIB and gtt[0] >= max(8 * _GIB, 4 * total):
        memory, total, used = MemoryKind.SHARED, total + gtt[0], used + gtt[1]
    shared = memory is MemoryKind.SHARED
    return Gpu(
        clean_line(name, _MAX_AMD_NAME_LENGTH) or _UNNAMED, total, max(0, total - used), memory, "", source, shared
    )


def amd_gpus_from_files(root: Path) -> tuple[Gpu, ...]:
    """The GPUs that the driver's files below `root` describe."""
    try:
        folders = sorted(path for path in (root / AMD_FILES).iterdir() if re.fullmatch(r"card[0-9]+", path.name))
    except OSError:
        return ()
    found = [_gpu_of_folder(folder / "device") for folder in folders]
    return tuple(device for device in found if device)


def _gpu_of_folder(folder: Path) -> Gpu | None:
    if _text_of_file(folder / "vendor").lower() != _AMD_VENDOR:
        return None
    vram, gtt = (
        (_number_in(folder / f"mem_info_{kind}_total"), _number_in(folder / f"mem_info_{kind}_used"))
        for kind in ("vram", "gtt")
    )
    return _amd_gpu_of(_text_of_file(folder / "product_name") or _UNNAMED, vram, gtt, "amdgpu")


class ProbeEnvironment(NamedTuple):
    """Where to look for programs and files; tests set their own."""

    path: str | None = None
    """Search path of the programs; None for the PATH of this process."""
    root: Path = Path("/")
    system: str = sys.platform
    patience: float = PATIENCE_SECONDS


THIS_MACHINE = ProbeEnvironment()
_TOOL_FOLDERS = ("opt/rocm/bin", "usr/lib/wsl/lib", "usr/sbin")
"""Folders of the programs that may be missing from PATH."""


async def detect_machine(
    *, local: bool = True, visible: str | None = None, probe: ProbeEnvironment = THIS_MACHINE
) -> Machine:
    """Detect what a server can use; never raises, and takes a few seconds at most.

    Args:
        local: True if the server is on this machine; nothing is known of another.
        visible: the value of CUDA_VISIBLE_DEVICES, if set.
        probe: where to look.
    """
    if not local:
        return REMOTE_MACHINE
    if probe.system == "darwin":
        return memory_of_mac((await _run_tool(probe, SYSCTL, SYSCTL_NAMES)).text)
    by_nvidia, by_amd = await asyncio.gather(
        _run_tool(probe, NVIDIA_TOOL, NVIDIA_QUERY), _run_tool(probe, AMD_TOOL, AMD_QUERY)
    )
    found = memory_of_linux(probe.root)
    found = found._replace(notes=found.notes + _timeout_notes((NVIDIA_TOOL, by_nvidia), (AMD_TOOL, by_amd)))
    found = add_nvidia_gpus(by_nvidia.text, found, visible)
    found = found._replace(gpus=found.gpus + (amd_gpus_from(by_amd.text) or amd_gpus_from_files(probe.root)))
    return _without_integrated_gpu(found)


async def _run_tool(probe: ProbeEnvironment, tool: str, arguments: Sequence[str]) -> ProgramOutput:
    path = shutil.which(tool, path=probe.path) or _find_in_tool_folders(probe, tool)
    return await run_program((path, *arguments), probe.patience) if path else ProgramOutput()


def _find_in_tool_folders(probe: ProbeEnvironment, tool: str) -> str | None:
    return shutil.which(tool, path=os.pathsep.join(str(probe.root / folder) for folder in _TOOL_FOLDERS))


def _timeout_notes(*tools: tuple[str, ProgramOutput]) -> tuple[str, ...]:
    return tuple(f"{tool} timed out: its information is missing" for tool, output in tools if output.hung)


def _without_integrated_gpu(found: Machine) -> Machine:
    """Leave out an integrated GPU beside one with its own memory, as Ollama does."""
    own = tuple(gpu for gpu in found.gpus if gpu.memory is MemoryKind.OWN)
    return found._replace(gpus=own) if own else found


_VISIBLE_GPUS_VARIABLE: Final = "CUDA_VISIBLE_DEVICES"
"""Limits the NVIDIA GPUs that programs may use."""


async def detect_hardware(
    *, local: bool = True, environment: Mapping[str, str] | None = None, probe: ProbeEnvironment = THIS_MACHINE
) -> ServerHardware:
    """The hardware and settings of a server; empty for a remote one."""
    variables = (system_environment() if environment is None else environment) if local else {}
    # The server may have another environment: assume only these variables of this shell.
    assumed = {name: variables[name] for name in (*LOAD_VARIABLES, _VISIBLE_GPUS_VARIABLE) if name in variables}
    machine = await detect_machine(local=local, visible=assumed.get(_VISIBLE_GPUS_VARIABLE), probe=probe)
    return ServerHardware(machine, assumed)
