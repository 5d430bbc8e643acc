"""Conversions of units, in one step and in several; all factors are exact by definition."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from reflectty.evaluation.generators.draw import Problem, decimal_text, is_decimal

if TYPE_CHECKING:
    from reflectty.evaluation.generators.draw import Draw

FACTORS: Final[tuple[tuple[tuple[str, Fraction], ...], ...]] = (
    (
        ("millimeters", Fraction(1, 1000)),
        ("centimeters", Fraction(1, 100)),
        ("meters", Fraction(1)),
        ("kilometers", Fraction(1000)),
    ),
    (
        ("milligrams", Fraction(1, 1000)),
        ("grams", Fraction(1)),
        ("kilograms", Fraction(1000)),
        ("metric tons", Fraction(10**6)),
    ),
    (("seconds", Fraction(1)), ("minutes", Fraction(60)), ("hours", Fraction(3600)), ("days", Fraction(86400))),
    (("milliliters", Fraction(1, 1000)), ("centiliters", Fraction(1, 100)), ("liters", Fraction(1))),
    (("inches", Fraction(1)), ("feet", Fraction(12)), ("yards", Fraction(36)), ("miles", Fraction(63360))),
    (
        ("square centimeters", Fraction(1, 10**4)),
        ("square meters", Fraction(1)),
        ("hectares", Fraction(10**4)),
        ("square kilometers", Fraction(10**6)),
    ),
    (("cubic centimeters", Fraction(1, 10**6)), ("liters", Fraction(1, 1000)), ("cubic meters", Fraction(1))),
)
"""Units of one quantity with their size; a foot has 12 inches, a mile 1,760 yards."""


def make_units(draw: Draw, level: int) -> Problem:
    """A conversion that has an exact answer."""
    makers = ((_one_step, _clock), (_one_step, _clock), (_one_step, _sum, _speed), (_sum, _speed, _temperature))
    return draw.pick(makers[min(level, 4) - 1])(draw, level)


def _amount(draw: Draw, level: int) -> Fraction:
    value = Fraction(draw.between(2, 15 * level * level))
    return value + Fraction(draw.between(1, 99), 100) if draw.chance(0.1 * level) else value


def _one_step(draw: Draw, level: int) -> Problem:
    while True:
        (source, size), (target, target_size) = draw.several(draw.pick(FACTORS), 2)
        amount = _amount(draw, level)
        value = amount * size / target_size
        if is_decimal(value) and Fraction(1, 1000) <= value <= 10 ** (level + 4):
            return Problem(f"Convert {decimal_text(amount)} {source} to {target}.", decimal_text(value))


def _sum(draw: Draw, level: int) -> Problem:
    while True:
        units = draw.several(draw.pick(FACTORS), 3)
        (first, first_size), (second, second_size), (target, target_size) = units
        amounts = _amount(draw, level), _amount(draw, level)
        value = (amounts[0] * first_size + amounts[1] * second_size) / target_size
        if is_decimal(value) and Fraction(1, 100) <= value <= 10 ** (level + 4):
            texts = f"{decimal_text(amounts[0])} {first} and {decimal_text(amounts[1])} {second}"
            return Problem(f"How much are {texts} together, in {target}?", decimal_text(value))


def _clock(draw: Draw, level: int) -> Problem:
    hours, minutes = draw.between(1, 6 * level), draw.between(1, 59)
    more = draw.between(1, 5 * level), draw.between(1, 59)
    question = (
        f"One task takes {hours} hours and {minutes} minutes, another {more[0]} hours and {more[1]} minutes. "
        "How many minutes do they take together?"
    )
    return Problem(question, str(60 * (hours + more[0]) + minutes + more[1]))


def _speed(draw: Draw, level: int) -> Problem:
    meters_per_second = Fraction(draw.between(2, 12 * level), draw.pick((1, 1, 2, 4)))
    kilometers_per_hour = meters_per_second * Fraction(18, 5)
    if draw.chance(0.5):
        question = f"Convert {decimal_text(meters_per_second)} meters per second to kilometers per hour."
        return Problem(question, decimal_text(kilometers_per_hour))
    question = f"Convert {decimal_text(kilometers_per_hour)} kilometers per hour to meters per second."
    return Problem(question, decimal_text(meters_per_second))


def _temperature(draw: Draw, level: int) -> Problem:
    celsius = Fraction(draw.between(-40, 40 * level), draw.pick((1, 1, 2)))
    fahrenheit = celsius * Fraction(9, 5) + 32
    if draw.chance(0.5):
        return Problem(
            f"Convert {decimal_text(celsius)} degrees Celsius to degrees Fahrenheit.", decimal_text(fahrenheit)
        )
    return Problem(f"Convert {decimal_text(fahrenheit)} degrees Fahrenheit to degrees Celsius.", decimal_text(celsius))
