from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.reasoning.short_answers import LONGEST_SENTENCE, is_same_answer, short_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("42", "42"),
        ("**42**", "42"),
        ("It is 41.", "41"),
        ("-5", "-5"),
        ("The sum is 3 - 8 = -5.", "-5"),
        ("She has 42 apples left.", "42"),
        ("9.9 is larger.", "9.9"),
        ("Paris", "Paris"),
        ("No!", "No"),
        ("B) Vichy", "B) Vichy"),
        ("The capital of France in 1940 was Vichy.", "The capital of France in 1940 was Vichy"),
        ("The answer is **Paris**.", "Paris"),
        ("Let me see.\n\nFinal answer: 1,250.50 dollars", "1,250.50"),
        (r"Therefore the answer is \boxed{C}.", "C"),
        (r"So it is \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        ("She eats 3.\n#### 18", "18"),
        ("She has 13 eggs.\n\nThe total revenue is 2 * 13 = **$26** per day.", "$26"),
        ("Step 1: 3*4 = 12\nStep 2: 12+1 = 13 clips altogether", "13"),
        ("There are 16 eggs. She eats 3.\nSo she sells 13 eggs and gets $26.", "$26"),
    ],
)
def test_short_answer_of_a_reply_is_read(text: str, answer: str) -> None:
    assert short_answer(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "The sky is blue for one reason.\n\nShort light is scattered more, as Rayleigh found in 1871.",
        "Here is a poem:\n\nRoses are red\nViolets are blue",
        "1. bread\n2. milk\n3. eggs",
        "```python\nwidth = 5\nprint(width)\nx = 6\n```",
        "It was long ago.\n\nThe town has 400 inhabitants.",
        f"A first line.\nSo {'it went on and on, ' * 40} and is 5.",
        f"The answer is that {'nobody knows, and ' * 20} that is that.",
    ],
)
def test_prose_and_code_state_no_short_answer(text: str) -> None:
    assert not short_answer(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("0.5", "1/2", True),
        ("$1,250", "1250.0", True),
        ("Paris", "paris.", True),
        ("42", "42 apples", True),
        ("41", "42", False),
        ("Paris", "Vichy", False),
        ("yes", "1", False),
    ],
)
def test_numbers_are_the_same_by_value_and_texts_without_case_and_marks(one: str, other: str, same: bool) -> None:
    assert is_same_answer(one, other) is same
    assert is_same_answer(other, one) is same


@given(st.text(max_size=200))
def test_what_is_read_of_any_text_is_part_of_it(text: str) -> None:
    assert short_answer(text) in text


def test_endless_line_is_no_conclusion() -> None:
    assert not short_answer("first\nSo it is " + "5 = 5 " * (LONGEST_SENTENCE * 100))
