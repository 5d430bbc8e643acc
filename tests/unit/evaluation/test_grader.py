from __future__ import annotations

import gzip
import json

import pytest

from reflectty.core.errors import UsageError
from reflectty.evaluation.arms import Way
from reflectty.evaluation.grader import Grade, Verdict, draft_of, grade_step, grade_text
from reflectty.evaluation.items import Item
from reflectty.evaluation.records import StepRecord
from reflectty.reasoning.stated_answers import AnswerKind
from support.shared_data import DATA

NUMBER, CHOICE, MATH, EXACT, CASEFOLD, CONTAINS, REGEX = AnswerKind
RIGHT, WRONG, NO_ANSWER, UNFINISHED, _ = Verdict
LABELLED = DATA / "gsm8k" / "labelled_solutions.jsonl"
REDUX = DATA / "mmlu_redux" / "mmlu_redux_clean.jsonl.gz"
CITIES = ("Rome", "Paris", "Vitamin A", "Lyon and Nice")


def item(answer: str, kind: AnswerKind = NUMBER, question: str = "How much?") -> Item:
    return Item("one", question, answer, kind, CITIES if kind is CHOICE else ())


def step(*segments: tuple[str, str], is_complete: bool = True, done_reason: str = "stop") -> StepRecord:
    answer = "".join(text for kind, text in segments if kind == "answer")
    return StepRecord(segments, answer, is_complete, done_reason)


@pytest.mark.parametrize(
    ("kind", "key", "text", "verdict"),
    [
        (NUMBER, "18", "Answer: $18.00", RIGHT),
        (NUMBER, "-5", "Answer: -5", RIGHT),
        (NUMBER, "-5", "Answer: 5", WRONG),
        (NUMBER, "5", "Answer: -5", WRONG),
        (NUMBER, "1250.5", "Answer: 1,250.50", RIGHT),
        (NUMBER, "3", "Answer: -3", WRONG),
        (NUMBER, "276004", "Answer: 276000", WRONG),
        (NUMBER, "10,800", "So 10800", RIGHT),
        (NUMBER, "18", "18 eggs and 20 hens.\nAnswer: 20", WRONG),
        (NUMBER, "18", "Answer: 18 or 20", NO_ANSWER),
        (NUMBER, "18", "I do not know.", NO_ANSWER),
        (NUMBER, "18", "Answer: none", NO_ANSWER),
        (NUMBER, "18", "", NO_ANSWER),
        (NUMBER, "3", "Answer: three", RIGHT),
        (CHOICE, "B", "Answer: B", RIGHT),
        (CHOICE, "A", "Answer: B", WRONG),
        (CHOICE, "A", "Answer: none of them", NO_ANSWER),
        (CHOICE, "A", "Answer: A and B", NO_ANSWER),
        (CHOICE, "C", "Answer: Vitamin A", RIGHT),
        (CHOICE, "A", "A city in Italy: B", WRONG),
        (EXACT, "Paris", "Answer: Paris", RIGHT),
        (EXACT, "Paris", "Answer: paris", WRONG),
        (CASEFOLD, "Straße", "**Answer:** STRASSE.", RIGHT),
        (CASEFOLD, "Paris", "Paris, France", WRONG),
        (CONTAINS, "Paris", "It is Paris, of course", RIGHT),
        (CONTAINS, "art", "a party", WRONG),
        (REGEX, r"^\d{4}$", "Answer: 1984", RIGHT),
        (REGEX, r"^\d{4}$", "Answer: 84", WRONG),
        (MATH, "\\frac{1}{2}", "\\boxed{0.5}", RIGHT),
        (MATH, "10{,}000", "\\boxed{10000}", RIGHT),
        (MATH, "x^2+1", "\\boxed{x^2 + 1}", RIGHT),
        (MATH, "\\frac{14}{3}", "\\boxed{4.667}", WRONG),
        (MATH, "120", "\\boxed{5!}", WRONG),
        (MATH, "5", "\\boxed{x+1}", WRONG),
    ],
)
def test_a_text_is_graded_by_its_final_answer(kind: AnswerKind, key: str, text: str, verdict: Verdict) -> None:
    assert grade_text(item(key, kind), text).verdict is verdict


@pytest.mark.parametrize(
    ("question", "key", "text", "verdict", "is_weak"),
    [
        ("What percent?", "50", "Answer: 50%", RIGHT, False),
        ("What percent?", "50", "Answer: 0.5", RIGHT, True),
        ("How many?", "50", "Answer: 0.5", WRONG, False),
        ("Which share?", "0.5", "Answer: 50%", RIGHT, True),
        ("How many millions?", "2", "Answer: 2 million", RIGHT, True),
        ("How many?", "2000000", "Answer: 2 million", RIGHT, False),
        ("How many?", "18", "She has 18", RIGHT, True),
        ("How many?", "18", "Answer: 18 (of 20)", RIGHT, True),
    ],
)
def test_tolerant_readings_are_flagged(question: str, key: str, text: str, verdict: Verdict, is_weak: bool) -> None:
    grade = grade_text(item(key, question=question), text)
    assert (grade.verdict, grade.is_weak) == (verdict, is_weak)


def test_the_grade_names_the_answer_and_the_rule() -> None:
    assert grade_text(item("18"), "Answer: $20") == Grade(WRONG, "$20", "answer-line")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Answer: 18", UNFINISHED),
        ("Answer: 18\n", RIGHT),
        ("Answer: 18 dollars, bec", RIGHT),
        ("\\boxed{18}", RIGHT),
        ("She has 18", UNFINISHED),
        ("18", UNFINISHED),
        ("Answer: 20\nWait", WRONG),
        ("Let me", UNFINISHED),
    ],
)
def test_a_cut_answer_counts_only_where_it_was_stated(text: str, verdict: Verdict) -> None:
    assert grade_text(item("18"), text, is_complete=False).verdict is verdict


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (step(("thinking", "So 18. Answer: 18"), ("answer", "Answer: 20")), WRONG),
        (step(("thinking", "Answer: 20"), ("reflection", "No."), ("answer", "Answer: 18")), RIGHT),
        (step(("thinking", "Answer: 18"), is_complete=False), UNFINISHED),
        (step(("thinking", "Answer: 18"), is_complete=False, done_reason="length"), UNFINISHED),
        (StepRecord((("thinking", "Answer: 18"),), "Answer: 18"), UNFINISHED),
        (StepRecord((("thinking", "x <output>18</output>"),), "18"), RIGHT),
        (step(is_complete=False), NO_ANSWER),
        (step(("answer", ""), is_complete=False, done_reason="length"), UNFINISHED),
        (step(("thinking", "18"), ("answer", "I cannot tell."), is_complete=True), NO_ANSWER),
        (step(("answer", "So there are 18 of"), is_complete=False, done_reason="length"), UNFINISHED),
    ],
)
def test_a_right_answer_in_the_thinking_never_counts(reply: StepRecord, verdict: Verdict) -> None:
    assert grade_step(item("18"), reply).verdict is verdict


@pytest.mark.parametrize(
    ("segments", "way", "expected"),
    [
        (
            [("thinking", "5*3=15, so 15."), ("reflection", "No: 18."), ("answer", "18")],
            Way.REFLECT,
            (WRONG, "15", True),
        ),
        ([("thinking", "Answer: 18"), ("reflection", "or 20?"), ("answer", "20")], Way.REFLECT, (RIGHT, "18", False)),
        (
            [("thinking", "<draft>Answer: 18</draft> or 3"), ("reflection", "x"), ("answer", "20")],
            Way.REFLECT,
            (RIGHT, "18", False),
        ),
        ([("thinking", "<draft>18</draft>"), ("answer", "Answer: 18")], Way.REFLECT, (RIGHT, "18", False)),
        ([("thinking", "Answer: 18"), ("answer", "Answer: 18")], Way.COT, None),
        ([("thinking", "It is hard."), ("reflection", "18"), ("answer", "18")], Way.REFLECT, None),
        ([("answer", "Answer: 18")], Way.REFLECT, None),
        ([("thinking", "The answer is 18."), ("answer", "18")], Way.THINK, None),
    ],
)
def test_the_draft_is_the_answer_before_the_first_correction(
    segments: list[tuple[str, str]], way: Way, expected: tuple[Verdict, str, bool] | None
) -> None:
    grade = draft_of(item("18"), segments, way)
    assert (grade and (grade.verdict, grade.given, grade.is_weak)) == expected


def test_the_draft_of_free_thinking_is_weak() -> None:
    thinking = (
        "We need the eggs. There are three rows of five. The answer is 15. Wait, that's wrong. It is six rows, so 18."
    )
    grade = draft_of(item("18"), [("thinking", thinking), ("answer", "18")], Way.THINK)
    assert grade == Grade(WRONG, "15", "sentence", is_weak=True)
    assert draft_of(item("18"), [("thinking", thinking), ("answer", "18")], Way.COT) is None


def test_a_formula_is_checked_by_what_can_compare_formulas() -> None:
    asked = []

    def check(key: str, given: str) -> bool:
        asked.append((key, given))
        return True

    assert grade_text(item("1+x", MATH), "\\boxed{x+1}", check_math=check).verdict is RIGHT
    assert grade_text(item("2", MATH), "\\boxed{2}", check_math=check).verdict is RIGHT
    assert asked == [("1+x", "x+1")]


def test_a_formula_is_refused_without_what_can_compare_it() -> None:
    with pytest.raises(UsageError) as caught:
        grade_text(item("1+x", MATH), "\\boxed{x+1}")
    assert "install" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "verdict", "is_weak"),
    [
        ("Hana", RIGHT, False),
        ("Answer: hana.", RIGHT, False),
        ("It is Hana.", RIGHT, True),
        ("The oldest person was Hana.", RIGHT, True),
        ("Hana is the oldest.", RIGHT, True),
        ("Hana is the youngest.", WRONG, False),
        ("Ben is older than Hana.", WRONG, False),
        ("It is not Hana.", WRONG, False),
        ("It isn't Hana.", WRONG, False),
        ("Is it that the oldest is Hana?", WRONG, True),
        ("It is Johana.", WRONG, False),
    ],
)
def test_a_sentence_that_says_the_key_is_a_weak_match(text: str, verdict: Verdict, *, is_weak: bool) -> None:
    grade = grade_text(item("Hana", CASEFOLD, "Who is the oldest?"), text)
    assert (grade.verdict, grade.is_weak) == (verdict, is_weak)


def test_an_invalid_pattern_is_named() -> None:
    with pytest.raises(UsageError, match="key of one"):
        grade_text(item("(", REGEX), "Answer: x")


@pytest.mark.skipif(not LABELLED.exists(), reason="REFLECTTY_DATA names no folder with gsm8k/labelled_solutions.jsonl")
def test_labelled_solutions_are_graded_as_their_labels_say() -> None:
    rows = [json.loads(line) for line in LABELLED.read_text("utf-8").split("\n") if line]
    assert len(rows) == 1600
    graded = [(grade_text(item(row["answer"]), row["solution"]).verdict is RIGHT, row["is_correct"]) for row in rows]
    assert [pair for pair in graded if pair[0] != pair[1]] == []
    assert sum(right for right, _ in graded) > 500


@pytest.mark.slow
@pytest.mark.skipif(not REDUX.exists(), reason="REFLECTTY_DATA names no folder with mmlu_redux")
@pytest.mark.parametrize(
    "form", ["Answer: {letter}", "**Answer: ({letter}) {choice}**", "{letter}. {choice}", "Answer: {choice}"]
)
def test_every_choice_of_mmlu_redux_is_read_in_every_form(form: str) -> None:
    """All but a few in a thousand, whose choices are the same twice or are letters themselves."""
    with gzip.open(REDUX, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if row["error_type"] == "ok"]
    misread = 0
    for row in rows:
        choice = row["choices"]["ABCD".index(row["answer"])]
        asked = Item("one", row["question"], row["answer"], CHOICE, tuple(row["choices"]))
        misread += grade_text(asked, form.format(letter=row["answer"], choice=choice)).verdict is not RIGHT
    assert len(rows) > 5000
    assert misread / len(rows) < 0.006
