"""How many requests a server answers at the same time, found out by sending a few; needs a model that is loaded."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.chat import Message, OptionValue, Request
from reflectty.errors import ReflecttyError
from reflectty.room import FRAME

if TYPE_CHECKING:
    from reflectty.chat import Engine

MOST: Final = 8
"""So many requests are sent at once: as many answered at once are told apart at most."""
PATIENCE_SECONDS: Final = 30.0
ENOUGH: Final = 16
"""Pieces of one reply after which any other that is answered beside it must have begun."""
BEGUN_BY: Final = 12
"""The piece of that reply by which they must have: what begins later may have waited for the end of another."""
_PIECES: Final = 24
_TINY: Final[tuple[tuple[str, OptionValue], ...]] = (("num_predict", _PIECES), ("temperature", 0))
_SHORTEST_SECONDS: Final = 0.01
"""A reply that comes faster than this comes in one piece, in which nothing is seen of the others."""
_MESSAGES: Final = (Message("system", "Count."), Message("user", "Count from 1 to 100."))
"""A system message of our own keeps the model's, which may be long, from being read once for each request."""


class Parallel(NamedTuple):
    """What was seen of a server that was sent several requests at once."""

    at_once: int
    """How many were answered at the same time; 0 where none was answered in time."""
    sent: int
    sure: bool
    """Whether more would have been seen: false where the replies were too short or came in one piece."""

    @property
    def at_least(self) -> bool:
        """Whether all that were sent were answered at once, so that it may be more."""
        return self.at_once == self.sent


async def probe(engine: Engine, like: Request, most: int = MOST, patience: float = PATIENCE_SECONDS) -> Parallel:
    """Send some tiny requests at once, and see how many begin to be answered while the first still is.

    Costs about the time of one short reply: all of them are given up as soon as that is known. What others ask of
    the server meanwhile makes the number smaller, never larger.

    Args:
        engine: who is asked.
        like: a request as it is sent otherwise; with other options the server might load its model anew. The model
            should be loaded: loading it counts as waiting.
        most: how many requests to send.
        patience: seconds after which what was seen by then is all there is.

    Raises:
        ReflecttyError: every request was refused or broke off before a word of its reply came.
    """
    tiny = like._replace(
        messages=_MESSAGES,
        options=(*((name, value) for name, value in like.options if name not in dict(_TINY)), *_TINY),
        think=None if like.think is None else False,
        arguments=(),
        schema="",
        bounds=like.bounds and like.bounds._replace(prompt=FRAME, reply=_PIECES),
    )
    watch = _Watch(most)
    tasks = [asyncio.create_task(_follow(engine, tiny, watch, number)) for number in range(most)]
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(watch.over.wait(), patience)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    unforeseen = next((end for end in ends if isinstance(end, Exception)), None)
    if unforeseen or (len(watch.errors) == most and not any(watch.pieces)):
        raise unforeseen or watch.errors[0]
    return watch.seen()


async def _follow(engine: Engine, request: Request, watch: _Watch, number: int) -> None:
    try:
        async with aclosing(engine.chat(request)) as chunks:
            async for chunk in chunks:
                if chunk.content or chunk.thinking:
                    watch.piece(number)
        watch.over.set()
    except ReflecttyError as error:
        watch.failed(error)
    except Exception:
        watch.over.set()
        raise


class _Watch:
    """Notes when the pieces of each reply come; `over` is set once nothing more can be learnt."""

    def __init__(self, sent: int) -> None:
        self.pieces: list[list[float]] = [[] for _ in range(sent)]
        self.errors: list[ReflecttyError] = []
        self.over = asyncio.Event()

    def piece(self, number: int) -> None:
        self.pieces[number].append(asyncio.get_running_loop().time())
        if len(self.pieces[number]) >= ENOUGH:
            self.over.set()

    def failed(self, error: ReflecttyError) -> None:
        self.errors.append(error)
        if len(self.errors) == len(self.pieces):
            self.over.set()

    def seen(self) -> Parallel:
        """Return how many had begun when the reply that is furthest was still far from its end."""
        sent, longest = len(self.pieces), max(self.pieces, key=len)
        if not longest:
            return Parallel(0, sent, sure=False)
        by = longest[min(len(longest), BEGUN_BY) - 1]
        begun = sum(1 for times in self.pieces if times and times[0] <= by)
        told = len(longest) >= BEGUN_BY or begun == sent
        return Parallel(begun, sent, sure=told and by - longest[0] >= _SHORTEST_SECONDS)
