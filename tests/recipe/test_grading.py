"""Grades of replies by the built-in model."""

from __future__ import annotations

import tomllib
from pathlib import Path
from random import Random

import pytest

from mini.generate import REASONED, examples
from mini.grading import graded, says

MINI = Path(__file__).parents[2] / "models" / "mini"


@pytest.mark.parametrize(
    ("answer", "question", "target", "right"),
    [
        ("12 + 30 = 42", "What is 12 + 30?", "42", True),
        ("12 + 30 = 43", "What is 12 + 30?", "42", False),
        ("12 + 30 = 43", "What is 12 + 30?", "12", False),
        ("12 + 0 = 12", "What is 12 + 0?", "12", True),
        ("9.9 is larger.", "Which is larger, 9.11 or 9.9?", "9.9", True),
        ("9.9 is larger than 9.11.", "Which is larger, 9.11 or 9.9?", "9.9", True),
        ("9.11 is larger than 9.9.", "Which is larger, 9.11 or 9.9?", "9.9", False),
        ("13 euros are 1300 cents.", "How many cents are 13 euros?", "1300", True),
        ("The total is 1,300.", "How many cents are 13 euros?", "1300", True),
        ("It is 1 or 2.", "Guess?", "2", False),
        ("The letter r appears three times in strawberry: 3.", "How many r's?", "3", True),
        ("It is -5.", "What is 3 - 8?", "-5", True),
        ("It is 5.", "What is 3 - 8?", "-5", False),
        ("It costs $45.", "What does it cost?", "45", True),
        ("", "How many?", "3", False),
        ("paris", "Capital of France?", "Paris", True),
        ("Parisian", "Capital of France?", "Paris", False),
        ("It is 10:15.", "When?", "10:15", True),
        ("It is 10:155.", "When?", "10:15", False),
        ("dlrow olleh", "Mirror it.", "dlrow olleh", True),
        ("Hello!", "Hi", "", True),
        (" ", "Hi", "", False),
    ],
)
def test_an_answer_is_right_when_it_names_the_target(answer: str, question: str, target: str, right: bool) -> None:
    assert says(answer, question, target) == right


@pytest.mark.parametrize(
    ("text", "complete", "corrections"),
    [
        ("<thinking>\nA.\n</thinking>\n<output>\n42\n</output>", True, 0),
        ("<thinking>\nA.\n<reflection>\nB.\n</reflection>\n</thinking>\n<output>\n42\n</output>", True, 1),
        ("<thinking>\n2 < 3.\n</thinking>\n<output>\n42\n</output>", True, 0),
        ("<thinking>\nA.\n<reflection>\nB.\n</thinking>\n<output>\n42\n</output>", False, 0),
        ("<thinking>\nA.\n</thinking>\n<output>\n42", False, 0),
        ("<thinking>\nA.\n</thinking>\n<output>\n\n</output>", False, 0),
        ("42", False, 0),
        ("", False, 0),
    ],
)
def test_a_reply_is_complete_when_every_tag_is_opened_and_closed(text: str, complete: bool, corrections: int) -> None:
    got = graded(text, "What is 12 + 30?", "42")
    assert (got.complete, got.corrections) == (complete, corrections)


def test_grader_accepts_every_generated_answer() -> None:
    for kind, (make, _) in REASONED.items():
        for example in (make(Random(f"{kind} {seed}")) for seed in range(200)):
            assert says(example.answer, example.question, example.target), (example.question, example.answer)


def test_handwritten_questions_are_not_in_the_training_data() -> None:
    asked = {each["ask"].lower() for each in tomllib.loads((MINI / "unlike.toml").read_text("utf-8"))["question"]}
    trained = {example.question.lower() for example in examples(Random(11), 5000)}
    assert len(asked) >= 40
    assert not asked & trained
