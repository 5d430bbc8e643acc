"""Creates the httpx client for a server, with a light transport for plain HTTP on this machine.

httpx's own transport needs httpcore, h11 and anyio, which cost more to import than the rest of a one-shot. The light
one supports neither TLS nor proxies and keeps no connections.
"""

from __future__ import annotations

import asyncio
import os
from errno import ENOENT
from typing import TYPE_CHECKING, Final, cast

import httpx

from reflectty.core.errors import UsageError
from reflectty.protocols.http import ResponseDecoder, encode_head
from reflectty.protocols.ollama import shorten
from reflectty.system.terminal import system_environment

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterable, AsyncIterator

    from reflectty.engines.hosts import Address
    from reflectty.engines.proxies import Proxy
    from reflectty.protocols.http import ResponseHead


READ_SIZE: Final = 64 * 1024
UNREAD_LIMIT: Final = 4 * READ_SIZE
"""Bytes that may wait to be read before the server has to wait."""


class LocalTransport(httpx.AsyncBaseTransport):
    """Opens a connection for each request, over TCP or the unix socket at `socket_path`."""

    def __init__(self, socket_path: str = "") -> None:
        self._socket_path = socket_path

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        http = _HttpExchange(request, await self._connect(request))
        try:
            return await http.response()
        except BaseException:
            await http.aclose()
            raise

    async def _connect(self, request: httpx.Request) -> ByteStream:
        loop, stream = asyncio.get_running_loop(), ByteStream()
        try:
            async with asyncio.timeout(request.extensions["timeout"]["connect"]):
                if self._socket_path:
                    await loop.create_unix_connection(lambda: stream, self._socket_path)
                else:
                    await loop.create_connection(lambda: stream, request.url.host, request.url.port or 80)
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time", request=request) from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error), request=request) from error
        return stream


class ByteStream(asyncio.BufferedProtocol):
    """The bytes of one connection, received into one buffer.

    The streams of asyncio allocate 256 KiB for each piece that arrives: three calls of the system for every token.
    """

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(READ_SIZE))
        self._unread = bytearray()
        self._failure: Exception | None = None
        self._is_over = False
        """Whether nothing more arrives."""
        self._arrival: asyncio.Future[None] | None = None
        """What `read` waits for."""
        self._room: asyncio.Future[None] | None = None
        """What `write` waits for."""
        self._end: asyncio.Future[None] | None = None
        """What `aclose` waits for."""
        self._is_full = False
        """Whether the server takes no more bytes at present."""
        self._is_closed = False

    async def read(self) -> bytes:
        """The bytes that have arrived, at least one; none at the end.

        Raises:
            OSError: the connection broke.
        """
        while not self._unread:
            if self._failure:
                raise self._failure
            if self._is_over:
                return b""
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        data = bytes(self._unread)
        self._unread.clear()
        self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Send bytes, and wait while many of them have not left.

        Raises:
            OSError: the connection broke.
        """
        self._transport.write(data)
        while self._is_full and not self._is_closed:
            self._room = asyncio.get_running_loop().create_future()
            await self._room
        if self._is_closed:
            raise self._failure or ConnectionResetError("the connection is closed")

    async def aclose(self) -> None:
        """Close the connection at once, whatever was not sent."""
        self._transport.abort()
        if not self._is_closed:
            self._end = asyncio.get_running_loop().create_future()
            await self._end

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio asks for as much as it can
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._unread += self._buffer[:nbytes]
        if len(self._unread) > UNREAD_LIMIT:
            self._transport.pause_reading()
        _wake(self._arrival)

    def eof_received(self) -> bool:
        """Note the end of what the server sends; the connection stays open for what is still to be sent."""
        self._is_over = True
        _wake(self._arrival)
        return True

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        _wake(self._room)

    def connection_lost(self, exc: Exception | None) -> None:
        self._failure, self._is_over, self._is_closed = exc, True, True
        for waiter in (self._arrival, self._room, self._end):
            _wake(waiter)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter and not waiter.done():
        waiter.set_result(None)


class _HttpExchange(httpx.AsyncByteStream):
    """One request and its response on one connection; as a stream, the response's body."""

    def __init__(self, request: httpx.Request, stream: ByteStream) -> None:
        self._request = request
        self._stream = stream
        self._decoder = ResponseDecoder(request.method)
        self._body = b""
        """What has arrived of the body and was not read."""

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def response(self) -> httpx.Response:
        """Send the request and return the response with its body unread."""
        body = self._request.stream
        if isinstance(body, httpx.AsyncByteStream) and not isinstance(body, httpx.ByteStream):
            head = await self._head_while_sending(body)
        else:
            await self._write_piece(self._encoded_head() + self._request.content)
            head = await self._head()
        return httpx.Response(head.status, headers=head.headers, stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._body or not self._decoder.done:
            if body := self._body:
                self._body = b""
                yield body
            else:
                await self._read()

    async def _write_piece(self, piece: bytes) -> bool:
        """Send bytes; return whether the server still takes them.

        It may refuse a long prompt before reading all of it: its response explains more than the broken pipe.
        """
        try:
            await self._stream.write(piece)
        except ConnectionError:
            return False
        return True

    def _encoded_head(self) -> bytes:
        request = self._request
        try:
            return encode_head(request.method, request.url.raw_path, request.headers.raw)
        except ValueError as error:
            raise httpx.LocalProtocolError(str(error), request=request) from error

    async def _head_while_sending(self, body: AsyncIterable[bytes]) -> ResponseHead:
        """Send a body piece by piece and return the head: a server that refuses does not wait for the end."""
        answer = asyncio.create_task(self._head())
        sending = asyncio.create_task(self._write_pieces(body))
        try:
            await asyncio.wait((answer, sending), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            return await answer
        finally:
            for task in (answer, sending):
                task.cancel()
            await asyncio.gather(answer, sending, return_exceptions=True)

    async def _write_pieces(self, body: AsyncIterable[bytes]) -> None:
        """Write a body whose length is among the headers."""
        await self._write_piece(self._encoded_head())
        async for piece in body:
            if not await self._write_piece(piece):
                return

    async def _head(self) -> ResponseHead:
        while self._decoder.head is None:
            await self._read()
        return self._decoder.head

    async def _read(self) -> None:
        """Read and decode what has arrived, or raise why that is impossible."""
        try:
            data = b"" if self._decoder.error else await self._stream.read()
            if data:
                self._body += self._decoder.feed(data)
            else:
                self._decoder.close()
        except ValueError as error:
            raise httpx.RemoteProtocolError(str(error), request=self._request) from error
        except OSError as error:
            raise httpx.ReadError(str(error), request=self._request) from error


def local_transport_for(address: Address) -> httpx.AsyncBaseTransport | None:
    """The light transport for plain HTTP to this machine; None leaves TLS, proxies and other hosts to httpx."""
    if not (address.loopback and address.url.startswith("http://")):
        return None

    return LocalTransport(address.socket_path)


def proxy_of(address: Address) -> Proxy | None:
    """The proxy from the environment for a server on another machine.

    Raises:
        UsageError: the proxy's scheme is not supported.
    """
    from reflectty.engines.proxies import proxy_to, unusable_reason_of

    proxy = proxy_to(address, system_environment())
    if proxy is None:
        return None
    if reason := unusable_reason_of(proxy):
        hint = f"add {httpx.URL(address.url).host} to NO_PROXY to connect directly, or check {proxy.variable}"
        raise UsageError(f"the proxy {proxy.address} (from {proxy.variable}) cannot be used: {reason}", hint)
    return proxy


def client_for(
    address: Address,
    proxy: Proxy | None,
    connect_timeout: float,
    headers: dict[str, str],
    transport: httpx.AsyncBaseTransport | None,
) -> httpx.AsyncClient:
    """Create a client that ignores the environment and loads certificates only for TLS.

    Raises:
        UsageError: the proxy or certificate settings of the environment cannot be used.
    """
    timeout = httpx.Timeout(None, connect=connect_timeout)
    if transport is not None:
        return httpx.AsyncClient(headers=headers, trust_env=False, timeout=timeout, transport=transport)
    try:
        context = _tls_context() if address.url.startswith("https://") else False
        secure = _tls_context() if proxy and proxy.url.startswith("https://") else None
        return httpx.AsyncClient(
            headers=headers,
            verify=context,
            trust_env=False,
            timeout=timeout,
            follow_redirects=False,
            proxy=httpx.Proxy(proxy.url, ssl_context=secure) if proxy else None,
        )
    except (ValueError, OSError, httpx.InvalidURL) as error:
        where = f"the proxy from {proxy.variable}" if proxy else "the server's address"
        raise UsageError(f"{where} cannot be used: {shorten(str(error))}") from error


def _tls_context() -> ssl.SSLContext:
    """The TLS context, trusting SSL_CERT_FILE and SSL_CERT_DIR if set, else certifi's certificates.

    Raises:
        UsageError: a named file or folder is missing or cannot be read.
    """
    import ssl

    environment = system_environment()
    file, folders = environment.get("SSL_CERT_FILE", ""), environment.get("SSL_CERT_DIR", "")
    if not file and not folders:
        return httpx.create_ssl_context(trust_env=False)
    if folders and not any(os.path.exists(folder) for folder in folders.split(os.pathsep)):  # noqa: PTH110 - never raises
        raise _certificate_error("SSL_CERT_DIR", folders, os.strerror(ENOENT))
    try:
        return ssl.create_default_context(cafile=file or None, capath=folders or None)
    except OSError as error:
        raise _certificate_error("SSL_CERT_FILE", file, error.strerror or str(error)) from error


def _certificate_error(variable: str, path: str, reason: str) -> UsageError:
    return UsageError(f"the certificates in {path} (from {variable}) cannot be used: {reason}", f"unset {variable}")
