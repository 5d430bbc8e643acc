from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.reasoning.stated_answers import AnswerKind, StatementRule, final_answer, same_answer, stated_answers

NUMBER, CHOICE, MATH, EXACT, CASEFOLD, CONTAINS, REGEX = AnswerKind
CITIES = ("Rome", "Paris", "Vitamin A", "Lyon and Nice")

NUMBERS = [
    # The answer line, decorated as models decorate it.
    ("So 9*2=18.\nAnswer: 18", "18", "answer-line"),
    ("**Answer: 18**", "18", "answer-line"),
    ("**Answer:** 18 dollars", "18", "answer-line"),
    ("**Final Answer**: $18", "$18", "answer-line"),
    ("### Final answer: 18", "18", "answer-line"),
    ("> - ANSWER: `18`", "18", "answer-line"),
    ("`Answer: 18`", "18", "answer-line"),
    ("Therefore, the final answer: 18", "18", "answer-line"),
    ("Answer (in dollars): 18", "18", "answer-line"),
    ("Answer: <18>", "18", "answer-line"),
    ("Answer:\n18", "18", "answer-line"),
    ("**Answer:**\n\n18 dollars", "18", "answer-line"),
    ("She sells 9 eggs. Answer: 18", "18", "answer-line"),
    ("<draft>Answer: 18</draft> then 20", "18", "answer-line"),
    ("Answer: -5", "-5", "answer-line"),
    ("Answer: $-5", "$-5", "answer-line"),
    ("Answer: -$5", "-$5", "answer-line"),
    ("Answer: −5 degrees", "−5", "answer-line"),
    ("Answer: 1,250.50", "1,250.50", "answer-line"),
    ("Answer: 9 * 2 = $18 per day", "$18", "answer-line"),
    ("Answer: eighteen", "eighteen", "answer-line"),
    ("Answer: Janet makes $18 every day", "$18", "answer-line"),
    # The latest statement wins, whatever its form.
    ("Answer: 5\nWait, no.\nAnswer: 18", "18", "answer-line"),
    ("\\boxed{7} is a draft; then \\boxed{9}", "9", "boxed"),
    ("\\boxed{7}\nAnswer: 9", "9", "answer-line"),
    ("Answer: 9\nThat is \\boxed{\\frac{18}{2}}", "\\frac{18}{2}", "boxed"),
    ("Answer: \\boxed{18} dollars", "18", "boxed"),
    ("The final answer is $\\boxed{18}$. There were 4 steps.", "18", "boxed"),
    ("Answer: 18\n\nI checked 3 times.", "18", "answer-line"),
    # Sentences and hashes.
    ("The answer is 18.", "18", "sentence"),
    ("So the final answer is **18** dollars. I used 3 eggs.", "18", "sentence"),
    ("the correct answer is: -3", "-3", "sentence"),
    ("**✅ Final Answer: 18**", "18", "answer-line"),
    ("So <answer>18</answer>", "18", "answer-line"),
    ("Answer: 18 = 6*3", "18", "answer-line"),
    ("The answer is 5. Wait, no. The answer is 18. Yes.", "18", "sentence"),
    ("Answer: 5. No. Answer: 18", "18", "answer-line"),
    ("The answer is notable: 18", "18", "sentence"),
    ("The answer is not 18. I get 20", "20", "last-number"),
    ("The answer is 1.5. Good.", "1.5", "sentence"),
    ("work\n#### 1,250", "1,250", "hashes"),
    ("#### Step 3: count\nThere are 18", "18", "last-number"),
    # Nothing but the answer, and fallbacks.
    ("18", "18", "whole"),
    ("$18 dollars.", "$18", "whole"),
    ("She makes 9*2=18 dollars", "18", "last-number"),
    ("A: 1,800", "1,800", "last-number"),
    (
        "Answer: First, 3 eggs are eaten and 4 are baked, so that of the 16 there are 9 left.\nShe makes 18",
        "18",
        "last-number",
    ),
    ("Answer:\nOf 16 eggs 9 are left, at 2 dollars.\nShe makes 18", "18", "last-number"),
]
NO_NUMBER = [
    *("", "I cannot say.", "Answer:", "Answer: unknown", "Answer: 10 or 12", "Answer: 3:30 pm", "\\boxed{}"),
    *(
        "It may be 3. Answer: cannot be determined",
        "\\boxed{x+1}",
        "Answer: 5, 6",
        "Answer: not 18",
        "Answer: 4 + 4 - 17",
        "Answer: 3 \\times 4",
    ),
]
LETTERS = [
    ("Answer: B", "B", "answer-line"),
    ("answer: b", "B", "answer-line"),
    ("**Answer: (C)**", "C", "answer-line"),
    ("Answer: C) Vitamin A", "C", "answer-line"),
    ("Answer: B) Paris", "B", "answer-line"),
    ("Answer: **B** Paris", "B", "answer-line"),
    ("Answer: Paris", "B", "answer-line"),
    ("Answer: Lyon and Nice.", "D", "answer-line"),
    ("Answer: option D", "D", "answer-line"),
    ("Answer: D because A is wrong", "D", "answer-line"),
    ("Answer: \\boxed{\\text{C}}", "C", "boxed"),
    ("$\\boxed{\\textbf{(C)}}$", "C", "boxed"),
    ("The best answer is C.", "C", "sentence"),
    ("The correct option is (D), since A is not.", "D", "sentence"),
    ("the answer is option A", "A", "sentence"),
    ("Option C is correct.", "C", "sentence"),
    ("B or C? Option C is the best.", "C", "sentence"),
    ("Answer: A\nOn reflection:\nAnswer: D", "D", "answer-line"),
    ("B", "B", "whole"),
    ("(b)", "B", "whole"),
    ("C. Vitamin A", "C", "whole"),
    ("paris", "B", "whole"),
    ("It can only be B", "B", "last-letter"),
    ("Not A.\nIt is (C).", "C", "last-letter"),
    ("A long story of a city, I think.", None, ""),
    ("An apple a day", None, ""),
    ("Answer: A dog", None, ""),
    ("Answer: Both A and C", None, ""),
    ("Answer: A, C", None, ""),
    ("Answer: B/C", None, ""),
    ("It may be\nA or B", None, ""),
    ("Answer: none of them", None, ""),
    ("Answer: not B", None, ""),
    ("The answer is B, not A.", "B", "sentence"),
    ("Because", None, ""),
]


@pytest.mark.parametrize(("text", "stated", "rule"), NUMBERS)
def test_the_latest_stated_number_is_read(text: str, stated: str, rule: str) -> None:
    found = final_answer(text, NUMBER)
    assert found
    assert (found.text, found.rule) == (stated, rule)
    assert text[found.start : found.end] == stated


@pytest.mark.parametrize("text", NO_NUMBER)
def test_no_number_is_guessed(text: str) -> None:
    assert final_answer(text, NUMBER) is None


@pytest.mark.parametrize(("text", "letter", "rule"), LETTERS)
def test_the_letter_of_a_choice_is_read(text: str, letter: str | None, rule: str) -> None:
    found = final_answer(text, CHOICE, CITIES)
    assert (found.text if found else None, found.rule if found else "") == (letter, rule)


def test_the_exact_text_of_a_choice_comes_before_its_letters() -> None:
    signs = ("1", "-1", "i", "~F ⊃ E")
    found = [final_answer(f"Answer: {choice}", CHOICE, signs) for choice in signs]
    assert [answer and answer.text for answer in found] == ["A", "B", "C", "D"]


@pytest.mark.parametrize(
    ("text", "stated", "rule"),
    [
        ("So \\boxed{\\frac{\\sqrt{3}}{2}}.", "\\frac{\\sqrt{3}}{2}", "boxed"),
        ("Answer: $x^2 + 1$.", "x^2 + 1", "answer-line"),
        ("The answer is \\(2\\pi\\).", "2\\pi", "sentence"),
        ("#### Step 3\nAnswer: \\[ \\{1, 2\\} \\]", "\\{1, 2\\}", "answer-line"),
        ("\\boxed{\\{1, 2\\}}", "\\{1, 2\\}", "boxed"),
    ],
)
def test_a_formula_is_cut_from_its_statement(text: str, stated: str, rule: str) -> None:
    found = final_answer(text, MATH)
    assert found
    assert (found.text, found.rule) == (stated, rule)


@pytest.mark.parametrize("kind", [EXACT, CASEFOLD, CONTAINS, REGEX])
def test_a_text_is_the_answer_line_or_a_short_whole(kind: AnswerKind) -> None:
    line = final_answer("It is large.\n**Answer:** Paris.", kind)
    whole = final_answer(" Paris ", kind)
    assert line
    assert whole
    assert (line.text, line.rule) == ("Paris", StatementRule.ANSWER_LINE)
    assert (whole.text, whole.rule, whole.is_weak) == ("Paris", StatementRule.WHOLE, False)


def test_a_long_text_is_no_answer_but_may_contain_one() -> None:
    text = "Paris is the capital of France. " * 20
    assert final_answer(text, EXACT) is None
    found = final_answer(text, CONTAINS)
    assert found
    assert found.is_weak


def test_a_sentence_in_place_of_a_name_is_weak() -> None:
    sentence, name = final_answer("Hugo is the heaviest of them all.", CASEFOLD), final_answer("Hugo Meier", CASEFOLD)
    assert sentence
    assert name
    assert (sentence.is_weak, name.is_weak) == (True, False)


def test_a_fallback_is_weak_and_a_statement_is_not() -> None:
    weak = [answer.is_weak for text, *_ in NUMBERS if (answer := final_answer(text, NUMBER))]
    rules = [answer.rule for text, *_ in NUMBERS if (answer := final_answer(text, NUMBER))]
    assert weak == [rule is StatementRule.LAST_NUMBER for rule in rules]
    several = final_answer("Answer: 18 (for 9 eggs)", NUMBER)
    assert several
    assert (several.text, several.is_weak) == ("18", True)


def test_every_statement_is_found_in_order() -> None:
    text = "Answer: 5\nThe answer is 6. Then \\boxed{7} and\n#### 8"
    found = stated_answers(text, NUMBER)
    assert [answer.text for answer in found] == ["5", "6", "7", "8"]
    assert [text[answer.start : answer.end] for answer in found] == ["5", "6", "7", "8"]
    assert stated_answers("18 and 19", NUMBER) == ()


def test_a_statement_ends_where_the_next_one_begins() -> None:
    for text in ("Answer: Paris. Answer: Rome", "The answer is Paris, no, the answer is Rome"):
        assert [answer.text.split(",")[0] for answer in stated_answers(text, CASEFOLD)] == ["Paris", "Rome"]


@pytest.mark.parametrize(
    ("first", "second", "kind", "same"),
    [
        ("$1,250.00", "1250", NUMBER, True),
        ("-5", "5", NUMBER, False),
        ("1/3", "0.33333333", NUMBER, True),
        ("276000", "276004", NUMBER, False),
        ("B", "(b)", CHOICE, True),
        ("B", "C", CHOICE, False),
        ("\\frac{1}{2}", "0.5", MATH, True),
        ("x + 1", "x+1", MATH, True),
        ("x+1", "1+x", MATH, False),
        ("Paris.", " paris", EXACT, True),
        ("Paris", "Rome", CASEFOLD, False),
        ("none", "none", NUMBER, True),
        ("none", "5", NUMBER, False),
    ],
)
def test_two_answers_are_compared_by_their_kind(first: str, second: str, kind: AnswerKind, same: bool) -> None:
    assert same_answer(first, second, kind) is same
    assert same_answer(second, first, kind) is same


@given(st.text(alphabet="Answer: \\boxed{}#18-,.\n*$(ABC)is the", max_size=80), st.sampled_from(AnswerKind))
def test_any_text_is_read_without_an_error(text: str, kind: AnswerKind) -> None:
    found = stated_answers(text, kind, CITIES)
    assert [answer.start for answer in found] == sorted(answer.start for answer in found)
    last = final_answer(text, kind, CITIES)
    assert not last or not last.is_explicit or last in found


@pytest.mark.parametrize(
    "piece",
    [
        "\\boxed{",
        "\\boxed{1}",
        "9",
        "1,",
        "Answer: ",
        "the answer is ",
        "the answer is 5. ",
        " ",
        "\n",
        "> ",
        "A, ",
        "the ",
    ],
)
@pytest.mark.parametrize("kind", [NUMBER, CHOICE, EXACT])
def test_a_hostile_text_takes_time_in_proportion(piece: str, kind: AnswerKind) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        started = time.process_time()
        stated_answers(text, kind)
        final_answer(text, kind)
        return time.process_time() - started

    seconds(2_000)
    assert seconds(100_000) < 15 * seconds(20_000) + 0.1
