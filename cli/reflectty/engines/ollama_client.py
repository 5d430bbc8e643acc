"""Connects the client of the `ollama` package to an engine through an httpx transport.

Only the method, path and JSON of the client's requests are passed on. Address, headers, key, proxies, timeouts,
retries, redirects and errors are the engine's. Responses have one object per line in ASCII, so that nothing in them can
be mistaken for the end of a line.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import TYPE_CHECKING, Final

import httpx

from reflectty.protocols.ollama import as_text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from ollama import AsyncClient

    from reflectty.engines import ModelServer
    from reflectty.protocols.ollama import Body


class EngineTransport(httpx.AsyncBaseTransport):
    """Passes each request to the engine, and the engine's errors to the client unchanged."""

    def __init__(self, engine: ModelServer) -> None:
        self._engine = engine

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body: Body = json.loads(request.content) if request.content else {}
        model = as_text(body.get("source") or body.get("from") or body.get("model"))
        lines = self._engine.stream_objects(request.method, request.url.path, body, model)
        return httpx.Response(200, stream=_NdjsonStream(lines))


class _NdjsonStream(httpx.AsyncByteStream):
    def __init__(self, lines: AsyncGenerator[Body, None]) -> None:
        self._lines = lines

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for line in self._lines:
            yield json.dumps(line).encode("ascii") + b"\n"

    async def aclose(self) -> None:
        await self._lines.aclose()


PLACEHOLDER_URL: Final = "http://127.0.0.1"
"""Placeholder address for a client whose requests the engine sends to the real one."""


def open_client(engine: ModelServer) -> AsyncClient:
    """Create a client whose requests go through the engine; it needs no closing."""
    _bypass_package_init()
    from ollama._client import AsyncClient

    # Without an authorization, the client takes one from the environment, valid in a header or not.
    unused = {"Authorization": "-"}
    return AsyncClient(
        PLACEHOLDER_URL, headers=unused, transport=EngineTransport(engine), trust_env=False, follow_redirects=False
    )


def _bypass_package_init() -> None:
    """Allow imports of the package's modules without its `__init__`.

    The `__init__` of 0.6.3 creates a client from the environment: an invalid OLLAMA_HOST, proxy or certificate file
    makes the import fail, and `reflect models pull` takes 110 ms longer.
    """
    spec = importlib.util.find_spec("ollama")
    if spec is not None:
        sys.modules.setdefault("ollama", importlib.util.module_from_spec(spec))
