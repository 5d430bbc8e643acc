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
    """From a large unit to a small one, or back where it goes up evenly."""
    large, small, factor = rng.choice(UNITS)
    count = rng.randint(1, 30)
    total = count * factor
    many, few = plural(small, 2), plural(large, 2)
    rule = Line(
        f"1 {large} is {factor} {many}.",
        f"1 {large} is {factor * 10 if factor != 60 else 100} {many}.",
        f"That is too many: a {large} has {factor} {many}.",
    )
    if rng.random() < 0.6:
        question = rng.choice(
            (
                "How many {0} are in {1} {2}?",
                "How many {0} are {1} {2}?",
                "Convert {1} {2} to {0}.",
                "{1} {2} in {0}",
                "What is {1} {2} in {0}?",
                "Express {1} {2} in {0}.",
            )
        ).format(many, count, plural(large, count))
        work = multiplying(rng, max(count, factor), min(count, factor)) if factor in (60, 24, 12, 16, 7, 3, 4) else None
        lines = (rule, *(work.lines if work else (Line(f"{count} × {factor} = {total}."),)))
        said = f"{count} {plural(large, count)} {'is' if count == 1 else 'are'} {total} {many}."
        return Example("units", question, told(rng, lines), said, str(total))
    question = rng.choice(
        (
            "How many {0} are {1} {2}?",
            "Convert {1} {2} to {0}.",
            "{1} {2} in {0}",
            "What is {1} {2} in {0}?",
        )
    ).format(few, total, plural(small, total))
    lines = (
        rule,
        Line(
            f"So I divide: {total} / {factor} = {count}.",
            f"So I multiply: {total} × {factor} = {total * factor}.",
            f"{few.capitalize()} are larger, so there are fewer of them: I divide. {total} / {factor} = {count}.",
        ),
    )
    said = f"{total} {plural(small, total)} {'is' if total == 1 else 'are'} {count} {plural(large, count)}."
    return Example("units", question, told(rng, lines), said, str(count))


def minutes(rng: Random) -> Example:
    """Hours and minutes in minutes, or minutes in hours and minutes."""
    hours, rest = rng.randint(1, 9), rng.randint(1, 59)
    total = hours * 60 + rest
    start = multiplying(rng, 60, hours)
    if rng.random() < 0.5:
        question = rng.choice(
            (
                "How many minutes are {0} hours and {1} minutes?",
                "Convert {0} h {1} min to minutes.",
                "{0} hours {1} minutes in minutes",
            )
        ).format(hours, rest)
        lines = (
            Line("1 hour is 60 minutes."),
            *start.lines,
            Line(f"Plus {rest}."),
            *adding(rng, hours * 60, rest).lines,
        )
        return Example("units", question, told(rng, lines), f"That is {total} minutes.", str(total))
    question = rng.choice(
        (
            "How many hours and minutes are {} minutes?",
            "Convert {} minutes to hours and minutes.",
            "{} minutes in hours and minutes",
        )
    ).format(total)
    wrong = f"{hours + 1} × 60 = {(hours + 1) * 60}, so {hours + 1} hours fit."
    lines = (
        Line(f"{hours} × 60 = {hours * 60}, so {hours} hours fit.", wrong, f"{(hours + 1) * 60} is more than {total}."),
        Line(f"{total} - {hours * 60} = {rest}.", f"{total} - {hours * 60} = {near(rng, rest)}.", "The minutes again."),
    )
    name = f"{hours} hour{'s' * (hours > 1)} and {rest} minute{'s' * (rest > 1)}"
    return Example("units", question, told(rng, lines), f"{total} minutes are {name}.", name)


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "units": (units, 5),
    "minutes": (minutes, 2),
}
"""The generator of each kind, and how much of the whole it gets."""
