"""Tests of the statistics over stored thoughts."""

from __future__ import annotations

import pytest

from reflectty.core.segments import Kind
from reflectty.core.session import Readings, ReplyMetrics, ReplyStatus, StoredReply
from reflectty.reasoning.thought_statistics import Distribution, SimulatedEnds, StatisticsByModel, distribution_of

STOOD = "The answer is 18. The answer is 18. The answer is 18.\n"
ON = "I look at the question once more, at each word of it and at each number. "


def reply(thinking: str, answer: str = "Answer: 18", model: str = "one", **values: object) -> StoredReply:
    measured = values.pop("measured", ReplyMetrics(thinking_tokens=100))
    segments = ((Kind.THINKING, thinking), (Kind.ANSWER, answer))
    stored = StoredReply(model, segments=segments, answer=answer, ended=ReplyStatus.COMPLETE)
    return stored._replace(measured=measured, **values)  # type: ignore[arg-type]


def counted(*replies: StoredReply) -> StatisticsByModel:
    found = StatisticsByModel()
    for one in replies:
        found.add(one)
    return found


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Distribution(0, 0, 0)),
        ([4], Distribution(4, 4, 4)),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], Distribution(5.5, 5.5, 9)),
        ([10, 1], Distribution(5.5, 5.5, 10)),
    ],
)
def test_distributions(values: list[float], expected: Distribution) -> None:
    assert distribution_of(values) == expected


@pytest.mark.parametrize(
    ("answer", "ended", "expected"),
    [
        ("Answer: 18", "", SimulatedEnds(1, 1, same=1, tokens=100, saved=50)),
        ("Answer: 17", "", SimulatedEnds(1, 1, different=1, tokens=100, saved=50)),
        ("It depends on the ducks.\n\nMany of them lay eggs.", "", SimulatedEnds(1, 1, unread=1, tokens=100, saved=50)),
        ("Answer: 18", "budget", SimulatedEnds()),
    ],
)
def test_an_end_at_the_standing_answer_is_simulated(answer: str, ended: str, expected: SimulatedEnds) -> None:
    thinking = STOOD + "x" * (len(STOOD) - 2)
    measured = ReplyMetrics(thinking_tokens=100, ended_by=ended)
    assert counted(reply(thinking, answer, measured=measured)).all.simulated_ends == expected


def test_an_answer_that_did_not_stand_saves_nothing() -> None:
    found = counted(reply(f"The answer is 18. {ON * 3}")).all
    assert found.simulated_ends == SimulatedEnds(1, tokens=100)
    assert (found.settled, found.complete) == (1, 1)
    assert found.settled_share < 0.1
    assert found.tokens_after.median > 90


def test_replies_are_counted_by_model() -> None:
    found = counted(
        reply(STOOD, measured=ReplyMetrics(10, readings=Readings(1, 2, 3))),
        reply(STOOD, measured=ReplyMetrics(30, readings=Readings(0, 1, 0), ended_by="loop")),
        reply("x", model="two", ended=ReplyStatus.INTERRUPTED),
        reply(" ", model="three"),
    )
    assert [(name, one.replies) for name, one in found.models] == [("one", 2), ("two", 1)]
    one, all_of_them = found.models[0][1], found.all
    assert (one.tokens.mean, one.readings, one.repeated, one.ended) == (20, Readings(1, 3, 3), 1, {"loop": 1})
    assert (all_of_them.replies, all_of_them.complete, all_of_them.tokens.p90) == (3, 2, 100)


def test_second_thoughts_that_were_not_counted_are_read() -> None:
    found = counted(reply(f"{ON}\n\nWait, that's wrong, it is 17.\n\n{ON}")).all
    assert found.readings.corrections == 1


def test_a_thinking_that_repeats_itself_is_counted() -> None:
    assert counted(reply("But the sum is wrong, so I add the numbers again. I said so before. " * 30)).all.repeated == 1
