"""Whether models fit their server: gathers what the estimate needs; estimates nothing itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reflectty.fitting import assumed, compared, estimate, freed, from_size, placed, usual_load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.chat import Running
    from reflectty.fitting import Comparison, Machine, Placement
    from reflectty.library.library import Library
    from reflectty.library.values import Installed


class Fitted(NamedTuple):
    """Where a model would run, and how true the estimate is where the model is loaded."""

    placement: Placement
    compared: Comparison | None = None


class Around(NamedTuple):
    """What is known of where a server runs."""

    machine: Machine
    """As it is now, with what is loaded."""
    environment: Mapping[str, str] = {}
    """What this shell says of the server's settings."""


async def fitted(library: Library, one: Installed, around: Around, context: int = 0) -> Fitted:
    """Return how an installed model fits.

    Args:
        library: where it is installed.
        one: the model.
        around: where its server runs.
        context: tokens; 0 is what the model is loaded with, or would be.
    """
    machine = _emptied(around, await library.loaded())
    wished = context or (one.running.context_length if one.running else 0)
    load = usual_load(machine, context=wished, parameters=one.model.parameters, environment=around.environment)
    made = estimate(await library.engine.info(one.name), one.model.size, load, one.model.quantization)
    return Fitted(placed(made, machine), compared(made, one.running) if one.running else None)


def fitted_download(
    name: str, size: int, around: Around, running: tuple[Running, ...] = (), context: int = 0
) -> Fitted:
    """Return how a model fits of which only the name and the size of its download, in bytes, are known.

    Args:
        name: the model; its tag may name the quantisation.
        size: of the download, in bytes.
        around: where the server runs.
        running: what is loaded there now, and makes room.
        context: tokens; 0 is what the server picks by itself.
    """
    machine = _emptied(around, running)
    load = usual_load(machine, context=context, environment=around.environment)
    return Fitted(placed(from_size(size, load, quantisation_of(name)), machine))


def _emptied(around: Around, running: tuple[Running, ...]) -> Machine:
    """Return the machine without what the server can unload; with what is only taken to be so among its notes."""
    machine = freed(around.machine, sum(one.size_vram for one in running))
    return machine._replace(notes=(*machine.notes, *assumed(around.environment)))


def quantisation_of(name: str) -> str:
    """Return the quantisation that the tag of a model names, as files name it; empty where it names none."""
    tag = name.rpartition(":")[2] if ":" in name else ""
    found = re.search(r"(?:^|-)(i?q\d(?:_[a-z0-9]+)*|b?f16|fp16|mxfp4)$", tag, re.IGNORECASE | re.ASCII)
    return found[1].upper().replace("FP16", "F16") if found else ""
