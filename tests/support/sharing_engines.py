"""Engines that answer several requests at once as servers do: in slots, from one context, with a reported queue."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.core.errors import BusyError, CrowdedError
from reflectty.core.messages import Capacity, Chunk, Model, Usage, Workload
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from reflectty.core.messages import Request

REPLY = 50
"""Tokens of every reply."""


class SlottedEngine(ScriptedEngine):
    """Takes a second per reply, in a number of slots; further requests wait. It reports none of this."""

    def __init__(self, slots: int) -> None:
        super().__init__(models=(Model("m", ("completion",)),))
        self.most = 0
        """The highest number of requests at the same time."""
        self.busy = 0
        self.here = 0
        self._slots = asyncio.Semaphore(slots)

    async def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        self.here += 1
        self.most = max(self.most, self.here)
        try:
            async with self._slots:
                self.busy += 1
                try:
                    async for chunk in self._reply(request):
                        yield chunk
                finally:
                    self.busy -= 1
        finally:
            self.here -= 1

    async def _reply(self, request: Request) -> AsyncGenerator[Chunk, None]:
        await asyncio.sleep(1.0)
        yield Chunk(f"<output>{request.messages[-1].content}</output>")
        yield Chunk(done=True, done_reason="stop", usage=Usage(10, REPLY))


class PacedEngine(SlottedEngine):
    """A gateway: it reports nothing, and every request counts."""

    async def capacity(self, model: str) -> Capacity | None:  # noqa: ARG002 - the same for all
        return Capacity()

    async def workload(self) -> Workload | None:
        return None


class QueueingEngine(PacedEngine):
    """A vLLM: it reports the length of its queue."""

    async def workload(self) -> Workload | None:
        return Workload(self.busy, self.here - self.busy)


class LimitedEngine(PacedEngine):
    """A gateway that refuses more than a number of requests at once."""

    def __init__(self, limit: int, *, counts: bool = False) -> None:
        super().__init__(999)
        self._limit = limit
        self._counts = counts
        """Whether its refusal is a rate limit with a wait of one second."""

    async def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        if self.here >= self._limit:
            self.requests.append(request)
            text = "the server is busy: too many requests"
            raise BusyError(text, rate_limited=True, retry_after=1.0) if self._counts else BusyError(text)
        async for chunk in super().chat(request):
            yield chunk


class SharingEngine(PacedEngine):
    """A llama-server whose slots share a context: once that is full, all running replies end."""

    def __init__(self, slots: int, room: int, *, tells: bool = True) -> None:
        super().__init__(slots)
        self._told = Capacity(slots, room) if tells else Capacity()
        self._room = room
        self._used = 0
        self._full = asyncio.Event()
        self.crowded = 0
        """Number of replies that ended for lack of room."""

    async def capacity(self, model: str) -> Capacity | None:  # noqa: ARG002 - the same for all
        return self._told

    async def _reply(self, request: Request) -> AsyncGenerator[Chunk, None]:
        tokens = len(request.messages[-1].content) // 4 + REPLY
        self._used += tokens
        full = self._full
        if self._used > self._room:
            full.set()
            self._full = asyncio.Event()
        try:
            await self._wait(full)
        finally:
            self._used -= tokens
        async for chunk in super()._reply(request):
            yield chunk

    async def _wait(self, full: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(1.0):
                await full.wait()
        except TimeoutError:
            return
        self.crowded += 1
        raise CrowdedError("concurrent replies filled the server's context")
