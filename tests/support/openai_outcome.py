"""Runs requests through the OpenAI-compatible engine and returns their outcome."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.engines import open_engine
from reflectty.engines.openai import OpenAIEngine
from support.engine_outcome import PATIENT, REQUEST, Outcome, collect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from reflectty.core.messages import Request, Timeouts

    T = TypeVar("T")


def using(
    host: str,
    call: Callable[[OpenAIEngine], Awaitable[T]],
    *,
    timeouts: Timeouts = PATIENT,
    api_key: str = "",
    key_over_http: bool = False,
) -> T:
    """Run one call of an engine for a host."""

    async def run() -> T:
        opened = open_engine(host, engine="openai", timeouts=timeouts, api_key=api_key, key_over_http=key_over_http)
        async with opened as engine:
            assert isinstance(engine, OpenAIEngine)
            return await call(engine)

    return asyncio.run(run())


def ask(
    host: str,
    request: Request = REQUEST,
    *,
    timeouts: Timeouts = PATIENT,
    api_key: str = "",
    heard: Callable[[], object] = int,
) -> Outcome:
    """Chat once."""

    async def chat(engine: OpenAIEngine) -> Outcome:
        return await collect(engine.chat(request), heard)

    return using(host, chat, timeouts=timeouts, api_key=api_key)


def resume(host: str, so_far: str, request: Request = REQUEST) -> Outcome:
    """Resume once."""
    return using(host, lambda engine: collect(engine.resume(request, so_far)))
