from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.batch.prompts import PromptLine
from reflectty.batch.runner import MAX_SERVER_LOSSES, BatchOptions
from reflectty.core.errors import (
    BusyError,
    ModelMissingError,
    OutputError,
    ReflecttyError,
    RefusedError,
    UnreachableError,
    UsageError,
)
from support.batch_work import Batch
from support.unsteady_engine import Fate, UnsteadyEngine


class TestOneServer:
    def test_answers_every_line(self) -> None:
        batch = Batch([UnsteadyEngine()], 50)

        assert batch.answers == {number: f"q{number}" for number in range(50)}
        assert batch.errors == {}
        assert (batch.tally.done, batch.tally.lines_left, batch.tally.tokens) == (50, 0, 50 * 66)

    @pytest.mark.parametrize("jobs", [1, 3])
    def test_gets_as_many_lines_at_once_as_jobs(self, jobs: int) -> None:
        engine = UnsteadyEngine(seconds=0.01)
        Batch([engine], 12, BatchOptions(jobs=jobs))

        assert engine.most == jobs

    def test_busy_or_cut_lines_are_retried(self) -> None:
        batch = Batch([UnsteadyEngine(Fate.BUSY, Fate.CUT, Fate.BUSY)], 1)

        assert batch.answers == {0: "q0"}
        assert batch.errors == {}

    def test_retries_are_limited(self) -> None:
        engine = UnsteadyEngine(*[Fate.BUSY] * 9)
        batch = Batch([engine], 1, BatchOptions(jobs=1, retry=2, delay=0.0))

        assert type(batch.errors[0]) is BusyError
        assert len(engine.requests) == 3

    def test_delay_doubles_with_each_retry(self) -> None:
        assert Batch([UnsteadyEngine(*[Fate.CUT] * 3)], 1, BatchOptions(jobs=1, delay=1.0)).seconds == 1 + 2 + 4

    def test_refused_line_is_not_retried(self) -> None:
        engine = UnsteadyEngine(Fate.REFUSE)
        batch = Batch([engine], 1)

        assert type(batch.errors[0]) is RefusedError
        assert len(engine.requests) == 1

    def test_failed_line_is_retried(self) -> None:
        assert Batch([UnsteadyEngine(Fate.FAIL, Fate.FAIL)], 1).answers == {0: "q0"}

    def test_rate_limit_loses_no_line(self) -> None:
        limited = [*[Fate.ANSWER] * 6, *[Fate.LIMITED] * 2]
        engine = UnsteadyEngine(*limited * 3)
        batch = Batch([engine], 20, BatchOptions(jobs=2, retry=0))

        assert batch.answers == {number: f"q{number}" for number in range(20)}
        assert batch.errors == {}
        assert batch.notes[0] == "s0 accepts no more requests: waiting 60 s, as it requested"
        assert 3 <= len(batch.notes) <= 6

    def test_rate_limit_without_a_time_backs_off(self) -> None:
        engine = UnsteadyEngine(*[Fate.LIMITED] * 5)
        engine.rest = 0.0
        batch = Batch([engine], 2, BatchOptions(jobs=1, retry=0))

        assert batch.answers == {0: "q0", 1: "q1"}
        assert [note.partition(": waiting ")[2].partition(" ")[0] for note in batch.notes] == [
            "5",
            "10",
            "20",
            "40",
            "60",
        ]

    def test_rate_limit_beyond_the_patience_is_not_waited_for(self) -> None:
        batch = Batch([UnsteadyEngine(Fate.LIMITED)], 1, BatchOptions(jobs=1, retry=0, patience=30.0))

        assert type(batch.errors[0]) is BusyError

    def test_is_waited_for_when_it_becomes_unreachable(self) -> None:
        batch = Batch([UnsteadyEngine(Fate.ANSWER, Fate.DIE)], 10)

        assert batch.answers == {number: f"q{number}" for number in range(10)}
        assert [note.partition(":")[0] for note in batch.notes] == ["s0 no longer responds", "s0 responds again"]

    def test_wait_is_limited_by_the_patience(self) -> None:
        batch = Batch([UnsteadyEngine(Fate.ANSWER, Fate.DIE)], 10, BatchOptions(jobs=1, patience=0.05, delay=5.0))

        assert type(batch.error) is UnreachableError
        assert "0.05 s" in str(batch.error)
        assert batch.answers == {0: "q0"}

    def test_line_that_crashes_it_is_given_up(self) -> None:
        engine = UnsteadyEngine(*[Fate.DIE] * MAX_SERVER_LOSSES)
        batch = Batch([engine], 3, BatchOptions(jobs=1, delay=0.0))

        assert list(batch.errors) == [0]
        assert batch.answers[1] == "q1"
        assert batch.answers[2] == "q2"

    def test_unreachable_from_the_start_is_an_error(self) -> None:
        engine = UnsteadyEngine()
        engine.gone = UnreachableError("cannot reach it")

        assert type(Batch([engine], 3).error) is UnreachableError

    def test_unreachable_without_a_named_model_is_an_error(self) -> None:
        engine = UnsteadyEngine()
        engine.gone = UnreachableError("cannot reach it")

        assert type(Batch([engine], 3, model="").error) is UnreachableError

    def test_missing_model_is_an_error(self) -> None:
        assert type(Batch([UnsteadyEngine()], 3, model="other").error) is ModelMissingError

    def test_unnamed_model_is_the_best_of_its_models(self) -> None:
        engine = UnsteadyEngine(models=("plain", "reflection"))
        batch = Batch([engine], 2, model="")

        assert {request.model for request in engine.requests} == {"reflection"}
        assert len([note for note in batch.notes if "reflection" in note]) == 1


class TestLine:
    def test_unusable_line_stops_no_other(self) -> None:
        items = [
            PromptLine(1, "", "a"),
            PromptLine(2, "", problem=UsageError("no JSON")),
            PromptLine(3, "", ""),
            PromptLine(4, "", "d"),
        ]
        batch = Batch([UnsteadyEngine()], items)

        assert {number: str(error) for number, error in batch.errors.items()} == {
            1: "no JSON",
            2: "the line has no prompt",
        }
        assert batch.answers == {0: "a", 3: "d"}

    def test_is_answered_by_the_model_that_it_names(self) -> None:
        engine = UnsteadyEngine(models=("m", "n"))
        batch = Batch(
            [engine],
            [PromptLine(1, "", "a"), PromptLine(2, "", "b", model="n"), PromptLine(3, "", "c", model="absent")],
        )

        assert {request.messages[-1].content: request.model for request in engine.requests} == {"a": "m", "b": "n"}
        assert type(batch.errors[2]) is ModelMissingError

    def test_goes_to_the_server_that_has_its_model(self) -> None:
        first, second = UnsteadyEngine(), UnsteadyEngine(models=("m", "n"))
        batch = Batch([first, second], [PromptLine(at + 1, "", f"q{at}", model="n") for at in range(6)])

        assert batch.errors == {}
        assert sorted(second.answered) == [f"q{at}" for at in range(6)]

    def test_error_names_where_its_model_is_missing(self) -> None:
        items = [PromptLine(1, "", "a", model="absent")]
        one, two = Batch([UnsteadyEngine()], items), Batch([UnsteadyEngine(), UnsteadyEngine()], items)

        assert str(one.errors[0]) == "the model absent is not installed on s0"
        assert str(two.errors[0]) == "the model absent is not installed on any server"

    def test_unwritable_record_ends_the_batch(self) -> None:
        engine = UnsteadyEngine()
        batch = Batch([engine], [PromptLine(1, "", "unwritable"), *(PromptLine(at, "", "q") for at in range(2, 99))])

        assert type(batch.error) is OutputError
        assert len(engine.requests) < 90


class TestSeveralServers:
    def test_share_the_lines_by_their_speed(self) -> None:
        slow, fast = UnsteadyEngine(seconds=0.05), UnsteadyEngine(seconds=0.005)
        batch = Batch([slow, fast], 60, BatchOptions(jobs=1))

        assert batch.errors == {}
        assert len(fast.answered) > 3 * len(slow.answered) > 0

    def test_server_without_the_model_is_excluded(self) -> None:
        first, second = UnsteadyEngine(models=("other",)), UnsteadyEngine()
        batch = Batch([first, second], 5)

        assert first.requests == []
        assert len(second.answered) == 5
        assert batch.notes == ["s0 does not have m: skipping it"]

    def test_server_that_refuses_is_excluded(self) -> None:
        first, second = UnsteadyEngine(), UnsteadyEngine()
        first.gone = RefusedError("the server refused: unauthorized")
        batch = Batch([first, second], 5)

        assert len(second.answered) == 5
        assert batch.notes == ["skipping s0: the server refused: unauthorized"]

    def test_start_without_an_unreachable_server(self) -> None:
        first, second = UnsteadyEngine(), UnsteadyEngine(seconds=0.02)
        first.gone = UnreachableError("cannot reach it")
        second.sent = lambda: setattr(first, "gone", None)
        batch = Batch([first, second], 30, BatchOptions(jobs=1, delay=0.01))

        assert batch.errors == {}
        assert len(first.answered) + len(second.answered) == 30

    def test_different_versions_of_a_model_are_noted(self) -> None:
        engines = [UnsteadyEngine(), UnsteadyEngine(), UnsteadyEngine()]
        for engine, digest in zip(engines, ("", "one", "two"), strict=True):
            engine.installed = tuple(model._replace(digest=digest) for model in engine.installed)
        batch = Batch(engines, 3)

        assert batch.notes == ["m is a different version on s2 than on s1; both are used"]
        assert batch.errors == {}

    @pytest.mark.parametrize("turned", [False, True])
    def test_error_reported_is_from_the_server_that_got_furthest(self, turned: bool) -> None:
        away, refusing, lacking = UnsteadyEngine(), UnsteadyEngine(), UnsteadyEngine(models=("other",))
        away.gone = UnreachableError("cannot reach it")
        refusing.gone = RefusedError("the server refused: unauthorized")

        def told(*engines: UnsteadyEngine) -> ReflecttyError | None:
            return Batch(engines[::-1] if turned else engines, 1).error

        assert type(told(away, refusing)) is RefusedError
        assert type(told(refusing, lacking)) is ModelMissingError

    def test_all_lacking_the_model_is_an_error(self) -> None:
        assert type(Batch([UnsteadyEngine(), UnsteadyEngine()], 1, model="x").error) is ModelMissingError


class TestConcurrency:
    def test_is_found_automatically_without_jobs(self) -> None:
        engine = UnsteadyEngine(seconds=0.02)
        batch = Batch([engine], 40, BatchOptions(jobs=0))

        assert batch.told == ["s0 answers at least 8 lines at once: sending that many (--jobs N to change)"]
        assert [batch.answers[at] for at in range(40)] == [f"q{at}" for at in range(40)]

    def test_is_not_probed_for_few_lines(self) -> None:
        engine = UnsteadyEngine()
        Batch([engine], 3, BatchOptions(jobs=0))

        assert len(engine.requests) == 3


class Script(NamedTuple):
    """The servers' behavior, and the number of lines."""

    servers: list[list[Fate]]
    lines: int
    jobs: int


SCRIPTS = st.builds(
    Script,
    st.lists(st.lists(st.sampled_from(Fate), max_size=12), min_size=1, max_size=3),
    st.integers(0, 20),
    st.integers(1, 4),
)


@given(SCRIPTS)
def test_no_line_is_lost_or_answered_twice_whatever_the_servers_do(script: Script) -> None:
    engines = [UnsteadyEngine(*does) for does in script.servers]
    batch = Batch(engines, script.lines, BatchOptions(jobs=script.jobs, retry=100, delay=0.0))
    answered = [prompt for engine in engines for prompt in engine.answered]
    complete = {number for number, outcome in batch.delivered if outcome.error is None}

    assert batch.error is None
    assert sorted(number for number, _ in batch.delivered) == list(range(script.lines))
    assert sorted(answered) == sorted(f"q{number}" for number in complete)
    assert all(batch.answers[number] == f"q{number}" for number in complete)
    assert all(engine.most <= script.jobs for engine in engines)
