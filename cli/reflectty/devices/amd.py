"""Reads what rocm-smi, or else the amdgpu driver's own files, tell of AMD's GPUs; runs nothing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from reflectty.fitting.device import Device, Memory
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TOOL: Final = "rocm-smi"
QUERY: Final = ("--showproductname", "--showmeminfo", "vram", "gtt", "--json")
FILES: Final = "sys/class/drm"
_VENDOR: Final = "0x1002"
_UNNAMED: Final = "AMD GPU"
_NAME: Final = 60
_GIB: Final = 1 << 30
_LONGEST_FILE: Final = 256


def read(text: str) -> tuple[Device, ...]:
    """Return the GPUs of rocm-smi's JSON, before which it may write warnings; names of fields differ by version."""
    try:
        cards = json.loads(text[text.index("{") :])
    except (ValueError, RecursionError):
        return ()
    if not isinstance(cards, dict):
        return ()
    found = [_card(card) for name, card in cards.items() if name.startswith("card") and isinstance(card, dict)]
    return tuple(device for device in found if device)


def _card(card: Mapping[str, object]) -> Device | None:
    fields = {name.lower(): value for name, value in card.items()}
    vram, used = _bytes(fields, "vram total memory"), _bytes(fields, "vram total used memory")
    gtt, gtt_used = _bytes(fields, "gtt total memory"), _bytes(fields, "gtt total used memory")
    names = (fields.get(name) for name in ("card series", "device name", "card model"))
    name = next((each for each in names if isinstance(each, str) and each not in {"", "N/A"}), _UNNAMED)
    return _device(name, (vram, used), (gtt, gtt_used), TOOL)


def _bytes(fields: Mapping[str, object], name: str) -> int:
    for unit, factor in (("b", 1), ("mib", 1 << 20)):
        text = str(fields.get(f"{name} ({unit})", ""))
        if re.fullmatch(r"[0-9]{1,18}", text):
            return int(text) * factor
    return 0


def _device(name: str, vram: tuple[int, int], gtt: tuple[int, int], source: str) -> Device | None:
    """Return the GPU, or nothing where its size is not told.

    A GPU with at most 4 GiB of its own that may use 8 GiB and four times as much of the machine's is one of a
    processor, and uses that: the rule of Ollama's discover/amd.go.
    """
    total, used = vram
    if not total:
        return None
    memory = Memory.OWN
    if total <= 4 * _GIB and gtt[0] >= max(8 * _GIB, 4 * total):
        memory, total, used = Memory.SHARED, total + gtt[0], used + gtt[1]
    shared = memory is Memory.SHARED
    return Device(clean_line(name, _NAME) or _UNNAMED, total, max(0, total - used), memory, "", source, shared)


def from_files(root: Path) -> tuple[Device, ...]:
    """Return the GPUs that the driver's files below the root of a file system tell of."""
    try:
        folders = sorted(path for path in (root / FILES).iterdir() if re.fullmatch(r"card[0-9]+", path.name))
    except OSError:
        return ()
    found = [_of_folder(folder / "device") for folder in folders]
    return tuple(device for device in found if device)


def _of_folder(folder: Path) -> Device | None:
    if _content(folder / "vendor").lower() != _VENDOR:
        return None
    vram, gtt = (
        (_number(folder / f"mem_info_{kind}_total"), _number(folder / f"mem_info_{kind}_used"))
        for kind in ("vram", "gtt")
    )
    return _device(_content(folder / "product_name") or _UNNAMED, vram, gtt, "amdgpu")


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_FILE).decode(errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int:
    text = _content(path)
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0
