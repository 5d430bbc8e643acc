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
"""Requests sent at the same time, and so the largest number of slots that the probe can detect."""
PROBE_TIMEOUT_SECONDS: Final = 30.0
ENOUGH_PIECES: Final = 16
"""Pieces of one reply after which every reply that runs in parallel must have started."""
STARTED_BY_PIECE: Final = 12
"""The piece by which a parallel reply must have started; a later one may have waited for another to end."""
_PIECES: Final = 24
_TINY_OPTIONS: Final[tuple[tuple[str, OptionValue], ...]] = (("num_predict", _PIECES), ("temperature", 0))
_MIN_REPLY_SECONDS: Final = 0.01
"""A faster reply arrives in one piece, which shows nothing about the others."""
_MESSAGES: Final = (Message("system", "Count."), Message("user", "Count from 1 to 100."))
"""Our own system message replaces the model's, which may be long and would be processed for each request."""


class ParallelSlots(NamedTuple):
    """How many of several simultaneous requests a server answered in parallel."""

    slots: int
    """Number of requests answered at the same time; 0 if none was answered in time."""
    sent: int
    is_certain: bool
    """False if replies were too short or arrived in one piece, so that more slots may have gone unnoticed."""

    @property
    def is_lower_bound(self) -> bool:
        """True if all requests were answered at the same time, so that there may be more slots."""
        return self.slots == self.sent


async def probe_parallel_slots(
    engine: Engine, sample: Request, max_requests: int = MAX_REQUESTS, seconds: float = PROBE_TIMEOUT_SECONDS
) -> ParallelSlots:
    """Send tiny requests at the same time and count the replies that start while the first is still running.

    Takes about the time of one short reply: all requests are canceled once the number is known. Requests of other
    clients make the number smaller, never larger.

    Args:
        engine: the engine to probe.
        sample: a normal request; with other options the server might reload its model. The model should be loaded,
            since loading counts as waiting.
        max_requests: how many requests to send.
        seconds: the timeout, after which the replies seen so far are counted.

    Raises:
        ReflecttyError: every request was refused or broke off before its first token.
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
    """Records when the pieces of each reply arrive; `done` is set once more pieces add no information."""

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
        """Count the replies that had started when the longest one was still far from its end."""
        sent, longest = len(self.pieces), max(self.pieces, key=len)
        if not longest:
            return ParallelSlots(0, sent, is_certain=False)
        by = longest[min(len(longest), STARTED_BY_PIECE) - 1]
        begun = sum(1 for times in self.pieces if times and times[0] <= by)
        told = len(longest) >= STARTED_BY_PIECE or begun == sent
        return ParallelSlots(begun, sent, is_certain=told and by - longest[0] >= _MIN_REPLY_SECONDS)
