"""What became of the draft of a reply: kept, fixed, broken or lost."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reflectty.evaluation.grader import Verdict

if TYPE_CHECKING:
    from reflectty.evaluation.grader import Grade
    from reflectty.evaluation.records import ResultRecord


class Transition(StrEnum):
    """What became of the draft of one reply."""

    KEPT_RIGHT = "right-right"
    FIXED = "fixed"
    """The draft was wrong, the answer is right."""
    BROKEN = "broken"
    """The draft was right, the answer is wrong."""
    LOST = "lost"
    """The draft was right, and there is no answer: it was cut, or states none."""
    SAME_WRONG = "same-wrong"
    OTHER_WRONG = "other-wrong"
    """The draft was wrong, and the answer is another wrong one, or there is none."""
    NO_DRAFT = "no-draft"
    """There is no draft that can be read."""
    FAILED = "failed"
    """The request failed: it does not count."""


def transition_of(result: ResultRecord) -> Transition:
    """What became of the draft of a result."""
    final, draft = result.grade, result.draft
    if final.verdict is Verdict.ERROR:
        return Transition.FAILED
    if draft is None or draft.verdict not in (Verdict.RIGHT, Verdict.WRONG):
        return Transition.NO_DRAFT
    if draft.verdict is Verdict.RIGHT:
        return _FROM_RIGHT.get(final.verdict, Transition.LOST)
    if final.verdict is Verdict.RIGHT:
        return Transition.FIXED
    return Transition.SAME_WRONG if _is_same_answer(draft, final) else Transition.OTHER_WRONG


_FROM_RIGHT = {Verdict.RIGHT: Transition.KEPT_RIGHT, Verdict.WRONG: Transition.BROKEN}


def _is_same_answer(draft: Grade, final: Grade) -> bool:
    """Whether two wrong answers are the same; one that is not stated is none."""
    return bool(final.given) and draft.given.strip().casefold() == final.given.strip().casefold()
