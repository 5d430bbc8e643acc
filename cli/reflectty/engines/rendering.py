"""Has vLLM and SGLang render prompts: whole ones to go on after, their ends, their lengths; generates a few tokens.

vLLM's /tokenize and /detokenize stand outside /v1 and want no key, and need no place in the queue of the engine. Where
a gateway does not let them through, the chat endpoint tells the prompt in its first event. Seen with 0.32.0. SGLang's
/tokenize takes no messages (by its source): its chat endpoint tells the tokens of the prompt.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from reflectty.chat import Message, Request
from reflectty.errors import ReflecttyError, RefusedError
from reflectty.families import opener_at, tags_at
from reflectty.wire import openai as wire

if TYPE_CHECKING:
    from reflectty.engines.exchange import Exchange
    from reflectty.switches import Switch

GLANCE: Final = 3.0
"""Seconds that the end of a prompt may take, before a question is asked at all."""
PATIENCE: Final = 10.0
"""Seconds that a prompt may take: a reply may be on the screen meanwhile, and a full queue is not waited for."""
NOT_RENDERED: Final = "this vLLM does not tell the prompt that it renders, so no reply can be continued there"


class Rendering:
    """Asks one vLLM for prompts."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._ends: dict[str, tuple[str, str] | None] = {}
        self._openers: dict[tuple[str, object, object], str] = {}

    async def prompt(self, request: Request) -> str:
        """Return the rendered prompt.

        Raises:
            RefusedError: the server does not tell it, in neither of the two ways.
        """
        found = await self._by_tokens(request) or (await self._glimpse(request, 1)).prompt
        if not found:
            raise RefusedError(NOT_RENDERED, "ask again instead")
        return found

    async def opener(self, request: Request) -> str:
        """Return the marker with which a model opens its thinking, found in the prompt or in its first tokens."""
        key = (request.model, request.think, request.arguments)
        if key not in self._openers:
            glimpse = await self._glimpse(request, wire.FIRST_TOKENS)
            self._openers[key] = opener_at(glimpse.prompt, glimpse.said)
        return self._openers[key]

    async def ends(self, model: str, switch: Switch | None) -> tuple[str, str] | None:
        """Return how a prompt ends with thinking on and off; None where the server does not tell."""
        if model not in self._ends:
            asked = Request(model, (Message("user", "hi"),))
            requests = (
                asked._replace(think=thinks, arguments=switch.arguments(thinks=thinks) if switch else ())
                for thinks in (True, False)
            )
            on = off = ""
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GLANCE):
                    on, off = await asyncio.gather(*map(self._by_tokens, requests))
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

    async def length(self, request: Request) -> tuple[int, int]:
        """Return how many tokens a prompt has and the server holds; zeros where it does not tell."""
        _, count, room = await self._tokens(request)
        return count, room

    async def _by_tokens(self, request: Request) -> str:
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
            async with asyncio.timeout(PATIENCE):
                return await self._exchange.ask("POST", path, body)
        except (ReflecttyError, TimeoutError):
            return {}

    async def _glimpse(self, request: Request, tokens: int) -> wire.Glimpse:
        """Return the prompt and the first tokens of a reply as far as they come, then leave it."""
        glimpse = wire.Glimpse()
        body = wire.encode_glimpse(request, tokens)
        try:
            async with (
                asyncio.timeout(PATIENCE),
                aclosing(self._exchange.reply("/v1/chat/completions", body, request.model, glimpse)) as chunks,
            ):
                async for _ in chunks:
                    pass
        except (ReflecttyError, TimeoutError):
            pass
        return glimpse
