"""Client for one server and wire protocol: reply streams, JSON answers, refusals."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from reflectty.core.errors import (
    BusyError,
    IncompleteError,
    ModelMissingError,
    ReflecttyError,
    RefusedError,
    UnreachableError,
)
from reflectty.core.named_tuple import NamedTuple
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
"""Maximum bytes of an answer that is not a stream."""
REFUSAL_LIMIT: Final = 64 * 1024
"""Bytes that are read of a refusal."""
ADVICE_TIME: Final = 3.0
"""Seconds that an error waits for the names of the installed models."""

T = TypeVar("T")


if TYPE_CHECKING:
    # Only annotations name it, and making a protocol takes as long as a module.
    class ChunkDecoder(Protocol):
        """Turns the bytes of a streamed reply into chunks."""

        @property
        def done(self) -> bool:
            """Whether the stream is complete."""
            ...

        @property
        def over(self) -> bool:
            """Whether the model has ended its reply; usage figures may still follow."""
            ...

        @property
        def part_count(self) -> int:
            """Number of pieces of the reply so far, its beginning included, comments excluded."""
            ...

        def feed(self, data: bytes) -> Iterator[Chunk]: ...

        def close(self) -> Iterator[Chunk]: ...


class WireProtocol(NamedTuple):
    """Decoders and error wording of one protocol."""

    make_decoder: Callable[[], ChunkDecoder]
    refusal_error_of: Callable[[int, bytes, str], ReflecttyError]
    """The error for a status, the beginning of its body and the requested model."""
    missing_hint: Callable[[str, Iterable[str]], str]
    """The hint for a model that is not installed, by the names of the installed ones."""
    profile: ServerProfile


class ServerClient:
    """Sends requests to one server in one protocol.

    Args:
        connection: the connection to the server.
        protocol: how to read its responses.
        list_models: lists the models installed there.
        explain_unknown_call: adds to the error of an endpoint, by its path, that the server does not know.
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
        """Yield the chunks of a reply from a decoder; closing the generator closes the connection.

        Raises:
            UnreachableError: no server of this kind answers there.
            RefusedError: the server refused, or was busy three times.
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
        """Yield the JSON objects of an NDJSON response as they arrive.

        Raises:
            IncompleteError: a line reports a failure, or the response was cut; and what `stream_reply` raises.
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
        """Send a request and decode the answer, one JSON object.

        Raises:
            UnreachableError: the answer is not an object; and what `stream_reply` raises.
        """
        return await self.request_decoded(decode, method, path, body, model)

    async def request_decoded(
        self, decode_answer: Callable[[bytes], T], method: str, path: str, body: Body | None = None, model: str = ""
    ) -> T:
        """Send a request and decode its answer; a ValueError of `decode_answer` becomes an UnreachableError."""
        async with self._accepted_response(method, path, body, model) as response:
            answer = await self._connection.read_body(response, ANSWER_LIMIT)
        try:
            return decode_answer(answer)
        except ValueError as error:
            profile = self._protocol.profile
            raise UnreachableError(f"this is not {profile.label}: it sent {error}", profile.host_hint) from error

    async def send_command(self, method: str, path: str, body: Body, patience: float) -> None:
        """Send a command whose answer does not matter; waits up to `patience` seconds."""
        async with self._accepted_response(method, path, body, "", patience) as response:
            await self._connection.read_body(response, REFUSAL_LIMIT)

    async def exists(self, path: str) -> bool:
        """Whether the path exists on the server."""
        async with self._connection.request("HEAD", path) as response:
            if response.status_code not in (OK, NOT_FOUND):
                raise await self._refusal(response, path, "")
            return response.status_code == OK

    async def upload(self, path: str, size: int, pieces: AsyncIterable[bytes]) -> None:
        """Upload `size` bytes as they are produced."""
        async with self._connection.upload(path, size, pieces) as response:
            if response.status_code not in (OK, CREATED):
                raise await self._refusal(response, path, "")

    @asynccontextmanager
    async def _accepted_response(
        self, method: str, path: str, body: Body | None, model: str, patience: float = 0.0
    ) -> AsyncIterator[httpx.Response]:
        """Yield a response with status 200, or raise the error of the refusal."""
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
            error.hint = (
                f"{error.hint}; the request went through the proxy {proxy.address} (from {proxy.variable})".lstrip("; ")
            )
        if isinstance(error, ModelMissingError):
            return await self._add_model_names(error, model)
        unknown = self._explain_unknown_call if response.status_code in UNKNOWN_CALL else None
        return await unknown(error, path) if unknown else error

    async def _add_model_names(self, error: ModelMissingError, model: str) -> ModelMissingError:
        """The error with installed model names similar to the missing one, if the server lists them in time."""
        try:
            async with asyncio.timeout(ADVICE_TIME):
                installed = [installed_model.name for installed_model in await self._list_models()]
        except (ReflecttyError, TimeoutError):
            return error
        return ModelMissingError(str(error), self._protocol.missing_hint(model, installed))


def _note_retry_after(error: BusyError, seconds: float | None) -> None:
    """Record when to retry a busy server, and put it in the hint."""
    error.retry_after = error.retry_after if seconds is None else seconds
    if error.retry_after >= 1:
        error.hint = f"try again in {error.retry_after:.0f} s, as the server requests"
