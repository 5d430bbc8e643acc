"""Runs requests through an engine and returns their outcome."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from reflectty.core.errors import ReflecttyError
from reflectty.core.messages import Chunk, Message, Request, Timeouts
from reflectty.engines.hosts import parse_host
from reflectty.engines.ollama import OllamaEngine
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import TypeVar

    from support.event_loops import ClockedLoop

    T = TypeVar("T")

REQUEST = Request("m", (Message("user", "hi"),))
PATIENT = Timeouts(connect=PATIENCE, first=PATIENCE, idle=PATIENCE)
"""For a server that answers, on however slow a machine."""
SILENT = PATIENT._replace(first=0.3, idle=0.3)
"""For a server that never sends a byte."""
FADING = PATIENT._replace(idle=0.3)
"""For a server that sends one thing and then nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The chunks received, and how the reply ended."""

    chunks: tuple[Chunk, ...]
    error: ReflecttyError | None

    @property
    def text(self) -> str:
        return "".join(chunk.thinking + chunk.content for chunk in self.chunks)

    @property
    def complete(self) -> bool:
        return bool(self.chunks) and self.chunks[-1].done


async def collect(chunks: AsyncGenerator[Chunk, None], heard: Callable[[], object] = int) -> Outcome:
    """Read a reply to its end, and call `heard` after each chunk."""
    came: list[Chunk] = []
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                came.append(chunk)
                heard()
    except ReflecttyError as error:
        return Outcome(tuple(came), error)
    return Outcome(tuple(came), None)


def using(  # noqa: PLR0913 - the arguments of opening an engine
    host: str,
    call: Callable[[OllamaEngine], Awaitable[T]],
    *,
    timeouts: Timeouts = PATIENT,
    api_key: str = "",
    through_httpx: bool = False,
    loop: ClockedLoop | None = None,
) -> T:
    """Run one call of an engine for a host; `through_httpx` uses httpx's own transport."""

    async def run() -> T:
        address = parse_host(host)
        # Skip loading the certificates, which takes longer than most of these replies.
        transport = httpx.AsyncHTTPTransport(verify=False) if through_httpx else None
        async with OllamaEngine(address, timeouts=timeouts, api_key=api_key, transport=transport) as engine:
            return await call(engine)

    with asyncio.Runner(loop_factory=(lambda: loop) if loop else None) as runner:
        return runner.run(run())


def ask(  # noqa: PLR0913 - the parts of a question
    host: str,
    request: Request = REQUEST,
    *,
    timeouts: Timeouts = PATIENT,
    api_key: str = "",
    through_httpx: bool = False,
    heard: Callable[[], object] = int,
    loop: ClockedLoop | None = None,
) -> Outcome:
    """Chat once."""

    async def chat(engine: OllamaEngine) -> Outcome:
        return await collect(engine.chat(request), heard)

    return using(host, chat, timeouts=timeouts, api_key=api_key, through_httpx=through_httpx, loop=loop)
