"""Tells watchers that time passes; knows nothing of what they watch."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TICK_SECONDS = 0.1


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
