"""Server-specific calls outside the OpenAI protocol: Ollama's native API and vLLM's prompt rendering.

Ollama's /v1 silently truncates a long prompt (of 9,010 tokens it read 2,051) and sets temperature and top_p to 1,
overriding the model's own parameters. Seen with 0.32.15 and 0.34.2, whose native API does neither.

vLLM's /tokenize and /detokenize are outside /v1, need no key and do not wait in the engine's queue. Where a gateway
blocks them, the chat endpoint sends the prompt in its first event. Seen with 0.32.0. SGLang's /tokenize takes no
messages (from its source): its chat endpoint sends the prompt's tokens.
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
"""Ollama's native defaults for parameters that a model does not set."""
USUAL_CONTEXT: Final = 4096
"""Ollama's default context on machines with less than 23 GiB of GPU memory."""
MOST_BYTES_PER_TOKEN: Final = 6
"""More bytes than a token of prose has: a prompt too long by this measure is too long."""
FEWEST_BYTES_PER_TOKEN: Final = 3
"""Fewer bytes than a token has in most languages: a prompt that fits by this measure fits."""
TRUNCATION_NOTE: Final = (
    "Ollama may have silently truncated the beginning of the prompt, as its /v1 does; --engine ollama never does"
)
NATIVE_HINT: Final = "use --engine ollama instead"


class OllamaNativeApi:
    """Reads from an Ollama server's native API what its /v1 omits."""

    def __init__(self, client: ServerClient) -> None:
        self._client = client
        self._shown: dict[str, Body] = {}
        self._contexts: dict[str, int] = {}
        """Context size in tokens of models seen loaded."""

    async def show(self, model: str) -> Body:
        """The answer of /api/show for a model; empty if not reachable."""
        if model not in self._shown:
            self._shown[model] = await self._answer("POST", "/api/show", {"model": model})
        return self._shown[model]

    async def add_native_sampling(self, body: Body, request: Request) -> Body:
        """The request body with the model's native sampling.

        Raises:
            PromptTooLongError: the prompt would be truncated.
        """
        room, size = await self._context_of(request.model), _prompt_bytes_of(request)
        if size > room * MOST_BYTES_PER_TOKEN:
            message = f"the prompt has about {size // 4} tokens, and Ollama would silently truncate it to {room}"
            raise PromptTooLongError(message, f"its /v1 truncates prompts: {NATIVE_HINT}", resizable=False)
        info = await self.show(request.model)
        return (_sampling(as_text(info.get("parameters"))) if info else {}) | body

    async def truncation_note(self, request: Request) -> str:
        """A note if the prompt may have been truncated; empty if it surely fits."""
        return (
            TRUNCATION_NOTE
            if _prompt_bytes_of(request) > await self._context_of(request.model) * FEWEST_BYTES_PER_TOKEN
            else ""
        )

    async def _context_of(self, model: str) -> int:
        """Context size in tokens that the model is loaded with, or would be."""
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
    """Sampling that Ollama would use natively."""
    own = {name: _parameter(parameters, name) for name in SAMPLING}
    return {name: usual if (value := own[name]) is None else value for name, usual in SAMPLING.items()}


def truncation_note_of(request: Request) -> str:
    """A note on possible truncation by an Ollama recognized only by its reply, whose context is unknown."""
    return TRUNCATION_NOTE if _prompt_bytes_of(request) > USUAL_CONTEXT * FEWEST_BYTES_PER_TOKEN else ""


def _parameter(parameters: str, name: str) -> float | None:
    """A number from a model's own parameters; None if not set."""
    try:
        return float(parse_parameters(parameters)[name])
    except (KeyError, ValueError):
        return None


PROMPT_END_SECONDS: Final = 3.0
"""Timeout in seconds for the end of a prompt, which is requested before any question."""
PROMPT_SECONDS: Final = 10.0
"""Timeout in seconds for a prompt: a reply may already be on the screen, and a full queue is not waited for."""
NOT_RENDERED: Final = "this vLLM server does not report the rendered prompt, so it cannot continue a reply"


class VllmPromptClient:
    """Asks a vLLM server for rendered prompts."""

    def __init__(self, client: ServerClient) -> None:
        self._client = client
        self._ends: dict[str, tuple[str, str] | None] = {}
        self._openers: dict[tuple[str, object, object], str] = {}

    async def prompt(self, request: Request) -> str:
        """The rendered prompt.

        Raises:
            RefusedError: neither endpoint returns the prompt.
        """
        text = await self._prompt_from_tokens(request) or (await self._probe(request, 1)).prompt
        if not text:
            raise RefusedError(NOT_RENDERED, "ask again instead")
        return text

    async def opener(self, request: Request) -> str:
        """The tag that opens a model's thinking, by the prompt or the reply's first tokens."""
        key = (request.model, request.think, request.arguments)
        if key not in self._openers:
            probe = await self._probe(request, wire.FIRST_TOKENS)
            self._openers[key] = find_opener(probe.prompt, probe.first_tokens)
        return self._openers[key]

    async def prompt_ends(self, model: str, switch: Switch | None) -> tuple[str, str] | None:
        """How a prompt ends with thinking on and off; None if the server does not report it."""
        if model not in self._ends:
            probe = Request(model, (Message("user", "hi"),))
            requests = (
                probe._replace(think=thinks, arguments=switch.arguments(thinks=thinks) if switch else ())
                for thinks in (True, False)
            )
            on = off = ""
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROMPT_END_SECONDS):
                    on, off = await asyncio.gather(*map(self._prompt_from_tokens, requests))
            self._ends[model] = (on, off) if on and off else None
        return self._ends[model]

    async def end(self, request: Request, so_far: str) -> str:
        """How SGLang's prompt ends before a reply that begins with `so_far`; empty if unknown.

        The prompt shows it, else the reply's first tokens: if a reply does not open its thinking, the prompt did.
        """
        tags = tags_at(so_far)
        if not tags:
            return ""
        answer = await self._answer("/v1/chat/completions", wire.encode_first_tokens(request))
        tokens, text = wire.first_tokens_of(answer)
        body = {"model": request.model, "tokens": tokens, "skip_special_tokens": False}
        if tokens and (prompt := wire.prompt_of(await self._answer("/v1/detokenize", body))):
            return prompt
        first = text.lstrip()
        opens = any(first.startswith(tag.opener) or tag.opener.startswith(first) for tag in tags)
        return "" if opens else tags[0].opener + ("" if text[0].isspace() else "\n")

    async def token_counts(self, request: Request) -> tuple[int, int]:
        """Token counts of the prompt and of the server's context; zeros if the server does not report them."""
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
        """The answer of an endpoint; empty if it is blocked, refused or too slow."""
        try:
            async with asyncio.timeout(PROMPT_SECONDS):
                return await self._client.request_object("POST", path, body)
        except (ReflecttyError, TimeoutError):
            return {}

    async def _probe(self, request: Request, tokens: int) -> wire.PromptProbe:
        """Read the prompt and the first tokens of a reply as far as they arrive, then close the stream."""
        probe = wire.PromptProbe()
        body = wire.encode_prompt_probe(request, tokens)
        try:
            async with (
                asyncio.timeout(PROMPT_SECONDS),
                aclosing(self._client.stream_reply("/v1/chat/completions", body, request.model, probe)) as chunks,
            ):
                async for _ in chunks:
                    pass
        except (ReflecttyError, TimeoutError):
            pass
        return probe
