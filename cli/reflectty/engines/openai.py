"""The engine for OpenAI-compatible servers: vLLM, SGLang, llama-server; what is said is decided by `wire.openai`."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote

from reflectty.chat import Timeouts
from reflectty.engines.connection import Connection, Habits
from reflectty.engines.elsewhere import looking
from reflectty.engines.exchange import Dialect, Exchange
from reflectty.errors import RefusedError, UnreachableError
from reflectty.families import FAMILIES
from reflectty.wire import continued
from reflectty.wire import openai as wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import httpx

    from reflectty.chat import Capacity, Chunk, Load, Model, Request, Running
    from reflectty.engines.hosts import Address
    from reflectty.wire import Body
    from reflectty.wire.openai import Listed

HABITS: Final = Habits(
    server=wire.SERVER,
    start_hint="is the server running? Another one is named with --host or REFLECTTY_HOST",
    host_hint=wire.HOST_HINT,
    host_names="--host or REFLECTTY_HOST",
    key_name="the API key",
)
DIALECT: Final = Dialect(wire.ChunkDecoder, wire.refusal, wire.missing_hint, HABITS)
CANNOT_GO_ON: Final = "ask again instead: another server may begin anew without a word"
VERSIONS: Final = {
    wire.LLAMA_SERVER: "/props",
    wire.VLLM: "/version",
    wire.SGLANG: "/get_server_info",
    wire.OLLAMA: "/api/version",
}
"""Where each server tells its version."""

TELL_THEIR_LOAD: Final = (wire.VLLM, wire.SGLANG)
"""Servers with metrics beside the protocol, for which vLLM 0.32 wants no key."""


class OpenAIEngine:
    """Answers requests with the models that one server serves."""

    pulls = False
    """Whether it gets models that it does not have."""

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
        self.address = address
        """Where the server is."""
        self._maker = ""
        """Who wrote the server, as far as it has said by now."""
        self._told: set[str] = set()
        """The models of which was said that the server does not list them."""
        connection = Connection(address, timeouts or Timeouts(), api_key, transport, HABITS, looking(address))
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
        """Return what the server tells of a model; one that it does not list may be there all the same.

        Raises:
            ModelMissingError: it is not in a list that is known to be complete.
        """
        served = await self.listed_if_any()
        found = wire.served_as(model, served)
        if found is None and wire.is_complete(served):
            raise wire.missing(model, [one.model.name for one in served])
        if found is None:
            return self._unlisted(model, served)
        name = model if model in found.names else found.model.name
        return wire.model_of(found, name, await self._props(name), wire.ignored(self._maker))

    def _unlisted(self, model: str, served: tuple[Listed, ...]) -> Model:
        """Return a model that is not listed; that it is not, is said once."""
        known = wire.unlisted(model, served, wire.ignored(self._maker))
        said = model in self._told
        self._told.add(model)
        return known._replace(notices=()) if said else known

    async def _props(self, model: str) -> Body:
        """Return what llama-server tells beside the protocol; nothing of any other server."""
        if self._maker != wire.LLAMA_SERVER:
            return {}
        return await self._beside("GET", f"/props?model={quote(model, safe='')}", model=model)

    async def models(self) -> tuple[Model, ...]:
        """Return the models that are served; the one to ask where none is named says why it is that one."""
        listed = await self._listed()
        best = wire.picked(listed)
        return tuple(
            one.model._replace(merit=best[1] if best and one is best[0] else "", capabilities=_capabilities(one))
            for one in listed
        )

    async def listed(self) -> tuple[Listed, ...]:
        """Return what the server lists, each model with all that is said of it there."""
        return await self._listed()

    async def running(self) -> tuple[Running, ...]:
        """Return the models that are served: there is no memory to tell of."""
        return wire.running_of(await self.listed_if_any())

    async def version(self) -> str:
        """Return the server's version, or nothing where it is not known to tell."""
        await self.listed_if_any()
        path = VERSIONS.get(self._maker)
        return wire.version_of(await self._beside("GET", path)) if path else ""

    async def capacity(self, model: str) -> Capacity:
        """Return how many requests it answers at the same time, where it is a llama-server, which tells."""
        await self.listed_if_any()
        return wire.capacity_of(await self._props(model))

    async def load(self) -> Load | None:
        """Return how many requests are answered and how many wait, as /metrics tell; None where they do not."""
        if self._maker not in TELL_THEIR_LOAD:
            return None
        try:
            return await self._exchange.read(wire.load_of, "GET", "/metrics")
        except (UnreachableError, RefusedError):
            return None

    @property
    def kind(self) -> str:
        """What the server is called, as far as it has said by now; often nothing."""
        return wire.KINDS.get(self._maker, "")

    async def _beside(self, method: str, path: str, body: Body | None = None, model: str = "") -> Body:
        """Return what a server answers beside the protocol; nothing where that is not let through to it."""
        try:
            return await self._exchange.ask(method, path, body, model)
        except UnreachableError:
            return {}

    async def _listed(self) -> tuple[Listed, ...]:
        listed = wire.models_of(await self._exchange.read(wire.decode_list, "GET", "/v1/models"))
        self._maker = wire.maker_of(listed)
        return listed

    async def listed_if_any(self) -> tuple[Listed, ...]:
        """Return what is listed; nothing where the server answers, and has no list."""
        try:
            return await self._listed()
        except UnreachableError as error:
            if not error.unknown_path:
                raise
            return ()


def _unsent(address: Address) -> str:
    return f"the key is not sent to {address}, where it could be read on the way: use https, or set api_key_over_http"


def _capabilities(one: Listed) -> tuple[str, ...]:
    """Return what a listed model can do; one that cannot chat is told by that."""
    return one.model.capabilities if wire.can_chat(one) else ("embedding",)


def _closer(so_far: str) -> str:
    """Return the closing tag of the thinking that a reply begins with."""
    tags = [tag for family in FAMILIES.values() for tag in family.thinking]
    open_ = [tag for tag in tags if tag.opener and so_far.startswith(tag.opener.rstrip())]
    return max(open_, key=lambda tag: len(tag.opener)).closer if open_ else ""
