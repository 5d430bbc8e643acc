"""Recommends a model to pull for the available hardware.

Sizes are approximate download sizes; the server reports the exact ones once a pull begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.models.fit import Fit, default_context_of, fit_download
from reflectty.models.hardware import detect_hardware

if TYPE_CHECKING:
    from reflectty.core.messages import Engine
    from reflectty.models.fit import Machine, Placement, ServerHardware


GB: Final = 10**9
CONTEXT: Final = 32_768
"""Context tokens that are enough for a start: a server with much memory chooses more."""
CPU_SHARE: Final = 0.25
"""The share of free memory for a model that runs on the CPU alone, where size costs speed."""


class RecommendedModel(NamedTuple):
    """A model of the registry."""

    name: str
    size: int
    """Size of the download in bytes."""
    kind: str
    """What the model does by default: `reflects`, `thinks` or `sees images and thinks`."""


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
"""Largest first; without models that only answer, though they can be made to reflect."""

_SEES = "sees images and thinks"
VISION_MODELS: Final = (
    RecommendedModel("qwen3-vl:32b", 21 * GB, _SEES),
    RecommendedModel("qwen3-vl:8b", int(6.1 * GB), _SEES),
    RecommendedModel("qwen3-vl:4b", int(3.3 * GB), _SEES),
    RecommendedModel("qwen3-vl:2b", int(1.9 * GB), _SEES),
)
"""Largest first."""


class Recommendation(NamedTuple):
    """A recommended model, and where it would run."""

    model: RecommendedModel
    placement: Placement


def find_comfortable_model(
    hardware: ServerHardware, offers: tuple[RecommendedModel, ...] = RECOMMENDED_MODELS
) -> Recommendation | None:
    """The largest of the models that fits the machine comfortably; None if none does or the machine is unknown."""
    context = min(default_context_of(hardware.machine), CONTEXT)
    placements = (
        Recommendation(offer, fit_download(offer.name, offer.size, hardware, context=context)) for offer in offers
    )
    return next((one for one in placements if _is_comfortable(one.placement, hardware.machine)), None)


def _is_comfortable(placement: Placement, machine: Machine) -> bool:
    if machine.gpus:
        return placement.fit is Fit.WHOLE
    return placement.fit is Fit.CPU and placement.estimate.total <= CPU_SHARE * machine.available


DEFAULT_MODEL: Final = next(offer for offer in RECOMMENDED_MODELS if offer.name == "qwen3:4b")
"""The model for an unknown machine: it thinks, and fits most machines."""


def recommend_model(hardware: ServerHardware) -> RecommendedModel:
    """The largest model that fits the machine comfortably, or else the smallest."""
    found = find_comfortable_model(hardware)
    if found:
        return found.model
    return RECOMMENDED_MODELS[-1] if hardware.machine.known else DEFAULT_MODEL


async def pull_hint_for(engine: Engine) -> str:
    """The advice for a server without models."""
    if not engine.manages_models:
        return "the server lists none: it serves the models that it was started with"
    return pull_hint_of(recommend_model(await detect_hardware(local=engine.local)))


async def vision_hint_for(engine: Engine) -> str:
    """The advice for images that no model of a server can see."""
    if not engine.manages_models:
        return "name one that the server lists, with -m"
    hardware = await detect_hardware(local=engine.local)
    found = find_comfortable_model(hardware, VISION_MODELS)
    return pull_hint_of(found.model if found else VISION_MODELS[-1])


def pull_hint_of(offer: RecommendedModel) -> str:
    """The command that pulls a model, with its size."""
    return f"pull one that {offer.kind}: reflect models pull {offer.name} ({offer.size / GB:.1f} GB)"
