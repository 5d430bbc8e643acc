"""Asks an engine and returns what came of it, for tests about the engine."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import httpx

from reflectty.chat import Chunk, Message, Request, Timeouts
from reflectty.engines.hosts import parse_host
from reflectty.engines.ollama import OllamaEngine
from reflectty.errors import ReflecttyError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import TypeVar

    T = TypeVar("T")

REQUEST = Request("m", (Message("user", "hi"),))
QUICK = Timeouts(connect=1.0, first=1.5, idle=0.8)
"""Short, that a silence ends soon, and long enough for a machine that does something else for a moment."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The chunks that came, and how it ended."""

    chunks: tuple[Chunk, ...]
    error: ReflecttyError | None

    @property
    def text(self) -> str:
        return "".join(chunk.thinking + chunk.content for chunk in self.chunks)

    @property
    def complete(self) -> bool:
        return bool(self.chunks) and self.chunks[-1].done


async def collect(chunks: AsyncGenerator[Chunk, None]) -> Outcome:
    came: list[Chunk] = []
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                came.append(chunk)  # noqa: PERF401 - what came before an error counts
    except ReflecttyError as error:
        return Outcome(tuple(came), error)
    return Outcome(tuple(came), None)


def using(
    host: str,
    call: Callable[[OllamaEngine], Awaitable[T]],
    *,
    timeouts: Timeouts = QUICK,
    api_key: str = "",
    through_httpx: bool = False,
) -> T:
    """Run one call of an engine for a host; `through_httpx` by its own transport."""

    async def run() -> T:
        address = parse_host(host)
        transport = httpx.AsyncHTTPTransport() if through_httpx else None
        async with OllamaEngine(address, timeouts=timeouts, api_key=api_key, transport=transport) as engine:
            return await call(engine)

    return asyncio.run(run())


def ask(
    host: str,
    request: Request = REQUEST,
    *,
    timeouts: Timeouts = QUICK,
    api_key: str = "",
    through_httpx: bool = False,
) -> Outcome:
    """Chat once."""
    call = partial(_chat, request=request)
    return using(host, call, timeouts=timeouts, api_key=api_key, through_httpx=through_httpx)


async def _chat(engine: OllamaEngine, request: Request) -> Outcome:
    return await collect(engine.chat(request))
