"""Describes a model and where it is loaded: the texts of a row in lists, and sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.model_names import remote_host_of, short_name_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.text import format_bytes, format_context, format_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.messages import Model, RunningModel


CLOUD_LABEL = "cloud"
"""Shown instead of a size for a model that runs elsewhere."""
_DIGEST_LENGTH = 12
"""Digest characters that identify a model."""
_MAX_WEIGHTS_LENGTH = 24


class ModelTexts(NamedTuple):
    """The texts of a model's row, safe for a terminal; empty where unknown."""

    name: str
    size: str
    weights: str
    """Parameter count and quantization: `8.0B Q4_K_M`."""
    context: str
    """The longest context."""
    labels: str
    device: str
    """Where it is loaded: `GPU`, `CPU`, or `63 % GPU` if split."""
    memory: str
    """Its memory while loaded, and the GPU's share if split."""
    digest: str


def model_texts_of(model: Model, running: RunningModel | None = None, labels: Sequence[str] = ()) -> ModelTexts:
    """The texts of a model's row in `reflect models` and in the chat."""
    return ModelTexts(
        name=clean_line(short_name_of(model.name)),
        size=CLOUD_LABEL if remote_host_of(model) else format_bytes(model.size) if model.size else "",
        weights=clean_line(f"{model.parameter_size} {model.quantization}".strip(), _MAX_WEIGHTS_LENGTH),
        context=format_context(model.context_length) if model.context_length else "",
        labels=", ".join(labels),
        device=device_of(running) if running else "",
        memory=memory_of(running) if running else "",
        digest=clean_line(model.digest.removeprefix("sha256:")[:_DIGEST_LENGTH]),
    )


def device_of(running: RunningModel) -> str:
    """The device of a loaded model: `GPU`, `CPU`, or `63 % GPU` if split."""
    if running.size_vram <= 0:
        return "CPU"
    return "GPU" if running.size_vram >= running.size else f"{format_percent(running.size_vram, running.size)} GPU"


def memory_of(running: RunningModel) -> str:
    """The memory of a loaded model, and the GPU's share if split."""
    split = 0 < running.size_vram < running.size
    return f"{format_bytes(running.size_vram)} of {format_bytes(running.size)}" if split else format_bytes(running.size)


def gpu_advice_of(running: RunningModel, name: str) -> str:
    """Advice for a model that does not fully fit on the GPU; "" if it does."""
    if running.size_vram >= running.size:
        return ""
    what = (
        f"{format_percent(running.size - running.size_vram, running.size)} of it runs"
        if running.size_vram > 0
        else "it runs"
    )
    return f"{what} on the CPU, which is slow: see `reflect models show {name}` for why, and for what would fit"


def placement_of(running: RunningModel) -> str:
    """Device, memory and context length of a loaded model in one line."""
    room = f" · context {format_context(running.context_length)}" if running.context_length else ""
    return f"{device_of(running)} · {memory_of(running)}{room}"
