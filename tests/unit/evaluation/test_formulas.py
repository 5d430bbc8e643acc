from __future__ import annotations

import sys
import threading
import time

import pytest

from reflectty.core.errors import UsageError
from reflectty.evaluation.formulas import FormulaChecker, plain_formula, plain_number, require_formula_check
from reflectty.evaluation.grader import Grade, Verdict, grade_text
from reflectty.evaluation.items import Item
from reflectty.reasoning.stated_answers import AnswerKind

SCRIPTED = """
import json, os, sys, time
print("ready", flush=True)
for line in sys.stdin:
    key, given = json.loads(line)
    if given == "crash":
        os._exit(1)
    if given == "hang":
        time.sleep(60)
    print({"same": "equal", "other": "different"}.get(given, "unknown"), flush=True)
"""
COMMAND = (sys.executable, "-c", SCRIPTED)


def item(key: str) -> Item:
    return Item("one", "Simplify.", key, AnswerKind.MATH)


@pytest.mark.parametrize(
    ("formula", "number"),
    [
        ("18", "18"),
        ("\\frac{1}{2}", "1/2"),
        ("10{,}000", "10000"),
        ("50\\%", None),
        ("5!", None),
        ("x+1", None),
        ("3,\\!250", "3250"),
    ],
)
def test_a_plain_number_needs_no_algebra(formula: str, number: str | None) -> None:
    found = plain_number(formula)
    assert (str(found) if found is not None else None) == number


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("\\dfrac{x}{2}", "\\frac{x}{2}", True),
        ("\\left( 1, 2 \\right)", "(1,2)", True),
        ("x + 1.", "x+1", True),
        ("\\text{Monday}", "{Monday}", True),
        ("x+1", "1+x", False),
    ],
)
def test_formulas_that_are_written_alike_are_equal(first: str, second: str, same: bool) -> None:
    assert (plain_formula(first) == plain_formula(second)) is same


def test_formulas_are_compared_in_another_process_one_after_the_other() -> None:
    with FormulaChecker(COMMAND) as check:
        assert [check("x", given) for given in ("same", "other", "same", "nonsense")] == [True, False, True, None]


@pytest.mark.parametrize("given", ["crash", "hang"])
def test_a_process_that_crashes_or_hangs_is_replaced(given: str) -> None:
    with FormulaChecker(COMMAND, limit=0.3 if given == "hang" else 10) as check:
        started = time.monotonic()
        assert check("x", given) is None
        assert time.monotonic() - started < 30
    with FormulaChecker(COMMAND, limit=10) as check:
        assert [check("x", given) for given in ("crash", "same", "other")] == [None, True, False]


def test_a_process_ends_with_its_checker_and_starts_again() -> None:
    check = FormulaChecker(COMMAND)
    assert check("x", "same") is True
    process = check._process  # noqa: SLF001 - whether it has ended is the point
    check.close()
    check.close()
    assert process is not None
    assert process.returncode is not None
    assert check("x", "other") is False
    check.close()


@pytest.mark.parametrize("command", [("/nonexistent/program",), (sys.executable, "-c", "pass")])
def test_a_process_that_cannot_start_finds_nothing_out(command: tuple[str, ...]) -> None:
    with FormulaChecker(command) as check:
        assert check("x", "same") is None
        assert check("x", "same") is None


@pytest.mark.parametrize("given", ["x" * 201, "9" * 60, "2^{99999}", "9^{9^{9^9}}"])
def test_a_formula_that_would_take_for_ever_is_not_even_asked(given: str) -> None:
    with FormulaChecker(("/nonexistent/program",)) as check:
        assert check("x", given) is False
        assert check(given, "x") is False


def test_threads_may_share_a_checker() -> None:
    found: dict[int, bool | None] = {}
    with FormulaChecker(COMMAND) as check:

        def ask(number: int) -> None:
            found[number] = check("x", "same" if number % 2 else "other")

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {number: bool(number % 2) for number in range(8)}


def test_an_answer_that_could_not_be_compared_is_wrong_and_weak() -> None:
    with FormulaChecker(COMMAND) as check:
        assert grade_text(item("1+x"), "\\boxed{crash}", check_math=check) == Grade(
            Verdict.WRONG, "crash", "boxed", is_weak=True
        )
        assert grade_text(item("1+x"), "\\boxed{same}", check_math=check) == Grade(Verdict.RIGHT, "same", "boxed")


def test_a_set_with_formulas_is_refused_without_math_verify() -> None:
    with pytest.raises(UsageError, match="math-verify, which is not installed") as caught:
        require_formula_check([item("5"), item("\\sqrt{2}")], is_installed=False)
    assert "math" in caught.value.hint
    assert "install" in caught.value.hint


def test_a_set_without_formulas_needs_no_math_verify() -> None:
    require_formula_check(
        [item("5"), item("\\frac{1}{2}"), Item("two", "?", "x+1", AnswerKind.EXACT)], is_installed=False
    )
    require_formula_check([item("\\sqrt{2}")], is_installed=True)
    require_formula_check([Item("two", "?", "x+1", AnswerKind.EXACT)])


@pytest.mark.slow
class TestMathVerify:
    def test_formulas_are_compared_by_their_value(self) -> None:
        pytest.importorskip("math_verify", reason="needs the group `oracles`")
        pairs = {
            ("1+x", "x+1"): True,
            ("\\frac{\\sqrt{3}}{2}", "\\sqrt{0.75}"): True,
            ("x^2-1", "(x-1)(x+1)"): True,
            ("\\{1,2\\}", "\\{2,1\\}"): True,
            ("2\\sqrt{2}", "\\sqrt{8}"): True,
            ("x=5", "5"): True,
            ("\\pi", "3.14159"): False,
            ("(1,2)", "(2,1)"): False,
            ("x", "\\frac{"): False,
        }
        with FormulaChecker() as check:
            assert {pair: check(*pair) for pair in pairs} == pairs

    def test_a_hostile_formula_takes_seconds_and_the_next_one_is_compared(self) -> None:
        pytest.importorskip("math_verify", reason="needs the group `oracles`")
        with FormulaChecker() as check:
            assert check("1+x", "x+1") is True
            started = time.monotonic()
            assert check("5", "9^{9^{9}}") is not True
            assert time.monotonic() - started < 15
            assert check("1+x", "x+1") is True

    def test_drafts_in_other_boxes_do_not_count(self) -> None:
        pytest.importorskip("math_verify", reason="needs the group `oracles`")
        with FormulaChecker() as check:
            text = "First \\boxed{x}, then \\boxed{x+1}."
            assert grade_text(item("1+x"), text, check_math=check).verdict is Verdict.RIGHT
            assert grade_text(item("x"), text, check_math=check).verdict is Verdict.WRONG
