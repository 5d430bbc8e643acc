"""Creates the httpx client for a server, with a light transport for plain HTTP on this machine.

httpx's own transport needs httpcore, h11 and anyio, which cost more to import than the rest of a one-shot. The light
one supports neither TLS nor proxies and keeps no connections.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from errno import ENOENT
from typing import TYPE_CHECKING, Final

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
        self._decoder = ResponseDecoder(request.method)
        self._body = b""
        """What has arrived of the body and was not read."""

    async def aclose(self) -> None:
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def response(self) -> httpx.Response:
        """Send the request and return the response with its body unread."""
        body = self._request.stream
        if isinstance(body, httpx.AsyncByteStream) and not isinstance(body, httpx.ByteStream):
            head = await self._head_while_sending(body)
        else:
            await self._write()
            head = await self._head()
        return httpx.Response(head.status, headers=head.headers, stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._body or not self._decoder.done:
            if body := self._body:
                self._body = b""
                yield body
            else:
                await self._read()

    async def _write(self) -> None:
        self._writer.write(self._encoded_head() + self._request.content)
        # A server may refuse a long prompt before reading all of it: its response explains more than the broken pipe.
        with suppress(ConnectionError):
            await self._writer.drain()

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
        self._writer.write(self._encoded_head())
        async for piece in body:
            self._writer.write(piece)
            try:
                await self._writer.drain()
            except ConnectionError:
                return

    async def _head(self) -> ResponseHead:
        while self._decoder.head is None:
            await self._read()
        return self._decoder.head

    async def _read(self) -> None:
        """Read and decode what has arrived, or raise why that is impossible."""
        try:
            data = b"" if self._decoder.error else await self._reader.read(READ_SIZE)
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
