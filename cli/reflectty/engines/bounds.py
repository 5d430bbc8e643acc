"""Keeps a reply within its context by a limit of tokens, so that an Ollama has nothing to forget.

Ollama starts a model with context shifting or without it, as the `shift` of a request says, and loads the model again
for a request that says otherwise (`needsReload` in server/sched.go; seen with 0.32.15 and 0.34.2). Left out, it means
with shifting, and everybody else leaves it out: with `shift: false` in our requests, we and any other client would
throw each other's model out at every question. What it protects from is a reply that fills the context: with shifting,
half of what stands there is dropped, the prompt first, and the model goes on without a word. The same is had from a
reply that may not fill it: the server refuses a prompt that is too long (`truncate: false`), `num_predict` is at most
what is left behind the prompt, and a reply that needs more ends with `length`, as it does without shifting.

So two numbers are needed. The context is what a request names, or what /api/ps tells of a model that has just been
loaded without one being named. The prompt is what the server counts, once it has read it for one token of a reply; for
the next request it remembers what it has read (of 730 tokens, 0.34.2 read one again). A prompt that is small beside its
context is not counted, as each of its bytes is a token at most. Where a server tells neither, `shift: false` is sent.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty import wire
from reflectty.chat import Bounds, Usage
from reflectty.errors import BusyError, ReflecttyError, StalledError
from reflectty.names import is_same

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.chat import Chunk, OptionValue, Request
    from reflectty.engines.exchange import Exchange
    from reflectty.wire import Body

PART: Final = 8
"""A prompt of which it is known that it fills no more than one part in so many of its context is not counted."""
SHORTEST_LOAD: Final = 100.0
"""Milliseconds; what took less was loaded already."""
NUM_PREDICT: Final = "num_predict"


class Bounded(NamedTuple):
    """A request as it is sent, and the figures of what was asked of the server to know how."""

    request: Request
    before: Usage = Usage()

    def told(self, chunk: Chunk) -> Chunk:
        """Return a chunk of the reply whose figures are those of the whole question."""
        usage, before = chunk.usage, self.before
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


async def placed(exchange: Exchange, request: Request) -> Bounded:
    """Return a request that knows the context it is answered in; as it is where that need not or cannot be known.

    A model whose context nobody names is loaded: which one it has is the server's own choice.

    Raises:
        BusyError: the server takes no more at present.
        StalledError: the model was not loaded in time.
    """
    if request.fits or request.bounds is None:
        return Bounded(request)
    plain = request._replace(fits=True)
    if request.bounds.context:
        return Bounded(plain)
    clock = asyncio.get_running_loop().time
    began = clock()
    context = await _loaded_context(exchange, plain)
    took = (clock() - began) * 1000
    if not context:
        return Bounded(request)
    figures = Usage(total_ms=took, load_ms=took) if took >= SHORTEST_LOAD else Usage()
    return Bounded(plain._replace(bounds=request.bounds._replace(context=context)), figures)


async def bounded(
    exchange: Exchange, found: Bounded, path: str, encode: Callable[[Request], Body], most: int
) -> Bounded:
    """Return a request with a limit under which its reply cannot outgrow its context.

    Args:
        exchange: with the server.
        found: the request that knows its context; one that does not stays as it is.
        path: where it is sent.
        encode: how.
        most: how many tokens its prompt has at most; 0 where that is unknown.

    Raises:
        RefusedError: the prompt does not fit; and what a reply raises.
    """
    request, before = found
    bounds = request.bounds or Bounds()
    if not request.fits or not bounds.context or bounds._replace(prompt=most).fit:
        return found
    prompt = most
    if not 0 < most * PART <= bounds.context:
        one = request._replace(schema="", keep_alive="", options=_limited(request, 1))
        counted = await _counted(exchange, path, encode(one), request.model)
        prompt, before = counted.prompt_tokens, _sum(before, counted)
    if not prompt:
        return Bounded(request._replace(fits=False), before)
    # One token is sampled before the one before it is read, so a full context would be shifted for the last.
    left = max(1, bounds.context - prompt - 1)
    limit = min(bounds.reply or left, left)
    return Bounded(request._replace(options=_limited(request, limit)), before)


def _limited(request: Request, limit: int) -> tuple[tuple[str, OptionValue], ...]:
    return (*(pair for pair in request.options if pair[0] != NUM_PREDICT), (NUM_PREDICT, limit))


async def _loaded_context(exchange: Exchange, request: Request) -> int:
    """Load a model as a request wants it, and return the context that it has; 0 where the server does not tell.

    Ollama lists a model under the name of another one that has the same files.
    """
    loading = wire.encode_load(request._replace(schema="", keep_alive=""))
    try:
        await exchange.ask("POST", "/api/generate", loading)
        running = wire.running_of(await exchange.ask("GET", "/api/ps"))
    except (BusyError, StalledError):
        raise
    except ReflecttyError:
        # What is wrong, the question will meet as well, and tell.
        return 0
    own = [one for one in running if is_same(one.name, request.model)]
    listed = own or running
    return listed[0].context_length if len(listed) == 1 else 0


async def _counted(exchange: Exchange, path: str, body: Body, model: str) -> Usage:
    """Return the figures of a prompt that the server has read; of a reply that had none, all are 0."""
    usage = None
    async with aclosing(exchange.reply(path, body, model)) as chunks:
        async for chunk in chunks:
            usage = chunk.usage
    return usage or Usage()


def _sum(load: Usage, counted: Usage) -> Usage:
    return counted._replace(total_ms=load.total_ms + counted.total_ms, load_ms=load.load_ms + counted.load_ms)
