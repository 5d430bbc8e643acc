"""Which model somebody who has none should pull, by what this machine holds: one answer, wherever it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.devices import HERE, machine
from reflectty.fitting import VARIABLES
from reflectty.library.catalogue import GB, OFFERS, Offer, suited
from reflectty.library.fit import Around
from reflectty.terminal import system_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.chat import Engine
    from reflectty.devices import Place

USUAL: Final = next(offer for offer in OFFERS if offer.name == "qwen3:4b")
"""What is offered where nothing is known of the machine: it thinks, and most machines hold it."""
VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
"""Which of NVIDIA's GPUs programs may use."""


def first_offer(around: Around) -> Offer:
    """Return the model to begin with: the largest that a machine holds in comfort, the smallest where none is."""
    found = suited(around)
    if found:
        return found.offer
    return OFFERS[-1] if around.machine.known else USUAL


async def around_here(
    *, local: bool = True, environment: Mapping[str, str] | None = None, place: Place = HERE
) -> Around:
    """Return what is known of where a server runs; of one that runs elsewhere that is nothing."""
    given = (system_environment() if environment is None else environment) if local else {}
    # Of what this shell says of a server that was started elsewhere, no more is taken to hold for it.
    told = {name: given[name] for name in (*VARIABLES, VISIBLE) if name in given}
    return Around(await machine(local=local, visible=told.get(VISIBLE), place=place), told)


async def to_pull(engine: Engine) -> str:
    """Return the advice to somebody whose server has no model; nothing where its models are not pulled."""
    if not getattr(engine, "pulls", True):
        return "the server names none: it has those that it was started with"
    return advice(first_offer(await around_here(local=getattr(engine, "local", False))))


def advice(offer: Offer) -> str:
    """Return how a model is got, and how large it is."""
    return f"pull one that {offer.kind}: reflect models pull {offer.name} ({offer.size / GB:.1f} GB)"
