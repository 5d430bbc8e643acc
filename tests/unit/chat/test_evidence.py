"""Evidence in a question: used and cited for the model that was measured, stale once the model has changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reflectty.chat.request import Question
from reflectty.chat.run import ask
from reflectty.core.budget import Budget
from reflectty.core.errors import UnreachableError
from reflectty.core.evidence import Evidence
from reflectty.core.messages import Effort, Model
from reflectty.reasoning.modes import AskOptions, Mode
from support.fakes import FakeRecorder, FakeRenderer
from support.scripted_engine import ScriptedEngine, thoughts

if TYPE_CHECKING:
    from pathlib import Path

NAME = "deepseek-r1"
SEEN = Evidence(
    "native", "low", gain=12, low=5, high=19, n=200, baseline="cot", date="2026-11-30", digest="3", set_name="sums"
)
CITED = "note thinking with effort low: +12 points over step by step (+5 to +19; n = 200, 2026-11-30); --mode overrules"
STALE = (
    f"note the evidence for {NAME} of 2026-11-30 is not used, because the model has changed:"
    f" `reflect eval run sums --arms cot,think:low -m {NAME}` measures again"
)


class ListingEngine(ScriptedEngine):
    """An engine whose `show` has no digest, as Ollama's; it counts how often its models are listed."""

    def __init__(self, *scripts: tuple[str, ...], digest: str = "sha256:3", lists: bool = True) -> None:
        super().__init__(*(thoughts("Hm. ") + script for script in scripts))
        self.installed = (Model(NAME, ("completion", "thinking"), digest=digest),)
        self.manages_models = lists
        self.listed = 0

    async def show(self, name: str) -> Model:
        return (await super().show(name))._replace(digest="")

    async def models(self) -> tuple[Model, ...]:
        self.listed += 1
        return await super().models()


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def question_with(evidence: Evidence, **changes: object) -> Question:
    options = AskOptions(model=NAME, evidence=((NAME, evidence),)).override(**changes)
    return Question("Which?", options)


def asked(engine: ListingEngine, question: Question) -> list[str]:
    """Ask, and return what was noted."""
    shown = FakeRenderer()
    asyncio.run(ask(engine, question, shown, first_time=lambda _: False))
    return [text for text in shown.told if text.startswith("note ")]


def test_evidence_is_used_and_cited_once_a_day() -> None:
    engine = ListingEngine(("9.9",), ("9.9",))

    assert [asked(engine, question_with(SEEN)) for _ in range(2)] == [[CITED], []]
    assert [request.think for request in engine.requests] == [Effort.LOW, Effort.LOW]


def test_a_reply_by_evidence_is_recorded_with_its_way_and_digest_by_one_list() -> None:
    engine, shown = ListingEngine(("9.9",)), FakeRenderer()
    kept = FakeRecorder(shown.told)
    asyncio.run(ask(engine, question_with(SEEN), shown, first_time=lambda _: False, recorder=kept))

    assert kept.said is not None
    assert (kept.said.mode, kept.said.effort, kept.said.digest) == ("native", "low", "sha256:3")
    assert engine.listed == 1


def test_evidence_for_a_changed_model_is_not_used_and_the_user_is_told() -> None:
    engine = ListingEngine(("9.9",), ("9.9",), digest="sha256:4")

    assert [asked(engine, question_with(SEEN)) for _ in range(2)] == [[STALE], []]
    assert [request.think for request in engine.requests] == [True, True]


def test_a_second_change_of_the_model_is_told_again() -> None:
    notes = [asked(ListingEngine(("9.9",), digest=digest), question_with(SEEN)) for digest in ("4", "4", "5")]

    assert notes == [[STALE], [], [STALE]]


@pytest.mark.parametrize("lists", [True, False])
def test_a_digest_that_no_server_reports_is_not_held_against_evidence(lists: bool) -> None:
    engine = ListingEngine(("9.9",), digest="", lists=lists)

    assert asked(engine, question_with(SEEN)) == [f"{CITED}; whether the model has changed cannot be checked"]
    assert (engine.requests[0].think, engine.listed) == (Effort.LOW, int(lists))


def test_a_list_that_fails_does_not_cost_the_answer() -> None:
    class Failing(ListingEngine):
        async def models(self) -> tuple[Model, ...]:
            raise UnreachableError("gone")

    assert asked(Failing(("9.9",)), question_with(SEEN)) == [
        f"{CITED}; whether the model has changed cannot be checked"
    ]


def test_evidence_without_a_digest_asks_for_no_list() -> None:
    engine = ListingEngine(("9.9",))

    assert asked(engine, question_with(SEEN._replace(digest=""))) == [CITED]
    assert engine.listed == 0


@pytest.mark.parametrize(
    ("changes", "think"),
    [
        ({"mode": Mode.NATIVE}, True),
        ({"mode": Mode.DIRECT}, False),
        ({"effort": Effort.HIGH}, Effort.HIGH),
        ({"budget": Budget(2000)}, True),
        ({"mode": Mode.AUTO}, Effort.LOW),
    ],
)
def test_what_the_user_says_precedes_evidence(changes: dict[str, object], think: bool | Effort) -> None:
    engine = ListingEngine(("9.9",))
    noted = asked(engine, question_with(SEEN, **changes))

    assert engine.requests[0].think == think
    assert bool(noted) is (think is Effort.LOW)


def test_evidence_for_another_model_changes_nothing() -> None:
    engine = ListingEngine(("9.9",))
    options = AskOptions(model=NAME, evidence=(("qwen3:8b", SEEN),))

    assert asked(engine, Question("Which?", options)) == []
    assert (engine.requests[0].think, engine.listed) == (True, 0)


def test_only_stale_evidence_is_noted_where_nothing_but_the_answer_is_wanted() -> None:
    quiet = question_with(SEEN)._replace(announce=False)

    assert asked(ListingEngine(("9.9",)), quiet) == []
    assert asked(ListingEngine(("9.9",), digest="4"), quiet) == [STALE]


def test_a_budget_of_the_run_is_used_and_without_one_the_budget_of_the_settings_stays() -> None:
    limits = AskOptions(model=NAME, budgets=(("", Budget(500)),))
    engine = ListingEngine(("9.9",), ("9.9",))
    for evidence in (SEEN._replace(budget="2000"), SEEN):
        asked(engine, Question("Which?", limits._replace(evidence=((NAME, evidence),))))

    assert [request.thinking_budget for request in engine.requests] == [2000, 500]


def test_a_prompt_to_reflect_that_has_proved_itself_is_not_advised_against() -> None:
    engine, shown = ListingEngine(("<output>9.9</output>",)), FakeRenderer()
    evidence = SEEN._replace(mode="reflect", effort="")
    asyncio.run(ask(engine, question_with(evidence), shown, first_time=lambda _: True))
    notes = [text for text in shown.told if text.startswith("note ")]

    assert len(notes) == 1
    assert notes[0].startswith("note a prompt to reflect: +12 points")
