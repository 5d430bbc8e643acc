from __future__ import annotations

import pytest

from reflectty.evaluation.items import Item
from reflectty.evaluation.probe_judge import AnswerJudge, judge_for, judge_of_item, kind_of_key
from reflectty.reasoning.stated_answers import AnswerKind

LONG = "It depends on 3 things, of which one is light. " * 6


@pytest.mark.parametrize(
    ("answer", "text", "stated"),
    [
        ("23 + 4 = 27", "17 × 23 + 4 = 21", "21"),
        ("9.9 is larger.", "9.11 is larger.", "9.11"),
        ("Answer: 12", f"{LONG} Answer: 13", "13"),
        ("Paris.", "It is\n Lyon.", "It is Lyon"),
        ("Answer: Paris", "Answer: Lyon", "Lyon"),
        (LONG, LONG, " ".join(LONG.split())),
        ("12 pens", "none at all", ""),
    ],
)
def test_answers_of_a_session_are_read_like_that_of_its_reply(answer: str, text: str, stated: str) -> None:
    assert judge_for(answer).read(text) == stated


@pytest.mark.parametrize(
    ("judge", "one", "other", "expected"),
    [
        (judge_for("12"), "12", "12.0", True),
        (judge_for("12"), "12", "13", False),
        (judge_for("Paris"), "Paris.", "paris", True),
        (judge_for("Paris"), "Paris", "Lyon", False),
    ],
)
def test_answers_are_compared_by_what_they_mean(judge: AnswerJudge, one: str, other: str, expected: bool) -> None:
    assert judge.is_same(one, other) is expected


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("12", "So there are 12 pens.", True),
        ("12", "So there are 13 pens.", False),
        ("b", "Answer: B", True),
        ("C", "Answer: B", False),
        ("Paris", "The capital of France is\nParis, of course.", True),
        ("Paris", "The capital of France is Lyon.", False),
    ],
)
def test_answers_are_graded_by_the_key(key: str, text: str, expected: bool) -> None:
    is_right = judge_for("anything", key).is_right
    assert is_right
    assert is_right(text) is expected


def test_nothing_is_graded_without_a_key() -> None:
    assert judge_for("12").is_right is None


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("1,200", AnswerKind.NUMBER),
        ("9.9", AnswerKind.NUMBER),
        ("d", AnswerKind.CHOICE),
        ("a cat", AnswerKind.CONTAINS),
    ],
)
def test_kind_of_an_answer_follows_from_its_key(key: str, kind: AnswerKind) -> None:
    assert kind_of_key(key) is kind


@pytest.mark.parametrize(
    ("item", "text", "stated", "expected"),
    [
        (Item("a", "How many?", "12", AnswerKind.NUMBER), "Answer: 12", "12", True),
        (Item("a", "Which?", "B", AnswerKind.CHOICE, ("red", "blue")), "Answer: (B)", "B", True),
        (Item("a", "Solve.", "x^2", AnswerKind.MATH), "\\boxed{x^2}", "x^2", True),
        (Item("a", "Solve.", "x^2", AnswerKind.MATH), "\\boxed{2x}", "2x", False),
    ],
)
def test_items_are_judged_by_their_kind(item: Item, text: str, stated: str, expected: bool) -> None:
    judge = judge_of_item(item)
    assert judge.is_right
    assert (judge.read(text), judge.is_right(text)) == (stated, expected)


def test_formulas_are_compared_where_something_can() -> None:
    item = Item("a", "Solve.", "x^2", AnswerKind.MATH)
    judge = judge_of_item(item, lambda key, given: (key, given) == ("x^2", "x \\cdot x"))
    assert judge.is_right
    assert [judge.is_right(f"\\boxed{{{formula}}}") for formula in ("x \\cdot x", "2x")] == [True, False]
