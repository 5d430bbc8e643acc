from __future__ import annotations

import pytest

from reflectty.chat.request import Question
from reflectty.core.errors import UsageError
from reflectty.core.messages import Model
from reflectty.evaluation.arms import parse_arms
from reflectty.evaluation.items import Item, ItemSet
from reflectty.evaluation.plan import (
    BLOCK,
    RunLimits,
    RunPlan,
    context_for,
    default_arms,
    manifest_of,
    refuse_changed_models,
    refuse_impossible_arms,
    setup_of,
)
from reflectty.evaluation.run_writer import RunContent
from reflectty.reasoning.stated_answers import AnswerKind

PLAIN = Model("plain:1b", ("completion",), context_length=8192)
THINKER = Model("thinker:8b", ("completion", "thinking"), context_length=40960)
ITEMS = tuple(Item(f"q{at}", "What is it?", "1", AnswerKind.NUMBER) for at in range(2 * BLOCK + 3))


def plan_for(arms: str, models: tuple[str, ...] = (), done: frozenset[tuple[str, str]] = frozenset()) -> RunPlan:
    parsed = parse_arms([arms], models)
    setups = tuple(setup_of(arm, THINKER, (), RunLimits(100, 2048), "") for arm in parsed)
    manifest = manifest_of(ItemSet("mine", ITEMS), setups, 5, THINKER)
    return RunPlan(RunContent(manifest, ITEMS, done), parsed, Question(""))


def test_questions_go_through_all_arms_one_after_the_other() -> None:
    keys = [task.key for task in plan_for("cot,think").tasks()]
    assert keys[:4] == [("q0", "cot"), ("q0", "think"), ("q1", "cot"), ("q1", "think")]
    assert len(keys) == plan_for("cot,think").total == 2 * len(ITEMS)


def test_models_take_turns_in_blocks() -> None:
    keys = [task.key for task in plan_for("cot", ("a", "b")).tasks()]
    assert [arm for _, arm in keys[: 2 * BLOCK]] == ["cot@a"] * BLOCK + ["cot@b"] * BLOCK
    assert len(set(keys)) == len(keys) == 2 * len(ITEMS)
    assert keys[-3:] == [(f"q{at}", "cot@b") for at in range(2 * BLOCK, 2 * BLOCK + 3)]


def test_what_is_done_is_not_asked_again() -> None:
    keys = [task.key for task in plan_for("cot,think", done=frozenset({("q0", "cot"), ("q1", "think")})).tasks()]
    assert keys[:3] == [("q0", "think"), ("q1", "cot"), ("q2", "cot")]


def test_a_question_has_its_own_seed_whatever_was_done_before() -> None:
    whole = {task.key: task.seed for task in plan_for("cot").tasks()}
    rest = {task.key: task.seed for task in plan_for("cot", done=frozenset({("q0", "cot")})).tasks()}
    assert whole["q4", "cot"] == rest["q4", "cot"] == 9
    task = next(plan_for("think").tasks())
    assert dict(plan_for("think").question_of(task).ask_options.options) == {
        "num_predict": 100,
        "num_ctx": 2048,
        "seed": 5,
    }


@pytest.mark.parametrize(
    ("arm", "given", "expected"),
    [
        ("cot", (), {"num_predict": 100, "num_ctx": 2048, "temperature": 0}),
        ("think", (), {"num_predict": 100, "num_ctx": 2048}),
        ("vote-3", (), {"num_predict": 100, "num_ctx": 2048, "temperature": 0.7}),
        ("cot", (("temperature", 0.3), ("num_ctx", 4096)), {"num_predict": 100, "num_ctx": 4096, "temperature": 0.3}),
    ],
)
def test_a_thinking_arm_has_the_sampling_of_its_model_and_given_options_win(
    arm: str, given: tuple[tuple[str, float], ...], expected: dict[str, float]
) -> None:
    setup = setup_of(parse_arms([arm])[0], THINKER, given, RunLimits(100, 2048), "abc")
    assert dict(setup.options) == expected
    assert (setup.model, setup.digest) == ("thinker:8b", "abc")


def test_a_model_that_does_not_think_has_no_arm_think() -> None:
    with pytest.raises(UsageError, match=r"plain:1b does not think by itself"):
        refuse_impossible_arms(parse_arms(["cot,think"]), {"": PLAIN})
    refuse_impossible_arms(parse_arms(["cot,think,reflect,revise"]), {"": THINKER})


@pytest.mark.parametrize(("model", "names"), [(PLAIN, ["cot", "reflect"]), (THINKER, ["cot", "think"])])
def test_by_default_the_baseline_stands_beside_what_the_model_is_best_at(model: Model, names: list[str]) -> None:
    assert [arm.name for arm in default_arms(model)] == names


@pytest.mark.parametrize(
    ("arms", "max_tokens", "model", "context"),
    [("cot", 1000, THINKER, 4096), ("cot,revise", 4096, THINKER, 11264), ("cot,revise", 4096, PLAIN, 8192)],
)
def test_one_context_holds_every_question_and_reply(arms: str, max_tokens: int, model: Model, context: int) -> None:
    assert context_for(ITEMS, parse_arms([arms]), max_tokens, model) == context


def test_a_run_of_another_digest_is_refused() -> None:
    manifest = plan_for("cot").content.manifest
    begun = manifest._replace(arms=tuple(arm._replace(digest="a" * 64) for arm in manifest.arms))
    refuse_changed_models(begun, lambda _: "a" * 64)
    refuse_changed_models(begun, lambda _: "")
    with pytest.raises(UsageError, match="another version than when the run began"):
        refuse_changed_models(begun, lambda _: "b" * 64)
