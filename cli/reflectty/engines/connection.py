"""One server over HTTP: requests, retries, time limits, and httpx's errors as ours; knows nothing of replies."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar, cast

import httpx

from reflectty.errors import IncompleteError, RefusedError, StalledError, UnreachableError, UsageError
from reflectty.wire import HOST_HINT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable

    from reflectty.engines.hosts import Address
    from reflectty.wire import Body

OK: Final = 200
BUSY: Final = 503
RETRY_DELAYS: Final = (0.5, 1.0)
"""Seconds before the second and the third try of a busy server."""
LONGEST_RETRY: Final = 5.0
"""Seconds that a server's Retry-After is honoured at most."""
PUZZLE_LIMIT: Final = 64 * 1024
"""Bytes that are read of what is no reply."""
START_HINT: Final = "is `ollama serve` running? Another server is named with --host or OLLAMA_HOST"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds."""

    connect: float = 5.0
    first: float = 300.0
    """For the status and the first bytes of a reply: the model may have to be loaded, other requests come first."""
    idle: float = 120.0
    """Between the bytes of a reply."""


class Connection:
    """Requests to one server, each on its own until it is answered; never redirected."""

    def __init__(
        self,
        address: Address,
        timeouts: Timeouts,
        api_key: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._address = address
        self._timeouts = timeouts
        self._client = _client(address, timeouts, api_key, transport)

    async def aclose(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def opened(self, method: str, path: str, body: Body | None = None) -> AsyncIterator[httpx.Response]:
        """Send a request and hand over the response, its body unread; leaving closes the connection to it.

        A busy server is asked three times.

        Raises:
            UnreachableError: nothing there answers in HTTP.
            StalledError: nothing came in time.
            RefusedError: the server wants the request to go elsewhere.
        """
        response = await self._send(method, path, body)
        for delay in RETRY_DELAYS:
            if response.status_code != BUSY:
                break
            await response.aclose()
            await asyncio.sleep(_retry_after(response, delay))
            response = await self._send(method, path, body)
        try:
            self._refuse_redirect(response)
            yield response
        finally:
            await response.aclose()

    async def pieces(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Yield a body as it comes.

        Raises:
            IncompleteError: the connection broke before the end.
            StalledError: nothing came in time.
        """
        limit = self._timeouts.first
        async with aclosing(cast("AsyncGenerator[bytes, None]", response.aiter_bytes())) as pieces:
            while piece := await self._piece(pieces, limit):
                yield piece
                limit = self._timeouts.idle

    async def body(self, response: httpx.Response, limit: int) -> bytes:
        """Return a body, at most about `limit` bytes of it."""
        read = bytearray()
        async with aclosing(self.pieces(response)) as pieces:
            async for piece in pieces:
                read += piece
                if len(read) > limit:
                    break
        return bytes(read)

    async def _send(self, method: str, path: str, body: Body | None) -> httpx.Response:
        # Escaped to ASCII: a prompt may hold half surrogate pairs, which UTF-8 has no bytes for.
        content = None if body is None else json.dumps(body).encode("ascii")
        try:
            request = self._client.build_request(method, self._address.url + path, content=content)
            return await self._in_time(self._client.send(request, stream=True), self._timeouts.first)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error

    async def _piece(self, pieces: AsyncGenerator[bytes, None], limit: float) -> bytes:
        try:
            return await self._in_time(anext(pieces, b""), limit)
        except httpx.HTTPError as error:
            raise IncompleteError("the connection to the server broke", "ask again") from error

    async def _in_time(self, answer: Awaitable[T], limit: float) -> T:
        try:
            async with asyncio.timeout(limit):
                return await answer
        except TimeoutError as error:
            raise StalledError(f"{self._address} sent nothing for {limit:g} s", "ask again") from error

    def _unreachable(self, error: Exception) -> UnreachableError:
        if isinstance(error, httpx.ConnectTimeout):
            limit = self._timeouts.connect
            return UnreachableError(f"cannot reach {self._address}: no connection within {limit:g} s", START_HINT)
        if isinstance(error, httpx.ConnectError | httpx.InvalidURL):
            return UnreachableError(f"cannot reach {self._address}: {_reason(error)}", START_HINT)
        return UnreachableError(f"{self._address} does not answer as an Ollama server: {_reason(error)}", HOST_HINT)

    def _refuse_redirect(self, response: httpx.Response) -> None:
        target = response.headers.get("location")
        if response.is_redirect and target:
            message = f"{self._address} wants the request sent to {target}; prompts are never redirected"
            raise RefusedError(message, "if you trust that place, name it with --host or OLLAMA_HOST")


def _client(
    address: Address, timeouts: Timeouts, api_key: str, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    """Make a client that asks no proxy on the way to this machine and loads certificates only for https.

    Raises:
        UsageError: the proxy or certificate settings of the environment cannot be used.
    """
    if address.socket_path and transport is None:
        transport = httpx.AsyncHTTPTransport(uds=address.socket_path, verify=False)
    try:
        return httpx.AsyncClient(
            headers=_headers(address, api_key),
            auth=(address.user, address.password) if address.user or address.password else None,
            verify=address.url.startswith("https://"),
            trust_env=not address.loopback,
            timeout=httpx.Timeout(None, connect=timeouts.connect),
            follow_redirects=False,
            transport=transport,
        )
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
        message = f"the proxy or certificate settings of the environment cannot be used: {error}"
        raise UsageError(message, "see HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE") from error


def _headers(address: Address, api_key: str) -> dict[str, str]:
    """Return what every request carries; a key only where nobody on the way can read it.

    Uncompressed, because a proxy that compresses holds the stream back to have something to compress.
    """
    headers = {"User-Agent": "reflectty", "Content-Type": "application/json", "Accept-Encoding": "identity"}
    key = api_key.strip()
    if not key.isascii() or not key.isprintable():
        raise UsageError("OLLAMA_API_KEY holds characters that no key has")
    return headers | {"Authorization": f"Bearer {key}"} if key and address.confidential else headers


def _retry_after(response: httpx.Response, otherwise: float) -> float:
    """Return the seconds to wait before the next try; a date in the header is not read."""
    said = response.headers.get("retry-after", "")
    return min(float(said), LONGEST_RETRY) if said.isdecimal() and said.isascii() else otherwise


def _reason(error: BaseException) -> str:
    """Return what the operating system says, which is the innermost cause, or else what httpx says."""
    reason = str(error)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            reason = cause.strerror
        if isinstance(cause, BaseExceptionGroup):
            return _reason(cause.exceptions[0])
        cause = cause.__cause__ or cause.__context__
    return reason
