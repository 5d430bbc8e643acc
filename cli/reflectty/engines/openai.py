"""The engine for OpenAI-compatible servers: vLLM, SGLang, llama-server; what is said is decided by `wire.openai`."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote

from reflectty.chat import Timeouts
from reflectty.engines.connection import Connection, Habits
from reflectty.engines.exchange import Dialect, Exchange
from reflectty.errors import RefusedError, UnreachableError
from reflectty.families import FAMILIES
from reflectty.wire import continued
from reflectty.wire import openai as wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import httpx

    from reflectty.chat import Chunk, Model, Request, Running
    from reflectty.engines.hosts import Address
    from reflectty.wire import Body
    from reflectty.wire.openai import Listed

HABITS: Final = Habits(
    server=wire.SERVER,
    start_hint="is the server running? Another one is named with --host or REFLECTTY_HOST",
    host_hint=wire.HOST_HINT,
    host_names="--host or REFLECTTY_HOST",
    key_name="the API key",
    busy=frozenset({429, 503}),
)
DIALECT: Final = Dialect(wire.ChunkDecoder, wire.refusal, wire.missing_hint, HABITS)
CANNOT_GO_ON: Final = "ask again instead: another server may begin anew without a word"
VERSIONS: Final = {wire.LLAMA_SERVER: "/props", wire.VLLM: "/version", wire.SGLANG: "/get_server_info"}
"""Where each server tells its version."""


class OpenAIEngine:
    """Answers requests with the models that one server serves."""

    def __init__(
        self,
        address: Address,
        *,
        timeouts: Timeouts | None = None,
        api_key: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        unsent = bool(api_key) and not address.confidential
        self.warning = "; ".join(filter(None, (address.warning, _unsent(address) if unsent else "")))
        """What of the host's text or of the key could not be used as it was; often nothing."""
        self.pulls = False
        """Whether the server fetches models when it is asked to."""
        self._maker = ""
        """Who wrote the server, as far as it has said by now."""
        connection = Connection(address, timeouts or Timeouts(), api_key, transport, HABITS)
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
            UnreachableError: no such server answers there.
            RefusedError: it said no, or was busy three times.
            IncompleteError: the reply was cut, or stalled.
        """
        return self._exchange.reply("/v1/chat/completions", wire.encode(request, self._maker), request.model)

    async def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows `so_far`, as content with its tags.

        llama-server renders the prompt and goes on after it; vLLM and SGLang go on with a last message that is left
        open. Any other server might begin a new message without a word.

        Raises:
            RefusedError: the server is not known to go on; and what `chat` raises.
        """
        if not self._maker:
            await self._listed()
        if self._maker == wire.LLAMA_SERVER:
            chunks = self._after_the_prompt(request, so_far)
        elif self._maker in (wire.VLLM, wire.SGLANG):
            chunks = self._as_last_message(request, so_far)
        else:
            raise RefusedError("only vLLM, SGLang and llama-server are known to go on with a reply", CANNOT_GO_ON)
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    async def _after_the_prompt(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        answer = await self._beside("POST", "/apply-template", wire.encode_render(request), request.model)
        body = wire.encode_raw(request, continued(wire.rendered(answer), so_far))
        async with aclosing(self._exchange.reply("/v1/completions", body, request.model)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _as_last_message(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield the rest of a last message; a thinking that the server takes apart gets its closing tag back."""
        body = wire.encode_continued(request, so_far, self._maker)
        closer = _closer(so_far)
        async with aclosing(self._exchange.reply("/v1/chat/completions", body, request.model)) as chunks:
            thinking = False
            async for chunk in chunks:
                ends = thinking and bool(chunk.content)
                thinking = bool(chunk.thinking) or (thinking and not ends)
                yield chunk._replace(content=chunk.thinking + (closer if ends else "") + chunk.content, thinking="")

    async def show(self, model: str) -> Model:
        """Return what the server tells of a model.

        Raises:
            ModelMissingError: it is not served.
        """
        served = await self._listed()
        found = next((one for one in served if model in one.names), None)
        if found is None:
            raise wire.missing(model, [one.model.name for one in served])
        telling = self._maker == wire.LLAMA_SERVER
        props = await self._beside("GET", f"/props?model={quote(model, safe='')}", model=model) if telling else {}
        return wire.model_of(found, model, props, wire.ignored(self._maker))

    async def models(self) -> tuple[Model, ...]:
        """Return the models that are served."""
        return tuple(one.model for one in await self._listed())

    async def running(self) -> tuple[Running, ...]:
        """Return the models that are served: there is no memory to tell of."""
        return wire.running_of(await self._listed())

    async def version(self) -> str:
        """Return the server's version, or nothing where it is not known to tell."""
        await self._listed()
        path = VERSIONS.get(self._maker)
        return wire.version_of(await self._beside("GET", path)) if path else ""

    async def _beside(self, method: str, path: str, body: Body | None = None, model: str = "") -> Body:
        """Return what a server answers beside the protocol; nothing where that is not let through to it."""
        try:
            return await self._exchange.ask(method, path, body, model)
        except UnreachableError:
            return {}

    async def _listed(self) -> tuple[Listed, ...]:
        listed = wire.models_of(await self._exchange.ask("GET", "/v1/models"))
        self._maker = listed[0].maker if listed else ""
        return listed


def _unsent(address: Address) -> str:
    return f"the key is not sent to {address}, where it could be read on the way: use https, or set api_key_over_http"


def _closer(so_far: str) -> str:
    """Return the closing tag of the thinking that a reply begins with."""
    tags = [tag for family in FAMILIES.values() for tag in family.thinking]
    open_ = [tag for tag in tags if tag.opener and so_far.startswith(tag.opener.rstrip())]
    return max(open_, key=lambda tag: len(tag.opener)).closer if open_ else ""
