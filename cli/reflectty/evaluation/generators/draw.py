"""What generators share: draws that are the same on every version of Python, problems, numbers as text."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, Final, TypeVar

from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.items import LETTERS
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

LEVELS: Final = 5
"""Levels of difficulty, counted from 1."""


class Draw:
    """Draws by chance from a seed.

    Only `Random.random` is called: of all its methods it alone is promised to give the same sequence on every version
    of Python (documentation of the module random, "Notes on Reproducibility").
    """

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 - chance makes questions, and guards nothing

    def below(self, end: int) -> int:
        """An integer from 0 to `end` - 1."""
        return int(self._random.random() * end)

    def between(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def pick(self, values: Sequence[T]) -> T:
        return values[self.below(len(values))]

    def several(self, values: Sequence[T], count: int) -> list[T]:
        """Different values, in an order by chance."""
        rest = list(values)
        return [rest.pop(self.below(len(rest))) for _ in range(count)]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        return self.several(values, len(values))


class Problem(NamedTuple):
    """A question with its key, not yet numbered."""

    question: str
    answer: str
    kind: AnswerKind = AnswerKind.NUMBER
    choices: tuple[str, ...] = ()


def choice_problem(draw: Draw, question: str, right: str, wrong: Sequence[str]) -> Problem:
    """A problem whose right choice stands among wrong ones, in an order by chance."""
    choices = draw.shuffled([right, *wrong])
    return Problem(question, LETTERS[choices.index(right)], AnswerKind.CHOICE, tuple(choices))


def is_decimal(value: Fraction) -> bool:
    """Whether a number has finitely many decimal places."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def decimal_text(value: Fraction | int) -> str:
    """A number written out exactly, without an exponent: `-12.75`.

    Raises:
        ValueError: it has no finite number of decimal places.
    """
    value = Fraction(value)
    if not is_decimal(value):
        raise ValueError(f"{value} has endless decimal places")
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    digits = str(abs(int(value * 10**places))).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def money_text(value: Fraction | int) -> str:
    """An amount with two decimal places, or none: `12.50`, `7`.

    Raises:
        ValueError: it is not a whole number of cents.
    """
    cents = Fraction(value) * 100
    if cents.denominator != 1:
        raise ValueError(f"{value} is no number of cents")
    whole, rest = divmod(int(cents), 100)
    return f"{whole}.{rest:02}" if rest else str(whole)


def listed(words: Sequence[str], conjunction: str = "and") -> str:
    """Words in a row: `Ann, Ben and Cem`."""
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}" if len(words) > 1 else words[0]


def sentence(text: str) -> str:
    """A clause as a sentence."""
    return f"{text[0].upper()}{text[1:]}."
