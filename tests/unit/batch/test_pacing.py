from __future__ import annotations

import pytest

from reflectty.batch.prompts import PromptLine
from reflectty.batch.runner import BatchOptions, estimate_tokens
from reflectty.chat.request import Question
from reflectty.core.errors import CrowdedError
from reflectty.reasoning.modes import AskOptions
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


class TestServerThatReportsItsQueue:
    def test_reaches_full_concurrency_within_seconds(self) -> None:
        engine = QueueingEngine(999)
        batch = Batch([engine], 256, FIND_OUT)

        assert len(batch.answers) == 256
        assert engine.most == 64
        assert batch.seconds < 7.0
        assert batch.told == ["s0 answers at least 64 lines at once: sending that many (--jobs N to change)"]
        assert len(engine.requests) == 256

    @pytest.mark.parametrize("slots", [1, 2, 12])
    def test_concurrency_stays_near_its_slots(self, slots: int) -> None:
        engine = QueueingEngine(slots)
        batch = Batch([engine], 20 * slots, FIND_OUT)

        assert len(batch.answers) == 20 * slots
        assert engine.most <= 2 * slots
        assert batch.seconds < 24.0
        told = "answers one line at a time" if slots == 1 else f"answers {slots} lines at once: sending that many (--jobs N to change)"  # fmt: skip
        assert f"s0 {told}" in batch.told


class TestServerWithoutQueueReports:
    @pytest.mark.parametrize(("slots", "most", "seconds"), [(64, 64, 12.0), (16, 64, 22.0), (4, 16, 75.0)])
    def test_concurrency_is_found_from_lines_alone(self, slots: int, most: int, seconds: float) -> None:
        engine = PacedEngine(slots)
        batch = Batch([engine], 256, FIND_OUT)

        assert len(batch.answers) == len(engine.requests) == 256
        assert engine.most == most
        assert batch.seconds < seconds

    def test_falls_back_to_one_line_if_more_are_not_faster(self) -> None:
        engine = PacedEngine(1)
        batch = Batch([engine], 40, FIND_OUT)

        assert batch.told == ["s0 is fastest with 1 line at once: using that (--jobs N to change)"]
        assert engine.most == 4

    @pytest.mark.parametrize("counts", [True, False])
    def test_concurrency_drops_once_the_server_takes_no_more(self, counts: bool) -> None:
        engine = LimitedEngine(5, counts=counts)
        batch = Batch([engine], 100, BatchOptions(jobs=0, retry=9, delay=0.0))

        assert batch.errors == {}
        assert len(engine.requests) < 130

    @pytest.mark.parametrize("jobs", [1, 5, 64])
    def test_explicit_jobs_are_used(self, jobs: int) -> None:
        engine = PacedEngine(4)
        Batch([engine], 100, BatchOptions(jobs=jobs, delay=0.0))

        assert engine.most == jobs


class TestProbedServer:
    def test_uncertain_probe_is_not_taken_for_one_slot(self) -> None:
        engine = SlottedEngine(999)
        batch = Batch([engine], 256, FIND_OUT)

        assert len(batch.answers) == 256
        assert engine.most >= 32
        assert batch.seconds < 20.0


class TestSharedContext:
    def test_concurrency_is_limited_to_what_fits(self) -> None:
        engine = SharingEngine(4, 2048)
        batch = Batch([engine], long_lines(8, 700), FIND_OUT)

        assert batch.errors == {}
        assert len(batch.answers) == 8
        assert engine.crowded == 0
        assert 1 <= engine.most <= 2

    @pytest.mark.parametrize("jobs", [0, 4, 16])
    @pytest.mark.parametrize("tells", [True, False])
    def test_all_lines_are_answered_despite_wrong_estimates(self, jobs: int, tells: bool) -> None:
        engine = SharingEngine(4, 1100, tells=tells)
        batch = Batch([engine], long_lines(30, 500), BatchOptions(jobs=jobs, delay=0.0))

        assert batch.errors == {}
        assert len(batch.answers) == 30
        assert engine.crowded < 40

    def test_explicit_jobs_are_used_while_replies_fit(self) -> None:
        engine = SharingEngine(8, 1000)
        batch = Batch([engine], 40, BatchOptions(jobs=8, delay=0.0))

        assert (engine.most, engine.crowded, len(batch.answers)) == (8, 0, 40)

    def test_reduced_concurrency_is_noted(self) -> None:
        engine = SharingEngine(4, 1100, tells=False)
        batch = Batch([engine], long_lines(20, 800), BatchOptions(jobs=4, delay=0.0))

        assert batch.notes == [
            f"s0: concurrent replies filled its context: {number} at a time from now on"
            for number in ("2 lines", "1 line")
        ]

    def test_lines_that_do_not_fit_alone_fail_after_their_retries(self) -> None:
        engine = SharingEngine(4, 600)
        batch = Batch([engine], long_lines(3, 700), BatchOptions(jobs=0, retry=2, delay=0.0))

        assert {type(error) for error in batch.errors.values()} == {CrowdedError}
        assert len(batch.errors) == 3
        assert engine.crowded == 9

    def test_short_lines_use_all_slots(self) -> None:
        engine = SharingEngine(4, 8192)
        batch = Batch([engine], 40, FIND_OUT)

        assert (engine.most, engine.crowded, len(batch.answers)) == (4, 0, 40)
        assert batch.told == ["s0 answers 4 lines at once: sending that many (--jobs N to change)"]


@pytest.mark.parametrize(
    ("question", "mean", "least", "most"),
    [
        (Question("word " * 700), 0.0, 700, 2500),
        (Question("word " * 700), 100.0, 800, 1700),
        (Question("q", AskOptions(options=(("num_predict", 4000),))), 100.0, 4000, 4500),
        (Question("q", AskOptions(options=(("num_predict", -1),))), 100.0, 100, 500),
        (Question("字" * 700), 0.0, 700, 2500),
        (Question("\udc80" * 9), 0.0, 100, 2500),
    ],
)
def test_token_estimate_stays_within_bounds(question: Question, mean: float, least: int, most: int) -> None:
    assert least <= estimate_tokens(question, mean) <= most
