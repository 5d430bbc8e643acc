"""The engine for an Ollama server: `wire` decides what is said, `connection` how it gets there.

What was seen of the server's behaviour was seen with Ollama 0.32.15 and llama.cpp b10488.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Self

from reflectty import wire
from reflectty.chat import Timeouts
from reflectty.engines.connection import OLLAMA, Connection
from reflectty.engines.exchange import Dialect, Exchange

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import httpx

    from reflectty.chat import Chunk, Model, Request, Running
    from reflectty.engines.hosts import Address

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
        connection = Connection(address, timeouts or Timeouts(), api_key, transport)
        self._exchange = Exchange(connection, DIALECT, self.models)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._exchange.aclose()

    def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the reply's chunks; closing the generator closes the connection, which stops the model.

        Raises:
            UnreachableError: no Ollama server answers there.
            RefusedError: it said no, or was busy three times.
            IncompleteError: the reply was cut, or stalled.
        """
        return self._exchange.reply("/api/chat", wire.encode(request), request.model)

    async def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows `so_far`, as content with its tags: Ollama renders the prompt and goes on after it.

        A trailing assistant message would not do: templates close its turn and open another.

        Raises:
            RefusedError: the server cannot render a prompt; and what `chat` raises.
        """
        answer = await self._exchange.ask("POST", "/api/chat", wire.encode_render(request), request.model)
        prompt = wire.rendered(answer)
        body = wire.encode_raw(request, wire.continued(prompt, so_far))
        async with aclosing(self._exchange.reply("/api/generate", body, request.model)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def show(self, model: str) -> Model:
        """Return what the server knows of a model.

        Raises:
            ModelMissingError: it is not installed.
        """
        return wire.model_of(model, await self._exchange.ask("POST", "/api/show", {"model": model}, model))

    async def models(self) -> tuple[Model, ...]:
        """Return the installed models, the latest changed first."""
        return wire.models_of(await self._exchange.ask("GET", "/api/tags"))

    async def running(self) -> tuple[Running, ...]:
        """Return the models that are loaded."""
        return wire.running_of(await self._exchange.ask("GET", "/api/ps"))

    async def version(self) -> str:
        """Return the server's version."""
        return wire.version_of(await self._exchange.ask("GET", "/api/version"))
