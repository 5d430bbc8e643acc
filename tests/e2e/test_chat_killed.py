"""The chat under kill -9: what was asked is there, and all but the last second of what was said."""

from __future__ import annotations

import random
import re
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from reflectty.session import Ended
from support.chat_process import HALF, Chat, Unseen, database, ended_as, kept, replies, serving, wait_for
from support.fake_server import Answer, Asked, Pause, line, reply
from support.scripted_servers import ANSWER, ANSWERED, MODEL, unfinished
from support.store_programs import health

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect
    from support.fake_replies import Step

ROUNDS, AT_ONCE, RUNS = 5, 4, 5
SLACK = 0.7
"""Seconds beyond the promised one: what waits for a busy machine's disk and processors."""


class Spoken:
    """Replies that say numbered words for a while, and when each of them was sent."""

    def __init__(self) -> None:
        self.sent: dict[str, list[float]] = {}

    def answer(self, asked: Asked) -> Answer:
        times = self.sent.setdefault(asked.json["messages"][-1]["content"], [])

        def steps() -> Iterator[Step]:
            yield line("<output>\n")
            while True:
                yield line(f"w{len(times)} ")
                times.append(time.monotonic())
                yield Pause(0.01)

        return Answer(steps)


@pytest.mark.parametrize("run", range(RUNS))
def test_a_chat_that_is_killed_loses_at_most_the_last_second(reflect: Reflect, run: int) -> None:
    chance = random.Random(run)  # noqa: S311 - moments, not secrets
    spoken, killed = Spoken(), dict[str, float]()
    with serving(spoken.answer) as server:
        for number in range(ROUNDS):
            with ExitStack() as stack:
                chats = {
                    f"question {number}.{at}": stack.enter_context(Unseen(reflect.at(server.host), *MODEL))
                    for at in range(AT_ONCE)
                }
                for question, chat in chats.items():
                    assert chat.wrote(b"Ask, or /")
                    chat.ask(question)
                for chat in chats.values():
                    assert chat.wrote(b"w0 ")
                for question, chat in chats.items():
                    time.sleep(chance.uniform(0.0, 0.6))
                    killed[question] = time.monotonic()
                    chat.process.kill()
                    chat.process.wait()
            assert health(database(reflect)) == ()
    found = {turns[0].text: turns[1].said for _, turns in kept(reflect)}
    lost = []
    for question, moment in killed.items():
        said = found[question]
        assert said is not None
        assert said.ended is Ended.INTERRUPTED
        words = re.findall(r"w\d+", said.raw)
        assert words == [f"w{number}" for number in range(len(words))]
        lost.append(sum(1 for sent in spoken.sent[question][len(words) :] if sent < moment - 1 - SLACK))

    assert lost == [0] * (ROUNDS * AT_ONCE)


def test_what_a_killed_chat_left_is_shown_as_interrupted_and_goes_on(reflect: Reflect) -> None:
    with serving([unfinished(HALF), reply([ANSWERED])]) as server:
        with Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.ask("well?")
            assert chat.shows("Half of an answer")
            assert wait_for(lambda: "Half" in replies(reflect)[0].raw)
            chat.process.kill()
            assert chat.finish() == -signal.SIGKILL
        with Chat(reflect.at(server.host), *MODEL, "-c") as chat:
            assert chat.shows("Half of an answer")
            assert chat.matches("^ ! .*gone")
            chat.ask("and now?")
            assert chat.shows(ANSWER)
            assert chat.leave() == 0

    assert ended_as(reflect) == [(Ended.INTERRUPTED, "Half of an answer"), (Ended.COMPLETE, ANSWER)]
