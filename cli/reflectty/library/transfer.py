"""What the progress of a pull amounts to: layers, bytes, speed, time left; draws nothing."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.library.values import Progress

SPAN: Final = 10.0
"""Seconds over which the speed is measured."""
SOONEST: Final = 0.5
"""Seconds before which a speed is a guess."""


class Layer(NamedTuple):
    """One layer of a model, in bytes."""

    digest: str
    total: int
    completed: int
    before: int
    """What of it was there already when it was first heard of."""


class Transfer:
    """Fed the progress of one pull; tells at any time what it amounts to. The layers to come are not known before."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.status = ""
        """What the server is doing, in its own words."""
        self._clock = clock
        self._start = clock()
        self._layers: dict[str, Layer] = {}
        self._marks: deque[tuple[float, int]] = deque([(self._start, 0)])

    def feed(self, progress: Progress) -> None:
        """Take what the server says."""
        self.status = progress.status
        if not progress.digest:
            return
        known = self._layers.get(progress.digest)
        before = known.before if known else progress.completed
        self._layers[progress.digest] = Layer(progress.digest, progress.total, progress.completed, before)
        now = self._clock()
        self._marks.append((now, self.fetched))
        while len(self._marks) > 2 and now - self._marks[0][0] > SPAN:  # noqa: PLR2004 - a speed takes two points
            self._marks.popleft()

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers heard of so far."""
        return tuple(self._layers.values())

    @property
    def layer(self) -> Layer | None:
        """The layer that is being fetched, or was fetched last."""
        return next(reversed(self._layers.values()), None)

    @property
    def fetched(self) -> int:
        """How many bytes came since this pull first told of their layers."""
        return sum(max(0, layer.completed - layer.before) for layer in self._layers.values())

    @property
    def fresh(self) -> int:
        """The bytes of the layers that were not all there when this pull began."""
        return sum(layer.total for layer in self._layers.values() if layer.before < layer.total)

    @property
    def seconds(self) -> float:
        return self._clock() - self._start

    @property
    def speed(self) -> float:
        """Bytes a second of late; 0 while unknown."""
        (then, before), (now, after) = self._marks[0], self._marks[-1]
        return (after - before) / (now - then) if now - then >= SOONEST else 0.0

    @property
    def left(self) -> float | None:
        """The seconds that the layer under way will take; None while unknown."""
        layer, speed = self.layer, self.speed
        if layer is None or speed <= 0 or layer.total <= layer.completed:
            return None
        return (layer.total - layer.completed) / speed
