"""Questions about the letters of a word: how many there are, and which; their order is not turned here."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mini.example import Example
from mini.working import Line, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

WORDS: Final = Path(__file__).parent / "knowledge" / "words.txt"
VOWELS: Final = "aeiou"
ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
NOT_ONCE: Final = "does not appear"
TIMES: Final = ("", "once", "twice", "three times", "four times", "five times", "six times")


@cache
def words() -> tuple[str, ...]:
    """Return English words, in lower case, the commonest first."""
    return tuple(WORDS.read_text("utf-8").split())


def word(rng: Random, longest: int = 12) -> str:
    """Return a word of at most so many letters, a common one more often than a rare one."""
    known = words()
    while len(found := known[int(len(known) * rng.random() ** 2)]) > longest:
        pass
    return found


def quoted(rng: Random, text: str) -> str:
    """Return a word as people write one they talk about."""
    return rng.choice(("{}", '"{}"', "'{}'", '"{}"')).format(text)


def counting(rng: Random) -> Example:
    """Return a question how often a letter stands in a word; twice or more in half of the cases."""
    name = word(rng)
    letter = _sought(rng, name)
    count = name.count(letter)
    question = rng.choice(
        (
            "How many times does the letter {0} appear in {1}?",
            "How many {0}'s are in {1}?",
            "How many {0}s are in the word {1}?",
            "Count the letter {0} in {1}.",
            "how many {0} in {1}",
            "How many letters {0} are there in {1}?",
            "How often does {0} occur in {1}?",
            "In the word {1}, how many times do you see the letter {0}?",
        )
    ).format(rng.choice((letter, letter, letter.upper(), f'"{letter}"')), quoted(rng, name))
    found, times = (f"That is {count}.", f"appears {TIMES[count]}") if count else (f"There is no {letter}.", NOT_ONCE)
    lines = (
        Line(f"{name}: {' '.join(name)}."),
        Line(f"I count each {letter}."),
        _marked(rng, name, letter),
        Line(found),
    )
    said = f"The letter {letter} {times} in {name}: {count}."
    return Example("counting letters", question, told(rng, lines, _places(name, letter)), said, str(count))


def _sought(rng: Random, name: str) -> str:
    many = [letter for letter, count in Counter(name).items() if count > 1]
    shape = rng.random()
    if many and shape < 0.6:
        return rng.choice(many)
    return rng.choice(name if shape < 0.9 else "abcdefghilmnoprstu")


def _marked(rng: Random, name: str, letter: str) -> Line:
    places = [index for index, each in enumerate(name) if each == letter]
    right = _spelled(name, places)
    if not places:
        return Line(right)
    missed = rng.choice(places)
    wrong = _spelled(name, [place for place in places if place != missed])
    return Line(right, wrong, f"I left out the {letter} in place {missed + 1}.")


def _spelled(name: str, counted: list[int]) -> str:
    numbers = {place: f" ({number})" for number, place in enumerate(counted, 1)}
    return " ".join(f"{each}{numbers.get(index, '')}" for index, each in enumerate(name)) + "."


def _places(name: str, letter: str) -> str:
    places = ", ".join(str(index) for index, each in enumerate(name, 1) if each == letter)
    return f"I check the places of {letter}: {places}. Right." if places else ""


def length(rng: Random) -> Example:
    """Return a question how many letters a word has."""
    name = word(rng)
    question = rng.choice(
        (
            "How many letters are in {}?",
            "How many letters does the word {} have?",
            "Count the letters in {}.",
            "What is the length of the word {}?",
            "how long is the word {}",
            "How many characters are in {}?",
        )
    ).format(quoted(rng, name))
    gone = rng.randrange(1, len(name) - 1)
    skipped = name[:gone] + name[gone + 1 :]
    lines = (
        Line("I spell it with a number at each letter."),
        Line(with_places(name), with_places(skipped), f"I left out the {name[gone]} after {name[:gone]}."),
    )
    said = f"{name} has {len(name)} letters."
    return Example("counting letters", question, told(rng, lines), said, str(len(name)))


def with_places(name: str) -> str:
    """Return the letters of a word, each with the number of its place."""
    return " ".join(f"{letter}{index}" for index, letter in enumerate(name, 1)) + "."


def vowels(rng: Random) -> Example:
    """Return a question how many vowels a word has."""
    name = word(rng)
    found = [letter for letter in name if letter in VOWELS]
    question = rng.choice(
        (
            "How many vowels are in {}?",
            "Count the vowels in {}.",
            "how many vowels does {} have",
            "How many vowels does the word {} contain?",
        )
    ).format(quoted(rng, name))
    lines = (
        Line(f"The letters: {' '.join(name)}."),
        Line(
            f"The vowels among them: {' '.join(found) or 'none'}.",
            f"The vowels among them: {' '.join(found[:-1]) or 'none'}.",
            f"I missed the {found[-1]}." if found else "",
        ),
        Line(f"That is {len(found)}."),
    )
    said = f"{name} has {len(found)} vowel{'s' * (len(found) != 1)}."
    return Example("counting letters", question, told(rng, lines), said, str(len(found)))


def spelling(rng: Random) -> Example:
    """Return a word to spell, or a question for one of its letters."""
    name = word(rng)
    if rng.random() < 0.4:
        question = rng.choice(("Spell {}.", "How do you spell {}?", "Spell the word {} letter by letter.")).format(
            quoted(rng, name)
        )
        lines = (Line(f"I go through {name} from the left."),)
        spelled = "-".join(name)
        return Example("spelling", question, told(rng, lines), spelled, spelled, apart=(spelled,))
    return _one_letter(rng, name)


def _one_letter(rng: Random, name: str) -> Example:
    place = rng.randrange(min(len(name), len(ORDINALS)))
    last = rng.random() < 0.3
    which = "last" if last else ORDINALS[place]
    letter = name[-1] if last else name[place]
    other = name[place - 1] if place else name[1]
    question = rng.choice(
        (
            "What is the {} letter of {}?",
            "Which letter is the {} one in {}?",
            "Tell me the {} letter in the word {}.",
        )
    ).format(which, quoted(rng, name))
    lines = (
        Line(with_places(name)),
        Line(
            f"The {which} is {letter}.",
            f"The {which} is {other}." if other != letter else "",
            f"I look again: {name} spelled is {' '.join(name)}.",
        ),
    )
    return Example("spelling", question, told(rng, lines), f"The {which} letter of {name} is {letter}.", f"is {letter}")


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "counting": (counting, 7),
    "length": (length, 2),
    "vowels": (vowels, 2),
    "spelling": (spelling, 2),
}
"""The generator of each kind, and how much of the whole it gets."""
