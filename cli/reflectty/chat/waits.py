"""Waits during a reply: ticks, yields to other tasks, and retries at the time that a server names."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, TypeVar

from reflectty.core.errors import BusyError, DeadlineError
from reflectty.core.text import format_duration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

T = TypeVar("T")

TICK_SECONDS = 0.1
YIELD_SECONDS = 0.02
"""Seconds after which a loop over chunks yields to the event loop."""
MAX_WAIT_SECONDS: Final = 120.0
"""Seconds that a question waits for its server in all; rate limits of services last no longer."""
MIN_WAIT_SECONDS: Final = 5.0
"""Minimum seconds that a wait counts, so that a server with a retry time of 1 s is not asked for two minutes."""


@contextlib.asynccontextmanager
async def run_ticker(*watchers: Callable[[float], None]) -> AsyncIterator[None]:
    """Call the watchers ten times a second with the seconds since the start."""

    async def tick() -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for watcher in watchers:
                watcher(loop.time() - start)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class FairYield:
    """Yields to the event loop every 20 ms when chunks arrive faster than they are drawn.

    Reading buffered chunks never suspends, so that a key or a signal would wait for thousands of tokens.
    """

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._last_yield = self._now()

    async def yield_if_due(self) -> None:
        """Yield to the event loop if the last yield was more than `YIELD_SECONDS` ago."""
        if self._now() - self._last_yield > YIELD_SECONDS:
            await asyncio.sleep(0)
            self._last_yield = self._now()


DEADLINE_HINT = "allow more with --deadline, or reduce thinking with --effort low"


class Deadline:
    """The end of the time that a question or a batch may take; it begins when the deadline is made.

    Args:
        seconds: the time; 0 for no limit.
        ended: what it ends, for the message.
        hint: what to do instead.
    """

    def __init__(self, seconds: float, ended: str = "the reply", hint: str = DEADLINE_HINT) -> None:
        self._seconds, self._ended, self._hint = seconds, ended, hint
        self._end = asyncio.get_running_loop().time() + seconds if seconds else None

    @contextlib.asynccontextmanager
    async def enforce(self) -> AsyncIterator[None]:
        """Cancel the body at the deadline.

        Raises:
            DeadlineError: the body was canceled.
        """
        limit = asyncio.timeout_at(self._end)
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise DeadlineError(
                f"the deadline of {format_duration(self._seconds)} ended {self._ended}", self._hint
            ) from error


class RetryBudget:
    """The time that all requests of one question may spend waiting for retries.

    Args:
        seconds: how long to wait in all; 0 leaves retries to the caller.
        note: called with the reason for a wait, in one line.
    """

    def __init__(self, seconds: float, note: Callable[[str], None]) -> None:
        self._remaining = seconds
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
                if not may_wait():
                    raise
                await self.wait(error)

    async def wait(self, error: BusyError) -> None:
        """Wait until the time that the server names.

        Raises:
            BusyError: the error, if it names no time or the budget does not cover it.
        """
        seconds = error.retry_after
        if not 0 < seconds <= self._remaining:
            raise error
        reason = "rate limit reached" if error.rate_limited else "the server is busy"
        self._note(f"{reason}: retrying in {seconds:.0f} s")
        self._remaining -= max(seconds, MIN_WAIT_SECONDS)
        await asyncio.sleep(seconds)
