"""Holds an estimate against what the server says once the model is loaded; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.fitting.estimate import layer_caches, loaded

if TYPE_CHECKING:
    from reflectty.chat import Running
    from reflectty.fitting.estimate import Estimate


class Comparison(NamedTuple):
    """What was estimated and what /api/ps says, in bytes."""

    estimate: Estimate
    """Made again for the context that the model was loaded with."""
    size: int
    gpu_share: float
    cpu_share: float
    uncounted: int = 0
    """What the server leaves out of `size`."""

    @property
    def expected(self) -> int:
        """What the server should say if the estimate is right."""
        return self.estimate.total - self.uncounted

    @property
    def difference(self) -> int:
        """How much more the model takes than was estimated; negative when it takes less."""
        return self.size - self.expected

    @property
    def off(self) -> float:
        """The difference as a share of what the model takes."""
        return self.difference / self.size


def compared(made: Estimate, running: Running) -> Comparison | None:
    """Return the comparison, or nothing where the server does not say how large the model is.

    Ollama 0.32.15 adds up what llama-server logs by name and device. A model with a window has two caches under one
    name, and the second, that of the window, takes the place of the first, so that /api/ps leaves out the larger one.
    That is taken off what is expected, unless what the server says is nearer to the whole.
    """
    if running.size <= 0:
        return None
    if running.context_length:
        made = loaded(made, made.load._replace(context=running.context_length))
    share = min(1.0, running.size_vram / running.size)
    hidden = _overwritten(made)
    counted = abs(running.size - made.total) < abs(running.size - (made.total - hidden))
    return Comparison(made, running.size, share, 1.0 - share, 0 if counted else hidden)


def _overwritten(made: Estimate) -> int:
    layers = made.architecture.layers
    if not any(layer.windowed for layer in layers):
        return 0
    caches = layer_caches(made.architecture, made.load)
    return sum(size for layer, size in zip(layers, caches, strict=True) if not layer.windowed and not layer.state)
