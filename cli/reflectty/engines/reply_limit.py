"""Limits a reply to the tokens left in its context, so that Ollama never shifts the context.

Ollama starts a model with or without context shifting, by the `shift` of a request, and reloads the model for a
request with another value (`needsReload` in server/sched.go; seen with 0.32.15 and 0.34.2). Omitted, it means with
shifting, and other clients omit it: with `shift: false` in our requests, we and any other client would evict each
other's model at every question. `shift: false` protects from a reply that fills the context: with shifting, half of the
context is dropped, the prompt first, and the model silently continues. A limited reply gives the same protection: the
server refuses a prompt that is too long (`truncate: false`), `num_predict` is at most the room after the prompt,
and a reply that needs more ends with `length`, as it does without shifting.

This needs two numbers. The context is what a request sets, or what /api/ps reports for a model just loaded without one.
The prompt is what the server counts when it reads the prompt for a one-token reply; the next request finds it in the
cache (of 730 tokens, 0.34.2 read one again). A prompt that is small for its context is not counted, as each of its
bytes is at most one token. If a server does not report one of the numbers, `shift: false` is sent.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import BusyError, ReflecttyError, StalledError
from reflectty.core.messages import Bounds, Usage
from reflectty.core.model_names import is_same_model
from reflectty.core.named_tuple import NamedTuple
from reflectty.protocols import ollama

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.core.messages import Chunk, OptionValue, Request
    from reflectty.engines.server_client import ServerClient
    from reflectty.protocols.ollama import Body

UNCOUNTED_SHARE: Final = 8
"""A prompt known to fill at most one part in this many of its context is not counted."""
MIN_LOAD_MS: Final = 100.0
"""Milliseconds; a shorter load means that the model was loaded already."""
NUM_PREDICT: Final = "num_predict"


class LimitedRequest(NamedTuple):
    """A request as it is sent, and the usage of earlier requests that prepared it."""

    request: Request
    earlier_usage: Usage = Usage()

    def add_earlier_usage(self, chunk: Chunk) -> Chunk:
        """The chunk with the usage of the whole question."""
        usage, before = chunk.usage, self.earlier_usage
        if usage is None or not before.total_ms:
            return chunk
        return chunk._replace(
            usage=usage._replace(
                total_ms=usage.total_ms + before.total_ms,
                load_ms=usage.load_ms + before.load_ms,
                prompt_ms=usage.prompt_ms + before.prompt_ms,
                cached_tokens=before.cached_tokens if before.prompt_tokens else usage.cached_tokens,
            )
        )


async def find_context(client: ServerClient, request: Request) -> LimitedRequest:
    """Find the context that a request is answered in; the request stays as it is if that is unneeded or impossible.

    A model without a set context is loaded, because the server chooses the context.

    Raises:
        BusyError: the server accepts no more requests at present.
        StalledError: the model was not loaded in time.
    """
    if request.fits_context or request.bounds is None:
        return LimitedRequest(request)
    plain = request._replace(fits_context=True)
    if request.bounds.context:
        return LimitedRequest(plain)
    clock = asyncio.get_running_loop().time
    began = clock()
    context = await _loaded_context(client, plain)
    load_ms = (clock() - began) * 1000
    if not context:
        return LimitedRequest(request)
    figures = Usage(total_ms=load_ms, load_ms=load_ms) if load_ms >= MIN_LOAD_MS else Usage()
    return LimitedRequest(plain._replace(bounds=request.bounds._replace(context=context)), figures)


async def limit_reply(
    client: ServerClient, prepared: LimitedRequest, path: str, encode: Callable[[Request], Body], max_prompt: int
) -> LimitedRequest:
    """Set a limit under which the reply cannot outgrow its context.

    Args:
        client: sends requests to the server.
        prepared: the request with its context; one without stays as it is.
        path: the endpoint that it is sent to.
        encode: makes the body of a request.
        max_prompt: the maximum number of tokens of the prompt; 0 if unknown.

    Raises:
        RefusedError: the prompt does not fit; and what `ServerClient.stream_reply` raises.
    """
    request, before = prepared
    bounds = request.bounds or Bounds()
    if not request.fits_context or not bounds.context or bounds._replace(prompt=max_prompt).are_safe:
        return prepared
    prompt = max_prompt
    if not 0 < max_prompt * UNCOUNTED_SHARE <= bounds.context:
        probe = request._replace(schema="", keep_alive="", options=_options_with_limit(request, 1))
        counted = await _count_prompt(client, path, encode(probe), request.model)
        prompt, before = counted.prompt_tokens, _add_usage(before, counted)
    if not prompt:
        return LimitedRequest(request._replace(fits_context=False), before)
    # One token is sampled before the previous one is read, so a full context would be shifted for the last.
    room = max(1, bounds.context - prompt - 1)
    limit = min(bounds.reply or room, room)
    return LimitedRequest(request._replace(options=_options_with_limit(request, limit)), before)


def _options_with_limit(request: Request, limit: int) -> tuple[tuple[str, OptionValue], ...]:
    return (*(pair for pair in request.options if pair[0] != NUM_PREDICT), (NUM_PREDICT, limit))


async def _loaded_context(client: ServerClient, request: Request) -> int:
    """Load a model for a request and return its context, or 0 if the server does not report it.

    Ollama lists a model under the name of another one that has the same files.
    """
    loading = ollama.encode_load(request._replace(schema="", keep_alive=""))
    try:
        await client.request_object("POST", "/api/generate", loading)
        running = ollama.running_of(await client.request_object("GET", "/api/ps"))
    except (BusyError, StalledError):
        raise
    except ReflecttyError:
        # The question meets the same error, and reports it.
        return 0
    own = [one for one in running if is_same_model(one.name, request.model)]
    listed = own or running
    return listed[0].context_length if len(listed) == 1 else 0


async def _count_prompt(client: ServerClient, path: str, body: Body, model: str) -> Usage:
    """The usage of a prompt that the server has read; all zeros for a reply without usage."""
    usage = None
    async with aclosing(client.stream_reply(path, body, model)) as chunks:
        async for chunk in chunks:
            usage = chunk.usage
    return usage or Usage()


def _add_usage(load: Usage, counted: Usage) -> Usage:
    return counted._replace(total_ms=load.total_ms + counted.total_ms, load_ms=load.load_ms + counted.load_ms)
