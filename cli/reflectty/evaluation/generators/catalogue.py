"""The generators by name, and sets of items made by them."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.generators.arithmetic import make_arithmetic
from reflectty.evaluation.generators.dates import make_dates
from reflectty.evaluation.generators.draw import LEVELS, Draw, Problem
from reflectty.evaluation.generators.letters import make_letters
from reflectty.evaluation.generators.logic import make_logic
from reflectty.evaluation.generators.mirrored import make_mirrored
from reflectty.evaluation.generators.order import make_order
from reflectty.evaluation.generators.stories import make_stories
from reflectty.evaluation.generators.traps import make_traps
from reflectty.evaluation.generators.units import make_units
from reflectty.evaluation.items import Item, ItemSet
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Generator(NamedTuple):
    """A kind of questions."""

    make: Callable[[Draw, int], Problem]
    """Makes a problem of a level from 1 to `LEVELS`."""
    about: str
    """What it asks, in a line."""


GENERATORS: Final = {
    "arithmetic": Generator(make_arithmetic, "expressions of two to seven operations, percentages, remainders"),
    "stories": Generator(make_stories, "word problems of two to six steps, with whole and decimal answers"),
    "traps": Generator(make_traps, "questions with a tempting wrong answer: 9.11 and 9.9, versions, fences, prices"),
    "letters": Generator(make_letters, "letters in words: how often one occurs, which one stands where"),
    "mirrored": Generator(make_mirrored, "words, numbers and sentences written backwards"),
    "order": Generator(make_order, "who is tallest or came third, from comparisons of two each"),
    "dates": Generator(make_dates, "weekdays, days between dates, dates some days later, leap years"),
    "units": Generator(make_units, "conversions of lengths, weights, times, areas, speeds, temperatures"),
    "logic": Generator(make_logic, "knights and knaves, syllogisms, what follows of rules"),
}
_MOST_DIGITS: Final = 6
_MOST_DRAWS: Final = 200
"""How often a question is drawn anew because the set has it already, or its key has too many digits."""


def generate(names: Sequence[str], count: int, seed: int) -> ItemSet:
    """Make items by some generators in turn, or by all of them if no name is given, from the easiest level up.

    A larger set of the same generators and seed begins with the items of a smaller one.

    Raises:
        UsageError: there is no such generator, or it has no further questions.
    """
    chosen = list(dict.fromkeys(names)) or list(GENERATORS)
    for name in chosen:
        if name not in GENERATORS:
            hint = did_you_mean(name, GENERATORS) or f"there are {', '.join(GENERATORS)}"
            raise UsageError(f"no generator {name!r}", hint)
    sources = cycle([_items_of(name, seed) for name in chosen])
    items = tuple(next(source) for source in islice(sources, count))
    listed = "" if len(chosen) == len(GENERATORS) else f":{','.join(chosen)}"
    return ItemSet(f"builtin{listed}", items, f"made by generators from the seed {seed}")


def _items_of(name: str, seed: int) -> Iterator[Item]:
    """Endless items of a generator, whose level rises from one to the next and then begins again."""
    known: set[str] = set()
    index = 0
    while True:
        problem = _new_problem(name, seed, index, known)
        known.add(problem.question)
        identity = f"{name}-{seed}-{index + 1:04}"
        yield Item(identity, problem.question, problem.answer, problem.kind, problem.choices, name)
        index += 1


def _new_problem(name: str, seed: int, index: int, known: set[str]) -> Problem:
    draw, level = Draw(f"{name}\n{seed}\n{index}"), index % LEVELS + 1
    for _ in range(_MOST_DRAWS):
        problem = GENERATORS[name].make(draw, level)
        if problem.question not in known and _is_gradable(problem):
            return problem
    hint = "take fewer, or mix several generators"
    raise UsageError(f"the generator {name} has no more than {index} different questions for the seed {seed}", hint)


def _is_gradable(problem: Problem) -> bool:
    """Whether a key is short enough for its last digit to count: numbers are equal within a millionth."""
    return problem.kind is not AnswerKind.NUMBER or len(problem.answer.lstrip("-0.").replace(".", "")) <= _MOST_DIGITS
