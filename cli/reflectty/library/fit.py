"""Whether models fit their server: gathers what the estimate needs; estimates nothing itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reflectty.fitting import Load, compared, estimate, freed, from_size, placed, usual_context

if TYPE_CHECKING:
    from reflectty.chat import Running
    from reflectty.fitting import Comparison, Machine, Placement
    from reflectty.library.library import Library
    from reflectty.library.values import Installed


class Fitted(NamedTuple):
    """Where a model would run, and how true the estimate is where the model is loaded."""

    placement: Placement
    compared: Comparison | None = None


async def fitted(library: Library, one: Installed, machine: Machine, context: int = 0) -> Fitted:
    """Return how an installed model fits.

    Args:
        library: where it is installed.
        one: the model.
        machine: the machine of the server, as it is now.
        context: tokens; 0 is what the model is loaded with, or would be.
    """
    machine = _emptied(machine, await library.loaded())
    wished = context or (one.running.context_length if one.running else 0) or own_context(one.model.parameters)
    load = Load(wished or usual_context(machine))
    made = estimate(await library.engine.info(one.name), one.model.size, load, one.model.quantization)
    return Fitted(placed(made, machine), compared(made, one.running) if one.running else None)


def fitted_download(
    name: str, size: int, machine: Machine, running: tuple[Running, ...] = (), context: int = 0
) -> Fitted:
    """Return how a model fits of which only the name and the size of its download, in bytes, are known.

    Args:
        name: the model; its tag may name the quantisation.
        size: of the download, in bytes.
        machine: the machine of the server, as it is now.
        running: what is loaded there now, and makes room.
        context: tokens; 0 is what the server picks by itself.
    """
    machine = _emptied(machine, running)
    load = Load(context or usual_context(machine))
    return Fitted(placed(from_size(size, load, quantisation_of(name)), machine))


def _emptied(machine: Machine, running: tuple[Running, ...]) -> Machine:
    return freed(machine, sum(one.size_vram for one in running))


def own_context(parameters: str) -> int:
    """Return the context that the parameters of a model ask for; 0 when they do not."""
    found = re.search(r"^num_ctx\s+(\d{1,9})\s*$", parameters, re.MULTILINE | re.ASCII)
    return int(found[1]) if found else 0


def quantisation_of(name: str) -> str:
    """Return the quantisation that the tag of a model names, as files name it; empty where it names none."""
    tag = name.rpartition(":")[2] if ":" in name else ""
    found = re.search(r"(?:^|-)(i?q\d(?:_[a-z0-9]+)*|b?f16|fp16|mxfp4)$", tag, re.IGNORECASE | re.ASCII)
    return found[1].upper().replace("FP16", "F16") if found else ""
