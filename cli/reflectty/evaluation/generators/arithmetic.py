"""Arithmetic of several steps: precedence, brackets, decimals, percentages, remainders."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.generators.draw import Problem, decimal_text

if TYPE_CHECKING:
    from reflectty.evaluation.generators.draw import Draw

_OPERATIONS: Final = (2, 3, 4, 5, 7)
"""Operations of an expression, by level."""
_LARGEST: Final = (20, 60, 120, 400, 900)
"""The largest number in an expression, by level."""
_MAX_VALUE: Final = (500, 4_000, 40_000, 400_000, 999_999)
"""The largest value of an expression and of its parts, by level."""
_ASKING: Final = ("What is {}?", "Compute {}.", "Work out {}.", "Calculate {}.", "How much is {}?")


class _Expression(NamedTuple):
    text: str
    value: Fraction
    strength: int
    """How tightly it binds: 1 a sum, 2 a product, 3 a number or a bracket."""


def make_arithmetic(draw: Draw, level: int) -> Problem:
    """An expression, a percentage or a remainder."""
    if level > 1 and draw.chance(0.2):
        return _percentage(draw, level)
    expression = _bounded_expression(draw, level)
    if level > 2 and expression.value.denominator == 1 and expression.value > 0 and draw.chance(0.25):
        divisor = draw.between(3, 12 * level)
        question = f"What is the remainder when {expression.text} is divided by {divisor}?"
        return Problem(question, str(int(expression.value) % divisor))
    return Problem(draw.pick(_ASKING).format(expression.text), decimal_text(expression.value))


def _percentage(draw: Draw, level: int) -> Problem:
    share, whole = draw.between(2, 19 if level < 4 else 99), draw.between(3, 40 * level) * 5
    more = draw.between(2, 30 * level)
    operator, sign = draw.pick((("plus", 1), ("minus", -1)))
    value = Fraction(share * whole, 100) + sign * more
    return Problem(f"What is {share} % of {whole}, {operator} {more}?", decimal_text(value))


def _bounded_expression(draw: Draw, level: int) -> _Expression:
    """An expression whose parts are all small enough for its level."""
    while True:
        expression = _expression(draw, _OPERATIONS[level - 1], level)
        if abs(expression.value) <= _MAX_VALUE[level - 1]:
            return expression


def _expression(draw: Draw, operations: int, level: int) -> _Expression:
    if operations == 0:
        return _number(draw, level)
    if operations == 1 and draw.chance(0.25):
        return _quotient(draw, level)
    split = draw.below(operations)
    left, right = _expression(draw, split, level), _expression(draw, operations - 1 - split, level)
    if draw.chance(0.35):
        return _product(left, right)
    return _sum(left, right, draw.pick(("+", "-")))


def _number(draw: Draw, level: int) -> _Expression:
    value = Fraction(draw.between(2, _LARGEST[level - 1]))
    if draw.chance(0.06 * level):
        value += Fraction(draw.between(1, 9), 10)
    return _Expression(decimal_text(value), value, 3)


def _quotient(draw: Draw, level: int) -> _Expression:
    divisor, quotient = draw.between(2, 5 + 4 * level), draw.between(2, _LARGEST[level - 1] // 4)
    return _Expression(f"{divisor * quotient} / {divisor}", Fraction(quotient), 2)


def _sum(left: _Expression, right: _Expression, operator: str) -> _Expression:
    value = left.value + right.value if operator == "+" else left.value - right.value
    bracketed = f"({right.text})" if operator == "-" and right.strength == 1 else right.text
    return _Expression(f"{left.text} {operator} {bracketed}", value, 1)


def _product(left: _Expression, right: _Expression) -> _Expression:
    # A quotient on the right is bracketed: readers disagree about `a * b / c` written in one row.
    left_text = f"({left.text})" if left.strength == 1 else left.text
    right_text = f"({right.text})" if right.strength < 3 else right.text
    return _Expression(f"{left_text} * {right_text}", left.value * right.value, 2)
