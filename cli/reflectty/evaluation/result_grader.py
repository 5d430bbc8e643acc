"""Grades the replies of one item in one arm: the final answer, and the draft before the corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.arms import Way
from reflectty.evaluation.grader import Grade, Verdict, draft_of, grade_step
from reflectty.reasoning.stated_answers import same_answer
from reflectty.reasoning.vote import tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.evaluation.arms import Arm
    from reflectty.evaluation.grader import MathCheck
    from reflectty.evaluation.items import Item
    from reflectty.evaluation.records import StepRecord


class ResultGrades(NamedTuple):
    """The grades of one result."""

    final: Grade
    draft: Grade | None = None
    """None if there is no draft, or none that can be read."""


def grade_result(
    item: Item, arm: Arm, steps: Sequence[StepRecord], check_math: MathCheck | None = None
) -> ResultGrades:
    """Grade all replies of one item in one arm; there is at least one.

    The draft of `revise` is its first answer, that of other ways what the model had before its first correction.

    Args:
        item: the question with its key.
        arm: how it was asked.
        steps: its replies.
        check_math: compares formulas.

    Raises:
        UsageError: the key is a formula, and nothing compares formulas.
    """
    grades = [grade_step(item, step, check_math) for step in steps]
    match arm.way:
        case Way.VOTE:
            return ResultGrades(_winner(item, grades))
        case Way.REVISE:
            # Without a review there is no final answer: the first reply was not followed by a second one.
            return ResultGrades(grades[-1] if len(grades) > 1 else Grade(Verdict.UNFINISHED), grades[0])
        case _:
            return ResultGrades(grades[0], draft_of(item, steps[0].segments, arm.way, check_math))


def _winner(item: Item, grades: Sequence[Grade]) -> Grade:
    """The grade of the most frequent answer; the first of those with the same count."""
    vote = tally((grade.given for grade in grades), lambda one, other: same_answer(one, other, item.kind))
    return grades[0] if vote.winner is None else grades[vote.winner]
