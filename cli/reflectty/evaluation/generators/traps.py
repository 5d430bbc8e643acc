"""Traps: questions whose first, quick answer is wrong, such as whether 9.11 or 9.9 is larger."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from reflectty.evaluation.generators.draw import Problem, decimal_text, listed, money_text
from reflectty.evaluation.generators.words import GOODS, NAMES
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from reflectty.evaluation.generators.draw import Draw

_ONE_NUMBER: Final = "Answer with that number."


def make_traps(draw: Draw, level: int) -> Problem:
    """A question that invites one certain mistake."""
    easy = (_decimals, _decimals, _versions, _all_but, _overtaken, _machines)
    hard = (_decimals, _fractions, _versions, _two_prices, _posts, _siblings, _up_and_down, _doubling, _pills)
    return draw.pick(easy if level == 1 else easy + hard if level == 2 else hard)(draw, level)


def _decimals(draw: Draw, level: int) -> Problem:
    whole, count = draw.between(1, 12 * level), 2 if level < 3 else level
    texts: list[str] = []
    while len(texts) < count:
        places = draw.between(1, min(level + 1, 4))
        text = f"{whole}.{''.join(str(draw.below(10)) for _ in range(places - 1))}{draw.between(1, 9)}"
        if len({len(text), *map(len, texts)}) > min(len(texts), 1) and text not in texts:
            texts.append(text)
    if level > 1 and draw.chance(0.4):
        texts = [f"-{text}" for text in texts]
    word, chosen = draw.pick((("larger", max), ("smaller", min)))
    word = word if count == 2 else {"larger": "largest", "smaller": "smallest"}[word]
    question = f"Which number is {word}: {listed(texts, 'or')}? {_ONE_NUMBER}"
    return Problem(question, chosen(texts, key=Fraction))


def _versions(draw: Draw, level: int) -> Problem:
    major, count = draw.between(1, 9), 2 if level < 3 else level - 1
    versions = {(major, draw.between(1, 9)), (major, draw.between(10, 21))}
    while len(versions) < count:
        versions.add((major, draw.between(1, 30)))
    ordered = draw.shuffled(sorted(versions))
    texts = [".".join(map(str, version)) for version in ordered]
    word = "newer" if count == 2 else "newest"
    question = (
        f"A program counts its versions as usual: after {major}.9 comes {major}.10. Which of its versions is {word}: "
        f"{listed(texts, 'or')}? Answer with the version alone."
    )
    return Problem(question, texts[ordered.index(max(ordered))], AnswerKind.CASEFOLD)


def _fractions(draw: Draw, level: int) -> Problem:
    count, fractions = min(level, 4), set[Fraction]()
    while len(fractions) < count:
        bottom = draw.between(3, 6 + 4 * level)
        fractions.add(Fraction(draw.between(1, bottom - 1), bottom))
    word, chosen = draw.pick((("largest", max), ("smallest", min)))
    texts = [str(fraction) for fraction in draw.shuffled(sorted(fractions))]
    question = f"Which fraction is the {word}: {listed(texts, 'or')}? Answer with that fraction."
    return Problem(question, str(chosen(fractions)))


def _all_but(draw: Draw, level: int) -> Problem:
    left, herd = draw.between(3, 19), draw.between(20, 60 * level)
    animal = draw.pick(("sheep", "goats", "hens", "ducks", "cows", "geese"))
    name = draw.pick(NAMES)
    return Problem(
        f"{name} has {herd} {animal}. All but {left} run away. How many {animal} does {name} have left?", str(left)
    )


def _overtaken(draw: Draw, level: int) -> Problem:
    place = draw.between(2, 8 + 4 * level)
    runner = "person" if draw.chance(0.5) else "runner"
    question = f"In a race you overtake the {runner} who is in place {place}. In which place are you now?"
    return Problem(f"{question} Answer with a number.", str(place))


def _machines(draw: Draw, level: int) -> Problem:
    few, minutes, each = draw.between(3, 9), draw.between(3, 30), draw.between(1, level)
    many = few * draw.between(2, 30)
    thing = draw.pick(("parts", "toys", "chairs", "lamps"))
    question = (
        f"{few} machines take {minutes} minutes to make {few * each} {thing}, all working at the same time and speed. "
        f"How many minutes do {many} such machines take to make {many * each} {thing}?"
    )
    return Problem(question, str(minutes))


def _two_prices(draw: Draw, level: int) -> Problem:
    small, apart = Fraction(draw.between(1, 60 * level), 20), Fraction(draw.between(1, 10 * level))
    dear, cheap = draw.several(GOODS, 2)
    question = (
        f"A {dear} and a {cheap} cost {money_text(2 * small + apart)} dollars together. The {dear} costs "
        f"{money_text(apart)} dollars more than the {cheap}. How many dollars does the {cheap} cost?"
    )
    return Problem(question, decimal_text(small))


def _posts(draw: Draw, level: int) -> Problem:
    gap, gaps = draw.between(2, 9), draw.between(4, 12 * level)
    question = (
        f"A straight fence is {gap * gaps} meters long and has a post every {gap} meters, "
        "with a post at each end. How many posts does it have?"
    )
    return Problem(question, str(gaps + 1))


def _siblings(draw: Draw, level: int) -> Problem:
    brothers, sisters = draw.between(2, 3 + level), draw.between(2, 3 + level)
    question = (
        f"Mira is a girl. She has {brothers} brothers, all with the same parents as she. Each of her brothers has "
        f"{sisters} sisters. How many sisters does Mira have?"
    )
    return Problem(question, str(sisters - 1))


def _up_and_down(draw: Draw, level: int) -> Problem:
    price, share = draw.between(2, 40 * level) * 10, draw.pick((10, 20, 25, 40, 50))
    first, second = draw.pick((("rises", "falls"), ("falls", "rises")))
    question = (
        f"A price of {price} dollars {first} by {share} %, and then {second} by {share} %. How many dollars is it now?"
    )
    return Problem(question, decimal_text(Fraction(price * (100 - share) * (100 + share), 10_000)))


def _doubling(draw: Draw, level: int) -> Problem:
    days, back = draw.between(10, 20 * level), draw.between(1, 3)
    part = {1: "half of", 2: "a quarter of", 3: "an eighth of"}[back]
    question = (
        f"The weed on a pond doubles its area every day. After {days} days it covers the whole pond. "
        f"After how many days did it cover {part} the pond?"
    )
    return Problem(question, str(days - back))


def _pills(draw: Draw, level: int) -> Problem:
    count, gap = draw.between(3, 3 + 2 * level), draw.between(2, 12) * 5
    question = (
        f"{draw.pick(NAMES)} takes {count} pills, one every {gap} minutes, the first one now. "
        "How many minutes from now is the last one taken?"
    )
    return Problem(question, str((count - 1) * gap))
