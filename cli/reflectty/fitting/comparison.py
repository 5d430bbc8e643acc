"""Holds an estimate against what the server says once the model is loaded; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.fitting.estimate import loaded

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

    @property
    def difference(self) -> int:
        """How much more the model takes than was estimated; negative when it takes less."""
        return self.size - self.estimate.total

    @property
    def off(self) -> float:
        """The difference as a share of what the model takes."""
        return self.difference / self.size


def compared(made: Estimate, running: Running) -> Comparison | None:
    """Return the comparison, or nothing where the server does not say how large the model is."""
    if running.size <= 0:
        return None
    if running.context_length:
        made = loaded(made, made.load._replace(context=running.context_length))
    share = min(1.0, running.size_vram / running.size)
    return Comparison(made, running.size, share, 1.0 - share)
