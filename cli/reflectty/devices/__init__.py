"""Finds the GPUs and the memory of this machine by asking the programs and files that tell; estimates nothing.

Whatever is missing, fails or hangs is normal: it leaves the machine without what it would have told.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reflectty.devices import amd, memory, nvidia
from reflectty.devices.asking import PATIENCE_SECONDS, Told, told
from reflectty.fitting.device import ELSEWHERE, Machine, Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Place", "machine"]


class Place(NamedTuple):
    """Where is looked; every field can be given by a test."""

    path: str | None = None
    """Where programs are; None is the PATH of this process."""
    root: Path = Path("/")
    system: str = sys.platform
    patience: float = PATIENCE_SECONDS


HERE = Place()
_FOLDERS = ("opt/rocm/bin", "usr/lib/wsl/lib", "usr/sbin")
"""Where the programs are as well, though not every PATH says so."""


async def machine(*, local: bool = True, visible: str | None = None, place: Place = HERE) -> Machine:
    """Return what a server can use; never raises and takes at most some seconds.

    Args:
        local: whether the server is on this machine; of another one nothing is known.
        visible: the value of CUDA_VISIBLE_DEVICES, if there is one.
        place: where to look.
    """
    if not local:
        return ELSEWHERE
    if place.system == "darwin":
        return memory.of_mac((await _asked(place, memory.SYSCTL, memory.QUERY)).text)
    by_nvidia, by_amd = await asyncio.gather(
        _asked(place, nvidia.TOOL, nvidia.QUERY), _asked(place, amd.TOOL, amd.QUERY)
    )
    found = memory.of_linux(place.root)
    found = found._replace(notes=found.notes + _hung((nvidia.TOOL, by_nvidia), (amd.TOOL, by_amd)))
    found = nvidia.read(by_nvidia.text, found, visible)
    found = found._replace(gpus=found.gpus + (amd.read(by_amd.text) or amd.from_files(place.root)))
    return _without_spare(found)


async def _asked(place: Place, tool: str, arguments: Sequence[str]) -> Told:
    path = shutil.which(tool, path=place.path) or _found_aside(place, tool)
    return await told((path, *arguments), place.patience) if path else Told()


def _found_aside(place: Place, tool: str) -> str | None:
    return shutil.which(tool, path=os.pathsep.join(str(place.root / folder) for folder in _FOLDERS))


def _hung(*tools: tuple[str, Told]) -> tuple[str, ...]:
    return tuple(f"{tool} did not answer in time: what it knows is missing" for tool, said in tools if said.hung)


def _without_spare(found: Machine) -> Machine:
    """Leave out the GPU of a processor beside one with its own memory, as Ollama does."""
    own = tuple(gpu for gpu in found.gpus if gpu.memory is Memory.OWN)
    return found._replace(gpus=own) if own else found
