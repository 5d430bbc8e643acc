"""Questions about days, dates, years and times of day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from mini.example import Example
from mini.working import Line, near, taking, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
AFTER: Final = (
    "What day is {1} after {0}?",
    "Today is {0}. What day will it be in {1}?",
    "If today is {0}, which day is it in {1}?",
    "Which weekday comes {1} after {0}?",
)
BEFORE: Final = (
    "What day was it {1} before {0}?",
    "What day is {1} before {0}?",
    "If today is {0}, what day was it {1} ago?",
)


def weekday(rng: Random) -> Example:
    """Return a question for the day so many days after or before another."""
    start, count = rng.randrange(7), rng.choice((rng.randint(1, 6), rng.randint(7, 40)))
    back = rng.random() < 0.35
    weeks, rest = divmod(count, 7)
    walk = [DAYS[(start + (-index if back else index)) % 7] for index in range(rest + 1)]
    lines = [_full_weeks(rng, count, weeks, rest)] if weeks else []
    if rest:
        lines.append(_walked(walk))
    question = rng.choice(BEFORE if back else AFTER).format(walk[0], f"{count} day{'s' * (count > 1)}")
    said = f"It was {walk[-1]}." if back else f"It is {walk[-1]}."
    return Example("dates", question, told(rng, lines), said, walk[-1])


def _full_weeks(rng: Random, count: int, weeks: int, rest: int) -> Line:
    days = weeks * 7
    return Line(
        f"{days} days are full weeks and change nothing: {count} - {days} = {rest} left.",
        f"{days} days are full weeks: {count} - {days} = {near(rng, rest)} left.",
        f"{days} + {rest} is {count}.",
    )


def _walked(walk: list[str]) -> Line:
    counted = ", ".join(f"{index} {day}" for index, day in enumerate(walk[1:], 1))
    short = ", ".join(f"{index} {day}" for index, day in enumerate(walk[:-1], 1))
    return Line(f"From {walk[0]}: {counted}.", f"From {walk[0]}: {short}.", f"{walk[0]} itself is not counted.")


def leap(year: int) -> bool:
    """Whether a year has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def leap_years(rng: Random) -> Example:
    """Return a question whether a year is a leap year, or how many days its February has."""
    year = rng.choice(
        (rng.randint(1600, 2100), rng.randint(1990, 2050), rng.choice((1700, 1800, 1900, 2000, 2100, 2400)))
    )
    last = Line(f"The last two digits of {year} are {year % 100:02}.")
    lines = (last, *(_century(year) if year % 100 == 0 else _by_four(year)))
    if rng.random() < 0.6:
        question = rng.choice(("Is {} a leap year?", "Was {} a leap year?", "is {} a leap year")).format(year)
        said = f"Yes, {year} is a leap year." if leap(year) else f"No, {year} is not a leap year."
        return Example("dates", question, told(rng, lines), said, "Yes" if leap(year) else "No")
    question = rng.choice(("How many days does February {} have?", "How many days are in February {}?")).format(year)
    days = 29 if leap(year) else 28
    return Example("dates", question, told(rng, lines), f"February {year} has {days} days.", str(days))


def _century(year: int) -> tuple[Line, Line]:
    no = "" if year % 400 == 0 else "not "
    return (
        Line(
            "It ends a century, so it must be divisible by 400.",
            f"{year} is divisible by 4, so it is a leap year.",
            "It ends a century: for those 400 counts.",
        ),
        Line(f"{year // 100} is {no}divisible by 4, so {year} is {no}divisible by 400."),
    )


def _by_four(year: int) -> tuple[Line, Line]:
    fours, rest = divmod(year % 100, 4)
    text = f"{year % 100} = 4 × {fours}"
    return (
        Line(
            f"{text} + {rest}." if rest else f"{text}.",
            f"{text} + {rest - 1 if rest else 2}.",
            f"4 × {fours} is {fours * 4}.",
        ),
        Line(f"So {year} is {'not ' if rest else ''}divisible by 4."),
    )


def later(rng: Random) -> Example:
    """Return a question for a date some days after another, over the end of a month now and then."""
    start = date(2023, 1, 1) + timedelta(days=rng.randrange(300))
    count = rng.randint(1, 30)
    end = start + timedelta(days=count)
    name = f"{end.day} {MONTHS[end.month - 1]}"
    question = rng.choice(
        (
            "What date is {2} days after {0} {1}?",
            "What is the date {2} days after {1} {0}?",
            "It is {0} {1}. Which date is it in {2} days?",
        )
    ).format(start.day, MONTHS[start.month - 1], count)
    question = question.replace("in 1 days", "in 1 day").replace("1 days after", "1 day after")
    return Example("dates", question, told(rng, _counted_on(start, count, end)), f"It is {name}.", name)


def _counted_on(start: date, count: int, end: date) -> tuple[Line, ...]:
    month, length = MONTHS[start.month - 1], LENGTHS[start.month - 1]
    reached = start.day + count
    sums = f"{start.day} + {count}"
    has = f"{month} has {length} days."
    over = f"{reached} is more: {reached} - {length} = {reached - length}, in {MONTHS[end.month - 1]}."
    return (
        Line(f"{sums} = {reached}.", f"{sums} = {reached + 1}.", f"{sums} is {reached}."),
        Line(has, f"{month} has {61 - length if length > 28 else 30} days.", has),
        Line(over if start.month != end.month else f"{reached} is not more, so it stays in {month}."),
    )


def clock(rng: Random) -> Example:
    """Return a question for a time of day some minutes later."""
    hour, minute = rng.randint(0, 23), rng.randrange(0, 60, rng.choice((1, 5, 5, 15)))
    count = rng.choice((rng.randrange(5, 60, 5), rng.randrange(60, 300, 5)))
    total = minute + count
    hours, rest = divmod(total, 60)
    text = f"{minute} + {count}"
    summed = Line(
        f"The minutes: {text} = {total}.", f"The minutes: {text} = {near(rng, total)}.", f"{text} is {total}."
    )
    lines = (summed, *_hours_on(hour, hours, total))
    name = f"{(hour + hours) % 24}:{rest:02}"
    question = rng.choice(
        (
            "What time is it {1} minutes after {0}?",
            "It is {0}. What time is it in {1} minutes?",
            "What is {0} plus {1} minutes?",
            "A train leaves at {0} and travels {1} minutes. When does it arrive?",
            "A film starts at {0} and lasts {1} minutes. When does it end?",
        )
    ).format(f"{hour}:{minute:02}", count)
    return Example("times", question, told(rng, lines), f"It is {name}.", name)


def _hours_on(hour: int, hours: int, total: int) -> tuple[Line, ...]:
    if not hours:
        return (Line(f"{total} is less than 60, so the hour stays {hour}."),)
    rest = total - hours * 60
    # An hour is easily taken for a hundred minutes.
    wrong = total - hours * 100 if total >= hours * 100 else rest + 20
    parts = f"{total} minutes are {hours} hour{'s' * (hours > 1)} and"
    midnight = f", after midnight {hour + hours - 24}" if hour + hours > 23 else ""
    return (
        Line(
            f"{parts} {rest} minutes.",
            f"{parts} {wrong} minutes.",
            f"An hour has 60 minutes: {total} - {hours * 60} = {rest}.",
        ),
        Line(f"The hours: {hour} + {hours} = {hour + hours}{midnight}."),
    )


def age(rng: Random) -> Example:
    """Return a question for an age, or for the number of years between two years."""
    born, now = rng.randint(1700, 2005), rng.randint(2006, 2040)
    if rng.random() < 0.5:
        born, now = rng.randint(1400, 1900), rng.randint(1901, 2026)
    question = rng.choice(
        (
            "How many years are there between {} and {}?",
            "Someone was born in {}. How old are they at the end of {}?",
            "A house was built in {}. How old is it in {}?",
            "How many years passed from {} to {}?",
        )
    ).format(born, now)
    work = taking(rng, now, born)
    lines = (Line(f"I need {now} - {born}."), *work.lines)
    return Example("dates", question, told(rng, lines), f"{work.result} years.", str(work.result))


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "weekday": (weekday, 3),
    "leap years": (leap_years, 1),
    "later": (later, 2),
    "clock": (clock, 2),
    "age": (age, 1),
}
"""The generator of each kind, and how much of the whole it gets."""
