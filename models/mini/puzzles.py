"""Short puzzles: sequences, parity, primes, roman numerals, who is tallest, how many of a kind."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from mini.example import Example
from mini.stories_words import PEOPLE
from mini.working import Line, near, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

ROMAN: Final = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
TRAITS: Final = (
    ("taller", "tallest", "shortest"),
    ("older", "oldest", "youngest"),
    ("faster", "fastest", "slowest"),
    ("heavier", "heaviest", "lightest"),
)
FRUITS: Final = (
    "apple",
    "banana",
    "cherry",
    "grape",
    "lemon",
    "mango",
    "orange",
    "peach",
    "pear",
    "plum",
    "kiwi",
    "melon",
)
ANIMALS: Final = ("dog", "cat", "horse", "cow", "lion", "tiger", "sheep", "goat", "fox", "wolf", "rabbit", "duck")
TOOLS: Final = ("hammer", "saw", "spoon", "knife", "fork", "cup", "chair", "table", "lamp", "pen", "key", "clock")


def sequence(rng: Random) -> Example:
    """Return a question for the next of numbers that grow evenly, or double, or are squares."""
    (*shown, result), rule = _grown(rng, rng.choice(("add", "add", "take", "double", "triple", "squares")))
    listed = ", ".join(map(str, shown))
    steps = [sorted(pair, reverse=True) for pair in pairwise(shown)]
    false = f"Each is {steps[0][0] - steps[0][1] + 1} more than the one before."
    lines = (
        Line(f"The steps: {', '.join(f'{large} - {small} = {large - small}' for large, small in steps)}."),
        Line(rule, false, "That does not fit all of the steps."),
        Line(
            f"After {shown[-1]} comes {result}.",
            f"After {shown[-1]} comes {near(rng, result)}.",
            f"The rule again: {rule}",
        ),
    )
    question = rng.choice(
        (
            "What comes next: {}, ...?",
            "What is the next number in the sequence {}?",
            "Continue the sequence: {}, ?",
            "{}, what is the next number?",
            "Find the next number: {}",
        )
    ).format(listed)
    return Example("puzzles", question, told(rng, lines), f"The next number is {result}.", str(result))


def _grown(rng: Random, shape: str) -> tuple[list[int], str]:
    step, start = rng.randint(2, 12), rng.randint(1, 30)
    if shape == "add":
        return [start + step * index for index in range(5)], f"Each is {step} more than the one before."
    if shape == "take":
        return [start + step * (6 - index) for index in range(5)], f"Each is {step} less than the one before."
    if shape == "squares":
        first = rng.randint(1, 6)
        return [(first + index) ** 2 for index in range(5)], f"They are squares, from {first} × {first} on."
    factor, start = (2, rng.randint(1, 12)) if shape == "double" else (3, rng.randint(1, 5))
    return [start * factor**index for index in range(5)], f"Each is {factor} times the one before."


def parity(rng: Random) -> Example:
    """Return a question whether a number is even or odd."""
    number = rng.randint(0, 10 ** rng.randint(1, 5))
    last, even = number % 10, number % 2 == 0
    name, other = ("even", "odd") if even else ("odd", "even")
    asked = rng.choice(("even", "odd", "either"))
    lines = (
        Line(
            f"The last digit of {number} is {last}.",
            f"The first digit of {number} is {str(number)[0]}, so that decides.",
            f"The last digit decides, and that is {last}.",
        ),
        Line(
            f"{last} is {name}, so {number} is {name}.",
            f"{last} is {other}, so {number} is {other}.",
            f"{last} is {'' if even else 'not '}divisible by 2.",
        ),
    )
    if asked == "either":
        question = rng.choice(("Is {} even or odd?", "Is the number {} odd or even?")).format(number)
        return Example("puzzles", question, told(rng, lines), f"{number} is {name}.", name)
    yes = asked == name
    said = f"Yes, {number} is {name}." if yes else f"No, {number} is {name}."
    return Example(
        "puzzles",
        rng.choice(("Is {} {}?", "Is {} an {} number?")).format(number, asked),
        told(rng, lines),
        said,
        "Yes" if yes else "No",
    )


def prime(rng: Random) -> Example:
    """Return a question whether a number below 121 is prime."""
    number = rng.randint(2, 120)
    tried = [divisor for divisor in (2, 3, 5, 7) if divisor * divisor <= number]
    factor = next((divisor for divisor in tried if number % divisor == 0), 0)
    verdict = f"So {number} is not prime." if factor else f"Nothing up to its root divides it, so {number} is prime."
    needed = tried[: tried.index(factor) + 1] if factor else tried
    lines = (*(_tried(number, divisor) for divisor in needed), Line(verdict))
    question = rng.choice(("Is {} a prime number?", "Is {} prime?", "is {} a prime")).format(number)
    said = f"No, {number} = {factor} × {number // factor}." if factor else f"Yes, {number} is prime."
    return Example("puzzles", question, told(rng, lines), said, "No" if factor else "Yes")


def _tried(number: int, divisor: int) -> Line:
    quotient, rest = divmod(number, divisor)
    product = f"{divisor} × {quotient} = {number - rest}"
    if rest:
        return Line(f"{product}, rest {rest}: {divisor} does not divide it.")
    return Line(f"{product}, so {divisor} divides it.", f"{divisor} does not divide it.", f"{product}.")


def roman(rng: Random) -> Example:
    """Return a roman numeral below 140 to write as a number, or the other way."""
    number = rng.randint(1, 139)
    parts = _roman_parts(number)
    text = "".join(sign for _, sign in parts)
    added = " + ".join(str(value) for value, _ in parts)
    if rng.random() < 0.6:
        question = rng.choice(
            (
                "What number is the roman numeral {}?",
                "Convert {} from roman numerals.",
                "What is {} in roman numerals as a number?",
            )
        ).format(text)
        wrong = f"{added} = {near(rng, number)}." if len(parts) > 1 else ""
        lines = (_signs(parts), Line(f"{added} = {number}.", wrong, f"{added} is {number}."))
        return Example("puzzles", question, told(rng, lines), f"{text} is {number}.", str(number))
    question = rng.choice(
        ("Write {} in roman numerals.", "What is {} as a roman numeral?", "{} in roman numerals")
    ).format(number)
    lines = (Line(f"{number} = {added}."), Line(", ".join(f"{value} is {sign}" for value, sign in parts) + "."))
    return Example("puzzles", question, told(rng, lines), f"{number} is {text}.", text)


def _roman_parts(number: int) -> list[tuple[int, str]]:
    parts = []
    for value, sign in ROMAN:
        count, number = divmod(number, value)
        parts += [(value, sign)] * count
    return parts


def _signs(parts: list[tuple[int, str]]) -> Line:
    right = ", ".join(f"{sign} is {value}" for value, sign in parts)
    pairs = [(value, sign) for value, sign in parts if len(sign) == 2]
    if not pairs:
        return Line(f"{right}.")
    # A pair is worth more where its smaller sign is not taken away.
    added = {sign: value + 2 * (value // 9 or 1) for value, sign in pairs}
    wrong = ", ".join(f"{sign} is {added.get(sign, value)}" for value, sign in parts)
    value, sign = pairs[0]
    return Line(f"{right}.", f"{wrong}.", f"A smaller sign before a larger one is taken away: {sign} is {value}.")


def ranking(rng: Random) -> Example:
    """Return a question who is first or last of three or four, by comparisons in any order."""
    count = rng.choice((3, 3, 4))
    people = rng.sample(PEOPLE, count)
    trait, most, least = rng.choice(TRAITS)
    facts = [f"{one} is {trait} than {two}." for one, two in pairwise(people)]
    rng.shuffle(facts)
    top = rng.random() < 0.5
    name, result = (most, people[0]) if top else (least, people[-1])
    lines = (
        Line(
            f"In order, the {most} first: {', '.join(people)}.",
            f"In order, the {most} first: {', '.join([people[1], people[0], *people[2:]])}.",
            f"{people[0]} is {trait} than {people[1]}, so {people[0]} comes before.",
        ),
        Line(f"The {name} is {result}."),
    )
    return Example(
        "puzzles", f"{' '.join(facts)} Who is the {name}?", told(rng, lines), f"{result} is the {name}.", result
    )


def members(rng: Random) -> Example:
    """Return a question how many of a list are fruits, or animals."""
    kinds = (("fruits", FRUITS), ("animals", ANIMALS))
    name, wanted = rng.choice(kinds)
    others = TOOLS if rng.random() < 0.5 else (ANIMALS if name == "fruits" else FRUITS)
    chosen = rng.sample(wanted, rng.randint(1, 5))
    mixed = [*chosen, *rng.sample(others, rng.randint(1, 4))]
    rng.shuffle(mixed)
    found = [one for one in mixed if one in chosen]
    listed = ", ".join(mixed)
    lines = (
        Line(
            f"The {name}: {', '.join(f'{one} {index}' for index, one in enumerate(found, 1))}.",
            f"The {name}: {', '.join(f'{one} {index}' for index, one in enumerate(found[:-1], 1)) or 'none'}.",
            f"I missed {found[-1]}.",
        ),
        Line(f"That is {len(found)}."),
    )
    question = rng.choice(
        ("How many {0} are in this list: {1}?", "How many of these are {0}: {1}?", "Count the {0}: {1}.")
    ).format(name, listed)
    return Example(
        "puzzles",
        question,
        told(rng, lines),
        f"{len(found)} of them {'is' if len(found) == 1 else 'are'} {name}.",
        str(len(found)),
    )


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "sequence": (sequence, 3),
    "parity": (parity, 1),
    "prime": (prime, 1),
    "roman": (roman, 1),
    "ranking": (ranking, 2),
    "members": (members, 1),
}
"""The generator of each kind, and how much of the whole it gets."""
