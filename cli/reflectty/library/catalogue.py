"""Models worth pulling first, and which of them a machine holds; asks nobody.

Sizes are about what the downloads take, enough for a first choice: the server tells the true ones once a pull begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.fitting import Fit, usual_context
from reflectty.library.fit import fitted_download

if TYPE_CHECKING:
    from reflectty.fitting import Machine, Placement
    from reflectty.library.fit import Around

GB: Final = 10**9
CONTEXT: Final = 32_768
"""Tokens that are enough to begin with: a server with much memory takes more by itself."""
CPU_SHARE: Final = 0.25
"""How much of the free memory a model may take that runs on the CPU alone, which gets slow with its size."""


class Offer(NamedTuple):
    """A model of the registry."""

    name: str
    size: int
    """Of the download, in bytes."""
    kind: str
    """What it does by itself: `reflects` or `thinks`."""


OFFERS: Final = (
    Offer("reflection:70b", 40 * GB, "reflects"),
    Offer("qwen3:32b", 20 * GB, "thinks"),
    Offer("gpt-oss:20b", 14 * GB, "thinks"),
    Offer("qwen3:14b", int(9.3 * GB), "thinks"),
    Offer("qwen3:8b", int(5.2 * GB), "thinks"),
    Offer("qwen3:4b", int(2.5 * GB), "thinks"),
    Offer("qwen3:1.7b", int(1.4 * GB), "thinks"),
    Offer("qwen3:0.6b", int(0.5 * GB), "thinks"),
)
"""The largest first; a model that only answers is none, though it can be made to reflect."""


class Suited(NamedTuple):
    """An offer, and where it would run."""

    offer: Offer
    placement: Placement


def suited(around: Around) -> Suited | None:
    """Return the largest model that the machine holds; None where nothing is known of it, or none is small enough."""
    context = min(usual_context(around.machine), CONTEXT)
    placements = (
        Suited(offer, fitted_download(offer.name, offer.size, around, context=context).placement) for offer in OFFERS
    )
    return next((one for one in placements if _is_comfortable(one.placement, around.machine)), None)


def _is_comfortable(placement: Placement, machine: Machine) -> bool:
    if machine.gpus:
        return placement.fit is Fit.WHOLE
    return placement.fit is Fit.CPU and placement.estimate.total <= CPU_SHARE * machine.available
