"""Sends HTTP requests to one server: headers, retries, time limits and errors."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
import time
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

from reflectty.core.errors import IncompleteError, RefusedError, StalledError, UsageError
from reflectty.protocols.ollama import HOST_HINT, shorten
from reflectty.protocols.refusals import (
    BUSY_STATUSES,
    RETRY_HEADERS,
    RETRYABLE_STATUSES,
    TOO_MANY_REQUESTS,
    is_quota_exhausted,
    retry_after,
)
from reflectty.system.terminal import system_environment

# Where click is installed, httpx would load its own command line, and with it rich and pygments: half a one-shot's
# start. An entry of None makes that import fail, which httpx takes for click being absent.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
import httpx  # noqa: E402

from reflectty.engines.http_client import client_for, local_transport_for, proxy_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable

    from reflectty.core.messages import Timeouts
    from reflectty.engines.hosts import Address
    from reflectty.protocols.ollama import Body


ASK_AGAIN_HINT: Final = "ask again"
ONLY_COMMENTS: Final = (
    "it only keeps the connection open: see in the server's log whether what writes replies has ended"
)
ENDING_SECONDS: Final = 2.0
"""How long to wait for what may follow the end of a reply."""

QUEUE_FACTOR: Final = 4
"""How many times as long as for a first byte is waited where nothing but comments comes."""


class BodyListener(Protocol):
    """Whoever reads a body piece by piece."""

    @property
    def over(self) -> bool:
        """Whether what matters of it has come."""
        ...

    @property
    def part_count(self) -> int:
        """How much of it was worth waiting for: it grows with every such piece."""
        ...


class BodyDeadline:
    """Until when the next piece of a body is waited for."""

    def __init__(self, timeouts: Timeouts, listener: BodyListener | None) -> None:
        self._timeouts = timeouts
        self._listener = listener
        self._parts = 0
        self._over = False
        self._clock = asyncio.get_running_loop().time
        self.limit = timeouts.first
        self.hint = ASK_AGAIN_HINT
        self.deadline = self._clock() + timeouts.first
        self._longest = self._clock() + QUEUE_FACTOR * timeouts.first

    def extend(self) -> None:
        """Look at what the last piece was."""
        parts = self._listener.part_count if self._listener else self._parts + 1
        if self._listener and self._listener.over:
            if not self._over:
                self._over, self.limit = True, min(self._timeouts.idle, ENDING_SECONDS)
                self.deadline = self._clock() + self.limit
        elif parts > self._parts:
            self._parts, self.limit, self.hint = parts, self._timeouts.idle, ASK_AGAIN_HINT
            self.deadline = self._clock() + self.limit
        else:
            self.hint = ONLY_COMMENTS
            if not parts:
                self._extend_in_queue()

    def _extend_in_queue(self) -> None:
        """Wait for a reply that has not begun: as long as there are signs of life, but not for ever."""
        next_sign = self._clock() + self._timeouts.idle
        self.deadline = min(next_sign, self._longest)
        self.limit = self._timeouts.idle if next_sign < self._longest else QUEUE_FACTOR * self._timeouts.first


REDIRECTS: Final = range(300, 400)
RETRY_DELAYS: Final = (0.5, 1.0)
"""Seconds before the second and the third try of a busy server."""
LONGEST_RETRY: Final = 5.0
"""Seconds that a server's Retry-After is waited for here; who asks is told of a longer one."""
PEEK_BYTES: Final = 16 * 1024
"""Bytes that are read of a refusal to see whether asking again helps."""
LOADING_HINT: Final = "a model that is being loaded, or a long queue, takes its time: ask again"
ZONE: Final = re.compile(r"%[^]]*]")

T = TypeVar("T")


class ServerProfile(NamedTuple):
    """How servers of one kind are spoken of, and by which statuses they say that they are busy."""

    label: str = "an Ollama server"
    start_hint: str = "is `ollama serve` running? Another server is named with --host or OLLAMA_HOST"
    host_hint: str = HOST_HINT
    host_names: str = "--host or OLLAMA_HOST"
    key_name: str = "OLLAMA_API_KEY"
    busy_statuses: frozenset[int] = RETRYABLE_STATUSES


OLLAMA_PROFILE: Final = ServerProfile()


class Connection:
    """Requests to one server, each on its own until it is answered."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that decides how a server is reached
        self,
        address: Address,
        timeouts: Timeouts,
        api_key: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        profile: ServerProfile = OLLAMA_PROFILE,
        look_for_other_server: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._look_for_other_server = look_for_other_server
        """Tells where else something answers, for who is not reached; asked once."""
        self._address = address
        self._timeouts = timeouts
        self._profile = profile
        headers = _headers(address, api_key, profile.key_name)
        self.proxy = None if address.loopback else proxy_of(address)
        """What stands between here and the server, by the environment."""
        transport = transport or local_transport_for(address)
        self._client = client_for(address, self.proxy, timeouts.connect, headers, transport)

    async def aclose(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def request(
        self, method: str, path: str, body: Body | None = None, patience: float = 0.0
    ) -> AsyncIterator[httpx.Response]:
        """Send a request and hand over the response, its body unread; leaving closes the connection to it.

        A busy server is asked three times, unless it says that it will be busy for longer than a moment.

        Args:
            method: of HTTP.
            path: below that of the server's address.
            body: sent as JSON.
            patience: seconds to wait for the response; 0 is as long as for any.

        Raises:
            UnreachableError: nothing there answers in HTTP.
            StalledError: nothing came in time.
            RefusedError: the server wants the request to go elsewhere.
        """
        # Escaped to ASCII: a prompt may hold half surrogate pairs, which UTF-8 has no bytes for.
        content = b"" if body is None else json.dumps(body).encode("ascii")
        limit = patience or self._timeouts.first
        response = await self._send(method, path, content, limit)
        for delay in RETRY_DELAYS:
            if response.status_code not in self._profile.busy_statuses:
                break
            if response.status_code == TOO_MANY_REQUESTS:
                response = await self._peek(response)
                if is_quota_exhausted(response.text):
                    break
            wait = _retry_after(response, delay)
            if wait > LONGEST_RETRY and response.status_code in BUSY_STATUSES:
                break
            await response.aclose()
            await asyncio.sleep(min(wait, LONGEST_RETRY))
            response = await self._send(method, path, content, limit)
        try:
            self._refuse_redirect(response)
            yield response
        finally:
            await response.aclose()

    @asynccontextmanager
    async def upload(self, path: str, size: int, pieces: AsyncIterable[bytes]) -> AsyncIterator[httpx.Response]:
        """Send a body of `size` bytes as it comes, once, and hand over the response; what `pieces` raises goes through.

        It takes as long as it takes: the limit is for the server to take one more piece, or to answer.

        Raises:
            UnreachableError: nothing there answers in HTTP.
            StalledError: nothing was taken, or answered, in time.
        """
        limit = self._timeouts.first
        clock = asyncio.timeout(limit)
        async with aclosing(_extend_while_sending(pieces, clock, limit)) as content:
            response = await self._send("POST", path, content, limit, {"Content-Length": str(size)}, clock)
        try:
            self._refuse_redirect(response)
            yield response
        finally:
            await response.aclose()

    async def pieces(
        self, response: httpx.Response, listener: BodyListener | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield a body as it comes; once what matters of it is over, the rest is waited for only a moment.

        What the listener did not take for a part of the body, as the comments are that keep a connection alive, is no
        reason to wait longer for the next part. Before the first one it is, but not for ever: vLLM and mlx-lm send
        comments while a request waits, and vLLM goes on with them when its engine has died.

        Raises:
            IncompleteError: the connection broke before the end.
            StalledError: nothing came in time.
        """
        wait = BodyDeadline(self._timeouts, listener)
        async with aclosing(_body_pieces(response)) as pieces:
            while piece := await self._await_in_time(
                anext(pieces, b""), wait.limit, wait.hint, asyncio.timeout_at(wait.deadline)
            ):
                yield piece
                wait.extend()

    async def read_body(self, response: httpx.Response, limit: int) -> bytes:
        """Return a whole body.

        Raises:
            IncompleteError: it was cut, or is longer than `limit` bytes.
        """
        read = bytearray()
        if not await self._fill(read, response, limit):
            raise IncompleteError(f"{self._address} sent more than {limit:,} bytes")
        return bytes(read)

    async def read_beginning(self, response: httpx.Response, limit: int) -> bytes:
        """Return the first bytes of a body, or what came of them."""
        read = bytearray()
        with suppress(IncompleteError):
            await self._fill(read, response, limit)
        return bytes(read[:limit])

    async def _peek(self, response: httpx.Response) -> httpx.Response:
        """Return a response with what is read of its body, so that it can be looked at and then read."""
        try:
            body = await self.read_beginning(response, PEEK_BYTES)
        finally:
            await response.aclose()
        told = {name: response.headers[name] for name in RETRY_HEADERS if name in response.headers}
        return httpx.Response(response.status_code, headers=told, content=body)

    async def _fill(self, read: bytearray, response: httpx.Response, limit: int) -> bool:
        async with aclosing(self.pieces(response)) as pieces:
            async for piece in pieces:
                read += piece
                if len(read) > limit:
                    return False
        return True

    async def _send(  # noqa: PLR0913, PLR0917 - all that a request has
        self,
        method: str,
        path: str,
        content: bytes | AsyncIterable[bytes],
        limit: float,
        headers: dict[str, str] | None = None,
        clock: asyncio.Timeout | None = None,
    ) -> httpx.Response:
        try:
            request = self._client.build_request(method, self._address.url_of(path), content=content, headers=headers)
            sending = self._client.send(request, stream=True)
            return await self._await_in_time(sending, limit, LOADING_HINT, clock)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            from reflectty.engines.unreachable import Route

            found = await self._find_other_server() if isinstance(error, httpx.ConnectError | httpx.InvalidURL) else ""
            way = Route(self._address, self._profile, self.proxy, system_environment())
            raise way.error(error, self._timeouts.connect, other_server_hint=found) from error

    async def _find_other_server(self) -> str:
        """Return how to ask another server that answers on this machine; that is looked for once."""
        look, self._look_for_other_server = self._look_for_other_server, None
        return await look() if look else ""

    async def _await_in_time(
        self, answer: Awaitable[T], limit: float, hint: str = ASK_AGAIN_HINT, clock: asyncio.Timeout | None = None
    ) -> T:
        try:
            async with clock or asyncio.timeout(limit):
                return await answer
        except TimeoutError as error:
            raise StalledError(f"{self._address} sent nothing for {limit:g} s", hint) from error

    def _refuse_redirect(self, response: httpx.Response) -> None:
        target = response.headers.get("location")
        if response.status_code in REDIRECTS and target:
            message = f"{self._address} wants the request sent to {shorten(target)}; prompts are never redirected"
            raise RefusedError(message, f"if you trust that place, name it with {self._profile.host_names}")


async def _extend_while_sending(
    pieces: AsyncIterable[bytes], clock: asyncio.Timeout, limit: float
) -> AsyncGenerator[bytes, None]:
    """Yield the pieces, and give the clock as much time again whenever one was taken."""
    loop = asyncio.get_running_loop()
    async for piece in pieces:
        yield piece
        clock.reschedule(loop.time() + limit)


async def _body_pieces(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in response.aiter_bytes():
            yield piece
    except httpx.HTTPError as error:
        raise IncompleteError("the connection to the server broke", "ask again") from error


def _headers(address: Address, api_key: str, key_name: str) -> dict[str, str]:
    """Return what every request carries; a key only where nobody on the way can read it.

    Uncompressed, because a proxy that compresses holds the stream back to have something to compress.

    Raises:
        UsageError: the key cannot stand in a header.
    """
    common = {"User-Agent": "reflectty", "Content-Type": "application/json", "Accept-Encoding": "identity"}
    if "%" in address.url:
        # A zone means something to this machine alone: other clients leave it out, and servers expect that.
        common["Host"] = ZONE.sub("]", urlsplit(address.url).netloc)
    key = api_key.strip()
    if not key.isascii() or not key.isprintable():
        raise UsageError(f"{key_name} holds characters that no key has")
    if address.user or address.password:
        login = base64.b64encode(f"{address.user}:{address.password}".encode()).decode()
        return common | {"Authorization": f"Basic {login}"}
    return common | {"Authorization": f"Bearer {key}"} if key and address.is_confidential else common


def _retry_after(response: httpx.Response, otherwise: float) -> float:
    """Return the seconds to wait before the next try."""
    said = retry_after(response.headers, time.time())
    return otherwise if said is None else said
