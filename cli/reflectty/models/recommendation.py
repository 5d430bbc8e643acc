"""Recommends a model to pull for the available hardware.

Sizes are about what the downloads take, enough for a first choice: the server tells the true ones once a pull begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.models.fit import LOAD_VARIABLES, Fit, default_context_of
from reflectty.models.fit_report import ServerHardware, fit_download
from reflectty.models.hardware import THIS_MACHINE, detect_machine
from reflectty.system.terminal import system_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.core.messages import Engine
    from reflectty.models.fit import Machine, Placement
    from reflectty.models.hardware import ProbeEnvironment


GB: Final = 10**9
CONTEXT: Final = 32_768
"""Tokens that are enough to begin with: a server with much memory takes more by itself."""
CPU_SHARE: Final = 0.25
"""How much of the free memory a model may take that runs on the CPU alone, which gets slow with its size."""


class RecommendedModel(NamedTuple):
    """A model of the registry."""

    name: str
    size: int
    """Of the download, in bytes."""
    kind: str
    """What it does by itself: `reflects` or `thinks`."""


RECOMMENDED_MODELS: Final = (
    RecommendedModel("reflection:70b", 40 * GB, "reflects"),
    RecommendedModel("qwen3:32b", 20 * GB, "thinks"),
    RecommendedModel("gpt-oss:20b", 14 * GB, "thinks"),
    RecommendedModel("qwen3:14b", int(9.3 * GB), "thinks"),
    RecommendedModel("qwen3:8b", int(5.2 * GB), "thinks"),
    RecommendedModel("qwen3:4b", int(2.5 * GB), "thinks"),
    RecommendedModel("qwen3:1.7b", int(1.4 * GB), "thinks"),
    RecommendedModel("qwen3:0.6b", int(0.5 * GB), "thinks"),
)
"""The largest first; a model that only answers is none, though it can be made to reflect."""


class Recommendation(NamedTuple):
    """An offer, and where it would run."""

    model: RecommendedModel
    placement: Placement


def find_comfortable_model(hardware: ServerHardware) -> Recommendation | None:
    """Return the largest model that the machine holds; None where nothing is known of it, or none is small enough."""
    context = min(default_context_of(hardware.machine), CONTEXT)
    placements = (
        Recommendation(offer, fit_download(offer.name, offer.size, hardware, context=context).placement)
        for offer in RECOMMENDED_MODELS
    )
    return next((one for one in placements if _is_comfortable(one.placement, hardware.machine)), None)


def _is_comfortable(placement: Placement, machine: Machine) -> bool:
    if machine.gpus:
        return placement.fit is Fit.WHOLE
    return placement.fit is Fit.CPU and placement.estimate.total <= CPU_SHARE * machine.available


DEFAULT_MODEL: Final = next(offer for offer in RECOMMENDED_MODELS if offer.name == "qwen3:4b")
"""What is offered where nothing is known of the machine: it thinks, and most machines hold it."""
VISIBLE_GPUS_VARIABLE: Final = "CUDA_VISIBLE_DEVICES"
"""Which of NVIDIA's GPUs programs may use."""


def recommend_model(hardware: ServerHardware) -> RecommendedModel:
    """Return the model to begin with: the largest that a machine holds in comfort, the smallest where none is."""
    found = find_comfortable_model(hardware)
    if found:
        return found.model
    return RECOMMENDED_MODELS[-1] if hardware.machine.known else DEFAULT_MODEL


async def detect_hardware(
    *, local: bool = True, environment: Mapping[str, str] | None = None, probe: ProbeEnvironment = THIS_MACHINE
) -> ServerHardware:
    """Return what is known of where a server runs; of one that runs elsewhere that is nothing."""
    given = (system_environment() if environment is None else environment) if local else {}
    # Of what this shell says of a server that was started elsewhere, no more is taken to hold for it.
    told = {name: given[name] for name in (*LOAD_VARIABLES, VISIBLE_GPUS_VARIABLE) if name in given}
    return ServerHardware(await detect_machine(local=local, visible=told.get(VISIBLE_GPUS_VARIABLE), probe=probe), told)


async def pull_hint_for(engine: Engine) -> str:
    """Return the advice to somebody whose server has no model; nothing where its models are not pulled."""
    if not getattr(engine, "pulls", True):
        return "the server names none: it has those that it was started with"
    return pull_hint_of(recommend_model(await detect_hardware(local=getattr(engine, "local", False))))


def pull_hint_of(offer: RecommendedModel) -> str:
    """Return how a model is got, and how large it is."""
    return f"pull one that {offer.kind}: reflect models pull {offer.name} ({offer.size / GB:.1f} GB)"
