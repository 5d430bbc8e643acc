"""Questions about letters: counting them, spelling, writing backwards and mirrored, alphabetical order."""

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
COMMON: Final = [
    "the",
    "a",
    "of",
    "and",
    "in",
    "to",
    "we",
    "our",
    "you",
    "it",
    "is",
    "was",
    "for",
    "with",
    "on",
    "at",
    "by",
    "this",
    "that",
    "have",
    "all",
    "not",
    "be",
    "are",
    "from",
    "they",
]
VOWELS: Final = "aeiou"
ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
TIMES: Final = ("not once", "once", "twice", "three times", "four times", "five times", "six times")


@cache
def words() -> tuple[str, ...]:
    """Return English words, in lower case."""
    return tuple(WORDS.read_text("utf-8").split())


def word(rng: Random, longest: int = 12) -> str:
    """Return a word of at most so many letters."""
    while len(found := rng.choice(words())) > longest:
        pass
    return found


def quoted(rng: Random, text: str) -> str:
    """Return a word as people write one they talk about."""
    return rng.choice(("{}", '"{}"', "'{}'", '"{}"')).format(text)


def counting(rng: Random) -> Example:
    """How often a letter stands in a word; twice or more in half of the cases."""
    name = word(rng)
    counts = Counter(name)
    many = [letter for letter, count in counts.items() if count > 1]
    shape = rng.random()
    if many and shape < 0.6:
        letter = rng.choice(many)
    elif shape < 0.9:
        letter = rng.choice(name)
    else:
        letter = rng.choice("abcdefghilmnoprstu")
    count = counts[letter]
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
    lines = [Line(f"I spell it and count each {letter}."), _marked(rng, name, letter, count)]
    if count:
        lines.append(Line(f"That is {count}."))
    else:
        lines.append(Line(f"There is no {letter}."))
    check = _places(name, letter)
    said = (
        f"The letter {letter} appears {TIMES[count]} in {name}: {count}."
        if count
        else f"The letter {letter} does not appear in {name}: 0."
    )
    return Example("counting letters", question, told(rng, lines, check), said, str(count))


def _marked(rng: Random, name: str, letter: str, count: int) -> Line:
    def spelled(skipped: int) -> str:
        seen, shown = 0, []
        for index, each in enumerate(name):
            if each == letter and index != skipped:
                seen += 1
                shown.append(f"{each} ({seen})")
            else:
                shown.append(each)
        return ", ".join(shown) + "."

    if not count:
        return Line(spelled(-1))
    missed = rng.choice([index for index, each in enumerate(name) if each == letter])
    why = f"I left out the {letter} in place {missed + 1}."
    return Line(spelled(-1), spelled(missed), why)


def _places(name: str, letter: str) -> str:
    places = [str(index + 1) for index, each in enumerate(name) if each == letter]
    if not places:
        return ""
    return f"I check the places of {letter}: {', '.join(places)}. Right."


def length(rng: Random) -> Example:
    """How many letters a word has."""
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
    right = " ".join(f"{letter}{index}" for index, letter in enumerate(name, 1)) + "."
    gone = rng.randrange(1, len(name) - 1)
    skipped = name[:gone] + name[gone + 1 :]
    wrong = " ".join(f"{letter}{index}" for index, letter in enumerate(skipped, 1)) + "."
    lines = (
        Line("I spell it with a number at each letter."),
        Line(right, wrong, f"I left out the {name[gone]} after {name[:gone]}."),
    )
    said = f"{name} has {len(name)} letters."
    return Example("counting letters", question, told(rng, lines), said, str(len(name)))


def vowels(rng: Random) -> Example:
    """How many vowels a word has."""
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
    """Spelling a word, or one of its letters."""
    name = word(rng)
    if rng.random() < 0.4:
        question = rng.choice(("Spell {}.", "How do you spell {}?", "Spell the word {} letter by letter.")).format(
            quoted(rng, name)
        )
        lines = (Line(f"I go through {name} from the left."),)
        return Example("spelling", question, told(rng, lines), "-".join(name), "-".join(name))
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
        Line(" ".join(f"{each}{index}" for index, each in enumerate(name, 1)) + "."),
        Line(
            f"The {which} is {letter}.",
            f"The {which} is {other}." if other != letter else "",
            f"I look again: {name} spelled is {' '.join(name)}.",
        ),
    )
    return Example("spelling", question, told(rng, lines), f"The {which} letter of {name} is {letter}.", f"is {letter}")


def backwards(rng: Random) -> Example:
    """One word from its end."""
    name = word(rng)
    question = rng.choice(
        (
            "Write {} backwards.",
            "Reverse the word {}.",
            "Spell {} backwards.",
            "What is {} spelled backwards?",
            "Reverse {}",
            "Write {} in mirrored writing.",
            "Write the word {} in reverse.",
            "How do you write {} mirrored?",
        )
    ).format(quoted(rng, name))
    turned = name[::-1]
    lines = (Line(f"The letters: {' '.join(name)}."), _turned(rng, name))
    check = f"I check: {turned} begins with {turned[0]}, the last letter of {name}, and has {len(name)} letters. Right."
    return Example("mirrored writing", question, told(rng, lines, check), turned, turned)


def _turned(rng: Random, name: str) -> Line:
    turned = name[::-1]
    if len(name) < 3:
        return Line(f"From the end: {' '.join(turned)}.")
    at = rng.randrange(len(turned) - 1)
    swapped = turned[:at] + turned[at + 1] + turned[at] + turned[at + 2 :]
    lost = turned[:at] + turned[at + 1 :]
    wrong = rng.choice((swapped, lost))
    why = (
        f"Before {turned[at]} from the end comes no other letter than {turned[at - 1]}."
        if at
        else f"The last letter of {name} is {turned[0]}."
    )
    if wrong == turned:
        return Line(f"From the end: {' '.join(turned)}.")
    return Line(f"From the end: {' '.join(turned)}.", f"From the end: {' '.join(wrong)}.", why)


def mirrored(rng: Random) -> Example:
    """A few words from the last letter to the first."""
    count = rng.choice((2, 2, 3, 3, 4, 5, 6, 8))
    parts = [rng.choice(COMMON) if rng.random() < 0.35 else word(rng, 9) for _ in range(count)]
    capital = rng.random() < 0.5
    if capital:
        parts[0] = parts[0].capitalize()
    text = " ".join(parts)
    question = rng.choice(
        (
            'Write "{}" in mirrored writing.',
            'Write "{}" backwards.',
            'Reverse the text "{}".',
            "Mirror this: {}",
            "Write this sentence in mirrored writing: {}",
            'Reverse every letter of "{}".',
            "Write backwards: {}",
            "Write the words {} in mirror writing.",
        )
    ).format(text)
    lines = [Line("The last word comes first, each from its end.")]
    for part in reversed(parts):
        turned = part[::-1]
        at = rng.randrange(max(1, len(turned) - 1))
        wrong = turned[:at] + turned[at + 1 : at + 2] + turned[at : at + 1] + turned[at + 2 :]
        lines.append(
            Line(
                f"{part}: {' '.join(part)}, so {turned}.",
                f"{part}: {' '.join(part)}, so {wrong}." if wrong != turned else "",
                f"{' '.join(part)} from its end is {' '.join(turned)}.",
            )
        )
    turned = text[::-1]
    return Example("mirrored writing", question, told(rng, lines), turned, turned)


def alphabetical(rng: Random) -> Example:
    """Three to five words in alphabetical order, or the first of two."""
    names = [word(rng, 9) for _ in range(rng.randint(3, 5))]
    if len({name[0] for name in names}) < len(names) and rng.random() < 0.7:
        return alphabetical(rng)
    if len(set(names)) < len(names):
        return alphabetical(rng)
    left, lines, result = list(names), [], sorted(names)
    lines.append(Line(f"They begin with {', '.join(name[:2] for name in names)}."))
    for name in result[:-1]:
        others = [other for other in left if other != name]
        wrong = rng.choice(others)
        lines.append(
            Line(
                f"First of {', '.join(left)}: {name}.",
                f"First of {', '.join(left)}: {wrong}.",
                f"{name[:2]} comes before {wrong[:2]}." if name[:2] != wrong[:2] else f"{name} comes before {wrong}.",
            )
        )
        left = others
    lines.append(Line(f"Left is {left[0]}."))
    listed, ordered = ", ".join(names), ", ".join(result)
    question = rng.choice(
        (
            "Sort these words alphabetically: {}",
            "Put {} in alphabetical order.",
            "Order alphabetically: {}.",
            "Arrange the words {} from A to Z.",
        )
    ).format(listed)
    return Example("ordering", question, told(rng, lines), ordered, ordered)


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "counting": (counting, 7),
    "length": (length, 2),
    "vowels": (vowels, 2),
    "spelling": (spelling, 2),
    "backwards": (backwards, 5),
    "mirrored": (mirrored, 4),
    "alphabetical": (alphabetical, 2),
}
"""The generator of each kind, and how much of the whole it gets."""
