"""Tells watchers that time passes, and lets them have their turn; knows nothing of what they watch."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TICK_SECONDS = 0.1
TURN_SECONDS = 0.02
"""How long somebody goes on without anybody else having a turn."""


@contextlib.asynccontextmanager
async def ticking(*watchers: Callable[[float], None]) -> AsyncIterator[None]:
    """Tell the watchers ten times a second that time passes: the seconds since it began."""

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


class Turn:
    """Lets everybody else have a turn now and then, while a server is quicker than what reads it.

    What has come is read without a pause, so that a key or a signal would wait for thousands of tokens at each step.
    """

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._began = self._now()

    async def pass_on(self) -> None:
        """Go on at once, or let the others first when this turn has been long."""
        if self._now() - self._began > TURN_SECONDS:
            await asyncio.sleep(0)
            self._began = self._now()
