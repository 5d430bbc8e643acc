"""Creates the httpx client for a server, with a light transport for plain HTTP on this machine.

httpx's own transport needs httpcore and anyio, which cost more to import than the rest of a one-shot. The light one
supports neither TLS nor proxies and keeps no connections.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from errno import ENOENT
from typing import TYPE_CHECKING, Final

import h11
import httpx

from reflectty.core.errors import UsageError
from reflectty.protocols.ollama import shorten
from reflectty.system.terminal import system_environment

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterable, AsyncIterator

    from reflectty.engines.hosts import Address
    from reflectty.engines.proxies import Proxy


HEAD_LIMIT: Final = 100 * 1024
"""Maximum bytes of the status line and the headers."""
READ_SIZE: Final = 64 * 1024


class LocalTransport(httpx.AsyncBaseTransport):
    """Opens a connection for each request, over TCP or the unix socket at `socket_path`."""

    def __init__(self, socket_path: str = "") -> None:
        self._socket_path = socket_path

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        http = _HttpExchange(request, *await self._connect(request))
        try:
            return await http.response()
        except BaseException:
            await http.aclose()
            raise

    async def _connect(self, request: httpx.Request) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(request.extensions["timeout"]["connect"]):
                if self._socket_path:
                    return await asyncio.open_unix_connection(self._socket_path)
                return await asyncio.open_connection(request.url.host, request.url.port or 80)
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time", request=request) from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error), request=request) from error


class _HttpExchange(httpx.AsyncByteStream):
    """One request and its response on one connection; as a stream, the response's body."""

    def __init__(self, request: httpx.Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._request = request
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)

    async def aclose(self) -> None:
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def response(self) -> httpx.Response:
        """Send the request and return the response with its body unread."""
        body = self._request.stream
        if isinstance(body, httpx.AsyncByteStream) and not isinstance(body, httpx.ByteStream):
            event = await self._next_while_sending(body)
        else:
            await self._write()
            event = await self._next()
        while isinstance(event, h11.InformationalResponse):
            event = await self._next()
        if not isinstance(event, h11.Response):
            raise httpx.RemoteProtocolError("the connection was closed", request=self._request)
        return httpx.Response(event.status_code, headers=event.headers.raw_items(), stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def _write(self) -> None:
        for event in (self._head(), h11.Data(data=self._request.content), h11.EndOfMessage()):
            self._writer.write(self._protocol.send(event) or b"")
        # A server may refuse a long prompt before reading all of it: its response explains more than the broken pipe.
        with suppress(ConnectionError):
            await self._writer.drain()

    def _head(self) -> h11.Request:
        return h11.Request(
            method=self._request.method, target=self._request.url.raw_path, headers=self._request.headers.raw
        )

    async def _next_while_sending(self, body: AsyncIterable[bytes]) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        """Send a body piece by piece and return the first event: a server that refuses does not wait for the end."""
        answer = asyncio.create_task(self._next())
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
        self._writer.write(self._protocol.send(self._head()) or b"")
        async for piece in body:
            self._writer.write(self._protocol.send(h11.Data(data=piece)) or b"")
            try:
                await self._writer.drain()
            except ConnectionError:
                return
        self._writer.write(self._protocol.send(h11.EndOfMessage()) or b"")
        with suppress(ConnectionError):
            await self._writer.drain()

    async def _next(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        try:
            while (event := self._protocol.next_event()) is h11.NEED_DATA:
                self._protocol.receive_data(await self._reader.read(READ_SIZE))
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error), request=self._request) from error
        except OSError as error:
            raise httpx.ReadError(str(error), request=self._request) from error
        return event


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
