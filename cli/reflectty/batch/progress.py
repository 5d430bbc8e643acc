"""Counts the finished lines of a batch and estimates the time left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class BatchProgress:
    """What has become of the lines so far."""

    def __init__(self, total: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        """How many lines there are; None while that is unknown."""
        self.answered_before = 0
        """Lines that were answered by an earlier call."""
        self.done = 0
        self.failed = 0
        self.changed = 0
        """Lines that were answered by an earlier call and are others now."""
        self.tokens = 0
        self.unreachable_servers: tuple[str, ...] = ()
        """The servers that are waited for."""
        self.resting: tuple[str, ...] = ()
        """The servers that take no more for now."""
        self._clock = clock
        self._start = clock()

    def count(self, *, failed: bool, tokens: int) -> None:
        """Count a line that is finished."""
        self.failed += failed
        self.done += not failed
        self.tokens += tokens

    @property
    def finished(self) -> int:
        """How many lines this call has finished."""
        return self.done + self.failed

    @property
    def mean_tokens(self) -> float:
        """How many tokens were written for a line in the mean; 0 where none is finished."""
        return self.tokens / self.finished if self.finished else 0.0

    @property
    def seconds(self) -> float:
        """The time since the beginning."""
        return self._clock() - self._start

    @property
    def lines_left(self) -> int | None:
        """How many lines are not finished; None while that is unknown."""
        return None if self.total is None else max(0, self.total - self.answered_before - self.finished)

    @property
    def tokens_per_second(self) -> float:
        """The speed of all servers together."""
        return self.tokens / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take at the speed so far; None while that is unknown."""
        if self.lines_left is None or not self.finished:
            return None
        return self.seconds / self.finished * self.lines_left
