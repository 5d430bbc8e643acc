"""A transport of httpx for plain HTTP/1.1 to this machine: asyncio's streams and h11, one connection a request.

It is there because httpx's own needs httpcore and anyio, which cost more to import than all else that a one-shot
does; no TLS, no proxy, no connection is kept.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import h11
import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

HEAD_LIMIT: Final = 100 * 1024
"""Bytes of the status line and the headers."""
READ_SIZE: Final = 64 * 1024


class LocalTransport(httpx.AsyncBaseTransport):
    """Opens a connection for each request, over TCP or the unix socket at `socket_path`."""

    def __init__(self, socket_path: str = "") -> None:
        self._socket_path = socket_path

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(request, *await self._connected(request))
        try:
            return await exchange.response()
        except BaseException:
            await exchange.aclose()
            raise

    async def _connected(self, request: httpx.Request) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(request.extensions["timeout"]["connect"]):
                if self._socket_path:
                    return await asyncio.open_unix_connection(self._socket_path)
                return await asyncio.open_connection(request.url.host, request.url.port or 80)
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time", request=request) from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error), request=request) from error


class _Exchange(httpx.AsyncByteStream):
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
        """Send the request, then return the response with its body still to come."""
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
        # A server may refuse a long prompt before it has read it: its answer says more than the broken pipe.
        with suppress(ConnectionError):
            await self._writer.drain()

    def _head(self) -> h11.Request:
        return h11.Request(
            method=self._request.method, target=self._request.url.raw_path, headers=self._request.headers.raw
        )

    async def _next_while_sending(self, body: AsyncIterable[bytes]) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        """Send a body piece by piece, and return the first event: a server that refuses does not wait for the end."""
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
