"""The engine for an Ollama server: `wire` decides what is said, `connection` how it gets there.

What was seen of the server's behaviour was seen with Ollama 0.32.15 and llama.cpp b10488, and with 0.34.2 and b10970.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Self

from reflectty import wire
from reflectty.chat import Timeouts
from reflectty.engines.bounds import bounded, placed
from reflectty.engines.connection import OLLAMA, Connection
from reflectty.engines.elsewhere import looking
from reflectty.engines.exchange import ADVICE_TIME, Dialect, Exchange
from reflectty.errors import ReflecttyError, RefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Mapping

    import httpx

    from reflectty.chat import Chunk, Model, Request, Running
    from reflectty.engines.hosts import Address
    from reflectty.recipe import Recipe
    from reflectty.vocabulary import Vocabulary
    from reflectty.wire import Body

CHAT: Final = "/api/chat"
GENERATE: Final = "/api/generate"
VERSION: Final = "/api/version"
BLOBS: Final = "/api/blobs"
BOS: Final = 4
"""Tokens that a server puts around a prompt by itself, at most."""
LONGEST_MAKING: Final = 6 * 3600.0
"""Seconds that a server may say nothing while it makes a model: up to 0.34.0 it copies the weights, and reads both."""
DIALECT: Final = Dialect(wire.ChunkDecoder, wire.refusal, wire.missing_hint, OLLAMA)


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
        connection = Connection(address, timeouts or Timeouts(), api_key, transport, elsewhere=looking(address))
        self._exchange = Exchange(connection, DIALECT, self.models, self._outdated)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._exchange.aclose()

    async def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the reply's chunks; closing the generator closes the connection, which stops the model.

        Raises:
            UnreachableError: no Ollama server answers there.
            RefusedError: it said no, or was busy three times.
            IncompleteError: the reply was cut, or stalled.
        """
        found = await placed(self._exchange, request)
        most = request.bounds.prompt if request.bounds else 0
        asked = await bounded(self._exchange, found, CHAT, wire.encode, most)
        async with aclosing(self._exchange.reply(CHAT, wire.encode(asked.request), request.model)) as chunks:
            async for chunk in chunks:
                yield asked.told(chunk)

    async def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows `so_far`, as content with its tags: Ollama renders the prompt and goes on after it.

        A trailing assistant message would not do: templates close its turn and open another.

        Raises:
            RefusedError: the server cannot render a prompt; and what `chat` raises.
        """
        found = await placed(self._exchange, request)
        answer = await self._exchange.ask("POST", CHAT, wire.encode_render(found.request), request.model)
        prompt = wire.continued(wire.rendered(answer), so_far)

        def encode(request: Request) -> Body:
            return wire.encode_raw(request, prompt)

        pictured = any(message.images for message in request.messages)
        most = 0 if pictured else len(prompt.encode(errors="replace")) + BOS
        asked = await bounded(self._exchange, found, GENERATE, encode, most)
        async with aclosing(self._exchange.reply(GENERATE, encode(asked.request), request.model)) as chunks:
            async for chunk in chunks:
                yield asked.told(chunk)

    async def load(self, request: Request) -> None:
        """Load a model as the request would, or unload it where it is not to be kept; nothing is asked.

        Raises:
            ModelMissingError: it is not installed; and what `chat` raises.
        """
        await self._exchange.ask("POST", GENERATE, wire.encode_load(request), request.model)

    async def show(self, model: str) -> Model:
        """Return what the server knows of a model.

        Raises:
            ModelMissingError: it is not installed.
        """
        shown = wire.model_of(model, await self._exchange.ask("POST", "/api/show", {"model": model}, model))
        return shown._replace(grammar="llama.cpp")

    async def info(self, model: str, *, whole: bool = True) -> Mapping[str, object]:
        """Return what a model's file says of itself, by key; only the whole has its long arrays, megabytes of them.

        Raises:
            ModelMissingError: it is not installed.
        """
        body = {"model": model, "verbose": whole}
        return wire.info_of(await self._exchange.ask("POST", "/api/show", body, model))

    async def vocabulary(self, model: str) -> Vocabulary:
        """Return the tokens of a model and their types; both are empty where the server does not tell them.

        Raises:
            ModelMissingError: it is not installed.
        """
        from reflectty.wire.vocabulary import vocabulary_of  # noqa: PLC0415 - an answer needs no vocabulary

        body = {"model": model, "verbose": True}
        return await self._exchange.read(vocabulary_of, "POST", "/api/show", body, model)

    async def recipe(self, model: str) -> Recipe:
        """Return what a model is made of.

        Raises:
            ModelMissingError: it is not installed.
            RefusedError: one of its parameters cannot be read.
        """
        from reflectty.wire.recipes import recipe_of  # noqa: PLC0415 - an answer needs no recipe

        return recipe_of(model, await self._exchange.ask("POST", "/api/show", {"model": model}, model))

    async def has_blob(self, digest: str) -> bool:
        """Whether the server has a file of that digest, as in `sha256:…`."""
        return await self._exchange.has(f"{BLOBS}/{digest}")

    async def send_blob(self, digest: str, size: int, pieces: AsyncIterable[bytes]) -> None:
        """Give the server a file of that digest and so many bytes; of one that is cut, it keeps nothing.

        Raises:
            RefusedError: the server cannot keep it, or it is another one than its digest says.
        """
        await self._exchange.send(f"{BLOBS}/{digest}", size, pieces)

    async def create(self, body: Body) -> None:
        """Let the server make a model, and wait until it has.

        Who leaves stops it since Ollama 0.34.1. Before, it goes on, and where it streams its progress, it keeps the
        half that it has made for ever.

        Raises:
            RefusedError: it could not be made.
        """
        await self._exchange.do("POST", "/api/create", body | {"stream": False}, LONGEST_MAKING)

    async def models(self) -> tuple[Model, ...]:
        """Return the installed models, the latest changed first."""
        return wire.models_of(await self._exchange.ask("GET", "/api/tags"))

    async def running(self) -> tuple[Running, ...]:
        """Return the models that are loaded."""
        return wire.running_of(await self._exchange.ask("GET", "/api/ps"))

    async def version(self) -> str:
        """Return the server's version."""
        return wire.version_of(await self._exchange.ask("GET", VERSION))

    def lines(self, method: str, path: str, body: Body | None = None, model: str = "") -> AsyncGenerator[Body, None]:
        """Yield the JSON objects of an answer that has one on each line, as they come.

        Raises:
            RefusedError: the server said no.
            IncompleteError: it said in a line that it failed, or the answer was cut.
        """
        return self._exchange.objects(method, path, body, model)

    async def _outdated(self, error: ReflecttyError, path: str) -> ReflecttyError:
        """Return the error for a call that the server does not know: is it Ollama's at all, it is too old for it."""
        if path == VERSION:
            return error
        try:
            async with asyncio.timeout(ADVICE_TIME):
                version = await self.version()
        except (ReflecttyError, TimeoutError):
            return error
        return RefusedError(f"this server, Ollama {version}, does not know {path}", "update Ollama there")
