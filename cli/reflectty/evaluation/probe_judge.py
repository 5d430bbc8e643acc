"""How the final answers of a probe are read, compared and graded."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.grader import Verdict, grade_text
from reflectty.evaluation.items import LETTERS, Item
from reflectty.reasoning.numbers import single_number
from reflectty.reasoning.stated_answers import AnswerKind, final_answer, same_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.evaluation.grader import MathCheck

_SHORT: Final = 200
"""Characters up to which the last number of an answer without an explicit statement counts as the answer."""
_TEXT_KINDS: Final = (AnswerKind.EXACT, AnswerKind.CASEFOLD, AnswerKind.CONTAINS, AnswerKind.REGEX)


class AnswerJudge(NamedTuple):
    """How final answers are read, compared and graded."""

    read: Callable[[str], str]
    """Reads the answer that a text states; empty if it states none."""
    is_same: Callable[[str, str], bool]
    is_right: Callable[[str], bool] | None = None
    """Grades the text of a final answer; None without a key."""


def judge_for(answer: str, key: str = "") -> AnswerJudge:
    """The judge for the answers to a question of a session.

    Args:
        answer: the final answer of a reply to it, which shows what an answer is if there is no key.
        key: the right answer; empty if it is unknown.
    """
    if key:
        return judge_of_item(Item("key", "", key, kind_of_key(key)))
    number = final_answer(answer, AnswerKind.NUMBER)
    is_number = number is not None and (number.is_explicit or len(answer) <= _SHORT)
    kind = AnswerKind.NUMBER if is_number else AnswerKind.CASEFOLD
    return AnswerJudge(partial(_read, kind, ()), lambda one, other: same_answer(one, other, kind))


def kind_of_key(key: str) -> AnswerKind:
    """What an answer is, by the right one: a number, a letter, or a text that the answer contains."""
    if single_number(key):
        return AnswerKind.NUMBER
    return AnswerKind.CHOICE if re.fullmatch(f"[{LETTERS}]", key.strip().upper()) else AnswerKind.CONTAINS


def judge_of_item(item: Item, check_math: MathCheck | None = None) -> AnswerJudge:
    """The judge for the answers to an item; without `check_math` formulas are right only if written like the key."""
    return AnswerJudge(
        partial(_read, item.kind, item.choices),
        lambda one, other: same_answer(one, other, item.kind),
        partial(_is_right, item, check_math),
    )


def _read(kind: AnswerKind, choices: tuple[str, ...], text: str) -> str:
    found = final_answer(text, kind, choices)
    stated = found.text if found else text if kind in _TEXT_KINDS else ""
    return " ".join(stated.split())


def _is_right(item: Item, check_math: MathCheck | None, text: str) -> bool:
    if item.kind is AnswerKind.MATH and check_math is None:
        found = final_answer(text, item.kind)
        return found is not None and same_answer(item.answer, found.text, item.kind)
    if item.kind in _TEXT_KINDS and final_answer(text, item.kind) is None:
        # A text without a statement is the answer as a whole.
        return grade_text(item, f"Answer: {' '.join(text.split())}").verdict is Verdict.RIGHT
    return grade_text(item, text, check_math=check_math).verdict is Verdict.RIGHT
