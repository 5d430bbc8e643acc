"""Questions that compare numbers: decimals, fractions, whole numbers, and putting several in order."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from mini.example import Example, Piece, reflection, step
from mini.working import Line, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

HASTY: Final = 0.75
"""The share of comparisons of decimals that begin as people begin them: with the digits as they stand."""
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


def decimals(rng: Random) -> Example:
    """Two decimals, mostly with the same whole part and not equally long."""
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
    return Example("decimals", question, _weighed(rng, first, second, top, said), said, top if larger else bottom)


def _decimal(rng: Random, whole: int, places: int) -> str:
    digits = "".join(str(rng.randint(0, 9)) for _ in range(places - 1)) + str(rng.randint(1, 9))
    return f"{whole}.{digits}"


def _weighed(rng: Random, first: str, second: str, top: str, said: str) -> tuple[Piece, ...]:
    (one, tail), (two, rest) = first.split("."), second.split(".")
    if one != two:
        bigger, lesser = (one, two) if int(one) > int(two) else (two, one)
        wrong = f"{max(tail, rest, key=int)} is the largest part, so the number with it is larger."
        right = f"{bigger} is more than {lesser}, so {top} is larger."
        lines = (Line(f"The whole parts are {one} and {two}."), Line(right, wrong, "The whole parts decide first."))
        return told(rng, lines)
    opening = step(f"Both start with {one}, so I compare the decimals.")
    if len(tail) == len(rest):
        more, less = sorted((tail, rest), key=int, reverse=True)
        wrong = f"{int(less)} is more than {int(more)}, so {second if top == first else first} is larger."
        right = f"{int(more)} is more than {int(less)}, so {top} is larger."
        return (opening, *told(rng, (Line(right, wrong, f"{int(less)} is not more than {int(more)}."),), slips=0.2))
    width = max(len(tail), len(rest))
    short = first if len(tail) < len(rest) else second
    padded = f"{one}.{short.split('.')[1].ljust(width, '0')}"
    wide, thin = tail.ljust(width, "0"), rest.ljust(width, "0")
    more, less = sorted((int(wide), int(thin)), reverse=True)
    if rng.random() > HASTY:
        return (opening, step(f"{short} is {padded}."), step(f"{more} against {less}: {top} is larger."))
    guess = _guess(tail, rest, first, second)
    verdict = f"{more} against {less}: {top} is larger" + (
        ", as I said." if guess[1] == top else ", not " + guess[1] + "."
    )
    careful = f"I must compare the same number of digits: {short} is {padded}."
    return (opening, step(guess[0]), reflection(careful, verdict), step(said))


def _guess(tail: str, rest: str, first: str, second: str) -> tuple[str, str]:
    one, two = int(tail), int(rest)
    if one == two:
        return f"Both end in {one}, so {first} may be larger.", first
    guessed = first if one > two else second
    return f"{max(one, two)} is more than {min(one, two)}, so {guessed} is larger.", guessed


def wholes(rng: Random) -> Example:
    """Two whole numbers, negative ones among them."""
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
    sizes = len(str(top)), len(str(bottom))
    if sizes[0] != sizes[1]:
        return (
            Line(
                f"{top} has {sizes[0]} digits and {bottom} has {sizes[1]}.",
                f"{bottom} has {sizes[0] + 1} digits.",
                f"I count: {bottom} has {sizes[1]} digits and {top} has {sizes[0]}.",
            ),
            Line(f"More digits: {top} is larger."),
        )
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
    """Two fractions, by multiplying crosswise."""
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
    """Three to six numbers, in either direction."""
    numbers = rng.sample(range(1, rng.choice((20, 100, 1000))), rng.randint(3, 6))
    down = rng.random() < 0.35
    result = sorted(numbers, reverse=down)
    listed, ordered = ", ".join(map(str, numbers)), ", ".join(map(str, result))
    words = (
        (
            "Sort {} from largest to smallest.",
            "Order these numbers in descending order: {}",
            "Put {} in order, largest first.",
        )
        if down
        else (
            "Sort {} from smallest to largest.",
            "Order these numbers in ascending order: {}",
            "Sort these numbers: {}",
            "Put {} in order, smallest first.",
            "sort {}",
            "Arrange {} in increasing order.",
        )
    )
    name = "largest" if down else "smallest"
    left, lines = list(numbers), []
    for number in result[:-1]:
        remaining = [other for other in left if other != number]
        wrong = rng.choice(remaining)
        compare = "more" if down else "less"
        lines.append(
            Line(
                f"The {name} of {', '.join(map(str, left))} is {number}.",
                f"The {name} of {', '.join(map(str, left))} is {wrong}.",
                f"{number} is {compare} than {wrong}.",
            )
        )
        left = remaining
    lines.append(Line(f"Left is {left[0]}."))
    check = f"I count: {len(numbers)} numbers were given and {len(result)} are in the list. Right."
    return Example("ordering", rng.choice(words).format(listed), told(rng, lines, check), ordered, ordered)


def extremes(rng: Random) -> Example:
    """The largest or the smallest of several."""
    numbers = rng.sample(range(1, rng.choice((50, 1000))), rng.randint(3, 7))
    largest = rng.random() < 0.5
    listed = ", ".join(map(str, numbers))
    name = rng.choice(("largest", "biggest", "highest", "maximum") if largest else ("smallest", "lowest", "minimum"))
    question = rng.choice(("What is the {} of {}?", "Which is the {} number: {}?", "Find the {} number in {}.")).format(
        name, listed
    )
    best, lines = numbers[0], []
    for number in numbers[1:]:
        wins = number > best if largest else number < best
        kept, other = (number, best) if wins else (best, number)
        word = "more" if largest else "less"
        lines.append(
            Line(
                f"{kept} is {word} than {other}.",
                f"{other} is {word} than {kept}.",
                f"No, {other} and {kept} are the other way round.",
            )
        )
        best = kept
    return Example("extremes", question, told(rng, lines), f"The {name} is {best}.", str(best))


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "decimals": (decimals, 6),
    "wholes": (wholes, 3),
    "fractions": (fractions, 2),
    "ordering": (ordering, 3),
    "extremes": (extremes, 2),
}
"""The generator of each kind, and how much of the whole it gets."""
