"""The chat under kill -9: the question is stored, and all but the last second of the reply."""

from __future__ import annotations

import random
import re
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest

from reflectty.core.session import ReplyStatus
from support.chat_process import HALF, Chat, Unseen, database, ended_as, replies, serving, stored_sessions
from support.fake_server import Answer, Pause, ReceivedRequest, line, reply
from support.scripted_servers import ANSWER, ANSWERED, MODEL, unfinished
from support.store_programs import health
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect
    from support.fake_replies import Step

MANY = 5
SLACK = 0.7
"""Seconds beyond the promised one that a machine may take to finish a write."""


class NumberedReplies:
    """Replies of numbered words for a while, with the time at which each was sent."""

    def __init__(self) -> None:
        self.sent: dict[str, list[float]] = {}

    def answer(self, asked: ReceivedRequest) -> Answer:
        times = self.sent.setdefault(asked.json["messages"][-1]["content"], [])

        def steps() -> Iterator[Step]:
            yield line("<output>\n")
            while True:
                yield line(f"w{len(times)} ")
                times.append(time.monotonic())
                yield Pause(0.01)

        return Answer(steps)


def last_drawn(chat: Chat) -> int:
    """The number of the last word on the screen."""
    return max(int(number) for number in re.findall(rb"w(\d+) ", chat.raw))


class Killed(NamedTuple):
    """A chat that was killed: the time, and the delay between sending and drawing a word by then."""

    moment: float
    late: float


@pytest.mark.parametrize(
    ("seed", "rounds", "at_once"),
    [(0, 1, 1), *(pytest.param(seed, 5, 4, marks=pytest.mark.slow) for seed in range(MANY))],
)
def test_killed_chat_loses_at_most_the_last_second(reflect: Reflect, seed: int, rounds: int, at_once: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - random moments, not secrets
    spoken, killed = NumberedReplies(), dict[str, Killed]()
    with serving(spoken.answer) as server:
        for number in range(rounds):
            with ExitStack() as stack:
                chats = {
                    f"question {number}.{at}": stack.enter_context(Unseen(reflect.at(server.host), *MODEL))
                    for at in range(at_once)
                }
                for question, chat in chats.items():
                    assert chat.wrote(b"Ask, or /")
                    chat.ask(question)
                for chat in chats.values():
                    assert chat.wrote(b"w0 ")
                for question, chat in chats.items():
                    time.sleep(chance.uniform(0.0, 0.6))
                    moment = time.monotonic()
                    killed[question] = Killed(moment, moment - spoken.sent[question][last_drawn(chat)])
                    chat.process.kill()
                    chat.process.wait()
            assert health(database(reflect)) == ()
    found = {turns[0].text: turns[1].said for _, turns in stored_sessions(reflect)}
    lost = []
    for question, (moment, late) in killed.items():
        said = found[question]
        assert said is not None
        assert said.ended is ReplyStatus.INTERRUPTED
        words = re.findall(r"w\d+", said.raw)
        assert words == [f"w{number}" for number in range(len(words))]
        # A machine that draws late writes late.
        last = moment - 1 - SLACK - 2 * late
        lost.append(sum(1 for sent in spoken.sent[question][len(words) :] if sent < last))

    assert lost == [0] * (rounds * at_once)


def test_text_stored_before_a_kill_is_still_stored_after_it(reflect: Reflect) -> None:
    spoken = NumberedReplies()
    with serving(spoken.answer) as server, Unseen(reflect.at(server.host), *MODEL) as chat:
        assert chat.wrote(b"Ask, or /")
        chat.ask("well?")
        assert chat.wrote(b"w0 ")
        # The reply is stored while it streams, and more than once.
        assert until(lambda: "w1 " in stored(reflect))
        first = stored(reflect)
        assert until(lambda: len(stored(reflect)) > len(first))
        seen = stored(reflect)
        chat.process.kill()
        chat.process.wait()

    assert health(database(reflect)) == ()
    assert stored(reflect).startswith(seen)


def stored(reflect: Reflect) -> str:
    return "".join(said.raw for said in replies(reflect))


def test_session_of_a_killed_chat_is_marked_interrupted_and_continues(reflect: Reflect) -> None:
    with serving([unfinished(HALF), reply([ANSWERED])]) as server:
        with Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.ask("well?")
            assert chat.shows("Half of an answer")
            assert until(lambda: "Half" in replies(reflect)[0].raw)
            chat.process.kill()
            assert chat.finish() == -signal.SIGKILL
        with Chat(reflect.at(server.host), *MODEL, "-c") as chat:
            assert chat.shows("Half of an answer")
            assert chat.matches("^ ! .*has ended")
            chat.ask("and now?")
            assert chat.answered(ANSWER)
            assert chat.leave() == 0

    assert ended_as(reflect) == [(ReplyStatus.INTERRUPTED, "Half of an answer"), (ReplyStatus.COMPLETE, ANSWER)]
