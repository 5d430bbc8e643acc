"""One server: what every request carries, retries, time limits, no redirects; knows neither HTTP nor replies."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from reflectty.errors import IncompleteError, RefusedError, StalledError, UsageError
from reflectty.wire import shorten

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable

    from reflectty.engines.exchange import Response, Transport
    from reflectty.engines.hosts import Address
    from reflectty.wire import Body

BUSY: Final = 503
REDIRECTS: Final = range(300, 400)
RETRY_DELAYS: Final = (0.5, 1.0)
"""Seconds before the second and the third try of a busy server."""
LONGEST_RETRY: Final = 5.0
"""Seconds that a server's Retry-After is honoured at most."""
LOADING_HINT: Final = "a model that is being loaded, or a long queue, takes its time: ask again"
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
    """Requests to one server, each on its own until it is answered."""

    def __init__(
        self, address: Address, timeouts: Timeouts, api_key: str = "", transport: Transport | None = None
    ) -> None:
        self._address = address
        self._timeouts = timeouts
        self._transport = transport or _transport(address, timeouts, headers(address, api_key))

    async def aclose(self) -> None:
        await self._transport.aclose()

    @asynccontextmanager
    async def opened(self, method: str, path: str, body: Body | None = None) -> AsyncIterator[Response]:
        """Send a request and hand over the response, its body unread; leaving closes the connection to it.

        A busy server is asked three times.

        Raises:
            UnreachableError: nothing there answers in HTTP.
            StalledError: nothing came in time.
            RefusedError: the server wants the request to go elsewhere.
        """
        # Escaped to ASCII: a prompt may hold half surrogate pairs, which UTF-8 has no bytes for.
        content = b"" if body is None else json.dumps(body).encode("ascii")
        response = await self._send(method, path, content)
        for delay in RETRY_DELAYS:
            if response.status != BUSY:
                break
            await response.aclose()
            await asyncio.sleep(_retry_after(response, delay))
            response = await self._send(method, path, content)
        try:
            self._refuse_redirect(response)
            yield response
        finally:
            await response.aclose()

    async def pieces(self, response: Response) -> AsyncGenerator[bytes, None]:
        """Yield a body as it comes.

        Raises:
            IncompleteError: the connection broke before the end.
            StalledError: nothing came in time.
        """
        limit = self._timeouts.first
        async with aclosing(response.pieces) as pieces:
            while piece := await self._in_time(anext(pieces, b""), limit):
                yield piece
                limit = self._timeouts.idle

    async def body(self, response: Response, limit: int) -> bytes:
        """Return a whole body.

        Raises:
            IncompleteError: it was cut, or is longer than `limit` bytes.
        """
        read = bytearray()
        if not await self._fill(read, response, limit):
            raise IncompleteError(f"{self._address} sent more than {limit:,} bytes")
        return bytes(read)

    async def beginning(self, response: Response, limit: int) -> bytes:
        """Return the first bytes of a body, or what came of them."""
        read = bytearray()
        with suppress(IncompleteError):
            await self._fill(read, response, limit)
        return bytes(read[:limit])

    async def _fill(self, read: bytearray, response: Response, limit: int) -> bool:
        async with aclosing(self.pieces(response)) as pieces:
            async for piece in pieces:
                read += piece
                if len(read) > limit:
                    return False
        return True

    async def _send(self, method: str, path: str, content: bytes) -> Response:
        sending = self._transport.send(method, path, content)
        return await self._in_time(sending, self._timeouts.first, LOADING_HINT)

    async def _in_time(self, answer: Awaitable[T], limit: float, hint: str = "ask again") -> T:
        try:
            async with asyncio.timeout(limit):
                return await answer
        except TimeoutError as error:
            raise StalledError(f"{self._address} sent nothing for {limit:g} s", hint) from error

    def _refuse_redirect(self, response: Response) -> None:
        target = response.headers.get("location")
        if response.status in REDIRECTS and target:
            message = f"{self._address} wants the request sent to {shorten(target)}; prompts are never redirected"
            raise RefusedError(message, "if you trust that place, name it with --host or OLLAMA_HOST")


def _transport(address: Address, timeouts: Timeouts, headers: dict[str, str]) -> Transport:
    """Return the way to a server: httpx is loaded only where TLS or a proxy may be on it."""
    if address.loopback and address.url.startswith("http://"):
        from reflectty.engines.local import LocalTransport  # noqa: PLC0415 - each is loaded only where it is used

        return LocalTransport(address, timeouts.connect, headers)
    from reflectty.engines.remote import RemoteTransport  # noqa: PLC0415 - the same

    return RemoteTransport(address, timeouts.connect, headers)


def headers(address: Address, api_key: str) -> dict[str, str]:
    """Return what every request carries; a key only where nobody on the way can read it.

    Uncompressed, because a proxy that compresses holds the stream back to have something to compress.

    Raises:
        UsageError: the key cannot stand in a header.
    """
    common = {"User-Agent": "reflectty", "Content-Type": "application/json", "Accept-Encoding": "identity"}
    key = api_key.strip()
    if not key.isascii() or not key.isprintable():
        raise UsageError("OLLAMA_API_KEY holds characters that no key has")
    if address.user or address.password:
        login = base64.b64encode(f"{address.user}:{address.password}".encode()).decode()
        return common | {"Authorization": f"Basic {login}"}
    return common | {"Authorization": f"Bearer {key}"} if key and address.confidential else common


def _retry_after(response: Response, otherwise: float) -> float:
    """Return the seconds to wait before the next try; a date in the header is not read."""
    said = response.headers.get("retry-after", "")
    return min(float(said), LONGEST_RETRY) if said.isdecimal() and said.isascii() else otherwise
