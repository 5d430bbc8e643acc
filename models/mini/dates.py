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


def weekday(rng: Random) -> Example:
    """The day so many days after or before another."""
    start, count = rng.randrange(7), rng.choice((rng.randint(1, 6), rng.randint(7, 40)))
    back = rng.random() < 0.35
    step = -1 if back else 1
    weeks, rest = divmod(count, 7)
    end = DAYS[(start + step * rest) % 7]
    lines = []
    if weeks:
        lines.append(
            Line(
                f"{weeks * 7} days are full weeks and change nothing: {count} - {weeks * 7} = {rest} left.",
                f"{weeks * 7} days are full weeks: {count} - {weeks * 7} = {near(rng, rest)} left.",
                f"{weeks * 7} + {rest} is {count}.",
            )
        )
    if rest:
        walk = [DAYS[(start + step * index) % 7] for index in range(rest + 1)]
        counted = ", ".join(f"{index} {day}" for index, day in enumerate(walk[1:], 1))
        short = ", ".join(f"{index} {day}" for index, day in enumerate(walk[:-1], 1))
        lines.append(
            Line(f"From {walk[0]}: {counted}.", f"From {walk[0]}: {short}.", f"{walk[0]} itself is not counted.")
        )
    question = rng.choice(
        (
            "What day was it {1} days before {0}?",
            "What day is {1} days before {0}?",
            "If today is {0}, what day was it {1} days ago?",
        )
        if back
        else (
            "What day is {1} days after {0}?",
            "Today is {0}. What day will it be in {1} days?",
            "If today is {0}, which day is it in {1} days?",
            "Which weekday comes {1} days after {0}?",
        )
    ).format(DAYS[start], count)
    if count == 1:
        question = question.replace("1 days", "1 day")
    return Example(
        "dates",
        question,
        told(rng, tuple(lines) or (Line("0 days change nothing."),)),
        f"It is {end}." if not back else f"It was {end}.",
        end,
    )


def leap(year: int) -> bool:
    """Whether a year has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def leap_years(rng: Random) -> Example:
    """Whether a year is a leap year, or how many days its February has."""
    year = rng.choice(
        (rng.randint(1600, 2100), rng.randint(1990, 2050), rng.choice((1700, 1800, 1900, 2000, 2100, 2400)))
    )
    lines = [Line(f"The last two digits of {year} are {year % 100:02}.")]
    if year % 100 == 0:
        by = year // 100 % 4 == 0
        lines.append(
            Line(
                "It ends a century, so it must be divisible by 400.",
                f"{year} is divisible by 4, so it is a leap year.",
                "It ends a century: for those 400 counts.",
            )
        )
        lines.append(
            Line(
                f"{year // 100} is {'' if by else 'not '}divisible by 4, so {year} is {'' if by else 'not '}divisible by 400."
            )
        )
    else:
        by = year % 4 == 0
        rest = year % 100 % 4
        lines.append(
            Line(
                f"{year % 100} = 4 × {year % 100 // 4}" + (f" + {rest}." if rest else "."),
                f"{year % 100} = 4 × {year % 100 // 4}" + (f" + {rest - 1}." if rest else " + 2."),
                f"4 × {year % 100 // 4} is {year % 100 // 4 * 4}.",
            )
        )
        lines.append(Line(f"So {year} is {'' if by else 'not '}divisible by 4."))
    if rng.random() < 0.6:
        question = rng.choice(("Is {} a leap year?", "Was {} a leap year?", "is {} a leap year")).format(year)
        said = f"Yes, {year} is a leap year." if leap(year) else f"No, {year} is not a leap year."
        return Example("dates", question, told(rng, lines), said, "Yes" if leap(year) else "No")
    question = rng.choice(("How many days does February {} have?", "How many days are in February {}?")).format(year)
    days = 29 if leap(year) else 28
    return Example("dates", question, told(rng, lines), f"February {year} has {days} days.", str(days))


def later(rng: Random) -> Example:
    """A date some days after another, over the end of a month now and then."""
    start = date(2023, 1, 1) + timedelta(days=rng.randrange(300))
    count = rng.randint(1, 30)
    end = start + timedelta(days=count)
    month, day = MONTHS[start.month - 1], start.day
    length = LENGTHS[start.month - 1]
    lines = [
        Line(
            f"{day} + {count} = {day + count}.",
            f"{day} + {count} = {day + count + 1}.",
            f"{day} + {count} is {day + count}.",
        )
    ]
    lines.append(
        Line(
            f"{month} has {length} days.",
            f"{month} has {61 - length if length > 28 else 30} days.",
            f"{month} has {length} days.",
        )
    )
    if start.month != end.month:
        lines.append(
            Line(
                f"{day + count} is more: {day + count} - {length} = {day + count - length}, in {MONTHS[end.month - 1]}."
            )
        )
    else:
        lines.append(Line(f"{day + count} is not more, so it stays in {month}."))
    name = f"{end.day} {MONTHS[end.month - 1]}"
    question = (
        rng.choice(
            (
                "What date is {2} days after {0} {1}?",
                "What is the date {2} days after {1} {0}?",
                "It is {0} {1}. Which date is it in {2} days?",
            )
        )
        .format(day, month, count)
        .replace("in 1 days", "in 1 day")
        .replace("1 days after", "1 day after")
    )
    return Example("dates", question, told(rng, lines), f"It is {name}.", name)


def clock(rng: Random) -> Example:
    """A time of day some minutes later."""
    hour, minute = rng.randint(0, 23), rng.randrange(0, 60, rng.choice((1, 5, 5, 15)))
    count = rng.choice((rng.randrange(5, 60, 5), rng.randrange(60, 300, 5)))
    total = minute + count
    hours, rest = divmod(total, 60)
    end = (hour + hours) % 24
    lines = [
        Line(
            f"The minutes: {minute} + {count} = {total}.",
            f"The minutes: {minute} + {count} = {near(rng, total)}.",
            f"{minute} + {count} is {total}.",
        )
    ]
    if hours:
        lines.append(
            Line(
                f"{total} minutes are {hours} hour{'s' * (hours > 1)} and {rest} minutes.",
                f"{total} minutes are {hours} hour{'s' * (hours > 1)} and {total - hours * 100 if total >= hours * 100 else rest + 20} minutes.",
                f"An hour has 60 minutes: {total} - {hours * 60} = {rest}.",
            )
        )
        lines.append(
            Line(
                f"The hours: {hour} + {hours} = {hour + hours}"
                + (f", after midnight {end}." if hour + hours > 23 else ".")
            )
        )
    else:
        lines.append(Line(f"{total} is less than 60, so the hour stays {hour}."))
    name = f"{end}:{rest:02}"
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


def age(rng: Random) -> Example:
    """An age, or a number of years between two years."""
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
