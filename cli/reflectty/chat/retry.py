"""Retries a request when the server names a time to retry after, and notes the wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from reflectty.core.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

MAX_WAIT_SECONDS: Final = 120.0
"""Seconds that a question waits for its server in all; rate limits of services last no longer."""
MIN_WAIT_SECONDS: Final = 5.0
"""Minimum seconds that a wait counts, so that a server with a retry time of 1 s is not asked for two minutes."""


class RetryBudget:
    """The time that all requests of one question may spend waiting for retries.

    Args:
        seconds: how long to wait in all; 0 leaves retries to the caller.
        note: called with the reason for a wait, in one line.
    """

    def __init__(self, seconds: float, note: Callable[[str], None]) -> None:
        self._left = seconds
        self._note = note

    async def run(self, call: Callable[[], Awaitable[T]], may_wait: Callable[[], bool] = lambda: True) -> T:
        """Run a call, retrying while the server names a time to retry after.

        Args:
            call: sends the request.
            may_wait: whether the call may be retried.

        Raises:
            BusyError: the server names no time, or the budget does not cover it; other errors of the call pass through.
        """
        while True:
            try:
                return await call()
            except BusyError as error:
                seconds = error.retry_after
                if not (0 < seconds <= self._left and may_wait()):
                    raise
                why = "rate limit reached" if error.rate_limited else "the server is busy"
                self._note(f"{why}: retrying in {seconds:.0f} s")
                self._left -= max(seconds, MIN_WAIT_SECONDS)
                await asyncio.sleep(seconds)
