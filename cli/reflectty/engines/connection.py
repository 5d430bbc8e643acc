"""Sends HTTP requests to one server: headers, retries, time limits and errors."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
import time
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from urllib.parse import urlsplit

from reflectty.core.errors import IncompleteError, RefusedError, StalledError, UsageError
from reflectty.core.named_tuple import NamedTuple
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

# Where click is installed, httpx would load its own command line, and with it rich and pygments: half the startup of a
# one-shot. An entry of None makes that import fail, which httpx treats as click being absent.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
import httpx  # noqa: E402

from reflectty.engines.http_client import client_for, local_transport_for, proxy_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable

    from reflectty.core.messages import Timeouts
    from reflectty.engines.hosts import Address
    from reflectty.protocols.ollama import Body


ASK_AGAIN_HINT: Final = "try again"
ONLY_COMMENTS: Final = "the server only keeps the connection open; check its log for a model process that has stopped"
ENDING_SECONDS: Final = 2.0
"""Seconds to wait for data after the end of a reply."""

QUEUE_FACTOR: Final = 4
"""Factor on the first-byte timeout while only comments arrive."""


if TYPE_CHECKING:
    # Only annotations name it, and making a protocol takes as long as a module.
    class BodyListener(Protocol):
        """Reader of a response body, piece by piece."""

        @property
        def over(self) -> bool:
            """Whether the part that matters is complete."""
            ...

        @property
        def part_count(self) -> int:
            """Progress so far: grows with every piece worth waiting for."""
            ...


class BodyDeadline:
    """Deadline for the next piece of a body."""

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
        """Set the next deadline by what the last piece was."""
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
        """Extend the wait for a reply that has not begun: as long as comments arrive, but not forever."""
        next_sign = self._clock() + self._timeouts.idle
        self.deadline = min(next_sign, self._longest)
        self.limit = self._timeouts.idle if next_sign < self._longest else QUEUE_FACTOR * self._timeouts.first


DEFAULT_PORTS: Final = (":11434", ":8000")
REDIRECTS: Final = range(300, 400)
RETRY_DELAYS: Final = (0.5, 1.0)
"""Seconds before the second and the third try at a busy server."""
LONGEST_RETRY: Final = 5.0
"""Longest Retry-After, in seconds, that is waited for; a longer one is reported."""
PEEK_BYTES: Final = 16 * 1024
"""Bytes of a refusal that are read to decide whether to retry."""
LOADING_HINT: Final = "the model may still be loading, or the queue long; try again"
ZONE: Final = r"%[^]]*]"

T = TypeVar("T")


class ServerProfile(NamedTuple):
    """Wording of messages about one kind of server, and the statuses that mean it is busy."""

    label: str = "an Ollama server"
    start_hint: str = "is `ollama serve` running? Set another server with --host or OLLAMA_HOST"
    host_hint: str = HOST_HINT
    host_names: str = "--host or OLLAMA_HOST"
    key_name: str = "OLLAMA_API_KEY"
    busy_statuses: frozenset[int] = RETRYABLE_STATUSES
    cut_message: str = "the connection to the server was lost"
    cut_hint: str = ASK_AGAIN_HINT
    redirect_rule: str = "prompts are never redirected"


OLLAMA_PROFILE: Final = ServerProfile()


class Connection:
    """Sends independent requests to one server."""

    def __init__(  # noqa: PLR0913, PLR0917 - everything that reaching a server depends on
        self,
        address: Address,
        timeouts: Timeouts,
        api_key: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        profile: ServerProfile = OLLAMA_PROFILE,
        look_for_other_server: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._look_for_other_server = look_for_other_server
        """Finds another server to suggest when this one is unreachable; called once."""
        self._address = address
        self._timeouts = timeouts
        self._profile = profile
        headers = _headers(address, api_key, profile.key_name)
        self.proxy = None if address.loopback else proxy_of(address)
        """The proxy for this server, from the environment."""
        transport = transport or local_transport_for(address)
        self._client = client_for(address, self.proxy, timeouts.connect, headers, transport)

    async def aclose(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def request(
        self, method: str, path: str, body: Body | None = None, patience: float = 0.0
    ) -> AsyncIterator[httpx.Response]:
        """Send a request and yield the response with its body unread; leaving closes its connection.

        A busy server gets three tries, unless its Retry-After is too long.

        Args:
            method: the HTTP method.
            path: relative to the server's address.
            body: sent as JSON.
            patience: seconds to wait for the response; 0 means the first-byte timeout.

        Raises:
            UnreachableError: no HTTP server answers there.
            StalledError: the response timed out.
            RefusedError: the server redirects the request.
        """
        # Escaped to ASCII: a prompt may hold lone surrogates, which UTF-8 cannot encode.
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
        """Upload a body of `size` bytes once, without retries, and yield the response; errors raised by `pieces` pass.

        There is no total time limit: the timeout is for the server to accept one more piece, or to respond.

        Raises:
            UnreachableError: no HTTP server answers there.
            StalledError: the server accepted nothing, or did not respond, in time.
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
        """Yield a body's pieces as they arrive; after the part that matters, wait only a moment for more.

        Pieces without progress for the listener, such as keep-alive comments, do not extend the wait for the next part.
        Before the first part they do, but not forever: vLLM and mlx-lm send comments while a request is queued, and
        vLLM keeps sending them after its engine has died.

        Raises:
            IncompleteError: the connection broke before the end.
            StalledError: the next piece timed out.
        """
        wait = BodyDeadline(self._timeouts, listener)
        async with aclosing(_body_pieces(response, self._profile)) as pieces:
            while piece := await self._await_in_time(
                anext(pieces, b""), wait.limit, wait.hint, asyncio.timeout_at(wait.deadline)
            ):
                yield piece
                wait.extend()

    async def read_body(self, response: httpx.Response, limit: int) -> bytes:
        """Read a whole body.

        Raises:
            IncompleteError: the body was cut, or is longer than `limit` bytes.
        """
        read = bytearray()
        if not await self._fill(read, response, limit):
            raise IncompleteError(f"{self._address} sent more than {limit:,} bytes")
        return bytes(read)

    async def read_beginning(self, response: httpx.Response, limit: int) -> bytes:
        """Read the first bytes of a body, or what arrived before it was cut."""
        read = bytearray()
        with suppress(IncompleteError):
            await self._fill(read, response, limit)
        return bytes(read[:limit])

    async def _peek(self, response: httpx.Response) -> httpx.Response:
        """The response with the beginning of its body already read, so that it can be inspected and read again."""
        try:
            body = await self.read_beginning(response, PEEK_BYTES)
        finally:
            await response.aclose()
        headers = {name: response.headers[name] for name in RETRY_HEADERS if name in response.headers}
        return httpx.Response(response.status_code, headers=headers, content=body)

    async def _fill(self, read: bytearray, response: httpx.Response, limit: int) -> bool:
        async with aclosing(self.pieces(response)) as pieces:
            async for piece in pieces:
                read += piece
                if len(read) > limit:
                    return False
        return True

    async def _send(  # noqa: PLR0913, PLR0917 - the parts of a request
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

            hint = await self._find_other_server() if isinstance(error, httpx.ConnectError | httpx.InvalidURL) else ""
            route = Route(self._address, self._profile, self.proxy, system_environment())
            raise route.error(error, self._timeouts.connect, other_server_hint=hint) from error

    async def _find_other_server(self) -> str:
        """A hint to another server that answers on this machine; searches once."""
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
            message = f"{self._address} redirects to {shorten(target)}; {self._profile.redirect_rule}"
            names = self._profile.host_names
            raise RefusedError(message, f"if you trust that address, set it with {names}" if names else "")


def server_finder_for(address: Address) -> Callable[[], Awaitable[str]] | None:
    """A search for a llama-server on this machine; None if the address is not a default one.

    The default addresses are those of Ollama and of vLLM on this machine.
    """
    if not address.loopback or not address.url.endswith(DEFAULT_PORTS) or address.socket_path:
        return None

    async def find() -> str:
        from reflectty.engines.discovery import find_other_server_hint

        return await find_other_server_hint()

    return find


async def _extend_while_sending(
    pieces: AsyncIterable[bytes], clock: asyncio.Timeout, limit: float
) -> AsyncGenerator[bytes, None]:
    """Yield the pieces, restarting the clock after each accepted one."""
    loop = asyncio.get_running_loop()
    async for piece in pieces:
        yield piece
        clock.reschedule(loop.time() + limit)


async def _body_pieces(response: httpx.Response, profile: ServerProfile) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in response.aiter_bytes():
            yield piece
    except httpx.HTTPError as error:
        raise IncompleteError(profile.cut_message, profile.cut_hint) from error


def _headers(address: Address, api_key: str, key_name: str) -> dict[str, str]:
    """The headers of every request; includes the key only if the connection is confidential.

    Compression is off: a proxy that compresses buffers the stream.

    Raises:
        UsageError: the key contains characters that a header cannot hold.
    """
    common = {"User-Agent": "reflectty", "Content-Type": "application/json", "Accept-Encoding": "identity"}
    if "%" in address.url:
        # A zone is valid on this machine only: other clients omit it, and servers expect that.
        common["Host"] = re.sub(ZONE, "]", urlsplit(address.url).netloc)
    key = api_key.strip()
    if not key.isascii() or not key.isprintable():
        raise UsageError(f"{key_name} contains characters that a key cannot have")
    if address.user or address.password:
        login = base64.b64encode(f"{address.user}:{address.password}".encode()).decode()
        return common | {"Authorization": f"Basic {login}"}
    return common | {"Authorization": f"Bearer {key}"} if key and address.is_confidential else common


def _retry_after(response: httpx.Response, otherwise: float) -> float:
    """Seconds to wait before the next try."""
    wait = retry_after(response.headers, time.time())
    return otherwise if wait is None else wait
