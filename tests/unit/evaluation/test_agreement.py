from __future__ import annotations

import pytest

from reflectty.evaluation.agreement import AgreementVerdict, agreement_of, winner_of
from reflectty.evaluation.comparison_summary import remark_of

SAME, DIFFERENT, NOT_COMPARED = AgreementVerdict

LONG = "The sky is blue because short waves of light are scattered most in the air."


@pytest.mark.parametrize(
    ("texts", "verdict", "stated"),
    [
        (("42", "It is 6 · 7.\n\nThe answer is 42."), SAME, ("42", "42")),
        (("Answer: 0.50", r"So \boxed{1/2}"), SAME, ("0.50", "1/2")),
        (("The answer is 9.11.", "The answer is 9.9."), DIFFERENT, ("9.11", "9.9")),
        (("The answer is B.", "Answer: (B)"), SAME, ("B", "(B)")),
        (("The answer is B.", "Answer: (C)"), DIFFERENT, ("B", "(C)")),
        (("Paris", "**Paris**"), SAME, ("Paris", "Paris")),
        (("Paris", "Lyon"), DIFFERENT, ("Paris", "Lyon")),
        (("Nine", "9"), SAME, ("Nine", "9")),
        (("Ninth", "9th"), NOT_COMPARED, ("Ninth", "9")),
        (("**9.9** is larger.", "The answer is 9.11."), DIFFERENT, ("9.9 is larger", "9.11")),
        (("It is larger by far.", "The answer is 9.11."), NOT_COMPARED, ("It is larger by far", "9.11")),
        (("Paris", "Paris, France"), NOT_COMPARED, ("Paris", "Paris, France")),
        ((LONG, LONG), SAME, (LONG[:-1], LONG[:-1])),
        (("Yes.", "Answer: no"), DIFFERENT, ("Yes", "no")),
        ((LONG * 9, LONG * 9 + "!"), NOT_COMPARED, ("", "")),
        (("I count 3, 4 and 5 of them.", "There are 5 or so."), NOT_COMPARED, None),
        (("The answer is 42.", ""), NOT_COMPARED, ("42", "")),
        ((LONG * 9, f"{LONG * 9}\n"), SAME, ("", "")),
        (("The answer is 42.", "", "42"), SAME, ("42", "", "42")),
        (("", ""), NOT_COMPARED, ("", "")),
    ],
)
def test_answers_agree_if_they_state_the_same(
    texts: tuple[str, ...], verdict: AgreementVerdict, stated: tuple[str, ...] | None
) -> None:
    found = agreement_of(texts)

    assert found.verdict is verdict
    assert stated is None or found.stated == stated


@pytest.mark.parametrize(
    ("texts", "remark"),
    [
        (("42", "42", "42"), "answers agree: 42"),
        (("42", "41", "Answer: 42"), "answers differ: 42 (a, c); 41 (b)"),
        (("Paris", "It is Paris", "Paris"), "answers differ in wording: not compared"),
        ((LONG * 9, "42", "43"), "answers differ in wording: not compared"),
        ((LONG * 9, LONG * 9, ""), "answers agree word for word"),
        (("42", "", ""), "answers are not compared"),
    ],
)
def test_agreement_is_told_in_a_sentence(texts: tuple[str, ...], remark: str) -> None:
    assert remark_of(agreement_of(texts), ("a", "b", "c"), sum(map(bool, texts))) == remark


@pytest.mark.parametrize(
    ("texts", "winner"),
    [
        (("41", "The answer is 42.", "42"), 1),
        (("41", "42"), 0),
        (("", "42", "41"), 1),
        ((LONG * 9, "42", LONG * 9), 0),
        (("", ""), 0),
    ],
)
def test_winner_of_a_vote_is_the_answer_that_most_give(texts: tuple[str, ...], winner: int) -> None:
    assert winner_of(texts) == winner
