"""Probes how many requests a server answers at the same time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.core.errors import ReflecttyError
from reflectty.core.messages import Message, OptionValue, Request
from reflectty.core.model_spec import FRAME_TOKENS

if TYPE_CHECKING:
    from reflectty.core.messages import Engine

MAX_REQUESTS: Final = 8
"""So many requests are sent at once: as many answered at once are told apart at most."""
PROBE_TIMEOUT_SECONDS: Final = 30.0
ENOUGH_PIECES: Final = 16
"""Pieces of one reply after which any other that is answered beside it must have begun."""
STARTED_BY_PIECE: Final = 12
"""The piece of that reply by which they must have: what begins later may have waited for the end of another."""
_PIECES: Final = 24
_TINY_OPTIONS: Final[tuple[tuple[str, OptionValue], ...]] = (("num_predict", _PIECES), ("temperature", 0))
_MIN_REPLY_SECONDS: Final = 0.01
"""A reply that comes faster than this comes in one piece, in which nothing is seen of the others."""
_MESSAGES: Final = (Message("system", "Count."), Message("user", "Count from 1 to 100."))
"""A system message of our own keeps the model's, which may be long, from being read once for each request."""


class ParallelSlots(NamedTuple):
    """What was seen of a server that was sent several requests at once."""

    slots: int
    """How many were answered at the same time; 0 where none was answered in time."""
    sent: int
    is_certain: bool
    """Whether more would have been seen: false where the replies were too short or came in one piece."""

    @property
    def is_lower_bound(self) -> bool:
        """Whether all that were sent were answered at once, so that it may be more."""
        return self.slots == self.sent


async def probe_parallel_slots(
    engine: Engine, sample: Request, max_requests: int = MAX_REQUESTS, seconds: float = PROBE_TIMEOUT_SECONDS
) -> ParallelSlots:
    """Send some tiny requests at once, and see how many begin to be answered while the first still is.

    Costs about the time of one short reply: all of them are given up as soon as that is known. What others ask of
    the server meanwhile makes the number smaller, never larger.

    Args:
        engine: who is asked.
        sample: a request as it is sent otherwise; with other options the server might load its model anew. The model
            should be loaded: loading it counts as waiting.
        max_requests: how many requests to send.
        seconds: time after which what was seen by then is all there is.

    Raises:
        ReflecttyError: every request was refused or broke off before a word of its reply came.
    """
    tiny = sample._replace(
        messages=_MESSAGES,
        options=(*((name, value) for name, value in sample.options if name not in dict(_TINY_OPTIONS)), *_TINY_OPTIONS),
        think=None if sample.think is None else False,
        arguments=(),
        schema="",
        bounds=sample.bounds and sample.bounds._replace(prompt=FRAME_TOKENS, reply=_PIECES),
    )
    watch = _ProbeWatch(max_requests)
    tasks = [asyncio.create_task(_follow_reply(engine, tiny, watch, number)) for number in range(max_requests)]
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(watch.done.wait(), seconds)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    unforeseen = next((end for end in ends if isinstance(end, Exception)), None)
    if unforeseen or (len(watch.errors) == max_requests and not any(watch.pieces)):
        raise unforeseen or watch.errors[0]
    return watch.count_slots()


async def _follow_reply(engine: Engine, request: Request, watch: _ProbeWatch, number: int) -> None:
    try:
        async with aclosing(engine.chat(request)) as chunks:
            async for chunk in chunks:
                if chunk.content or chunk.thinking:
                    watch.note_piece(number)
        watch.done.set()
    except ReflecttyError as error:
        watch.note_failure(error)
    except Exception:
        watch.done.set()
        raise


class _ProbeWatch:
    """Notes when the pieces of each reply come; `over` is set once nothing more can be learnt."""

    def __init__(self, sent: int) -> None:
        self.pieces: list[list[float]] = [[] for _ in range(sent)]
        self.errors: list[ReflecttyError] = []
        self.done = asyncio.Event()

    def note_piece(self, number: int) -> None:
        self.pieces[number].append(asyncio.get_running_loop().time())
        if len(self.pieces[number]) >= ENOUGH_PIECES:
            self.done.set()

    def note_failure(self, error: ReflecttyError) -> None:
        self.errors.append(error)
        if len(self.errors) == len(self.pieces):
            self.done.set()

    def count_slots(self) -> ParallelSlots:
        """Return how many had begun when the reply that is furthest was still far from its end."""
        sent, longest = len(self.pieces), max(self.pieces, key=len)
        if not longest:
            return ParallelSlots(0, sent, is_certain=False)
        by = longest[min(len(longest), STARTED_BY_PIECE) - 1]
        begun = sum(1 for times in self.pieces if times and times[0] <= by)
        told = len(longest) >= STARTED_BY_PIECE or begun == sent
        return ParallelSlots(begun, sent, is_certain=told and by - longest[0] >= _MIN_REPLY_SECONDS)
