"""What there is to say of a model in a few words, cleaned: how large it is, where it runs; asks no server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.sizes import context, share, size
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from reflectty.chat import Model, Running

_DIGEST = 12
"""Characters of a digest that tell models apart."""


def weights(model: Model) -> str:
    """Return how many parameters a model has and how they are packed: `8.0B Q4_K_M`."""
    return clean_line(f"{model.parameter_size} {model.quantization}".strip(), 24)


def where(running: Running) -> str:
    """Return on what a loaded model runs: `GPU`, `CPU`, or `63 % GPU` where it is split."""
    if running.size_vram <= 0:
        return "CPU"
    return "GPU" if running.size_vram >= running.size else f"{share(running.size_vram, running.size)} GPU"


def memory(running: Running) -> str:
    """Return how much memory a loaded model takes, and how much of it is a GPU's where it is split."""
    split = 0 < running.size_vram < running.size
    return f"{size(running.size_vram)} of {size(running.size)}" if split else size(running.size)


def advice(running: Running, name: str) -> str:
    """Return what to do about a model that a GPU does not hold whole; nothing about one that it does."""
    if running.size_vram >= running.size:
        return ""
    what = f"{share(running.size - running.size_vram, running.size)} of it runs" if running.size_vram > 0 else "it runs"
    return f"{what} on the CPU, which is slow: `reflect models show {name}` says why, and what would fit"


def landed(running: Running) -> str:
    """Return where a loaded model is, in a line."""
    room = f" · context {context(running.context_length)}" if running.context_length else ""
    return f"{where(running)} · {memory(running)}{room}"


def version(model: Model) -> str:
    """Return the beginning of a model's digest."""
    return clean_line(model.digest.removeprefix("sha256:")[:_DIGEST])
