from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reflectty.chat.recorder import RecordTarget
from reflectty.chat.request import Question
from reflectty.core.errors import IncompleteError, ModelMissingError, OutputError
from reflectty.core.evidence import Evidence
from reflectty.core.messages import Effort, Model
from reflectty.core.session import Readings
from reflectty.evaluation.arm_column import ArmColumn, step_label
from reflectty.evaluation.arm_recorders import ArmRecorders
from reflectty.evaluation.arms import parse_arm, parse_arms
from reflectty.evaluation.comparison import Asker, compare, find_models, make_runs, usual_arms
from reflectty.reasoning.modes import AskOptions
from reflectty.store import open_store
from reflectty.system.terminal import Sink
from reflectty.system.theme import TERMINAL_THEME
from reflectty.view.parts import Scene
from reflectty.view.reply_column import ReplyColumn
from reflectty.view.rows import palette_for, text_of_row
from support.fakes import FakeRenderer
from support.scripted_engine import HOLD, ScriptedEngine, cut, thoughts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reflectty.core.session import Turn
    from reflectty.evaluation.comparison import ArmRun, FoundModels
    from support.scripted_engine import Script

REFLECTION, R1 = "reflection", "deepseek-r1"
THINKS = (*thoughts("11 is more.\n", "Wait, no: 9.90.\n"), "9.9")
TAGGED = cut("<thinking>\n11.\n<reflection>\nNo.\n</reflection>\n</thinking>\n<output>\n9.9\n</output>")


def question(model: str = REFLECTION, **values: object) -> Question:
    return Question("Which?", AskOptions(model=model).override(**values))


class Compared:
    """A comparison that has ended."""

    def __init__(
        self, arms: str, *scripts: Script, asked: Question | None = None, recorders: ArmRecorders | None = None
    ) -> None:
        self.engine = ScriptedEngine(*scripts)
        self.notes: list[str] = []
        self.runs: Sequence[ArmRun] = ()
        asyncio.run(self._compare(arms, asked or question(), recorders))

    async def _compare(self, arms: str, asked: Question, recorders: ArmRecorders | None) -> None:
        parsed = parse_arms([arms])
        self.runs = make_runs(parsed, await find_models(self.engine, asked, parsed, self.notes.append))
        make = recorders.make if recorders else lambda *_: None
        await compare(Asker(self.engine, asked, make), self.runs)
        if recorders:
            recorders.close()


def test_every_arm_asks_the_question_in_its_own_way() -> None:
    found = Compared("direct,cot,think", ("42",), ("42",), THINKS, asked=question(R1))

    assert [request.messages[-1].content.splitlines()[0] for request in found.engine.requests] == ["Which?"] * 3
    assert [request.think for request in found.engine.requests] == [False, False, True]
    assert "step by step" in found.engine.requests[1].messages[-1].content
    assert found.engine.requests[2].messages[-1].content == "Which?"
    assert not any("Answer:" in request.messages[-1].content for request in found.engine.requests)


def test_figures_of_an_arm_are_those_of_all_its_replies() -> None:
    revised, reflected = Compared("revise,reflect", ("41",), TAGGED, ("42",)).runs

    assert [reply.answer for reply in revised.replies] == ["41", "42"]
    assert revised.tokens == 132
    assert revised.seconds == 3.0
    assert (reflected.tokens, reflected.corrections) == (66, 1)


def test_second_thoughts_of_an_arm_are_read() -> None:
    _, thinking = Compared("cot,think", ("9.11",), THINKS, asked=question(R1)).runs

    assert thinking.readings == Readings(corrections=1)


def test_arm_that_fails_keeps_its_error_and_the_others_go_on() -> None:
    failing, other = Compared("cot,reflect", ("One", IncompleteError("the connection was lost")), TAGGED).runs

    assert str(failing.error) == "the connection was lost"
    assert failing.replies[0].answer == "One"
    assert other.error is None
    assert other.is_over


def test_model_that_is_missing_fails_its_arms_alone() -> None:
    missing, other = Compared("cot@gone,cot@reflection", ("42",)).runs

    assert isinstance(missing.error, ModelMissingError)
    assert missing.is_over
    assert other.error is None


def test_models_that_are_all_missing_raise_the_first_error() -> None:
    with pytest.raises(ModelMissingError, match="gone"):
        Compared("cot@gone,cot@lost")


def test_arms_of_one_model_are_asked_at_once() -> None:
    async def asked_while_held() -> int:
        engine, both = ScriptedEngine(("a", HOLD), ("b", HOLD)), asyncio.Event()
        engine.sent = lambda: both.set() if len(engine.requests) > 1 else None
        arms = parse_arms(["cot,reflect"])
        runs = make_runs(arms, await find_models(engine, question(), arms, lambda _: None))
        task = asyncio.create_task(compare(Asker(engine, question(), lambda *_: None), runs))
        await both.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return len(engine.requests)

    assert asyncio.run(asked_while_held()) == 2


def test_different_models_are_asked_one_after_the_other_and_a_stop_ends_all() -> None:
    async def stopped() -> tuple[ScriptedEngine, Sequence[ArmRun]]:
        engine = ScriptedEngine(("a", HOLD))
        arms = parse_arms(["cot@reflection,cot@mini"])
        runs = make_runs(arms, await find_models(engine, question(), arms, lambda _: None))
        runs[0].renderer = shown = FakeRenderer()
        task = asyncio.create_task(compare(Asker(engine, question(), lambda *_: None), runs))
        await shown.begun.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return engine, runs

    engine, (first, second) = asyncio.run(stopped())

    assert len(engine.requests) == 1
    assert (first.is_stopped, first.replies[0].answer) == (True, "a")
    assert (second.is_stopped, second.replies) == (True, [])


def test_error_of_the_output_ends_the_comparison() -> None:
    async def run() -> None:
        engine = ScriptedEngine(("a",), ("b",))
        arms = parse_arms(["cot,reflect"])
        runs = make_runs(arms, await find_models(engine, question(), arms, lambda _: None))
        runs[1].renderer = FakeRenderer(OutputError("cannot write the answer: disk full"))
        await compare(Asker(engine, question(), lambda *_: None), runs)

    with pytest.raises(OutputError, match="disk full"):
        asyncio.run(run())


def test_deadline_is_that_of_the_whole_comparison() -> None:
    asked = question()._replace(deadline=0.05)
    first, second = Compared("cot@reflection,cot@mini", ("a", HOLD), asked=asked).runs

    assert (first.error and first.error.exit_code, second.error and second.error.exit_code) == (8, 8)
    assert second.replies == []


def test_effort_of_the_settings_is_that_of_thinking_arms_alone() -> None:
    asked = question(R1, effort=Effort.LOW)
    found = Compared("cot,think,think:high", ("a",), THINKS, THINKS, asked=asked)

    assert [request.think for request in found.engine.requests] == [False, Effort.LOW, Effort.HIGH]


@pytest.mark.parametrize(
    ("names", "arms"),
    [
        ((R1,), ["cot@deepseek-r1", "think@deepseek-r1"]),
        (("llama3",), ["cot@llama3", "reflect@llama3"]),
        (("qwen3",), ["cot@qwen3", "think:high@qwen3"]),
        (("phi3",), ["cot@phi3", "reflect@phi3"]),
        ((R1, "llama3", "gone"), ["think@deepseek-r1", "reflect@llama3", "think@gone"]),
    ],
)
def test_arms_that_nobody_names_are_step_by_step_and_what_each_model_does_by_itself(
    names: tuple[str, ...], arms: list[str]
) -> None:
    models: FoundModels = {
        R1: Model(R1, ("completion", "thinking")),
        "llama3": Model("llama3", ("completion",)),
        "qwen3": Model("qwen3", ("completion", "thinking")),
        "phi3": Model("phi3", ("completion",)),
        "gone": ModelMissingError("gone"),
    }
    seen = (("qwen3", Evidence("native", "high")), ("phi3", Evidence("direct")))
    asked = Question("Which?", AskOptions(evidence=seen))
    found = asyncio.run(usual_arms(ScriptedEngine(), asked, {name: models[name] for name in names}))

    assert [arm.name for arm in found] == arms


@pytest.mark.parametrize(
    ("arm", "number", "label"),
    [("cot", 1, ""), ("vote-5", 2, "answer 2 of 5"), ("revise", 1, ""), ("revise", 2, "asked to review its answer")],
)
def test_replies_of_an_arm_are_labelled_where_it_has_several(arm: str, number: int, label: str) -> None:
    assert step_label(parse_arm(arm), number) == label


def column_text(run: ArmRun) -> str:
    column = ReplyColumn(run.arm.name)
    ArmColumn(run, column, lambda: None, lambda _: None)
    column.lay_out(Scene(palette_for(TERMINAL_THEME, Sink(None), can_redraw=False), 60, 24, is_printed=True))
    run.close()
    return "\n".join(map(text_of_row, column.all_rows()))


def test_column_of_an_arm_that_could_not_begin_has_the_error_with_its_hint() -> None:
    run = make_runs([parse_arm("cot@gone")], {"gone": ModelMissingError("the model gone is not installed", "pull it")})

    assert "! the model gone is not installed (pull it)" in column_text(run[0])


def turns(path: Path, session: str) -> tuple[Turn, ...]:
    store = open_store(path, pytest.fail)
    try:
        return store.turns(session)
    finally:
        store.close()


def test_replies_are_branches_of_one_question_named_by_their_arms(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    recorders = ArmRecorders(lambda warn: open_store(path, warn), RecordTarget("Which?"))
    Compared("cot,reflect", ("9.11",), TAGGED, recorders=recorders)
    asked, *replies = turns(path, recorders.session)

    assert asked.text == "Which?"
    assert {(turn.parent, turn.label, turn.said and turn.said.answer) for turn in replies} == {
        (asked.id, "cot", "9.11"),
        (asked.id, "reflect", "9.9"),
    }


def test_review_is_a_turn_below_the_reply_that_it_reviews(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    recorders = ArmRecorders(lambda warn: open_store(path, warn), RecordTarget("Which?"))
    Compared("revise,vote-3", ("1",), ("2",), ("3",), ("4",), ("5",), recorders=recorders)
    found = turns(path, recorders.session)
    top = [turn for turn in found if turn.parent == found[0].id]
    (review,) = [turn for turn in found if turn.said is None and turn.id != found[0].id]

    assert sorted(turn.label for turn in top) == ["", "", "revise", "vote-3"]
    assert review.text.startswith("Review your answer")
    assert review.parent in {turn.id for turn in top if turn.label == "revise"}
    assert len(found) == 7


def test_comparison_that_asked_nothing_leaves_no_session(tmp_path: Path) -> None:
    recorders = ArmRecorders(lambda warn: open_store(tmp_path / "sessions.db", warn), RecordTarget("Which?"))
    recorders.close()

    assert recorders.session == ""
    assert not (tmp_path / "sessions.db").exists()
