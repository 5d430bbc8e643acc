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
    """Where a model would run, and for a loaded model how accurate the estimate is."""

    placement: Placement
    comparison: Comparison | None = None


class ServerHardware(NamedTuple):
    """The hardware and settings of a server."""

    machine: Machine
    """Its current state, with the loaded models."""
    environment: Mapping[str, str] = {}
    """The server's variables as this shell has them."""


async def fit_installed(
    library: ModelLibrary, one: InstalledModel, hardware: ServerHardware, context: int = 0
) -> FitResult:
    """Estimate where an installed model runs.

    Args:
        library: the models of the server.
        one: the model.
        hardware: the server's hardware.
        context: tokens; 0 for the context that the model is or would be loaded with.
    """
    machine = _without_loaded_models(hardware, await library.list_loaded())
    wished = context or (one.running.context_length if one.running else 0)
    load = default_load(machine, context=wished, parameters=one.model.parameters, environment=hardware.environment)
    made = estimate_memory(await library.engine.info(one.name), one.model.size, load, one.model.quantization)
    return FitResult(place_on(made, machine), compare_with_running(made, one.running) if one.running else None)


def fit_download(
    name: str, size: int, hardware: ServerHardware, running: tuple[RunningModel, ...] = (), context: int = 0
) -> FitResult:
    """Estimate where a model would run from the name and size of its download.

    Args:
        name: the model; its tag may name the quantization.
        size: the download in bytes.
        hardware: the server's hardware.
        running: the loaded models, which the server can unload.
        context: tokens; 0 for the server's default.
    """
    machine = _without_loaded_models(hardware, running)
    load = default_load(machine, context=context, environment=hardware.environment)
    return FitResult(place_on(estimate_from_size(size, load, quantization_of_name(name)), machine))


def _without_loaded_models(hardware: ServerHardware, running: tuple[RunningModel, ...]) -> Machine:
    """The machine without the models that the server can unload, with assumptions added to its notes."""
    machine = without_loaded(hardware.machine, sum(one.size_vram for one in running))
    return machine._replace(notes=(*machine.notes, *assumptions(hardware.environment)))


def quantization_of_name(name: str) -> str:
    """The quantization in a model's tag, spelled as in file names; empty if there is none."""
    tag = name.rpartition(":")[2] if ":" in name else ""
    found = re.search(r"(?:^|-)(i?q\d(?:_[a-z0-9]+)*|b?f16|fp16|mxfp4)$", tag, re.IGNORECASE | re.ASCII)
    return found[1].upper().replace("FP16", "F16") if found else ""
