from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reflectty.chat.request import Question
from reflectty.chat.trial import ENOUGH_PIECES, MAX_REQUESTS, ParallelSlots, probe_parallel_slots
from reflectty.core.errors import RefusedError
from reflectty.core.messages import Chunk, Model, Request
from reflectty.engines import open_engine
from reflectty.reasoning.modes import AskOptions
from support.engine_outcome import PATIENT
from support.event_loops import ClockedLoop
from support.fake_server import HANG, Answer, FakeServer, error
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from support.fake_server import Route

LIKE = Question("long " * 99, AskOptions(options=(("num_ctx", 512), ("num_predict", -1)), keep_alive="1h"))
MODEL = Model("m", system="long " * 99)
PACE = 0.02
"""Seconds between the words of a reply."""


class Serving(ScriptedEngine):
    """Sends a number of replies at the same time and pace; further requests wait in silence."""

    def __init__(self, at_once: int, words: int = 24, pace: float = PACE, refused: int = 0) -> None:
        super().__init__()
        self.loop = ClockedLoop()
        self._turns = asyncio.Semaphore(at_once)
        self._words = words
        self._pace = pace
        self._refused = refused

    async def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        if len(self.requests) > MAX_REQUESTS - self._refused:
            raise RefusedError("full")
        async with self._turns:
            try:
                for number in range(self._words):
                    await asyncio.sleep(0)
                    self.loop.ahead += self._pace
                    yield Chunk(f"{number} ")
                yield Chunk(done=True, done_reason="length")
            except BaseException:
                self.stopped += 1
                raise

    def probed(self, model: Model = MODEL, most: int = MAX_REQUESTS) -> ParallelSlots:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            return runner.run(probe_parallel_slots(self, LIKE, model, most))


def probed(route: Route, patience: float) -> ParallelSlots:
    async def ask(host: str) -> ParallelSlots:
        async with open_engine(host, timeouts=PATIENT) as engine:
            return await probe_parallel_slots(engine, LIKE, MODEL, seconds=patience)

    with FakeServer({"/api/chat": route}) as server:
        return asyncio.run(ask(server.host))


@pytest.mark.parametrize("at_once", [1, 2, 3, 4])
def test_probe_counts_the_parallel_slots(at_once: int) -> None:
    engine = Serving(at_once)
    seen = engine.probed()
    assert seen == ParallelSlots(at_once, MAX_REQUESTS, is_certain=True)
    assert not seen.is_lower_bound
    assert len(engine.requests) == MAX_REQUESTS


@pytest.mark.parametrize("most", [1, 2, 4])
def test_slot_count_is_a_lower_bound_when_all_are_answered(most: int) -> None:
    seen = Serving(8).probed(most=most)
    assert seen == ParallelSlots(most, most, is_certain=True)
    assert seen.is_lower_bound


def test_probe_requests_are_short_and_canceled_early() -> None:
    engine = Serving(1, words=10_000)
    engine.probed()
    for request in engine.requests:
        assert ENOUGH_PIECES < int(str(dict(request.options)["num_predict"])) < 99
        assert [message.role for message in request.messages] == ["system", "user"]
        assert request.think is None
    assert engine.stopped == 1


def test_probe_does_not_reload_the_model() -> None:
    engine = Serving(2)
    engine.probed()
    for request in engine.requests:
        assert (dict(request.options)["num_ctx"], request.keep_alive) == (512, "1h")
        assert "long" not in str(request.messages)


def test_probe_disables_thinking() -> None:
    engine = Serving(2)
    engine.probed(Model("m", ("completion", "thinking")))
    assert {request.think for request in engine.requests} == {False}


@pytest.mark.parametrize(("words", "pace"), [(1, PACE), (2, PACE), (0, PACE), (24, 0.0)])
def test_probe_is_uncertain_when_replies_are_too_short(words: int, pace: float) -> None:
    seen = Serving(1, words, pace).probed()
    assert not seen.is_certain
    assert seen.slots <= MAX_REQUESTS


def test_probe_gives_up_on_a_silent_server_in_time() -> None:
    assert probed(Answer([HANG]), patience=0.2) == ParallelSlots(0, MAX_REQUESTS, is_certain=False)


def test_probe_raises_when_all_requests_are_refused() -> None:
    with pytest.raises(RefusedError, match="no such luck"):
        probed(error(400, "no such luck"), PATIENT.first)


def test_refused_requests_do_not_count_as_parallel() -> None:
    seen = Serving(2, refused=MAX_REQUESTS - 1).probed()
    assert (seen.slots, seen.is_certain) == (1, True)
