"""Syllogisms about invented groups: which conclusion must be true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.generators.draw import Problem, choice_problem, listed
from reflectty.evaluation.generators.words import NONSENSE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.evaluation.generators.draw import Draw


class _Statement(NamedTuple):
    """A statement about which things exist, where a thing is the set of groups that it belongs to.

    Things are numbered by the bits of their groups, and a set of things is an integer with a bit for each.
    """

    text: str
    things: int
    exist: bool
    """Whether it says that one of the things exists, or that none does."""


def make_syllogism(draw: Draw, level: int) -> Problem:
    """Premises that join groups in a chain, and the only one of four conclusions that must hold."""
    count = 3 if level < 4 else 4
    names = draw.several(NONSENSE, count)
    inhabited = [_Statement("", _things(count, (group,), ()), exist=True) for group in range(count)]
    while True:
        pairs = [draw.shuffled((index, index + 1)) for index in range(count - 1)]
        premises = [draw.pick(_forms(names, first, second)) for first, second in pairs]
        known = [*premises, *inhabited]
        claims = [*_forms(names, 0, count - 1), *_forms(names, count - 1, 0)]
        valid = [claim for claim in claims if _follows(claim, known)]
        invalid = [claim.text for claim in claims if claim not in valid]
        if valid and len(invalid) >= 3 and _is_consistent(known):
            break
    question = (
        f"{' '.join(premise.text for premise in draw.shuffled(premises))} There is at least one of each: "
        f"{listed(names)}. Which of these must be true?"
    )
    return choice_problem(draw, question, draw.pick(valid).text, draw.several(invalid, 3))


def _things(count: int, inside: tuple[int, ...], outside: tuple[int, ...]) -> int:
    """The things that belong to some groups and not to others."""
    return sum(
        1 << thing
        for thing in range(1 << count)
        if all(thing >> group & 1 for group in inside) and not any(thing >> group & 1 for group in outside)
    )


def _forms(names: list[str], first: int, second: int) -> list[_Statement]:
    """The four statements about two groups: all, none, some, and some not."""
    both = _things(len(names), (first, second), ())
    only_first = _things(len(names), (first,), (second,))
    a, b = names[first], names[second]
    return [
        _Statement(f"All {a} are {b}.", only_first, exist=False),
        _Statement(f"No {a} are {b}.", both, exist=False),
        _Statement(f"Some {a} are {b}.", both, exist=True),
        _Statement(f"Some {a} are not {b}.", only_first, exist=True),
    ]


def _is_consistent(statements: Iterable[_Statement]) -> bool:
    """Whether there is a world in which all are true: the one with every thing that is not ruled out."""
    statements = list(statements)
    ruled_out = 0
    for statement in statements:
        if not statement.exist:
            ruled_out |= statement.things
    return all(statement.things & ~ruled_out for statement in statements if statement.exist)


def _follows(claim: _Statement, known: list[_Statement]) -> bool:
    return not _is_consistent([*known, claim._replace(exist=not claim.exist)])
