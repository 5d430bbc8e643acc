"""Client for one server and wire protocol: reply streams, JSON answers, refusals."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from reflectty.core.errors import (
    BusyError,
    IncompleteError,
    ModelMissingError,
    ReflecttyError,
    RefusedError,
    UnreachableError,
)
from reflectty.protocols.ollama import NdjsonDecoder, decode
from reflectty.protocols.refusals import retry_after

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator

    import httpx

    from reflectty.core.messages import Chunk, Model
    from reflectty.engines.connection import Connection, ServerProfile
    from reflectty.protocols.ollama import Body

OK: Final = 200
CREATED: Final = 201
NOT_FOUND: Final = 404
UNKNOWN_CALL: Final = (NOT_FOUND, 405)
ANSWER_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of an answer that is no stream."""
REFUSAL_LIMIT: Final = 64 * 1024
"""Bytes that are read of a refusal."""
ADVICE_TIME: Final = 3.0
"""Seconds that an error waits for the names of the installed models."""

T = TypeVar("T")


class ChunkDecoder(Protocol):
    """Turns the bytes of a streamed reply into chunks."""

    @property
    def done(self) -> bool:
        """Whether nothing more is to be read."""
        ...

    @property
    def over(self) -> bool:
        """Whether the model has ended its reply; its figures may still follow."""
        ...

    @property
    def part_count(self) -> int:
        """How many pieces of the reply have come, the beginning of one included; comments are none."""
        ...

    def feed(self, data: bytes) -> Iterator[Chunk]: ...

    def close(self) -> Iterator[Chunk]: ...


class WireProtocol(NamedTuple):
    """How one protocol is read."""

    make_decoder: Callable[[], ChunkDecoder]
    refusal_error_of: Callable[[int, bytes, str], ReflecttyError]
    """The error for a status, the beginning of its body and the model that was asked."""
    missing_hint: Callable[[str, Iterable[str]], str]
    """What to do about a model that is not among the installed ones."""
    profile: ServerProfile


class ServerClient:
    """Asks one server in one dialect.

    Args:
        connection: how the server is reached.
        dialect: how it is read.
        models: tells what is installed there.
        unknown: says more of the refusal of a call, by its path, that the server does not know.
    """

    def __init__(
        self,
        connection: Connection,
        protocol: WireProtocol,
        list_models: Callable[[], Awaitable[tuple[Model, ...]]],
        explain_unknown_call: Callable[[ReflecttyError, str], Awaitable[ReflecttyError]] | None = None,
    ) -> None:
        self._connection = connection
        self._protocol = protocol
        self._list_models = list_models
        self._explain_unknown_call = explain_unknown_call

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connection.aclose()

    async def stream_reply(
        self, path: str, body: Body, model: str, decoder: ChunkDecoder | None = None
    ) -> AsyncGenerator[Chunk, None]:
        """Yield the chunks of a reply, as a decoder reads them; closing the generator closes the connection.

        Raises:
            UnreachableError: no server of the kind answers there.
            RefusedError: it said no, or was busy three times.
            IncompleteError: the reply was cut, or stalled.
        """
        decoder = decoder or self._protocol.make_decoder()
        async with self._accepted_response("POST", path, body, model) as response:
            try:
                async with aclosing(self._connection.pieces(response, decoder)) as pieces:
                    async for piece in pieces:
                        for chunk in decoder.feed(piece):
                            yield chunk
                        if decoder.done:
                            return
            except IncompleteError:
                if not decoder.over:
                    raise
            for chunk in decoder.close():
                yield chunk

    async def stream_objects(self, method: str, path: str, body: Body | None, model: str) -> AsyncGenerator[Body, None]:
        """Yield the JSON objects of an answer that has one on each line, as they come.

        Raises:
            IncompleteError: the server said in a line that it failed, or the answer was cut; and what `reply` raises.
        """
        async with (
            self._accepted_response(method, path, body, model) as response,
            aclosing(self._connection.pieces(response)) as pieces,
        ):
            decoder = NdjsonDecoder()
            async for piece in pieces:
                for line in decoder.feed(piece):
                    yield line
            for line in decoder.close():
                yield line

    async def request_object(self, method: str, path: str, body: Body | None = None, model: str = "") -> Body:
        """Return an answer that is one object.

        Raises:
            UnreachableError: it is none; and what `reply` raises.
        """
        return await self.request_decoded(decode, method, path, body, model)

    async def request_decoded(
        self, decode_answer: Callable[[bytes], T], method: str, path: str, body: Body | None = None, model: str = ""
    ) -> T:
        """Return what is made of the bytes of an answer; a ValueError says that they are none of this protocol's."""
        async with self._accepted_response(method, path, body, model) as response:
            answer = await self._connection.read_body(response, ANSWER_LIMIT)
        try:
            return decode_answer(answer)
        except ValueError as error:
            habits = self._protocol.profile
            raise UnreachableError(f"this is not {habits.label}: it sent {error}", habits.host_hint) from error

    async def send_command(self, method: str, path: str, body: Body, patience: float) -> None:
        """Let the server do something that it answers with nothing of interest, in at most so many seconds."""
        async with self._accepted_response(method, path, body, "", patience) as response:
            await self._connection.read_body(response, REFUSAL_LIMIT)

    async def exists(self, path: str) -> bool:
        """Whether there is something at a path."""
        async with self._connection.request("HEAD", path) as response:
            if response.status_code not in (OK, NOT_FOUND):
                raise await self._refusal(response, path, "")
            return response.status_code == OK

    async def upload(self, path: str, size: int, pieces: AsyncIterable[bytes]) -> None:
        """Send so many bytes as they come."""
        async with self._connection.upload(path, size, pieces) as response:
            if response.status_code not in (OK, CREATED):
                raise await self._refusal(response, path, "")

    @asynccontextmanager
    async def _accepted_response(
        self, method: str, path: str, body: Body | None, model: str, patience: float = 0.0
    ) -> AsyncIterator[httpx.Response]:
        """Hand over a response whose status says yes, or raise what the refusal says."""
        async with self._connection.request(method, path, body, patience) as response:
            if response.status_code != OK:
                raise await self._refusal(response, path, model)
            yield response

    async def _refusal(self, response: httpx.Response, path: str, model: str) -> ReflecttyError:
        body = await self._connection.read_beginning(response, REFUSAL_LIMIT)
        error = self._protocol.refusal_error_of(response.status_code, body, model)
        if isinstance(error, BusyError):
            _note_retry_after(error, retry_after(response.headers, time.time()))
        if (proxy := self._connection.proxy) and isinstance(error, UnreachableError | RefusedError):
            error.hint = f"{error.hint}; it came through {proxy.address}, which {proxy.variable} names".lstrip("; ")
        if isinstance(error, ModelMissingError):
            return await self._add_model_names(error, model)
        unknown = self._explain_unknown_call if response.status_code in UNKNOWN_CALL else None
        return await unknown(error, path) if unknown else error

    async def _add_model_names(self, error: ModelMissingError, model: str) -> ModelMissingError:
        """Return the error with the names that resemble the missing one, if the server tells them at once."""
        try:
            async with asyncio.timeout(ADVICE_TIME):
                installed = [known.name for known in await self._list_models()]
        except (ReflecttyError, TimeoutError):
            return error
        return ModelMissingError(str(error), self._protocol.missing_hint(model, installed))


def _note_retry_after(error: BusyError, seconds: float | None) -> None:
    """Note when a busy server wants to be asked again, and say it."""
    error.retry_after = error.retry_after if seconds is None else seconds
    if error.retry_after >= 1:
        error.hint = f"ask again in {error.retry_after:.0f} s, as the server says"
