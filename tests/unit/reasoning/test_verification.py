from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.reasoning.verification import (
    MAX_CHECKS,
    DraftCheck,
    changed_lines,
    check_prompt,
    questions_in,
    revise_prompt,
)


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("1. When?\n2) Where?", ("When?", "Where?")),
        ("- **When?**\n* Where?\n• Who?", ("When?", "Where?", "Who?")),
        ("Here are the questions:\n\n**1. When was he born?**\nQ2: Where?", ("When was he born?", "Where?")),
        ("Question 1: Is 3.5 more than 3?\n3.5 or 3?", ("Is 3.5 more than 3?", "3.5 or 3?")),
        ("What is -5 + 3?\n-5 or 5?", ("What is -5 + 3?", "-5 or 5?")),
        ("When?\nWhen?", ("When?",)),
        ("It is fine.", ()),
        ("", ()),
        ("?\n1. ?", ()),
        (f"{'why ' * 200}?\nHow?", ("How?",)),
    ],
)
def test_questions_are_the_lines_that_ask(text: str, questions: tuple[str, ...]) -> None:
    assert questions_in(text) == questions


def test_only_the_first_questions_count() -> None:
    assert len(questions_in("\n".join(f"{number}. Is it {number}?" for number in range(1, 12)))) == MAX_CHECKS


def test_check_stands_alone_unless_there_is_material() -> None:
    assert check_prompt("When?", "When was Einstein born?") == "When?"
    below = check_prompt("What is renamed?", "diff --git a b\n+def new():\n\nWrite a commit message.")
    assert below.startswith("diff --git a b\n")
    assert below.endswith("What is renamed?")


def test_final_prompt_has_the_answered_checks_alone() -> None:
    prompt = revise_prompt((DraftCheck("When?", "", "cut off"), DraftCheck("Where?", " in Ulm\n")))
    assert "1. Where?\nin Ulm\n" in prompt
    assert "When?" not in prompt


@pytest.mark.parametrize(
    ("draft", "final", "lines"),
    [
        ("It is 41.", "It is 42.", ("- It is 41.", "+ It is 42.")),
        ("one\n\ntwo\nthree", "one\ntwo and a half\nthree", ("- two", "+ two and a half")),
        ("one\ntwo", "two", ("- one",)),
        ("one", "one", ()),
    ],
)
def test_changed_lines_are_dropped_and_added_ones(draft: str, final: str, lines: tuple[str, ...]) -> None:
    assert changed_lines(draft, final) == lines


def test_of_a_long_line_the_changed_place_is_left() -> None:
    before, behind = "Albert Einstein was a physicist. " * 9, " He died in Princeton in 1955." * 9
    dropped, added = changed_lines(f"{before}Born in 1897.{behind}", f"{before}Born in 1879.{behind}")

    assert dropped == "- …Einstein was a physicist. Born in 1897. He died in Princeton in 1955…"
    assert "Born in 1879." in added
    assert max(len(dropped), len(added)) < 100


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_answers_can_be_compared(draft: str, final: str) -> None:
    changes = changed_lines(draft, final)
    assert all(change[:2] in {"- ", "+ "} for change in changes)
    assert bool(changes) or _words(draft) == _words(final)


def _words(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_hundreds_of_changed_lines_are_compared_at_once() -> None:
    old, new = ("\n".join(f"{name} {number}" for number in range(2000)) for name in ("old", "new"))
    assert len(changed_lines(old, new)) == 4000
