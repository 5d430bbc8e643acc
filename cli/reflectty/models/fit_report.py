"""Estimates the fit of installed models and downloads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reflectty.models.fit import (
    assumptions,
    compare_with_running,
    default_load,
    estimate_from_size,
    estimate_memory,
    place_on,
    without_loaded,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.core.messages import RunningModel
    from reflectty.models.fit import Comparison, Machine, Placement
    from reflectty.models.installed import InstalledModel
    from reflectty.models.manager import ModelLibrary


class FitResult(NamedTuple):
    """Where a model would run, and how true the estimate is where the model is loaded."""

    placement: Placement
    comparison: Comparison | None = None


class ServerHardware(NamedTuple):
    """What is known of where a server runs."""

    machine: Machine
    """As it is now, with what is loaded."""
    environment: Mapping[str, str] = {}
    """What this shell says of the server's settings."""


async def fit_installed(
    library: ModelLibrary, one: InstalledModel, hardware: ServerHardware, context: int = 0
) -> FitResult:
    """Return how an installed model fits.

    Args:
        library: where it is installed.
        one: the model.
        hardware: where its server runs.
        context: tokens; 0 is what the model is loaded with, or would be.
    """
    machine = _without_loaded_models(hardware, await library.list_loaded())
    wished = context or (one.running.context_length if one.running else 0)
    load = default_load(machine, context=wished, parameters=one.model.parameters, environment=hardware.environment)
    made = estimate_memory(await library.engine.info(one.name), one.model.size, load, one.model.quantization)
    return FitResult(place_on(made, machine), compare_with_running(made, one.running) if one.running else None)


def fit_download(
    name: str, size: int, hardware: ServerHardware, running: tuple[RunningModel, ...] = (), context: int = 0
) -> FitResult:
    """Return how a model fits of which only the name and the size of its download, in bytes, are known.

    Args:
        name: the model; its tag may name the quantisation.
        size: of the download, in bytes.
        hardware: where the server runs.
        running: what is loaded there now, and makes room.
        context: tokens; 0 is what the server picks by itself.
    """
    machine = _without_loaded_models(hardware, running)
    load = default_load(machine, context=context, environment=hardware.environment)
    return FitResult(place_on(estimate_from_size(size, load, quantization_of_name(name)), machine))


def _without_loaded_models(hardware: ServerHardware, running: tuple[RunningModel, ...]) -> Machine:
    """Return the machine without what the server can unload; with what is only taken to be so among its notes."""
    machine = without_loaded(hardware.machine, sum(one.size_vram for one in running))
    return machine._replace(notes=(*machine.notes, *assumptions(hardware.environment)))


def quantization_of_name(name: str) -> str:
    """Return the quantisation that the tag of a model names, as files name it; empty where it names none."""
    tag = name.rpartition(":")[2] if ":" in name else ""
    found = re.search(r"(?:^|-)(i?q\d(?:_[a-z0-9]+)*|b?f16|fp16|mxfp4)$", tag, re.IGNORECASE | re.ASCII)
    return found[1].upper().replace("FP16", "F16") if found else ""
