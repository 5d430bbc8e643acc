"""Engine for an Ollama server.

Facts about the server are from Ollama 0.32.15 with llama.cpp b10488, and 0.34.2 with b10970.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import ReflecttyError, RefusedError
from reflectty.core.messages import Engine, Timeouts
from reflectty.engines.connection import OLLAMA_PROFILE, Connection, server_finder_for
from reflectty.engines.reply_limit import find_context, limit_reply
from reflectty.engines.server_client import ADVICE_TIME, ServerClient, WireProtocol
from reflectty.protocols import ollama

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Mapping

    import httpx

    from reflectty.core.messages import Chunk, Model, Request, RunningModel, Vocabulary
    from reflectty.core.model_spec import ModelSpec
    from reflectty.engines.hosts import Address
    from reflectty.protocols.ollama import Body

CHAT: Final = "/api/chat"
GENERATE: Final = "/api/generate"
VERSION: Final = "/api/version"
BLOBS: Final = "/api/blobs"
BOS: Final = 4
"""Maximum number of tokens that a server adds around a prompt."""
CREATE_SECONDS: Final = 6 * 3600.0
"""Seconds to wait for the server to create a model: up to 0.34.0 it copies the weights, and reads both."""
PROTOCOL: Final = WireProtocol(ollama.OllamaChunkDecoder, ollama.refusal_error_of, ollama.missing_hint, OLLAMA_PROFILE)


class OllamaEngine(Engine):
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
        self.local = address.loopback
        connection = Connection(
            address, timeouts or Timeouts(), api_key, transport, look_for_other_server=server_finder_for(address)
        )
        self._client = ServerClient(connection, PROTOCOL, self.models, self._explain_unknown_call)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the reply's chunks; closing the generator closes the connection, which stops the model.

        Raises:
            UnreachableError: no Ollama server answers there.
            RefusedError: the server refused, or was busy three times.
            IncompleteError: the reply was cut, or stalled.
        """
        prepared = await find_context(self._client, request)
        max_prompt = request.bounds.prompt if request.bounds else 0
        bounded = await limit_reply(self._client, prepared, CHAT, ollama.encode, max_prompt)
        async with aclosing(self._client.stream_reply(CHAT, ollama.encode(bounded.request), request.model)) as chunks:
            async for chunk in chunks:
                yield bounded.add_earlier_usage(chunk)

    async def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows `so_far`, as content with its tags: Ollama renders the prompt and continues after it.

        A trailing assistant message does not work: templates close its turn and open another.

        Raises:
            RefusedError: the server cannot render a prompt; and what `chat` raises.
        """
        prepared = await find_context(self._client, request)
        answer = await self._client.request_object("POST", CHAT, ollama.encode_render(prepared.request), request.model)
        prompt = ollama.continue_prompt(ollama.rendered_prompt_of(answer), so_far)

        def encode(request: Request) -> Body:
            return ollama.encode_raw(request, prompt)

        has_images = any(message.images for message in request.messages)
        max_prompt = 0 if has_images else len(prompt.encode(errors="replace")) + BOS
        limited = await limit_reply(self._client, prepared, GENERATE, encode, max_prompt)
        async with aclosing(self._client.stream_reply(GENERATE, encode(limited.request), request.model)) as chunks:
            async for chunk in chunks:
                yield limited.add_earlier_usage(chunk)

    async def load(self, request: Request) -> None:
        """Load a model as the request would, or unload it if `keep_alive` is 0; asks no question.

        Raises:
            ModelMissingError: the model is not installed; and what `chat` raises.
        """
        await self._client.request_object("POST", GENERATE, ollama.encode_load(request), request.model)

    async def show(self, model: str) -> Model:
        """The server's facts about a model.

        Raises:
            ModelMissingError: the model is not installed.
        """
        info = ollama.model_of(model, await self._client.request_object("POST", "/api/show", {"model": model}, model))
        return info._replace(grammar="llama.cpp")

    async def info(self, model: str, *, with_arrays: bool = True) -> Mapping[str, object]:
        """The metadata of a model's file, by key; `with_arrays` adds the long arrays, megabytes of them.

        Raises:
            ModelMissingError: the model is not installed.
        """
        body = {"model": model, "verbose": with_arrays}
        return ollama.info_of(await self._client.request_object("POST", "/api/show", body, model))

    async def vocabulary(self, model: str) -> Vocabulary:
        """The tokens of a model and their types; both are empty if the server does not report them.

        Raises:
            ModelMissingError: the model is not installed.
        """
        from reflectty.protocols.ollama.model_specs import vocabulary_of

        body = {"model": model, "verbose": True}
        return await self._client.request_decoded(vocabulary_of, "POST", "/api/show", body, model)

    async def model_spec(self, model: str) -> ModelSpec:
        """The specification of a model: its files and parameters.

        Raises:
            ModelMissingError: the model is not installed.
            RefusedError: one of its parameters cannot be read.
        """
        from reflectty.protocols.ollama.model_specs import model_spec_of

        return model_spec_of(model, await self._client.request_object("POST", "/api/show", {"model": model}, model))

    async def has_blob(self, digest: str) -> bool:
        """Whether the server has the file with a digest such as `sha256:…`."""
        return await self._client.exists(f"{BLOBS}/{digest}")

    async def send_blob(self, digest: str, size: int, pieces: AsyncIterable[bytes]) -> None:
        """Upload a file of `size` bytes with a digest; the server discards an upload that is cut.

        Raises:
            RefusedError: the server cannot store the file, or its digest differs.
        """
        await self._client.upload(f"{BLOBS}/{digest}", size, pieces)

    async def create(self, body: Body) -> None:
        """Create a model and wait for its completion.

        Closing the connection stops the creation since Ollama 0.34.1. Before, it continues, and with streamed progress
        the incomplete model stays on the disk.

        Raises:
            RefusedError: the model could not be created.
        """
        await self._client.send_command("POST", "/api/create", body | {"stream": False}, CREATE_SECONDS)

    async def models(self) -> tuple[Model, ...]:
        """The installed models, the last modified first."""
        return ollama.models_of(await self._client.request_object("GET", "/api/tags"))

    async def running_models(self) -> tuple[RunningModel, ...]:
        """The loaded models."""
        return ollama.running_of(await self._client.request_object("GET", "/api/ps"))

    async def version(self) -> str:
        return ollama.version_of(await self._client.request_object("GET", VERSION))

    def stream_objects(
        self, method: str, path: str, body: Body | None = None, model: str = ""
    ) -> AsyncGenerator[Body, None]:
        """Yield the JSON objects of an NDJSON response as they arrive.

        Raises:
            RefusedError: the server refused.
            IncompleteError: a line reports a failure, or the response was cut.
        """
        return self._client.stream_objects(method, path, body, model)

    async def _explain_unknown_call(self, error: ReflecttyError, path: str) -> ReflecttyError:
        """The error for an endpoint that the server does not know: an Ollama server that lacks it is too old."""
        if path == VERSION:
            return error
        try:
            async with asyncio.timeout(ADVICE_TIME):
                version = await self.version()
        except (ReflecttyError, TimeoutError):
            return error
        return RefusedError(f"Ollama {version} on this server does not support {path}", "update Ollama on the server")
