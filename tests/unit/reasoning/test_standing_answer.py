"""Tests of when a stated answer stands."""

from __future__ import annotations

import pytest

from reflectty.reasoning.standing_answer import AnswerWatch

FILLER = "So I add the numbers in the first row to those in the second one. "


def found_in(text: str, size: int = 0, characters: int = 0) -> tuple[str, int] | None:
    watch = AnswerWatch(characters=characters)
    for at in range(0, len(text), size or len(text)):
        watch.feed(text[at : at + (size or len(text))])
    return (watch.found.text, watch.found.at) if watch.found else None


THRICE = "So the answer is 18. Let me check that. 16 - 3 - 4 = 9 and 9 * 2 = 18. The answer is 18.\n\n**Answer: 18**\nGo on.\n"


@pytest.mark.parametrize("size", [1, 2, 7, 64, 0])
def test_an_answer_stands_when_it_was_stated_three_times(size: int) -> None:
    assert found_in(THRICE, size) == ("18", THRICE.index("\nGo"))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is B. The answer is (B). The correct option is B. So", "B"),
        ("The answer is Paris. My answer is Paris. The final answer is **Paris**. So", "Paris"),
        ("The answer is yes. The answer is yes, you should. The answer is yes. So", "yes"),
        (r"It is \boxed{1/2}. The answer is 0.5. So \boxed{\frac{1}{2}}. So", "1/2"),
        ("Final answer:\n\n42\n\nThe answer is 42.\nThe answer is 42.\n", "42"),
    ],
)
def test_answers_of_any_kind_stand(text: str, answer: str) -> None:
    found = found_in(text)
    assert found
    assert found[0] == answer


@pytest.mark.parametrize(
    "text",
    [
        "The answer is 18. The answer is 18. So",
        "The answer is 18. The answer is 18. The answer is 17. The answer is 18. The answer is 18. So",
        "The answer is 18. The answer is 18. Could the answer be 17? The answer might be 18. So",
        "The answer is 18. Is the answer 18? Maybe the answer is 18. If the answer is 18, it fits. So",
        "The answer is 18. Maybe the answer is 17. The answer is 18. The answer is 18. So",
        "```\nThe answer is 18.\nThe answer is 18.\nThe answer is 18.\n```\n",
        "9 * 2 = 18. So 18. It is 18. That gives 18. I get 18. 18 again. So",
        "The answer is 18. The answer is 18. The answer is that the farmer has to buy many more ducks. The answer is 18. So",
        "",
    ],
)
def test_fewer_statements_guesses_and_numbers_do_not_stand(text: str) -> None:
    assert found_in(text or " ") is None


def test_one_statement_stands_after_long_thinking_without_another() -> None:
    text = "The answer is 18. " + FILLER * 20
    assert found_in(text, characters=1000) == found_in(text, 3, characters=1000)
    assert found_in(text, characters=1000)
    assert found_in(text + "The answer is 17. ", characters=5000) is None


def test_a_megabyte_in_one_line_is_read() -> None:
    assert found_in("word " * 200_000) is None
