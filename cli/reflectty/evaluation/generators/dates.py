"""Dates: weekdays, days between two dates, dates some days later, leap years."""

from __future__ import annotations

from calendar import isleap
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from reflectty.evaluation.generators.draw import Problem
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from reflectty.evaluation.generators.draw import Draw

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_SPANS: Final = (20, 60, 200, 800, 5000)
"""The most days between two dates, by level."""
_YEARS: Final = ((2020, 2029), (2000, 2039), (1980, 2060), (1900, 2100), (1800, 2200))
"""From which years dates are taken, by level."""


def make_dates(draw: Draw, level: int) -> Problem:
    """A question about the Gregorian calendar."""
    return draw.pick((_later_weekday, _known_weekday, _days_between, _later_date, _leap_years))(draw, level)


def date_text(day: date) -> str:
    """A date in words, which no country reads in another order: `3 March 2024`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _date_in(draw: Draw, level: int) -> date:
    first, last = _YEARS[level - 1]
    return date(first, 1, 1) + timedelta(days=draw.below((date(last, 12, 31) - date(first, 1, 1)).days))


def _later_weekday(draw: Draw, level: int) -> Problem:
    today, days = draw.below(7), draw.between(3, _SPANS[level - 1] * 2)
    ago = draw.chance(0.15 * level)
    when = f"was it {days} days ago" if ago else f"is it in {days} days"
    question = f"Today is {WEEKDAYS[today]}. Which day of the week {when}?"
    return Problem(question, WEEKDAYS[(today + (-days if ago else days)) % 7], AnswerKind.CASEFOLD)


def _known_weekday(draw: Draw, level: int) -> Problem:
    known = _date_in(draw, level)
    asked = known + timedelta(days=draw.between(2, _SPANS[level - 1]))
    question = (
        f"{date_text(known)} is a {WEEKDAYS[known.weekday()]}. "
        f"Which day of the week is {date_text(asked)} in the Gregorian calendar?"
    )
    return Problem(question, WEEKDAYS[asked.weekday()], AnswerKind.CASEFOLD)


def _days_between(draw: Draw, level: int) -> Problem:
    first = _date_in(draw, level)
    days = draw.between(2, _SPANS[level - 1])
    last = first + timedelta(days=days)
    question = f"How many days after {date_text(first)} is {date_text(last)}? (The day after a date is 1 day after it.)"
    return Problem(question, str(days))


def _later_date(draw: Draw, level: int) -> Problem:
    first = _date_in(draw, level)
    days = draw.between(2, _SPANS[level - 1])
    last = first + timedelta(days=days)
    question = f"Which date is {days} days after {date_text(first)}? Answer in the form YYYY-MM-DD."
    return Problem(question, last.isoformat(), AnswerKind.CASEFOLD)


def _leap_years(draw: Draw, level: int) -> Problem:
    low, high = _YEARS[level - 1]
    first = draw.between(low, high - 4)
    last = draw.between(first + 3, min(first + 12 * level * level, 2400))
    question = f"How many leap years are there from {first} to {last}, both years included, in the Gregorian calendar?"
    return Problem(question, str(sum(map(isleap, range(first, last + 1)))))
