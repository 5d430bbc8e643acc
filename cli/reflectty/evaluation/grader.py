"""Grades a reply: right, wrong, no answer, unfinished or failed."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind, SecondThoughtKind
from reflectty.evaluation.arms import Way
from reflectty.evaluation.formulas import plain_formula, plain_number, refuse_formula
from reflectty.reasoning.letters import comparable, letter_of
from reflectty.reasoning.numbers import are_close, single_number
from reflectty.reasoning.second_thoughts import SecondThoughts
from reflectty.reasoning.stated_answers import AnswerKind, StatementRule, final_answer, stated_answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from fractions import Fraction

    from reflectty.evaluation.items import Item
    from reflectty.evaluation.records import StepRecord
    from reflectty.reasoning.numbers import Number
    from reflectty.reasoning.stated_answers import StatedAnswer

    MathCheck = Callable[[str, str], bool | None]
    """Whether a formula, the second, is equal to the key, the first; None if that could not be found out."""


class Verdict(StrEnum):
    """What became of one question in one arm."""

    RIGHT = "right"
    WRONG = "wrong"
    NO_ANSWER = "no-answer"
    """It ended by itself, and states no answer."""
    UNFINISHED = "unfinished"
    """It was cut, or its thinking never closed; a right answer in the thinking does not count."""
    ERROR = "error"
    """The request failed; it is asked again on resuming, and left out pairwise."""


class Grade(NamedTuple):
    """The grade of one text."""

    verdict: Verdict
    given: str = ""
    """The answer that was read; empty if there is none."""
    rule: str = ""
    """The rule that read it, a value of `StatementRule`."""
    is_weak: bool = False
    """Whether it was read by a fallback, or matches only in a tolerant reading."""


class _Match(NamedTuple):
    """Whether an answer is the key, and whether that is only a tolerant reading, or could not be found out."""

    is_right: bool
    is_tolerant: bool = False


_LONGEST_SEARCHED: Final = 200
"""The characters of a text in which a regular expression is searched; more would let a slow one run for minutes."""
_NEGATION: Final = re.compile(r"\b(?:not|no|never|nor|neither)\b|n['’]t\b|\?")
_PERCENT: Final = re.compile(r"percent|per cent|%", re.IGNORECASE)
_FREE_END: Final = " *_`.,"
"""What may follow an answer that is cut in its middle."""


def grade_text(item: Item, text: str, *, is_complete: bool = True, check_math: MathCheck | None = None) -> Grade:
    """Grade the visible answer of a reply.

    Args:
        item: the question with its key.
        text: the answer, without thinking.
        is_complete: whether the model ended it by itself. If not, only an explicit statement that is not cut counts.
        check_math: compares formulas; without it, only numbers and formulas that are written alike are graded.

    Raises:
        UsageError: the key is a formula and there is no `check_math`, or the key is not a valid regular expression.
    """
    answer = final_answer(text, item.kind, item.choices)
    if not is_complete and (answer is None or not answer.is_explicit or _may_be_cut(answer, text)):
        return Grade(Verdict.UNFINISHED)
    return _grade_answer(item, answer, check_math) if answer else Grade(Verdict.NO_ANSWER)


def grade_step(item: Item, step: StepRecord, check_math: MathCheck | None = None) -> Grade:
    """Grade a reply by its answer alone: what stands in its thinking never counts.

    Raises:
        UsageError: as of `grade_text`.
    """
    has_thinking = any(kind != Kind.ANSWER and text.strip() for kind, text in step.segments)
    is_answered = any(kind == Kind.ANSWER and text.strip() for kind, text in step.segments)
    if has_thinking and not is_answered and _is_thinking(step):
        return Grade(Verdict.UNFINISHED)
    if not step.answer.strip():
        is_cut = has_thinking or step.done_reason not in ("stop", "")
        return Grade(Verdict.UNFINISHED if is_cut else Verdict.NO_ANSWER)
    return grade_text(item, step.answer, is_complete=step.is_complete, check_math=check_math)


def draft_of(
    item: Item, segments: Sequence[tuple[str, str]], way: Way, check_math: MathCheck | None = None
) -> Grade | None:
    """Grade the answer before the first correction of a reply; None if there is no correction, or no draft to read.

    A draft in `<draft>` is read before any other. Before a tagged reflection it is the last answer of the thinking; in
    free thinking the first stated one before the first sure correction, or the last number or letter there, which is a
    weak reading either way.

    Args:
        item: the question with its key.
        segments: pairs of a kind and its text, in order.
        way: how the arm asks; free thinking is read only where the arm thinks.
        check_math: compares formulas.
    """
    kinds = [kind for kind, _ in segments]
    first = kinds.index(Kind.REFLECTION) if Kind.REFLECTION in kinds else len(kinds)
    before = "\n\n".join(text for kind, text in segments[:first] if kind == Kind.THINKING)
    answer = _tagged_draft("\n\n".join(text for _, text in segments[:first]), item)
    is_free = not answer and first == len(kinds)
    if is_free:
        answer = _free_draft(before, item) if way in _THINKING_WAYS else None
    answer = answer or (None if is_free else final_answer(before, item.kind, item.choices))
    if not answer or (not answer.is_explicit and item.kind in _TEXT_KINDS):
        return None
    grade = _grade_answer(item, answer, check_math)
    return grade._replace(is_weak=grade.is_weak or is_free)


_THINKING_WAYS: Final = (Way.REFLECT, Way.THINK)
_TEXT_KINDS: Final = (AnswerKind.EXACT, AnswerKind.CASEFOLD, AnswerKind.CONTAINS, AnswerKind.REGEX)


def _tagged_draft(text: str, item: Item) -> StatedAnswer | None:
    """The answer in the last `<draft>` of a text; None if it has none."""
    end = text.rfind("</draft>")
    start = text.rfind("<draft>", 0, max(end, 0))
    return final_answer(text[start + len("<draft>") : end], item.kind, item.choices) if start >= 0 else None


def _free_draft(thinking: str, item: Item) -> StatedAnswer | None:
    """The answer before the first sure correction in free thinking; None if there is no correction."""
    reader = SecondThoughts()
    marks = (*reader.feed(thinking), *reader.close())
    places = [mark.at for mark in marks if mark.is_sure and mark.kind is SecondThoughtKind.CORRECTION]
    if not places:
        return None
    before = thinking[: places[0]]
    return next(iter(stated_answers(before, item.kind, item.choices)), None) or final_answer(
        before, item.kind, item.choices
    )


def _is_thinking(step: StepRecord) -> bool:
    """Whether the answer of a reply is nothing but its last thinking, which was never closed."""
    return not step.answer.strip() or step.answer.strip() == step.segments[-1][1].strip()


def _may_be_cut(answer: StatedAnswer, text: str) -> bool:
    """Whether an answer at the very end of a cut text may lack its end."""
    return answer.rule is not StatementRule.BOXED and not text[answer.end :].strip(_FREE_END)


def _grade_answer(item: Item, answer: StatedAnswer, check_math: MathCheck | None) -> Grade:
    if item.kind is AnswerKind.MATH:
        match = _match_math(item.answer, answer.text, check_math)
    else:
        match = _MATCHERS[item.kind](item, answer.text)
    verdict = Verdict.RIGHT if match.is_right else Verdict.WRONG
    # The very text of the key is no sentence around it.
    is_exact = match.is_right and item.kind in (AnswerKind.EXACT, AnswerKind.CASEFOLD)
    return Grade(verdict, answer.text, str(answer.rule), match.is_tolerant or (answer.is_weak and not is_exact))


def _match_number(item: Item, given: str) -> _Match:
    """Compare numbers: as written; then, tolerantly, percent as a fraction, and a number without its scale."""
    key, number = single_number(item.answer), single_number(given)
    if key is None or number is None:
        return _Match(comparable(item.answer) == comparable(given))
    if are_close(number.value, key.value):
        return _Match(is_right=True)
    asks_percent = bool(_PERCENT.search(item.question)) or key.is_percent
    is_right = any(are_close(value, key.value) for value in _other_readings(number, asks_percent=asks_percent))
    return _Match(is_right, is_tolerant=is_right)


def _other_readings(number: Number, *, asks_percent: bool) -> list[Fraction]:
    """What a number may mean besides its value: 50% is 0.5, 0.5 is 50 where percent is asked, 2 million is 2."""
    readings = [number.value / number.scale]
    if number.is_percent:
        readings.append(number.value / 100)
    elif asks_percent:
        readings.append(number.value * 100)
    return readings


def _match_letter(item: Item, given: str) -> _Match:
    return _Match(given == letter_of(item.answer, item.choices))


def _match_exactly(item: Item, given: str) -> _Match:
    return _Match(given in (item.answer, item.answer.strip(), item.answer.strip().removesuffix(".")))


def _match_casefolded(item: Item, given: str) -> _Match:
    """Compare texts without case; tolerantly, a sentence that says what the answer is: `It is Monday`."""
    key, text = _folded(item.answer), _folded(given)
    if key == text:
        return _Match(is_right=True)
    is_right = bool(key) and not _NEGATION.search(given.casefold()) and _says(key, text, _folded(item.question))
    return _Match(is_right, is_tolerant=is_right)


def _says(key: str, sentence: str, question: str) -> bool:
    """Whether a sentence ends in "is" and the key, or repeats the question behind the key: `Hana is the oldest`."""
    if re.search(rf"\b(?:is|was) (?:the )?{re.escape(key)}$", sentence):
        return True
    match = re.fullmatch(rf"{re.escape(key)} ((?:is|was) .+)", sentence)
    return match is not None and match[1] in question


def _match_contained(item: Item, given: str) -> _Match:
    """Whether an answer contains the key as a word; tolerant if it contains more than that."""
    key, text = _folded(item.answer), _folded(given)
    is_right = bool(key) and re.search(rf"(?<!\w){re.escape(key)}(?!\w)", text) is not None
    return _Match(is_right, is_tolerant=is_right and key != text)


def _match_pattern(item: Item, given: str) -> _Match:
    try:
        pattern = re.compile(item.answer)
    except re.error as error:
        raise UsageError(f"the key of {item.id} is not a valid regular expression: {error}") from error
    return _Match(pattern.search(given[:_LONGEST_SEARCHED]) is not None)


_MATCHERS: Final[Mapping[AnswerKind, Callable[[Item, str], _Match]]] = {
    AnswerKind.NUMBER: _match_number,
    AnswerKind.CHOICE: _match_letter,
    AnswerKind.EXACT: _match_exactly,
    AnswerKind.CASEFOLD: _match_casefolded,
    AnswerKind.CONTAINS: _match_contained,
    AnswerKind.REGEX: _match_pattern,
}


def _match_math(key: str, given: str, check_math: MathCheck | None) -> _Match:
    """Compare formulas: as numbers if both are, as they are written, and else by `check_math`."""
    first, second = plain_number(key), plain_number(given)
    if first is not None and second is not None:
        return _Match(are_close(second, first))
    if plain_formula(key) == plain_formula(given):
        return _Match(is_right=True)
    if not check_math:
        refuse_formula(key)
        return _Match(is_right=False)
    is_equal = check_math(key, given)
    return _Match(bool(is_equal), is_tolerant=is_equal is None)


def _folded(text: str) -> str:
    """A text in compatible characters, without case and repeated spaces, and without marks around it."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.strip("*_`\"'“”‘’.,;:!?()[]$ ")
