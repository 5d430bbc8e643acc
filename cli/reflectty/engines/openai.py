"""The engine for OpenAI-compatible servers: vLLM, SGLang, llama-server; what is said is decided by `wire.openai`.

A field that a server does not take is left out and the request sent again; which ones those are is remembered as long
as the engine is open. What was seen of vLLM was seen with 0.32.0.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import quote

from reflectty.chat import Chunk, Timeouts
from reflectty.engines.connection import Connection, Habits
from reflectty.engines.elsewhere import looking
from reflectty.engines.exchange import Dialect, Exchange
from reflectty.engines.ollama_over_v1 import Manners, doubt_of_usual
from reflectty.engines.rendering import Rendering
from reflectty.errors import PromptTooLongError, RefusedError, UnreachableError
from reflectty.families import by_model, tags_at
from reflectty.switches import switch_of
from reflectty.wire import continued
from reflectty.wire import openai as wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import httpx

    from reflectty.chat import Capacity, Model, Request, Running, Workload
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
NO_PICTURES: Final = "vLLM goes on with a reply to words alone, and this question has pictures"
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
        thinkers: Thinkers | None = None,
    ) -> None:
        unsent = bool(api_key) and not address.confidential
        self.warning = "; ".join(filter(None, (address.warning, _unsent(address) if unsent else "")))
        """What of the host's text or of the key could not be used as it was; often nothing."""
        self.address = address
        """Where the server is."""
        self._maker = ""
        """Who wrote the server, as far as it has said by now."""
        self._said_unlisted: set[str] = set()
        """The models of which was said that the server does not list them."""
        connection = Connection(address, timeouts or Timeouts(), api_key, transport, HABITS, looking(address))
        self._exchange = Exchange(connection, DIALECT, self.models)
        self._rendering = Rendering(self._exchange)
        self._manners = Manners(self._exchange)
        self._refused: frozenset[str] = frozenset()
        """The fields that this server does not take."""
        self._told: set[str] = set()
        """What was said of wishes that it does not take."""
        self._rooms: dict[str, int] = {}
        """How many tokens the server holds for each of its models, where it tells."""
        self._thinkers = thinkers or Thinkers(set().__contains__, _forget)
        self._seen: set[str] = set()
        """The models whose thinking was seen to come in a field."""

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
        return self._replied("/v1/chat/completions", wire.encode(request, self._maker), request)

    async def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows `so_far`, as content with its tags.

        llama-server and vLLM render the prompt and go on after it, past the template, which would rewrite the half
        reply; SGLang goes on with a last message that is left open, which it appends as it stands. Any other server
        might begin a new message without a word.

        Raises:
            RefusedError: the server is not known to go on; and what `chat` raises.
        """
        if not self._maker:
            await self._listed()
        if self._maker in (wire.LLAMA_SERVER, wire.VLLM):
            chunks = self._after_the_prompt(request, so_far)
        elif self._maker == wire.SGLANG:
            chunks = self._as_last_message(request, so_far)
        else:
            raise RefusedError("only vLLM, SGLang and llama-server are known to go on with a reply", CANNOT_GO_ON)
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    async def _after_the_prompt(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        prompt = continued(await self.prompt(request), so_far)
        body = wire.encode_raw(request, prompt, self._maker, self._rooms.get(request.model, 0))
        async with aclosing(self._replied("/v1/completions", body, request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def prompt(self, request: Request) -> str:
        """Return the prompt as the server renders it, or nothing where it goes on without one.

        Raises:
            RefusedError: the server cannot render it, or cannot go on after it.
        """
        if not self._maker:
            await self._listed()
        if self._maker == wire.LLAMA_SERVER:
            answer = await self._beside("POST", "/apply-template", wire.encode_render(request), request.model)
            return wire.rendered(answer)
        if self._maker != wire.VLLM:
            return ""
        if any(message.images for message in request.messages):
            raise RefusedError(NO_PICTURES, "ask again instead")
        return await self._rendering.prompt(request)

    async def opener(self, request: Request) -> str:
        """Return the marker with which the model opens its thinking, though a parser takes it out; often nothing."""
        return await self._rendering.opener(request) if self._maker == wire.VLLM else ""

    async def _replied(self, path: str, body: Body, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the chunks of a reply; what the server does not take is left out, and said where the user wanted it."""
        refused, decoder = self._refused, wire.ChunkDecoder(html=self._maker == wire.VLLM)
        doubt = ""
        if self._maker == wire.OLLAMA:
            body, doubt = await self._manners.kept(body, request), await self._manners.doubt(request)
        while True:
            left = wire.without(body, refused)
            try:
                async with aclosing(self._exchange.reply(path, left, request.model, decoder)) as chunks:
                    async for chunk in chunks:
                        self._refused |= refused
                        self._learn(request.model, chunk)
                        if chunk.done and decoder.of_ollama and self._maker != wire.OLLAMA:
                            doubt = doubt_of_usual(request)
                        notes = (*self._missing(request), *filter(None, (doubt if chunk.done else "",)))
                        yield chunk._replace(notes=notes) if notes else chunk
            except RefusedError as error:
                named = wire.refused_fields(str(error), left)
                if not named:
                    told = await self._counted(error, request)
                    raise told from (None if told is error else error)
                refused |= named
            else:
                return

    def _missing(self, request: Request) -> tuple[str, ...]:
        """Return what is to be said of wishes that this server does not take, once."""
        note = wire.missed(request, self._refused) if self._refused else ""
        if not note or note in self._told:
            return ()
        self._told.add(note)
        return (note,)

    def _learn(self, model: str, chunk: Chunk) -> None:
        if chunk.thinking and model not in self._seen:
            self._seen.add(model)
            self._thinkers.learn(model)

    async def _counted(self, error: RefusedError, request: Request) -> RefusedError:
        """Return the error of a prompt that does not fit with its true number, which vLLM itself does not count."""
        if isinstance(error, PromptTooLongError) and ("num_predict", 0) in request.options:
            return RefusedError("num_predict must be at least 1, or below 0 for as many tokens as there is room for")
        if not isinstance(error, PromptTooLongError) or self._maker != wire.VLLM:
            return error
        count, room = await self._rendering.length(request)
        return wire.counted_too_long(count, room) if count >= room > 0 else error

    async def _as_last_message(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield the rest of a last message; a thinking that the server takes apart gets its closing tag back.

        SGLang puts that message behind what the template writes before every reply: an opener there is not sent again.
        """
        end = await self._rendering.end(request, so_far)
        rest = continued(end, so_far).removeprefix(end) if end else so_far
        body = wire.encode_continued(request, rest, self._maker)
        closer = _closer(so_far)
        async with aclosing(self._replied("/v1/chat/completions", body, request)) as chunks:
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
            return await self._known(self._unlisted(model, served))
        name = model if model in found.names else found.model.name
        known = wire.model_of(found, name, await self._props(name), wire.ignored(self._maker))
        return await self._known(wire.standing(known, found))

    def _unlisted(self, model: str, served: tuple[Listed, ...]) -> Model:
        """Return a model that is not listed; that it is not, is said once."""
        known = wire.unlisted(model, served, wire.ignored(self._maker))
        said = model in self._said_unlisted
        self._said_unlisted.add(model)
        return known._replace(notices=()) if said else known

    async def _props(self, model: str) -> Body:
        """Return what llama-server tells beside the protocol; nothing of any other server."""
        if self._maker != wire.LLAMA_SERVER:
            return {}
        return await self._beside("GET", f"/props?model={quote(model, safe='')}", model=model)

    async def _known(self, model: Model) -> Model:
        """Return a model with what this server shows of it: how its prompts end, and where its thinking was seen.

        A name tells at most whether a model thinks; whether a vLLM was started with a parser, only a reply tells.
        """
        if self._maker == wire.OLLAMA:
            return wire.ollama_model(model, await self._manners.shown(model.name))
        family = by_model(model.name)
        apart = model.name in self._seen or self._thinkers.known(model.name)
        if self._maker == wire.VLLM and not (family and (apart or family.channels)):
            ends = await self._rendering.ends(model.name, switch_of(model.name, family.name if family else ""))
            model = wire.rendered_model(model, ends, named=family is not None) if ends else model
        if not apart:
            return model
        shown = model._replace(guessed=False)
        return shown if model.capabilities or family else shown._replace(capabilities=("thinking",))

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

    async def load(self) -> Workload | None:
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
        self._rooms = {name: one.context for one in listed for name in one.names}
        return listed

    async def listed_if_any(self) -> tuple[Listed, ...]:
        """Return what is listed; nothing where the server answers, and has no list."""
        try:
            return await self._listed()
        except UnreachableError as error:
            if not error.unknown_path:
                raise
            return ()


class Thinkers(NamedTuple):
    """What is remembered from one run to the next: of which of this server's models the thinking comes in a field."""

    known: Callable[[str], bool]
    learn: Callable[[str], object]


def _forget(_: str) -> None:
    """Remember nothing beyond this run."""


def _unsent(address: Address) -> str:
    return f"the key is not sent to {address}, where it could be read on the way: use https, or set api_key_over_http"


def _capabilities(one: Listed) -> tuple[str, ...]:
    """Return what a listed model can do; one that cannot chat is told by that."""
    return one.model.capabilities if wire.can_chat(one) else ("embedding",)


def _closer(so_far: str) -> str:
    """Return the closing tag of the thinking that a reply begins with."""
    return next((tag.closer for tag in tags_at(so_far)), "")
