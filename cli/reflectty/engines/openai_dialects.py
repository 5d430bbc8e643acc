"""Server-specific calls beside the OpenAI protocol: Ollama's native API and vLLM's prompt rendering.

Its /v1 cuts a long prompt in silence, of 9,010 tokens it read 2,051, and sets temperature and top_p to 1 over what the
model's own file says. Seen with 0.32.15 and 0.34.2, whose native API does neither.

vLLM's /tokenize and /detokenize stand outside /v1 and want no key, and need no place in the queue of the engine. Where
a gateway does not let them through, the chat endpoint tells the prompt in its first event. Seen with 0.32.0. SGLang's
/tokenize takes no messages (by its source): its chat endpoint tells the tokens of the prompt.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import PromptTooLongError, ReflecttyError, RefusedError
from reflectty.core.messages import Message, Request
from reflectty.core.model_names import is_same_model
from reflectty.core.model_spec import parse_parameters
from reflectty.protocols import openai as wire
from reflectty.protocols.decoding import as_number, as_text
from reflectty.reasoning.families import find_opener, tags_at

if TYPE_CHECKING:
    from reflectty.engines.server_client import ServerClient
    from reflectty.protocols.ollama import Body
    from reflectty.reasoning.switches import Switch


SAMPLING: Final = {"temperature": 0.8, "top_p": 0.9}
"""What Ollama samples with natively where a model's file says nothing."""
USUAL_CONTEXT: Final = 4096
"""What it loads a model with where the machine has less than 23 GiB of GPU memory."""
MOST_BYTES_PER_TOKEN: Final = 6
"""More bytes than a token of prose has: what is too long by this is too long."""
FEWEST_BYTES_PER_TOKEN: Final = 3
"""Fewer than it has in most languages: what fits by this fits."""
TRUNCATION_NOTE: Final = (
    "this Ollama may have cut the beginning of the prompt in silence, as its /v1 does: --engine ollama never does"
)
NATIVE_HINT: Final = "--engine ollama asks it without that"


class OllamaNativeApi:
    """Asks one Ollama, beside its /v1, for what that leaves out."""

    def __init__(self, exchange: ServerClient) -> None:
        self._client = exchange
        self._shown: dict[str, Body] = {}
        self._contexts: dict[str, int] = {}
        """How many tokens the models have room for that were seen to be loaded."""

    async def show(self, model: str) -> Body:
        """Return what /api/show says of a model; nothing where it is not let through."""
        if model not in self._shown:
            self._shown[model] = await self._answer("POST", "/api/show", {"model": model})
        return self._shown[model]

    async def add_native_sampling(self, body: Body, request: Request) -> Body:
        """Return a request with the sampling that the model has natively.

        Raises:
            PromptTooLongError: the prompt would be cut.
        """
        room, size = await self._context_of(request.model), _prompt_bytes_of(request)
        if size > room * MOST_BYTES_PER_TOKEN:
            message = f"the prompt has about {size // 4} tokens, and this Ollama would cut it to {room} without a word"
            raise PromptTooLongError(message, f"its /v1 does so: {NATIVE_HINT}", resizable=False)
        shown = await self.show(request.model)
        return (_sampling(as_text(shown.get("parameters"))) if shown else {}) | body

    async def truncation_note(self, request: Request) -> str:
        """Return what to say of a prompt that may have been cut; nothing of one that surely fits."""
        return (
            TRUNCATION_NOTE
            if _prompt_bytes_of(request) > await self._context_of(request.model) * FEWEST_BYTES_PER_TOKEN
            else ""
        )

    async def _context_of(self, model: str) -> int:
        """Return how many tokens the model has room for as it is loaded, or would be."""
        if model in self._contexts:
            return self._contexts[model]
        listed = (await self._answer("GET", "/api/ps", None)).get("models")
        for entry in listed if isinstance(listed, list) else ():
            if isinstance(entry, dict) and is_same_model(as_text(entry.get("name")), model):
                self._contexts[model] = int(as_number(entry.get("context_length"))) or USUAL_CONTEXT
                return self._contexts[model]
        parameters = as_text((await self.show(model)).get("parameters"))
        return int(_parameter(parameters, "num_ctx") or 0) or USUAL_CONTEXT

    async def _answer(self, method: str, path: str, body: Body | None) -> Body:
        try:
            return await self._client.request_object(method, path, body)
        except ReflecttyError:
            return {}


def _prompt_bytes_of(request: Request) -> int:
    return sum(len(message.content.encode(errors="replace")) for message in request.messages)


def _sampling(parameters: str) -> Body:
    """Return what Ollama would sample with natively."""
    own = {name: _parameter(parameters, name) for name in SAMPLING}
    return {name: usual if (value := own[name]) is None else value for name, usual in SAMPLING.items()}


def truncation_note_of(request: Request) -> str:
    """Return what to say of a prompt to an Ollama that is known by its replies alone, whose context nobody tells."""
    return TRUNCATION_NOTE if _prompt_bytes_of(request) > USUAL_CONTEXT * FEWEST_BYTES_PER_TOKEN else ""


def _parameter(parameters: str, name: str) -> float | None:
    """Return a number of a model's own parameters."""
    try:
        return float(parse_parameters(parameters)[name])
    except (KeyError, ValueError):
        return None


PROMPT_END_SECONDS: Final = 3.0
"""Seconds that the end of a prompt may take, before a question is asked at all."""
PROMPT_SECONDS: Final = 10.0
"""Seconds that a prompt may take: a reply may be on the screen meanwhile, and a full queue is not waited for."""
NOT_RENDERED: Final = "this vLLM does not tell the prompt that it renders, so no reply can be continued there"


class VllmPromptClient:
    """Asks one vLLM for prompts."""

    def __init__(self, exchange: ServerClient) -> None:
        self._client = exchange
        self._ends: dict[str, tuple[str, str] | None] = {}
        self._openers: dict[tuple[str, object, object], str] = {}

    async def prompt(self, request: Request) -> str:
        """Return the rendered prompt.

        Raises:
            RefusedError: the server does not tell it, in neither of the two ways.
        """
        found = await self._prompt_from_tokens(request) or (await self._probe(request, 1)).prompt
        if not found:
            raise RefusedError(NOT_RENDERED, "ask again instead")
        return found

    async def opener(self, request: Request) -> str:
        """Return the marker with which a model opens its thinking, found in the prompt or in its first tokens."""
        key = (request.model, request.think, request.arguments)
        if key not in self._openers:
            glimpse = await self._probe(request, wire.FIRST_TOKENS)
            self._openers[key] = find_opener(glimpse.prompt, glimpse.first_tokens)
        return self._openers[key]

    async def prompt_ends(self, model: str, switch: Switch | None) -> tuple[str, str] | None:
        """Return how a prompt ends with thinking on and off; None where the server does not tell."""
        if model not in self._ends:
            asked = Request(model, (Message("user", "hi"),))
            requests = (
                asked._replace(think=thinks, arguments=switch.arguments(thinks=thinks) if switch else ())
                for thinks in (True, False)
            )
            on = off = ""
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROMPT_END_SECONDS):
                    on, off = await asyncio.gather(*map(self._prompt_from_tokens, requests))
            self._ends[model] = (on, off) if on and off else None
        return self._ends[model]

    async def end(self, request: Request, so_far: str) -> str:
        """Return how SGLang's prompt ends before a reply that begins in this way; nothing where nothing tells.

        The prompt tells, else what the model says first: one that does not open its thinking has had it opened.
        """
        tags = tags_at(so_far)
        if not tags:
            return ""
        answer = await self._answer("/v1/chat/completions", wire.encode_first_tokens(request))
        tokens, said = wire.first_tokens_of(answer)
        body = {"model": request.model, "tokens": tokens, "skip_special_tokens": False}
        if tokens and (prompt := wire.prompt_of(await self._answer("/v1/detokenize", body))):
            return prompt
        first = said.lstrip()
        opens = any(first.startswith(tag.opener) or tag.opener.startswith(first) for tag in tags)
        return "" if opens else tags[0].opener + ("" if said[0].isspace() else "\n")

    async def token_counts(self, request: Request) -> tuple[int, int]:
        """Return how many tokens a prompt has and the server holds; zeros where it does not tell."""
        _, count, room = await self._tokens(request)
        return count, room

    async def _prompt_from_tokens(self, request: Request) -> str:
        tokens, _, _ = await self._tokens(request)
        if not tokens:
            return ""
        body = {"model": request.model, "tokens": tokens}
        return wire.prompt_of(await self._answer("/detokenize", body))

    async def _tokens(self, request: Request) -> tuple[list[object], int, int]:
        return wire.tokens_of(await self._answer("/tokenize", wire.encode_tokenize(request)))

    async def _answer(self, path: str, body: wire.Body) -> wire.Body:
        """Return what a path answers; nothing where it is not let through, refused, or too slow."""
        try:
            async with asyncio.timeout(PROMPT_SECONDS):
                return await self._client.request_object("POST", path, body)
        except (ReflecttyError, TimeoutError):
            return {}

    async def _probe(self, request: Request, tokens: int) -> wire.PromptProbe:
        """Return the prompt and the first tokens of a reply as far as they come, then leave it."""
        glimpse = wire.PromptProbe()
        body = wire.encode_prompt_probe(request, tokens)
        try:
            async with (
                asyncio.timeout(PROMPT_SECONDS),
                aclosing(self._client.stream_reply("/v1/chat/completions", body, request.model, glimpse)) as chunks,
            ):
                async for _ in chunks:
                    pass
        except (ReflecttyError, TimeoutError):
            pass
        return glimpse
