"""Ordering: who is tallest, who came third, from comparisons in any order."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from reflectty.evaluation.generators.draw import Problem
from reflectty.evaluation.generators.words import NAMES
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from reflectty.evaluation.generators.draw import Draw

_MORE: Final = (
    ("taller", "shorter", "tallest", "shortest"),
    ("older", "younger", "oldest", "youngest"),
    ("heavier", "lighter", "heaviest", "lightest"),
    ("faster", "slower", "fastest", "slowest"),
    ("richer", "poorer", "richest", "poorest"),
)
"""More, less, most and least of a quality."""
_PLACES: Final = ("", "second ", "third ", "fourth ", "fifth ", "sixth ", "seventh ")
_RANKS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
_ONE_NAME: Final = "Answer with one name."


def make_order(draw: Draw, level: int) -> Problem:
    """Comparisons of two each, from which one order follows."""
    names = draw.several(NAMES, level + 2)
    return _qualities(draw, names) if draw.chance(0.6) else _race(draw, names)


def _qualities(draw: Draw, names: list[str]) -> Problem:
    more, less, most, least = draw.pick(_MORE)
    pairs = pairwise(names)
    clues = [f"{a} is {more} than {b}." if draw.chance(0.5) else f"{b} is {less} than {a}." for a, b in pairs]
    place = draw.below(len(names))
    rank = least if place == len(names) - 1 else f"{_PLACES[place]}{most}"
    question = f"{' '.join(draw.shuffled(clues))} Who is the {rank} of the {len(names)}? {_ONE_NAME}"
    return Problem(question, names[place], AnswerKind.CASEFOLD)


def _race(draw: Draw, names: list[str]) -> Problem:
    pairs = pairwise(names)
    clues = [
        f"{b} finished directly after {a}." if draw.chance(0.5) else f"{a} finished directly before {b}."
        for a, b in pairs
    ]
    place = draw.below(len(names))
    question = (
        f"{len(names)} people ran a race. {' '.join(draw.shuffled(clues))} Who finished {_RANKS[place]}? {_ONE_NAME}"
    )
    return Problem(question, names[place], AnswerKind.CASEFOLD)
