"""Counts the finished lines of a batch and estimates the time left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class BatchProgress:
    """Counts of finished lines and tokens, with the elapsed and the remaining time."""

    def __init__(self, total: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        """Number of lines; None if unknown."""
        self.answered_before = 0
        """Lines answered by an earlier call."""
        self.done = 0
        self.failed = 0
        self.changed = 0
        """Lines answered by an earlier call that have changed since."""
        self.tokens = 0
        self.unreachable_servers: tuple[str, ...] = ()
        """Servers that the batch waits for."""
        self.resting: tuple[str, ...] = ()
        """Servers paused by a rate limit or until a retry time."""
        self.details = ""
        """What else is shown of what has been done so far."""
        self._clock = clock
        self._start = clock()

    def count(self, *, failed: bool, tokens: int) -> None:
        """Count a finished line."""
        self.failed += failed
        self.done += not failed
        self.tokens += tokens

    @property
    def finished(self) -> int:
        """Lines finished by this call."""
        return self.done + self.failed

    @property
    def mean_tokens(self) -> float:
        """Mean tokens of a finished line; 0 if there is none."""
        return self.tokens / self.finished if self.finished else 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    @property
    def lines_left(self) -> int | None:
        """Lines not finished; None if unknown."""
        return None if self.total is None else max(0, self.total - self.answered_before - self.finished)

    @property
    def tokens_per_second(self) -> float:
        """Total speed of all servers."""
        return self.tokens / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds for the rest at the speed so far; None if unknown."""
        if self.lines_left is None or not self.finished:
            return None
        return self.seconds / self.finished * self.lines_left
