"""The engine for an Ollama server: `wire` decides what is said, `connection` how it gets there.

What was seen of the server's behaviour was seen with Ollama 0.32.15 and llama.cpp b10488.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final, Self

from reflectty import wire
from reflectty.chat import Timeouts
from reflectty.engines.connection import Connection
from reflectty.errors import ModelMissingError, ReflecttyError, RefusedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    import httpx

    from reflectty.chat import Chunk, Model, Request, Running
    from reflectty.engines.hosts import Address
    from reflectty.wire import Body

OK: Final = 200
UNKNOWN_CALL: Final = (404, 405)
VERSION: Final = "/api/version"
ANSWER_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of an answer that is no stream."""
REFUSAL_LIMIT: Final = 64 * 1024
"""Bytes that are read of a refusal."""
ADVICE_TIME: Final = 3.0
"""Seconds that an error waits for the names of the installed models."""


class OllamaEngine:
    """Answers requests with the models of one server."""

    def __init__(
        self,
        address: Address,
        *,
        timeouts: Timeouts | None = None,
        api_key: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.warning = address.warning
        """What of the host's text could not be used as it was; often nothing."""
        self.local = address.loopback
        """Whether the server is on this machine, as far as its address tells."""
        self._connection = Connection(address, timeouts or Timeouts(), api_key, transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connection.aclose()

    def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the reply's chunks; closing the generator closes the connection, which stops the model.

        Raises:
            UnreachableError: no Ollama server answers there.
            RefusedError: it said no, or was busy three times.
            IncompleteError: the reply was cut, or stalled.
        """
        return self._reply("/api/chat", wire.encode(request), request.model)

    async def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows `so_far`, as content with its tags: Ollama renders the prompt and goes on after it.

        A trailing assistant message would not do: templates close its turn and open another.

        Raises:
            RefusedError: the server cannot render a prompt; and what `chat` raises.
        """
        prompt = wire.rendered(await self._ask("POST", "/api/chat", wire.encode_render(request), request.model))
        body = wire.encode_raw(request, wire.continued(prompt, so_far))
        async with aclosing(self._reply("/api/generate", body, request.model)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def show(self, model: str) -> Model:
        """Return what the server knows of a model.

        Raises:
            ModelMissingError: it is not installed.
        """
        return wire.model_of(model, await self._ask("POST", "/api/show", {"model": model}, model))

    async def info(self, model: str) -> Mapping[str, object]:
        """Return what a model's file says of its architecture, by key, its arrays included.

        Raises:
            ModelMissingError: it is not installed.
        """
        return wire.info_of(await self._ask("POST", "/api/show", {"model": model, "verbose": True}, model))

    async def models(self) -> tuple[Model, ...]:
        """Return the installed models, the latest changed first."""
        return wire.models_of(await self._ask("GET", "/api/tags"))

    async def running(self) -> tuple[Running, ...]:
        """Return the models that are loaded."""
        return wire.running_of(await self._ask("GET", "/api/ps"))

    async def version(self) -> str:
        """Return the server's version."""
        return wire.version_of(await self._ask("GET", VERSION))

    async def lines(
        self, method: str, path: str, body: Body | None = None, model: str = ""
    ) -> AsyncGenerator[Body, None]:
        """Yield the JSON objects of an answer that has one on each line, as they come.

        Raises:
            RefusedError: the server said no.
            IncompleteError: it said in a line that it failed, or the answer was cut.
        """
        async with (
            self._accepted(method, path, body, model) as response,
            aclosing(self._connection.pieces(response)) as pieces,
        ):
            decoder = wire.LineDecoder()
            async for piece in pieces:
                for line in decoder.feed(piece):
                    yield line
            for line in decoder.close():
                yield line

    async def _reply(self, path: str, body: Body, model: str) -> AsyncGenerator[Chunk, None]:
        decoder = wire.ChunkDecoder()
        async with self._accepted("POST", path, body, model) as response:
            async with aclosing(self._connection.pieces(response)) as pieces:
                async for piece in pieces:
                    for chunk in decoder.feed(piece):
                        yield chunk
                    if decoder.done:
                        return
            for chunk in decoder.close():
                yield chunk

    async def _ask(self, method: str, path: str, body: Body | None = None, model: str = "") -> Body:
        async with self._accepted(method, path, body, model) as response:
            answer = await self._connection.body(response, ANSWER_LIMIT)
        try:
            return wire.decode(answer)
        except ValueError as error:
            raise UnreachableError(f"this is not an Ollama server: it sent {error}", wire.HOST_HINT) from error

    @asynccontextmanager
    async def _accepted(self, method: str, path: str, body: Body | None, model: str) -> AsyncIterator[httpx.Response]:
        """Hand over a response whose status says yes, or raise what the refusal says."""
        async with self._connection.opened(method, path, body) as response:
            if response.status_code != OK:
                raise await self._refusal(response, path, model)
            yield response

    async def _refusal(self, response: httpx.Response, path: str, model: str) -> ReflecttyError:
        body = await self._connection.beginning(response, REFUSAL_LIMIT)
        error = wire.refusal(response.status_code, body, model)
        if isinstance(error, ModelMissingError):
            return await self._advised(error, model)
        unknown = response.status_code in UNKNOWN_CALL and path != VERSION
        return await self._outdated(error, path) if unknown else error

    async def _outdated(self, error: ReflecttyError, path: str) -> ReflecttyError:
        """Return the error for a call that the server does not know: is it Ollama's at all, it is too old for it."""
        try:
            async with asyncio.timeout(ADVICE_TIME):
                version = await self.version()
        except (ReflecttyError, TimeoutError):
            return error
        return RefusedError(f"this server, Ollama {version}, does not know {path}", "update Ollama there")

    async def _advised(self, error: ModelMissingError, model: str) -> ModelMissingError:
        """Return the error with the names that resemble the missing one, if the server tells them at once."""
        try:
            async with asyncio.timeout(ADVICE_TIME):
                installed = [known.name for known in await self.models()]
        except (ReflecttyError, TimeoutError):
            return error
        return ModelMissingError(str(error), wire.missing_hint(model, installed))
