"""Questions that compare numbers: decimals, fractions, whole numbers, and putting several in order."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from mini.example import Example, Piece, reflection, step
from mini.working import Line, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

LARGER: Final = (
    "Which is larger, {} or {}?",
    "Which is bigger, {} or {}?",
    "Which number is greater: {} or {}?",
    "What is larger: {} or {}?",
    "{} or {}, which one is larger?",
    "Is {} or {} bigger?",
    "which is larger {} or {}",
    "Tell me which is greater, {} or {}.",
)
SMALLER: Final = (
    "Which is smaller, {} or {}?",
    "Which number is less: {} or {}?",
    "Is {} or {} smaller?",
    "{} or {}, which one is smaller?",
    "which is lower {} or {}",
)
RISING: Final = (
    "Sort {} from smallest to largest.",
    "Order these numbers in ascending order: {}",
    "Sort these numbers: {}",
    "Put {} in order, smallest first.",
    "sort {}",
    "Arrange {} in increasing order.",
)
FALLING: Final = (
    "Sort {} from largest to smallest.",
    "Order these numbers in descending order: {}",
    "Put {} in order, largest first.",
)


def decimals(rng: Random) -> Example:
    """Return a comparison of two decimals, mostly with the same whole part and not equally long."""
    whole = rng.choice((rng.randint(0, 12), rng.randint(0, 99)))
    other = whole if rng.random() < 0.8 else rng.randint(0, 20)
    places = (1, 2) if rng.random() < 0.7 else (rng.randint(1, 3), rng.randint(1, 3))
    first, second = (_decimal(rng, part, count) for part, count in zip((whole, other), places, strict=True))
    if first == second or float(first) == float(second):
        return decimals(rng)
    if rng.random() < 0.5:
        first, second = second, first
    larger = rng.random() < 0.7
    question = rng.choice(LARGER if larger else SMALLER).format(first, second)
    top = max(first, second, key=float)
    bottom = first if top == second else second
    said = f"{top} is larger." if larger else f"{bottom} is smaller."
    thinking = _weighed(rng, (first, second), top, said)
    return Example("decimals", question, thinking, said, top if larger else bottom)


def _decimal(rng: Random, whole: int, places: int) -> str:
    digits = "".join(str(rng.randint(0, 9)) for _ in range(places - 1)) + str(rng.randint(1, 9))
    return f"{whole}.{digits}"


def _weighed(rng: Random, numbers: tuple[str, str], top: str, said: str) -> tuple[Piece, ...]:
    first, second = numbers
    (one, tail), (two, rest) = first.split("."), second.split(".")
    if one != two:
        bigger, lesser = (one, two) if int(one) > int(two) else (two, one)
        wrong = f"{max(tail, rest, key=int)} is the largest part, so the number with it is larger."
        right = f"{bigger} is more than {lesser}, so {top} is larger."
        lines = (Line(f"The whole parts are {one} and {two}."), Line(right, wrong, "The whole parts decide first."))
        return told(rng, lines)
    opening = step(f"Both start with {one}, so I compare the decimals.")
    if len(tail) == len(rest):
        return (opening, *_equally_long(rng, first, second, top))
    return (opening, *_unequally_long(first, second, top, said))


def _tail(decimal: str) -> str:
    return decimal.partition(".")[2]


def _equally_long(rng: Random, first: str, second: str, top: str) -> tuple[Piece, ...]:
    less, more = sorted((int(_tail(first)), int(_tail(second))))
    wrong = f"{less} is more than {more}, so {second if top == first else first} is larger."
    right = f"{more} is more than {less}, so {top} is larger."
    return told(rng, (Line(right, wrong, f"{less} is not more than {more}."),), slips=0.2)


def _unequally_long(first: str, second: str, top: str, said: str) -> tuple[Piece, ...]:
    """Return the steps: a guess as people make it, with the digits as they stand, its check, and what is said."""
    short, long = sorted((first, second), key=lambda number: len(_tail(number)))
    width = len(_tail(long))
    padded = short + "0" * (width - len(_tail(short)))
    less, more = sorted((int(_tail(padded)), int(_tail(long))))
    weighed = f"{more} against {less}: {top} is larger"
    guess, guessed = _guess(first, second)
    verdict = f"{weighed}, as I said." if guessed == top else f"{weighed}, not {guessed}."
    careful = f"I must compare the same number of digits: {short} is {padded}."
    return (step(guess), reflection(careful, verdict), step(said))


def _guess(first: str, second: str) -> tuple[str, str]:
    """Return what somebody says who takes the digits after the point as they stand, and the number that this names."""
    one, two = int(_tail(first)), int(_tail(second))
    if one == two:
        return f"Both end in {one}, so {first} may be larger.", first
    guessed = first if one > two else second
    return f"{max(one, two)} is more than {min(one, two)}, so {guessed} is larger.", guessed


def wholes(rng: Random) -> Example:
    """Return a comparison of two whole numbers, negative ones among them."""
    digits = rng.randint(1, 5)
    first, second = (rng.randint(1, 10**digits) * rng.choice((1, 1, 1, -1)) for _ in range(2))
    if first == second:
        return wholes(rng)
    larger = rng.random() < 0.6
    question = rng.choice(LARGER if larger else SMALLER).format(first, second)
    top, bottom = max(first, second), min(first, second)
    said = f"{top} is larger." if larger else f"{bottom} is smaller."
    return Example(
        "wholes", question, told(rng, _compared(first, second, top, bottom)), said, str(top if larger else bottom)
    )


def _compared(first: int, second: int, top: int, bottom: int) -> tuple[Line, ...]:
    if first < 0 and second < 0:
        wrong = f"{-bottom} is more than {-top}, so {bottom} is larger."
        right = f"Both are negative: the one nearer to zero is larger, and that is {top}."
        return (Line(right, wrong, "Below zero it is the other way round."),)
    if first < 0 or second < 0:
        return (Line(f"{bottom} is below zero and {top} is above: {top} is larger."),)
    if len(str(top)) != len(str(bottom)):
        return _longer(top, bottom)
    return _digit_by_digit(top, bottom)


def _longer(top: int, bottom: int) -> tuple[Line, ...]:
    many, few = len(str(top)), len(str(bottom))
    return (
        Line(
            f"{top} has {many} digits and {bottom} has {few}.",
            f"{bottom} has {many + 1} digits.",
            f"I count: {bottom} has {few} digits and {top} has {many}.",
        ),
        Line(f"More digits: {top} is larger."),
    )


def _digit_by_digit(top: int, bottom: int) -> tuple[Line, ...]:
    place = next(at for at, (one, two) in enumerate(zip(str(top), str(bottom), strict=True)) if one != two)
    one, two = str(top)[place], str(bottom)[place]
    return (
        Line("Both have the same number of digits, so I compare from the left."),
        Line(
            f"The first that differ are {one} and {two}: {top} is larger.",
            f"The first that differ are {one} and {two}: {bottom} is larger.",
            f"{one} is more than {two}, so it is the other one.",
        ),
    )


def fractions(rng: Random) -> Example:
    """Return a comparison of two fractions, by multiplying crosswise."""
    first, second = (Fraction(rng.randint(1, 8), rng.randint(2, 9)) for _ in range(2))
    if first == second or 1 in (first.denominator, second.denominator):
        return fractions(rng)
    larger = rng.random() < 0.7
    one, two = first.numerator * second.denominator, second.numerator * first.denominator
    top, bottom = max(first, second), min(first, second)
    lines = (
        Line(
            "I multiply each top by the other bottom.",
            f"{max(first.denominator, second.denominator)} is the largest bottom, so that fraction is larger.",
            "A larger bottom makes smaller parts; I multiply each top by the other bottom instead.",
        ),
        Line(f"For {first}: {first.numerator} × {second.denominator} = {one}."),
        Line(f"For {second}: {second.numerator} × {first.denominator} = {two}."),
        Line(f"{max(one, two)} is more than {min(one, two)}, so {top} is larger."),
    )
    said = f"{top} is larger." if larger else f"{bottom} is smaller."
    question = rng.choice(LARGER if larger else SMALLER).format(first, second)
    return Example("fractions", question, told(rng, lines), said, str(top if larger else bottom))


def ordering(rng: Random) -> Example:
    """Return three to six numbers to put in order, in either direction."""
    numbers = rng.sample(range(1, rng.choice((20, 100, 1000))), rng.randint(3, 6))
    down = rng.random() < 0.35
    result = sorted(numbers, reverse=down)
    listed, ordered = ", ".join(map(str, numbers)), ", ".join(map(str, result))
    lines = _picked(rng, numbers, result, *(("largest", "more") if down else ("smallest", "less")))
    check = f"I count: {len(numbers)} numbers were given and {len(result)} are in the list. Right."
    question = rng.choice(FALLING if down else RISING).format(listed)
    return Example("ordering", question, told(rng, lines, check), ordered, ordered)


def _picked(rng: Random, numbers: list[int], result: list[int], name: str, compare: str) -> list[Line]:
    left, lines = numbers, []
    for number in result[:-1]:
        listed = ", ".join(map(str, left))
        left = [other for other in left if other != number]
        wrong = rng.choice(left)
        lines.append(
            Line(
                f"The {name} of {listed} is {number}.",
                f"The {name} of {listed} is {wrong}.",
                f"{number} is {compare} than {wrong}.",
            )
        )
    return [*lines, Line(f"Left is {left[0]}.")]


def extremes(rng: Random) -> Example:
    """Return a question for the largest or the smallest of several numbers."""
    numbers = rng.sample(range(1, rng.choice((50, 1000))), rng.randint(3, 7))
    largest = rng.random() < 0.5
    listed = ", ".join(map(str, numbers))
    name = rng.choice(("largest", "biggest", "highest", "maximum") if largest else ("smallest", "lowest", "minimum"))
    question = rng.choice(("What is the {} of {}?", "Which is the {} number: {}?", "Find the {} number in {}.")).format(
        name, listed
    )
    lines = _one_after_the_other(numbers, largest=largest)
    best = max(numbers) if largest else min(numbers)
    return Example("extremes", question, told(rng, lines), f"The {name} is {best}.", str(best))


def _one_after_the_other(numbers: list[int], *, largest: bool) -> list[Line]:
    best, lines = numbers[0], []
    word = "more" if largest else "less"
    for number in numbers[1:]:
        best, other = sorted((best, number), reverse=largest)
        lines.append(
            Line(
                f"{best} is {word} than {other}.",
                f"{other} is {word} than {best}.",
                f"No, {other} and {best} are the other way round.",
            )
        )
    return lines


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "decimals": (decimals, 12),
    "wholes": (wholes, 3),
    "fractions": (fractions, 2),
    "ordering": (ordering, 4),
    "extremes": (extremes, 3),
}
"""The generator of each kind, and how much of the whole it gets."""
