"""A transport of httpx by which another client of Ollama's protocol speaks through an engine, and so by its rules.

Of what that client sends, only the method, the path and the JSON go on. Address, headers, key, proxies, limits of
time, retries, redirects and errors are the engine's. What comes back is one object a line in ASCII, so that nothing
in it can be taken for the end of a line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx

from reflectty.wire import as_text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from reflectty.engines.ollama import OllamaEngine
    from reflectty.wire import Body


class Relay(httpx.AsyncBaseTransport):
    """Hands each request to the engine; its errors pass the client unchanged."""

    def __init__(self, engine: OllamaEngine) -> None:
        self._engine = engine

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body: Body = json.loads(request.content) if request.content else {}
        model = as_text(body.get("source") or body.get("from") or body.get("model"))
        lines = self._engine.lines(request.method, request.url.path, body, model)
        return httpx.Response(200, stream=_Lines(lines))


class _Lines(httpx.AsyncByteStream):
    def __init__(self, lines: AsyncGenerator[Body, None]) -> None:
        self._lines = lines

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for line in self._lines:
            yield json.dumps(line).encode("ascii") + b"\n"

    async def aclose(self) -> None:
        await self._lines.aclose()
