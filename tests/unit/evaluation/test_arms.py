from __future__ import annotations

import pytest

from reflectty.core.budget import Budget
from reflectty.core.errors import UsageError
from reflectty.core.messages import Effort
from reflectty.evaluation.arms import Arm, Way, parse_arm, parse_arms
from reflectty.reasoning.modes import Mode

PARSED = [
    ("cot", Arm(Way.COT), Mode.DIRECT),
    ("direct", Arm(Way.DIRECT), Mode.DIRECT),
    ("think", Arm(Way.THINK), Mode.NATIVE),
    ("think:low", Arm(Way.THINK, Effort.LOW), Mode.NATIVE),
    ("think:2000", Arm(Way.THINK, budget=Budget(2000)), Mode.NATIVE),
    ("think:high:30s", Arm(Way.THINK, Effort.HIGH, Budget(seconds=30)), Mode.NATIVE),
    ("reflect:max", Arm(Way.REFLECT, Effort.MAX), Mode.REFLECT),
    ("revise", Arm(Way.REVISE), Mode.DIRECT),
    ("vote-7", Arm(Way.VOTE, votes=7), Mode.DIRECT),
    ("think:low@qwen3:8b", Arm(Way.THINK, Effort.LOW, model="qwen3:8b"), Mode.NATIVE),
    ("cot@hf.co/user/model:Q4_K_M", Arm(Way.COT, model="hf.co/user/model:Q4_K_M"), Mode.DIRECT),
]


@pytest.mark.parametrize(("text", "arm", "mode"), PARSED, ids=[text for text, *_ in PARSED])
def test_an_arm_is_parsed_and_named_as_it_is_typed(text: str, arm: Arm, mode: Mode) -> None:
    assert parse_arm(text) == arm
    assert arm.name == text
    assert arm.mode is mode


def test_a_vote_without_a_number_takes_five() -> None:
    assert parse_arm("vote").name == "vote-5"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("thnk", "no arm 'thnk'", "did you mean think?"),
        ("", "no arm ''", "for example"),
        ("cot:low", "does not think", "for example"),
        ("vote-2", "a vote takes 3 to 64", "vote-5"),
        ("vote-65", "a vote takes 3 to 64", "vote-5"),
        ("think:much", "the budget of the arm 'think:much'", "2000"),
    ],
)
def test_what_is_no_arm_is_refused_with_a_hint(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_arm(text)
    assert hint in caught.value.hint


def test_each_arm_is_asked_for_each_model() -> None:
    arms = parse_arms(["cot,think", " reflect "], ["a, b:1"])
    assert [arm.name for arm in arms] == ["cot@a", "think@a", "reflect@a", "cot@b:1", "think@b:1", "reflect@b:1"]


@pytest.mark.parametrize(
    ("texts", "models", "message"),
    [(["cot,cot"], [], "given twice"), (["cot@a"], ["b"], "in the arms and with --models")],
)
def test_arms_that_contradict_each_other_are_refused(texts: list[str], models: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_arms(texts, models)
