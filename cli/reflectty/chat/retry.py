"""Retries a request when the server names a time to retry after, and notes the wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from reflectty.core.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

MAX_WAIT_SECONDS: Final = 120.0
"""Seconds that a question waits for its server in all, the longest time that the limits of services last."""
MIN_WAIT_SECONDS: Final = 5.0
"""Seconds that a wait counts at least: whoever wants to be asked every second is not asked for two minutes."""


class RetryBudget:
    """So many seconds for all that one question asks of its server.

    Args:
        seconds: how long to wait in all; 0 leaves it to whoever asks.
        note: told in a line why nothing comes.
    """

    def __init__(self, seconds: float, note: Callable[[str], None]) -> None:
        self._left = seconds
        self._note = note

    async def run(self, call: Callable[[], Awaitable[T]], may_wait: Callable[[], bool] = lambda: True) -> T:
        """Return what a call does, made again for as long as its server only wants to be asked later.

        Args:
            call: asks the server.
            may_wait: whether it can be made again.

        Raises:
            BusyError: the server does not say when, or that is too late; and what the call raises.
        """
        while True:
            try:
                return await call()
            except BusyError as error:
                seconds = error.retry_after
                if not (0 < seconds <= self._left and may_wait()):
                    raise
                why = "rate limit" if error.rate_limited else "the server is busy"
                self._note(f"{why}: asking again in {seconds:.0f} s")
                self._left -= max(seconds, MIN_WAIT_SECONDS)
                await asyncio.sleep(seconds)
