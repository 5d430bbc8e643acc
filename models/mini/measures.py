"""Questions that turn one unit into another; dates and times of day are not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mini.example import Example
from mini.working import Line, adding, multiplying, near, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

UNITS: Final = (
    ("kilometre", "metre", 1000),
    ("metre", "centimetre", 100),
    ("centimetre", "millimetre", 10),
    ("kilogram", "gram", 1000),
    ("tonne", "kilogram", 1000),
    ("litre", "millilitre", 1000),
    ("hour", "minute", 60),
    ("minute", "second", 60),
    ("day", "hour", 24),
    ("week", "day", 7),
    ("year", "month", 12),
    ("foot", "inch", 12),
    ("yard", "foot", 3),
    ("dozen", "piece", 12),
    ("euro", "cent", 100),
    ("dollar", "cent", 100),
    ("kilobyte", "byte", 1000),
    ("century", "year", 100),
    ("decade", "year", 10),
    ("pound", "ounce", 16),
    ("gallon", "quart", 4),
)
PLURALS: Final = {"foot": "feet", "inch": "inches", "century": "centuries", "dozen": "dozen"}


def plural(name: str, count: int) -> str:
    """Return the name of a unit as it stands after a number."""
    return name if count == 1 else PLURALS.get(name, f"{name}s")


def units(rng: Random) -> Example:
    """Return a question from a large unit to a small one, or back where it goes up evenly."""
    large, small, factor = unit = rng.choice(UNITS)
    count = rng.randint(1, 30)
    many = plural(small, 2)
    rule = Line(
        f"1 {large} is {factor} {many}.",
        f"1 {large} is {factor * 10 if factor != 60 else 100} {many}.",
        f"That is too many: a {large} has {factor} {many}.",
    )
    return _down(rng, unit, count, rule) if rng.random() < 0.6 else _up(rng, unit, count, rule)


def _down(rng: Random, unit: tuple[str, str, int], count: int, rule: Line) -> Example:
    large, small, factor = unit
    total, many, given = count * factor, plural(small, 2), plural(large, count)
    question = rng.choice(
        (
            "How many {0} are in {1} {2}?",
            "How many {0} are {1} {2}?",
            "Convert {1} {2} to {0}.",
            "{1} {2} in {0}",
            "What is {1} {2} in {0}?",
            "Express {1} {2} in {0}.",
        )
    ).format(many, count, given)
    # Times ten, a hundred or a thousand is no work for columns.
    round_factor = factor % 10 == 0 and factor != 60
    product = (Line(f"{count} × {factor} = {total}."),) if round_factor else _columns(rng, count, factor)
    said = f"{count} {given} {'is' if count == 1 else 'are'} {total} {many}."
    return Example("units", question, told(rng, (rule, *product)), said, str(total))


def _columns(rng: Random, count: int, factor: int) -> tuple[Line, ...]:
    return multiplying(rng, max(count, factor), min(count, factor)).lines


def _up(rng: Random, unit: tuple[str, str, int], count: int, rule: Line) -> Example:
    large, small, factor = unit
    total, few = count * factor, plural(large, 2)
    given = f"{total} {plural(small, total)}"
    question = rng.choice(
        (
            "How many {0} are {1}?",
            "Convert {1} to {0}.",
            "{1} in {0}",
            "What is {1} in {0}?",
        )
    ).format(few, given)
    quotient = f"{total} / {factor} = {count}."
    divided = Line(
        f"So I divide: {quotient}",
        f"So I multiply: {total} × {factor} = {total * factor}.",
        f"{few.capitalize()} are larger, so there are fewer of them: I divide. {quotient}",
    )
    said = f"{given} {'is' if total == 1 else 'are'} {count} {plural(large, count)}."
    return Example("units", question, told(rng, (rule, divided)), said, str(count))


def minutes(rng: Random) -> Example:
    """Return hours and minutes to be told in minutes, or minutes in hours and minutes."""
    hours, rest = rng.randint(1, 9), rng.randint(1, 59)
    product = multiplying(rng, 60, hours).lines
    return _to_minutes(rng, hours, rest, product) if rng.random() < 0.5 else _to_hours(rng, hours, rest)


def _to_minutes(rng: Random, hours: int, rest: int, product: tuple[Line, ...]) -> Example:
    question = rng.choice(
        (
            "How many minutes are {0} hours and {1} minutes?",
            "Convert {0} h {1} min to minutes.",
            "{0} hours {1} minutes in minutes",
        )
    ).format(hours, rest)
    work = adding(rng, hours * 60, rest)
    lines = (Line("1 hour is 60 minutes."), *product, Line(f"Plus {rest}."), *work.lines)
    return Example("units", question, told(rng, lines), f"That is {work.result} minutes.", str(work.result))


def _to_hours(rng: Random, hours: int, rest: int) -> Example:
    full, over = hours * 60, (hours + 1) * 60
    total = full + rest
    question = rng.choice(
        (
            "How many hours and minutes are {} minutes?",
            "Convert {} minutes to hours and minutes.",
            "{} minutes in hours and minutes",
        )
    ).format(total)
    wrong = f"{hours + 1} × 60 = {over}, so {hours + 1} hours fit."
    lines = (
        Line(f"{hours} × 60 = {full}, so {hours} hours fit.", wrong, f"{over} is more than {total}."),
        Line(f"{total} - {full} = {rest}.", f"{total} - {full} = {near(rng, rest)}.", "The minutes again."),
    )
    name = f"{hours} hour{'s' * (hours > 1)} and {rest} minute{'s' * (rest > 1)}"
    return Example("units", question, told(rng, lines), f"{total} minutes are {name}.", name)


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "units": (units, 4),
    "minutes": (minutes, 2),
}
"""The generator of each kind, and how much of the whole it gets."""
