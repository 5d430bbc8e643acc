"""Plain HTTP/1.1 to this machine: asyncio's streams and h11, one connection a request; no TLS, no proxy.

It is there beside httpx because loading httpx, httpcore and anyio costs more than all else that a one-shot does.
"""

from __future__ import annotations

import asyncio
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import h11

from reflectty.engines.exchange import Response, broken, no_answer, no_connection, no_connection_within

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from reflectty.engines.hosts import Address

HEAD_LIMIT: Final = 100 * 1024
"""Bytes of the status line and the headers."""
READ_SIZE: Final = 64 * 1024
GZIP_OR_ZLIB: Final = 47
"""The window bits with which zlib recognises either."""


class LocalTransport:
    """Opens a connection for each request, over TCP or a unix socket."""

    def __init__(self, address: Address, connect_timeout: float, headers: Mapping[str, str]) -> None:
        self._address = address
        self._connect_timeout = connect_timeout
        self._parts = urlsplit(address.url)
        self._headers = {"Host": self._parts.netloc, **headers}

    async def aclose(self) -> None:
        """Do nothing: connections do not outlive their requests."""

    async def send(self, method: str, path: str, content: bytes) -> Response:
        exchange = _Exchange(*await self._connected())
        headers = {**self._headers, "Content-Length": str(len(content))}
        request = h11.Request(method=method, target=self._parts.path + path, headers=list(headers.items()))
        try:
            await exchange.write(request, content)
            response = await exchange.response()
        except (OSError, h11.RemoteProtocolError) as error:
            raise no_answer(self._address, error) from error
        finally:
            if not exchange.answered:
                await exchange.aclose()
        return response

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(self._connect_timeout):
                if self._address.socket_path:
                    return await asyncio.open_unix_connection(self._address.socket_path)
                return await asyncio.open_connection(self._parts.hostname, self._parts.port)
        except TimeoutError as error:
            raise no_connection_within(self._address, self._connect_timeout) from error
        except (OSError, UnicodeError) as error:
            raise no_connection(self._address, error) from error


class _Exchange:
    """One request and its response on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.answered = False
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)

    async def aclose(self) -> None:
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def write(self, request: h11.Request, content: bytes) -> None:
        for event in (request, h11.Data(data=content), h11.EndOfMessage()):
            self._writer.write(self._protocol.send(event) or b"")
        # A server may refuse a long prompt before it has read it: its answer says more than the broken pipe.
        with suppress(ConnectionError):
            await self._writer.drain()

    async def response(self) -> Response:
        event = await self._next()
        while isinstance(event, h11.InformationalResponse):
            event = await self._next()
        if not isinstance(event, h11.Response):
            msg = "the connection was closed"
            raise h11.RemoteProtocolError(msg)
        self.answered = True
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
        return Response(event.status_code, headers, self._body(headers.get("content-encoding", "")), self.aclose)

    async def _body(self, encoding: str) -> AsyncGenerator[bytes, None]:
        unzip = zlib.decompressobj(GZIP_OR_ZLIB).decompress if encoding in {"gzip", "deflate"} else bytes
        try:
            while isinstance(event := await self._next(), h11.Data):
                if piece := unzip(event.data):
                    yield piece
        except (OSError, h11.RemoteProtocolError, zlib.error) as error:
            raise broken() from error

    async def _next(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            self._protocol.receive_data(await self._reader.read(READ_SIZE))
        return event
