from __future__ import annotations

import pytest

from reflectty.batch.prompts import PromptLine
from reflectty.batch.runner import BatchOptions, estimate_tokens
from reflectty.chat.request import Question
from reflectty.core.errors import CrowdedError
from support.batch_work import Batch
from support.sharing_engines import (
    LimitedEngine,
    PacedEngine,
    QueueingEngine,
    SharingEngine,
    SlottedEngine,
)

FIND_OUT = BatchOptions(jobs=0, delay=0.0)


def long_lines(number: int, tokens: int) -> list[PromptLine]:
    return [PromptLine(at + 1, "", "word" * tokens) for at in range(number)]


class TestAServerThatTellsItsQueue:
    def test_is_asked_all_that_it_takes_within_seconds(self) -> None:
        engine = QueueingEngine(999)
        batch = Batch([engine], 256, FIND_OUT)

        assert len(batch.answers) == 256
        assert engine.most == 64
        assert batch.seconds < 7.0
        assert batch.told == ["s0 answers at least 64 lines at once: sending that many (--jobs N to change)"]
        assert len(engine.requests) == 256

    @pytest.mark.parametrize("slots", [1, 2, 12])
    def test_is_asked_no_more_than_it_answers(self, slots: int) -> None:
        engine = QueueingEngine(slots)
        batch = Batch([engine], 20 * slots, FIND_OUT)

        assert len(batch.answers) == 20 * slots
        assert engine.most <= 2 * slots
        assert batch.seconds < 24.0
        told = "answers one line at a time" if slots == 1 else f"answers {slots} lines at once: sending that many (--jobs N to change)"  # fmt: skip
        assert f"s0 {told}" in batch.told


class TestAServerThatTellsNothing:
    @pytest.mark.parametrize(("slots", "most", "seconds"), [(64, 64, 12.0), (16, 64, 22.0), (4, 16, 75.0)])
    def test_is_measured_by_the_lines_alone(self, slots: int, most: int, seconds: float) -> None:
        engine = PacedEngine(slots)
        batch = Batch([engine], 256, FIND_OUT)

        assert len(batch.answers) == len(engine.requests) == 256
        assert engine.most == most
        assert batch.seconds < seconds

    def test_is_asked_one_at_a_time_again_where_more_are_not_faster(self) -> None:
        engine = PacedEngine(1)
        batch = Batch([engine], 40, FIND_OUT)

        assert batch.told == ["s0 is fastest with 1 line at once: using that (--jobs N to change)"]
        assert engine.most == 4

    @pytest.mark.parametrize("counts", [True, False])
    def test_is_asked_fewer_once_it_takes_no_more(self, counts: bool) -> None:
        engine = LimitedEngine(5, counts=counts)
        batch = Batch([engine], 100, BatchOptions(jobs=0, retry=9, delay=0.0))

        assert batch.errors == {}
        assert len(engine.requests) < 130

    @pytest.mark.parametrize("jobs", [1, 5, 64])
    def test_is_asked_as_many_as_were_wished(self, jobs: int) -> None:
        engine = PacedEngine(4)
        Batch([engine], 100, BatchOptions(jobs=jobs, delay=0.0))

        assert engine.most == jobs


class TestAServerThatIsProbed:
    def test_is_not_believed_to_answer_one_at_a_time_where_that_is_not_sure(self) -> None:
        engine = SlottedEngine(999)
        batch = Batch([engine], 256, FIND_OUT)

        assert len(batch.answers) == 256
        assert engine.most >= 32
        assert batch.seconds < 20.0


class TestRepliesThatShareAContext:
    def test_are_asked_for_as_they_fit(self) -> None:
        engine = SharingEngine(4, 2048)
        batch = Batch([engine], long_lines(8, 700), FIND_OUT)

        assert batch.errors == {}
        assert len(batch.answers) == 8
        assert engine.crowded == 0
        assert 1 <= engine.most <= 2

    @pytest.mark.parametrize("jobs", [0, 4, 16])
    @pytest.mark.parametrize("tells", [True, False])
    def test_are_all_had_in_the_end_whatever_was_estimated(self, jobs: int, tells: bool) -> None:
        engine = SharingEngine(4, 1100, tells=tells)
        batch = Batch([engine], long_lines(30, 500), BatchOptions(jobs=jobs, delay=0.0))

        assert batch.errors == {}
        assert len(batch.answers) == 30
        assert engine.crowded < 40

    def test_are_as_many_as_were_wished_as_long_as_that_goes_well(self) -> None:
        engine = SharingEngine(8, 1000)
        batch = Batch([engine], 40, BatchOptions(jobs=8, delay=0.0))

        assert (engine.most, engine.crowded, len(batch.answers)) == (8, 0, 40)

    def test_are_told_to_be_too_many(self) -> None:
        engine = SharingEngine(4, 1100, tells=False)
        batch = Batch([engine], long_lines(20, 800), BatchOptions(jobs=4, delay=0.0))

        assert batch.notes == [
            f"s0: concurrent replies filled its context: {number} at a time from now on"
            for number in ("2 lines", "1 line")
        ]

    def test_that_do_not_fit_alone_fail_after_their_tries(self) -> None:
        engine = SharingEngine(4, 600)
        batch = Batch([engine], long_lines(3, 700), BatchOptions(jobs=0, retry=2, delay=0.0))

        assert {type(error) for error in batch.errors.values()} == {CrowdedError}
        assert len(batch.errors) == 3
        assert engine.crowded == 9

    def test_of_short_lines_are_as_many_as_there_are_slots(self) -> None:
        engine = SharingEngine(4, 8192)
        batch = Batch([engine], 40, FIND_OUT)

        assert (engine.most, engine.crowded, len(batch.answers)) == (4, 0, 40)
        assert batch.told == ["s0 answers 4 lines at once: sending that many (--jobs N to change)"]


@pytest.mark.parametrize(
    ("question", "mean", "least", "most"),
    [
        (Question("word " * 700), 0.0, 700, 2500),
        (Question("word " * 700), 100.0, 800, 1700),
        (Question("q", options=(("num_predict", 4000),)), 100.0, 4000, 4500),
        (Question("q", options=(("num_predict", -1),)), 100.0, 100, 500),
        (Question("字" * 700), 0.0, 700, 2500),
        (Question("\udc80" * 9), 0.0, 100, 2500),
    ],
)
def test_a_line_is_guessed_to_have_rather_more_tokens_than_it_has(
    question: Question, mean: float, least: int, most: int
) -> None:
    assert least <= estimate_tokens(question, mean) <= most
