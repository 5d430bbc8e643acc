"""HTTP to another machine, or over TLS: httpx, with the proxies and certificates of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from reflectty.engines.exchange import Response, broken, no_answer, no_connection, no_connection_within
from reflectty.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from reflectty.engines.hosts import Address


class RemoteTransport:
    """Keeps connections between requests, as httpx does."""

    def __init__(self, address: Address, connect_timeout: float, headers: Mapping[str, str]) -> None:
        self._address = address
        self._connect_timeout = connect_timeout
        self._client = _client(address, connect_timeout, headers)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def send(self, method: str, path: str, content: bytes) -> Response:
        try:
            request = self._client.build_request(method, self._address.url + path, content=content)
            response = await self._client.send(request, stream=True)
        except httpx.ConnectTimeout as error:
            raise no_connection_within(self._address, self._connect_timeout) from error
        except (httpx.ConnectError, httpx.InvalidURL) as error:
            raise no_connection(self._address, error) from error
        except httpx.HTTPError as error:
            raise no_answer(self._address, error) from error
        return Response(response.status_code, response.headers, _body(response), response.aclose)


async def _body(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in response.aiter_bytes():
            yield piece
    except httpx.HTTPError as error:
        raise broken() from error


def _client(address: Address, connect_timeout: float, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """Make a client that asks no proxy on the way to this machine and loads certificates only for https.

    Raises:
        UsageError: the proxy or certificate settings of the environment cannot be used.
    """
    try:
        return httpx.AsyncClient(
            headers=headers,
            verify=address.url.startswith("https://"),
            trust_env=not address.loopback,
            timeout=httpx.Timeout(None, connect=connect_timeout),
            follow_redirects=False,
        )
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
        message = f"the proxy or certificate settings of the environment cannot be used: {error}"
        raise UsageError(message, "see HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE") from error
