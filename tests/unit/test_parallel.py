from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from reflectty.chat import Message, Request, Timeouts
from reflectty.engines import open_engine
from reflectty.errors import RefusedError
from reflectty.parallel import ENOUGH, MOST, Parallel, probe
from support.fake_server import HANG, Answer, FakeServer, Pause, done, error, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.fake_replies import Step
    from support.fake_server import Route

LIKE = Request("m", (Message("user", "long " * 99),), (("num_ctx", 512), ("num_predict", -1)), keep_alive="1h")
PACE = 0.02
"""Seconds between the words of a reply: slow enough for a busy machine to tell who speaks at the same time."""


def serving(at_once: int, words: int = 24, pace: float = PACE) -> Answer:
    """Return replies of which so many are given at the same time; the others wait without a byte."""
    turns = threading.Semaphore(at_once)

    def steps() -> Iterator[Step]:
        turns.acquire()
        try:
            for number in range(words):
                yield Pause(pace)
                yield line(f"{number} ")
            yield line(**done("length"))
        finally:
            turns.release()

    return Answer(steps)


def probed(route: Route, like: Request = LIKE, patience: float = 20.0, most: int = MOST) -> tuple[Parallel, FakeServer]:
    async def ask(host: str) -> Parallel:
        async with open_engine(host, timeouts=Timeouts(first=20, idle=20)) as engine:
            return await probe(engine, like, most, patience)

    with FakeServer({"/api/chat": route}) as server:
        return asyncio.run(ask(server.host)), server


@pytest.mark.parametrize("at_once", [1, 2, 3, 4])
def test_a_server_is_seen_to_answer_as_many_as_it_does(at_once: int) -> None:
    seen, server = probed(serving(at_once))
    assert seen == Parallel(at_once, MOST, sure=True)
    assert not seen.at_least
    assert len(server.asked("/api/chat")) == MOST


@pytest.mark.parametrize("most", [1, 2, 4])
def test_where_all_are_answered_it_may_be_more(most: int) -> None:
    seen, _ = probed(serving(8), most=most)
    assert seen == Parallel(most, most, sure=True)
    assert seen.at_least


def test_what_is_asked_is_short_and_given_up_once_it_is_known() -> None:
    _, server = probed(serving(1, words=10_000))
    for asked in server.asked("/api/chat"):
        assert ENOUGH < asked.json["options"]["num_predict"] < 99
        assert [message["role"] for message in asked.json["messages"]] == ["system", "user"]
        assert "think" not in asked.json
    assert any(asked.left.wait(10) for asked in server.asked("/api/chat"))


def test_nothing_of_it_makes_the_server_load_the_model_anew() -> None:
    _, server = probed(serving(2))
    for asked in server.asked("/api/chat"):
        assert (asked.json["options"]["num_ctx"], asked.json["keep_alive"]) == (512, "1h")
        assert "long" not in str(asked.json["messages"])


def test_a_model_that_thinks_is_asked_not_to() -> None:
    _, server = probed(serving(2), LIKE._replace(think=True))
    assert {asked.json["think"] for asked in server.asked("/api/chat")} == {False}


@pytest.mark.parametrize("words", [["all at once"], ["1 ", "2 "], []])
def test_replies_too_short_to_see_anything_by_are_not_taken_for_one_at_a_time(words: list[str]) -> None:
    turns = threading.Lock()

    def steps() -> Iterator[Step]:
        with turns:
            yield from (*map(line, words), line(**done()))

    seen, _ = probed(Answer(steps))
    assert not seen.sure
    assert seen.at_once <= MOST


def test_what_never_answers_is_waited_for_no_longer_than_said() -> None:
    seen, _ = probed(Answer([HANG]), patience=0.2)
    assert seen == Parallel(0, MOST, sure=False)


def test_a_server_that_refuses_all_says_why() -> None:
    with pytest.raises(RefusedError, match="no such luck"):
        probed(error(400, "no such luck"))


def test_requests_that_are_refused_are_not_answered_at_the_same_time() -> None:
    answers = iter([serving(2), *(error(400, "full") for _ in range(MOST))])
    once = threading.Lock()
    first = serving(2)

    def route(_: object) -> Answer:
        with once:
            return next(answers, first)

    seen, _ = probed(route)
    assert (seen.at_once, seen.sure) == (1, True)
