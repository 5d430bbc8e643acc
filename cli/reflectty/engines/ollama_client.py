"""Connects the client of the `ollama` package to an engine through an httpx transport.

Of what that client sends, only the method, the path and the JSON go on. Address, headers, key, proxies, limits of
time, retries, redirects and errors are the engine's. What comes back is one object a line in ASCII, so that nothing
in it can be taken for the end of a line.
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

    from reflectty.engines.ollama import OllamaEngine
    from reflectty.protocols.ollama import Body


class EngineTransport(httpx.AsyncBaseTransport):
    """Hands each request to the engine; its errors pass the client unchanged."""

    def __init__(self, engine: OllamaEngine) -> None:
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
"""An address for a client whose requests the engine sends where they belong."""


def open_client(engine: OllamaEngine) -> AsyncClient:
    """Return a client whose requests go through the engine; it needs no closing."""
    _bypass_package_init()
    from ollama._client import AsyncClient

    # Where no authorization is given, the client takes one from the environment, fit for a header or not.
    unused = {"Authorization": "-"}
    return AsyncClient(
        PLACEHOLDER_URL, headers=unused, transport=EngineTransport(engine), trust_env=False, follow_redirects=False
    )


def _bypass_package_init() -> None:
    """Let the package's modules be imported without its `__init__`.

    That makes a client of its own from the environment: an OLLAMA_HOST, a proxy or a certificate file that it cannot
    use would make the import fail, and the certificates that it loads are for nothing.
    """
    spec = importlib.util.find_spec("ollama")
    if spec is not None:
        sys.modules.setdefault("ollama", importlib.util.module_from_spec(spec))
