"""Logic: knights and knaves, rules and what follows of them; every key is found by trying all cases."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.generators.draw import Problem, choice_problem, listed, sentence
from reflectty.evaluation.generators.syllogisms import make_syllogism
from reflectty.evaluation.generators.words import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reflectty.evaluation.generators.draw import Draw

World = tuple[bool, ...]
"""Who is a knight, or which events are the case."""


class _Claim(NamedTuple):
    """A sentence, and in which worlds it is true."""

    text: str
    holds: Callable[[World], bool]


def make_logic(draw: Draw, level: int) -> Problem:
    """A puzzle with exactly one right choice or number."""
    return draw.pick((_knights, _knights, make_syllogism, _implications))(draw, level)


def _worlds(count: int) -> Iterator[World]:
    return product((False, True), repeat=count)


_ISLAND: Final = "On an island, knights always tell the truth and knaves always lie."


def _knights(draw: Draw, level: int) -> Problem:
    names = draw.several(NAMES, 2 if level == 1 else min(level + 1, 5))
    while True:
        claims = [_islander_claim(draw, names, speaker) for speaker in range(len(names))]
        worlds = [world for world in _worlds(len(names)) if _is_possible(world, claims)]
        if len(worlds) == 1:
            break
    said = " ".join(f'{name} says: "{claim.text}"' for name, claim in zip(names, claims, strict=True))
    opening = f"{_ISLAND} {listed(names)} live there, and each is one or the other. {said}"
    if draw.chance(0.3):
        return Problem(f"{opening} How many of the {len(names)} are knights?", str(sum(worlds[0])))
    others = [world for world in _worlds(len(names)) if world != worlds[0]]
    wrong = [_world_text(names, other) for other in draw.several(others, 3)]
    return choice_problem(draw, f"{opening} Who is what?", _world_text(names, worlds[0]), wrong)


def _is_possible(world: World, claims: list[_Claim]) -> bool:
    return all(claim.holds(world) is is_knight for claim, is_knight in zip(claims, world, strict=True))


def _world_text(names: list[str], world: World) -> str:
    knights = [name for name, is_knight in zip(names, world, strict=True) if is_knight]
    knaves = [name for name in names if name not in knights]
    return "; ".join(f"{kind}: {listed(group)}" for kind, group in (("knights", knights), ("knaves", knaves)) if group)


def _islander_claim(draw: Draw, names: list[str], speaker: int) -> _Claim:
    others = draw.shuffled([index for index in range(len(names)) if index != speaker])
    if len(others) > 1 and draw.chance(0.25):
        return _claim_of_two(draw, names, others[0], others[1])
    if draw.chance(0.3):
        return _claim_of_all(draw, names)
    if draw.chance(0.4):
        return _claim_with_self(draw, names, speaker, others[0])
    is_knight = draw.chance(0.5)
    return _Claim(
        f"{names[others[0]]} is a {'knight' if is_knight else 'knave'}.", lambda world: world[others[0]] is is_knight
    )


def _claim_with_self(draw: Draw, names: list[str], speaker: int, other: int) -> _Claim:
    if draw.chance(0.5):
        return _Claim(f"{names[other]} and I are both knights.", lambda world: world[other] and world[speaker])
    return _Claim(
        f"At least one of {names[other]} and me is a knave.", lambda world: not (world[other] and world[speaker])
    )


def _claim_of_all(draw: Draw, names: list[str]) -> _Claim:
    count = draw.below(len(names) + 1)
    ends = {0: "Not one of us is a knight.", 1: "Exactly one of us is a knight.", len(names): "We are all knights."}
    text = ends.get(count, f"Exactly {count} of us are knights.")
    return _Claim(text, lambda world: sum(world) == count)


def _claim_of_two(draw: Draw, names: list[str], first: int, second: int) -> _Claim:
    if draw.chance(0.5):
        text = f"{names[first]} is a knight, or {names[second]} is a knave, or both."
        return _Claim(text, lambda world: world[first] or not world[second])
    text = f"Of {names[first]} and {names[second]}, exactly one is a knight."
    return _Claim(text, lambda world: world[first] is not world[second])


_EVENTS: Final = (
    ("the lamp is on", "the lamp is not on"),
    ("the door is open", "the door is not open"),
    ("the bell rings", "the bell does not ring"),
    ("the dog barks", "the dog does not bark"),
    ("the pump runs", "the pump does not run"),
    ("the gate is locked", "the gate is not locked"),
    ("the flag is up", "the flag is not up"),
    ("the fan turns", "the fan does not turn"),
    ("the radio plays", "the radio does not play"),
    ("the oven is hot", "the oven is not hot"),
    ("the shop is closed", "the shop is not closed"),
    ("the train is late", "the train is not late"),
)
"""Events, and that they are not the case."""
_VERDICTS: Final = ("It must be true", "It must be false", "It may be true or false")


def _implications(draw: Draw, level: int) -> Problem:
    """Rules of the form "if … then", one fact, and whether a further statement follows."""
    events, verdict = draw.several(_EVENTS, level + 1), draw.pick(_VERDICTS)
    while True:
        rules = [_rule(draw, events, index) for index in range(level)]
        known, asked = draw.several(range(level + 1), 2)
        fact, statement = _literal(draw, events, known), _literal(draw, events, asked)
        truths = {
            statement.holds(world)
            for world in _worlds(level + 1)
            if fact.holds(world) and all(rule.holds(world) for rule in rules)
        }
        if truths and _verdict_of(truths) == verdict:
            break
    said = " ".join([*(rule.text for rule in draw.shuffled(rules)), sentence(fact.text)])
    question = f'{said} What follows about the statement "{sentence(statement.text)}"?'
    return choice_problem(draw, question, verdict, [text for text in _VERDICTS if text != verdict])


def _verdict_of(truths: set[bool]) -> str:
    return _VERDICTS[2] if len(truths) > 1 else _VERDICTS[0] if True in truths else _VERDICTS[1]


def _literal(draw: Draw, events: list[tuple[str, str]], index: int) -> _Claim:
    is_true = draw.chance(0.5)
    return _Claim(events[index][0 if is_true else 1], lambda world: world[index] is is_true)


def _rule(draw: Draw, events: list[tuple[str, str]], index: int) -> _Claim:
    """A rule that joins an event and the next one, mostly in this order."""
    cause, effect = (index + 1, index) if draw.chance(0.3) else (index, index + 1)
    first, second = _literal(draw, events, cause), _literal(draw, events, effect)
    return _Claim(f"If {first.text}, then {second.text}.", lambda world: second.holds(world) or not first.holds(world))
