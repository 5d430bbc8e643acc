"""Engine for OpenAI-compatible servers such as vLLM, SGLang and llama-server.

A field that the server refuses is dropped and the request sent again; refused fields are remembered while the engine is
open. Facts about vLLM are from 0.32.0.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from reflectty.core.errors import PromptTooLongError, RefusedError, UnreachableError
from reflectty.core.messages import Engine, Timeouts
from reflectty.core.named_tuple import NamedTuple
from reflectty.engines.connection import Connection, ServerProfile, server_finder_for
from reflectty.engines.openai_dialects import OllamaNativeApi, VllmPromptClient, truncation_note_of
from reflectty.engines.server_client import ServerClient, WireProtocol
from reflectty.protocols import openai as wire
from reflectty.protocols.ollama import continue_prompt
from reflectty.reasoning.families import family_of_model, tags_at
from reflectty.reasoning.switches import switch_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import httpx

    from reflectty.core.messages import Capacity, Chunk, Model, Request, RunningModel, Workload
    from reflectty.engines.hosts import Address
    from reflectty.protocols.ollama import Body
    from reflectty.protocols.openai import ListedModel

PROFILE: Final = ServerProfile(
    label=wire.SERVER_LABEL,
    start_hint="is the server running? Set another server with --host or REFLECTTY_HOST",
    host_hint=wire.HOST_HINT,
    host_names="--host or REFLECTTY_HOST",
    key_name="the API key",
)
PROTOCOL: Final = WireProtocol(wire.OpenAIChunkDecoder, wire.refusal_error_of, wire.missing_hint, PROFILE)
CANNOT_RESUME_HINT: Final = "ask again instead; other servers may silently start over"
NO_PICTURES: Final = "vLLM can only continue replies to text, and this question has images"
VERSIONS: Final = {
    wire.LLAMA_SERVER: "/props",
    wire.VLLM: "/version",
    wire.SGLANG: "/get_server_info",
    wire.OLLAMA: "/api/version",
}
"""Endpoint of each server's version."""

SERVERS_WITH_METRICS: Final = (wire.VLLM, wire.SGLANG)
"""Servers with metrics outside the protocol; vLLM 0.32 needs no key for them."""


class OpenAIEngine(Engine):
    """Answers requests with the models of one server."""

    manages_models = False
    reports_memory = False

    def __init__(
        self,
        address: Address,
        *,
        timeouts: Timeouts | None = None,
        api_key: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        remembered_models: ThinkingModels | None = None,
    ) -> None:
        unsent = bool(api_key) and not address.is_confidential
        self.warning = "; ".join(filter(None, (address.warning, _unsent_key_warning_of(address) if unsent else "")))
        self.address = address
        """The server's address."""
        self._maker = ""
        """The server software; empty while unknown."""
        self._noted_unlisted: set[str] = set()
        """Models already reported as not listed."""
        connection = Connection(
            address, timeouts or Timeouts(), api_key, transport, PROFILE, server_finder_for(address)
        )
        self._client = ServerClient(connection, PROTOCOL, self.models)
        self._prompts = VllmPromptClient(self._client)
        self._ollama_api = OllamaNativeApi(self._client)
        self._refused_fields: frozenset[str] = frozenset()
        """Fields that this server refuses."""
        self._sent_notes: set[str] = set()
        """Notes on dropped options that were already shown."""
        self._contexts: dict[str, int] = {}
        """Context size in tokens per model, where the server reports it."""
        self._remembered_models = remembered_models or ThinkingModels(set().__contains__, _remember_nothing)
        self._seen_thinking: set[str] = set()
        """Models seen to send thinking in a separate field."""

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the reply's chunks; closing the generator closes the connection, which stops the model.

        Raises:
            UnreachableError: no such server answers there.
            RefusedError: the server refused, or was busy three times.
            IncompleteError: the reply was cut, or stalled.
        """
        return self._stream_reply("/v1/chat/completions", wire.encode(request, self._maker), request)

    async def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows `so_far`, as content with its tags.

        llama-server and vLLM render the prompt and continue after it, past the template, which would rewrite the
        partial reply; SGLang continues an open last message, which it appends as is. Other servers might silently begin
        a new message.

        Raises:
            RefusedError: the server is not known to resume replies; and what `chat` raises.
        """
        if not self._maker:
            await self._fetch_listed_models()
        if self._maker in (wire.LLAMA_SERVER, wire.VLLM):
            chunks = self._resume_after_prompt(request, so_far)
        elif self._maker == wire.SGLANG:
            chunks = self._resume_last_message(request, so_far)
        else:
            raise RefusedError("only vLLM, SGLang and llama-server are known to continue a reply", CANNOT_RESUME_HINT)
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    async def _resume_after_prompt(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        prompt = continue_prompt(await self.prompt(request), so_far)
        body = wire.encode_raw(request, prompt, self._maker, self._contexts.get(request.model, 0))
        async with aclosing(self._stream_reply("/v1/completions", body, request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def prompt(self, request: Request) -> str:
        """The prompt as the server renders it; empty if resuming needs none.

        Raises:
            RefusedError: the server cannot render the prompt, or cannot continue after it.
        """
        if not self._maker:
            await self._fetch_listed_models()
        if self._maker == wire.LLAMA_SERVER:
            answer = await self._request_optional("POST", "/apply-template", wire.encode_render(request), request.model)
            return wire.rendered_prompt_of(answer)
        if self._maker != wire.VLLM:
            return ""
        if any(message.images for message in request.messages):
            raise RefusedError(NO_PICTURES, "ask again instead")
        return await self._prompts.prompt(request)

    async def opener(self, request: Request) -> str:
        """The tag that opens the model's thinking, even if the server's parser removes it; often empty."""
        return await self._prompts.opener(request) if self._maker == wire.VLLM else ""

    async def _stream_reply(self, path: str, body: Body, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield a reply's chunks, dropping fields that the server refuses; notes name dropped options."""
        refused, decoder = self._refused_fields, wire.OpenAIChunkDecoder(html=self._maker == wire.VLLM)
        truncation = ""
        if self._maker == wire.OLLAMA:
            body, truncation = (
                await self._ollama_api.add_native_sampling(body, request),
                await self._ollama_api.truncation_note(request),
            )
        while True:
            sent = wire.drop_fields(body, refused)
            try:
                async with aclosing(self._client.stream_reply(path, sent, request.model, decoder)) as chunks:
                    async for chunk in chunks:
                        self._refused_fields |= refused
                        self._learn(request.model, chunk)
                        if chunk.done and decoder.is_from_ollama and self._maker != wire.OLLAMA:
                            truncation = truncation_note_of(request)
                        notes = (
                            *self._dropped_options_notes(request),
                            *filter(None, (truncation if chunk.done else "",)),
                        )
                        yield chunk._replace(notes=notes) if notes else chunk
            except RefusedError as error:
                newly_refused = wire.refused_fields(str(error), sent)
                if not newly_refused:
                    counted_error = await self._add_token_counts(error, request)
                    raise counted_error from (None if counted_error is error else error)
                refused |= newly_refused
            else:
                return

    def _dropped_options_notes(self, request: Request) -> tuple[str, ...]:
        """Notes on options that this server refuses, each shown once."""
        note = wire.dropped_options_note(request, self._refused_fields) if self._refused_fields else ""
        if not note or note in self._sent_notes:
            return ()
        self._sent_notes.add(note)
        return (note,)

    def _learn(self, model: str, chunk: Chunk) -> None:
        if chunk.thinking and model not in self._seen_thinking:
            self._seen_thinking.add(model)
            self._remembered_models.remember(model)

    async def _add_token_counts(self, error: RefusedError, request: Request) -> RefusedError:
        """The error with the token count of a prompt that does not fit; vLLM's own error does not count it."""
        if isinstance(error, PromptTooLongError) and ("num_predict", 0) in request.options:
            return RefusedError("num_predict must be at least 1, or negative for no limit")
        if not isinstance(error, PromptTooLongError) or self._maker != wire.VLLM:
            return error
        count, room = await self._prompts.token_counts(request)
        return wire.too_long_error_from_counts(count, room) if count >= room > 0 else error

    async def _resume_last_message(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield the rest of an open last message; thinking that the server separates gets its closing tag back.

        SGLang appends that message to what the template writes before every reply: an opener there is not sent again.
        """
        end = await self._prompts.end(request, so_far)
        rest = continue_prompt(end, so_far).removeprefix(end) if end else so_far
        body = wire.encode_continued(request, rest, self._maker)
        closer = _closer(so_far)
        async with aclosing(self._stream_reply("/v1/chat/completions", body, request)) as chunks:
            thinking = False
            async for chunk in chunks:
                ends = thinking and bool(chunk.content)
                thinking = bool(chunk.thinking) or (thinking and not ends)
                yield chunk._replace(content=chunk.thinking + (closer if ends else "") + chunk.content, thinking="")

    async def show(self, model: str) -> Model:
        """The server's facts about a model; an unlisted model may still be served.

        Raises:
            ModelMissingError: the model is not in a list that is known to be complete.
        """
        served = await self.listed_models_if_any()
        listed = wire.find_listed_model(model, served)
        if listed is None and wire.is_full_list(served):
            raise wire.missing_model_error_of(model, [one.model.name for one in served])
        if listed is None:
            return await self._add_server_facts(self._unlisted_model(model, served))
        name = model if model in listed.names else listed.model.name
        info = wire.model_of(listed, name, await self._props(name), wire.ignored_options_of(self._maker))
        return await self._add_server_facts(wire.add_server_limits(info, listed))

    def _unlisted_model(self, model: str, served: tuple[ListedModel, ...]) -> Model:
        """An unlisted model; the notice that it is not listed is shown once."""
        info = wire.unlisted_model_of(model, served, wire.ignored_options_of(self._maker))
        was_noted = model in self._noted_unlisted
        self._noted_unlisted.add(model)
        return info._replace(notices=()) if was_noted else info

    async def _props(self, model: str) -> Body:
        """Properties that llama-server reports outside the protocol; empty for any other server."""
        if self._maker != wire.LLAMA_SERVER:
            return {}
        return await self._request_optional("GET", f"/props?model={quote(model, safe='')}", model=model)

    async def _add_server_facts(self, model: Model) -> Model:
        """The model with what this server reveals: how its prompts end, and whether its thinking has its own field.

        A name shows at most whether a model thinks; only a reply shows whether a vLLM was started with a parser.
        """
        if self._maker == wire.OLLAMA:
            return wire.add_ollama_info(model, await self._ollama_api.show(model.name))
        family = family_of_model(model.name)
        separates_thinking = model.name in self._seen_thinking or self._remembered_models.is_known(model.name)
        if self._maker == wire.VLLM and not (family and (separates_thinking or family.has_channels)):
            ends = await self._prompts.prompt_ends(model.name, switch_of(model.name, family.name if family else ""))
            model = wire.add_prompt_ends(model, ends, named=family is not None) if ends else model
        if not separates_thinking:
            return model
        certain = model._replace(guessed=False)
        return certain if model.capabilities or family else certain._replace(capabilities=("thinking",))

    async def models(self) -> tuple[Model, ...]:
        """The served models; the default model carries the reason for its selection."""
        listed = await self._fetch_listed_models()
        best = wire.pick_listed_model(listed)
        return tuple(
            one.model._replace(
                selection_reason=best[1] if best and one is best[0] else "", capabilities=_capabilities(one)
            )
            for one in listed
        )

    async def listed_models(self) -> tuple[ListedModel, ...]:
        """The models that the server lists, each with all its details."""
        return await self._fetch_listed_models()

    async def running_models(self) -> tuple[RunningModel, ...]:
        """The served models; their memory use is unknown."""
        return wire.running_of(await self.listed_models_if_any())

    async def version(self) -> str:
        """The server's version; empty if it is not known to report one."""
        await self.listed_models_if_any()
        path = VERSIONS.get(self._maker)
        return wire.version_of(await self._request_optional("GET", path)) if path else ""

    async def capacity(self, model: str) -> Capacity:
        """How many requests the server answers at once; only llama-server reports it."""
        await self.listed_models_if_any()
        return wire.capacity_of(await self._props(model))

    async def workload(self) -> Workload | None:
        """Running and waiting requests from /metrics; None if unavailable."""
        if self._maker not in SERVERS_WITH_METRICS:
            return None
        try:
            return await self._client.request_decoded(wire.workload_of, "GET", "/metrics")
        except (UnreachableError, RefusedError):
            return None

    @property
    def ends_thinking(self) -> bool:
        """Whether the server ends a thinking at the budget of a request; False while its software is unknown."""
        return wire.ends_thinking(self._maker)

    @property
    def software(self) -> str:
        """Name of the server software; empty while unknown."""
        return wire.SERVER_NAMES.get(self._maker, "")

    async def _request_optional(self, method: str, path: str, body: Body | None = None, model: str = "") -> Body:
        """The answer of an endpoint outside the protocol; empty if it is not reachable, as behind a gateway."""
        try:
            return await self._client.request_object(method, path, body, model)
        except UnreachableError:
            return {}

    async def _fetch_listed_models(self) -> tuple[ListedModel, ...]:
        listed = wire.models_of(await self._client.request_decoded(wire.decode_list, "GET", "/v1/models"))
        self._maker = wire.maker_of(listed)
        self._contexts = {name: one.context for one in listed for name in one.names}
        return listed

    async def listed_models_if_any(self) -> tuple[ListedModel, ...]:
        """The listed models; empty if the server answers but has no list."""
        try:
            return await self._fetch_listed_models()
        except UnreachableError as error:
            if not error.unknown_path:
                raise
            return ()


class ThinkingModels(NamedTuple):
    """Models of this server known from earlier runs to send thinking in a separate field."""

    is_known: Callable[[str], bool]
    remember: Callable[[str], object]


def _remember_nothing(_: str) -> None:
    """Remember nothing beyond this run."""


def _unsent_key_warning_of(address: Address) -> str:
    return (
        f"the key is not sent to {address} because the connection is not encrypted: use https, or set api_key_over_http"
    )


def _capabilities(one: ListedModel) -> tuple[str, ...]:
    """Capabilities of a listed model; one that cannot chat is marked as an embedding model."""
    return one.model.capabilities if wire.can_chat(one) else ("embedding",)


def _closer(so_far: str) -> str:
    """Closing tag of the thinking that a reply begins with; empty if none."""
    return next((tag.closer for tag in tags_at(so_far)), "")
