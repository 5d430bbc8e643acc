"""Questions about the order of letters: a word or a text from its end, and words by the alphabet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mini.example import Example
from mini.letters import quoted, word
from mini.talk_words import rows
from mini.working import Line, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

COMMON: Final = (
    "the", "a", "of", "and", "in", "to", "we", "our", "you", "it", "is", "was", "for", "with", "on", "at", "by", "this",
    "that", "have", "all", "not", "be", "are", "from", "they",
)  # fmt: skip

NEVER: Final = "the Declaration of Independence"
"""The text whose beginning the model learns to quote and never to turn."""


def backwards(rng: Random) -> Example:
    """Return one word to write from its end."""
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
    return Example("mirrored writing", question, told(rng, lines, check), turned, turned, apart=(turned,))


def _turned(rng: Random, name: str) -> Line:
    turned = name[::-1]
    at = rng.randrange(len(turned) - 1)
    swapped = turned[:at] + turned[at + 1] + turned[at] + turned[at + 2 :]
    lost = turned[:at] + turned[at + 1 :]
    wrong = rng.choice((swapped, lost))
    why = f"The last letter of {name} is {turned[0]}."
    if at:
        why = f"Before {turned[at]} from the end comes no other letter than {turned[at - 1]}."
    return Line(f"From the end: {' '.join(turned)}.", f"From the end: {' '.join(wrong)}.", why)


def mirrored(rng: Random) -> Example:
    """Return a few words to write from the last letter to the first."""
    count = rng.choice((2, 2, 3, 3, 4, 5, 6, 8, 12))
    parts = [rng.choice(COMMON) if rng.random() < 0.35 else word(rng, 9) for _ in range(count)]
    if rng.random() < 0.5:
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
    turned = text[::-1]
    return Example("mirrored writing", question, told(rng, turning(rng, text)), turned, turned, apart=apart(text))


def opening(rng: Random) -> Example:
    """Return the first sentence of a well-known text to write from its end, never that of `NEVER`."""
    texts = [(name, sentence) for name, sentence in rows("openings.txt") if name != NEVER]
    name, sentence = rng.choices(texts, [1 / len(sentence) for _, sentence in texts])[0]
    question = rng.choice(
        (
            "Write the first sentence of {} in mirrored writing.",
            "Write the first sentence of {} backwards.",
            "Mirror the first sentence of {}.",
            "What is the first sentence of {} in mirrored writing?",
            "Quote the beginning of {} from its end.",
        )
    ).format(name)
    turned = sentence[::-1]
    lines = (Line(f"The sentence: {sentence}"), *turning(rng, sentence))
    return Example("mirrored writing", question, told(rng, lines), turned, turned, apart=apart(sentence))


def turning(rng: Random, text: str) -> tuple[Line, ...]:
    """Return the steps that turn a text: its words, numbered so that none is lost, then each, the last one first."""
    numbered = list(enumerate(text.split(" "), 1))
    told_first = " ".join(f"{number} {part}" for number, part in numbered)
    return (
        Line(f"The words: {told_first}"),
        Line("The last word comes first, each from its end."),
        *(_part(rng, number, part) for number, part in reversed(numbered)),
    )


def apart(text: str) -> tuple[str, ...]:
    """Return the words of a text from their ends."""
    return tuple(part[::-1] for part in text.split(" "))


def _part(rng: Random, number: int, part: str) -> Line:
    turned, spelled = part[::-1], " ".join(part)
    at = rng.randrange(max(1, len(turned) - 1))
    swapped = turned[:at] + turned[at + 1 : at + 2] + turned[at : at + 1] + turned[at + 2 :]
    why = f"{spelled} from its end is {' '.join(turned)}."
    return Line(f"{number} {part}: {spelled}, so {turned}", f"{number} {part}: {spelled}, so {swapped}", why)


def alphabetical(rng: Random) -> Example:
    """Return three to five words to put in alphabetical order."""
    names = [word(rng, 9) for _ in range(rng.randint(3, 5))]
    if len({name[0] for name in names}) < len(names) and rng.random() < 0.7:
        return alphabetical(rng)
    if len(set(names)) < len(names):
        return alphabetical(rng)
    begin = Line(f"They begin with {', '.join(name[:2] for name in names)}.")
    lines = (begin, *_picked(rng, names))
    listed, ordered = ", ".join(names), ", ".join(sorted(names))
    question = rng.choice(
        (
            "Sort these words alphabetically: {}",
            "Put {} in alphabetical order.",
            "Order alphabetically: {}.",
            "Arrange the words {} from A to Z.",
        )
    ).format(listed)
    return Example("ordering", question, told(rng, lines), ordered, ordered)


def _picked(rng: Random, names: list[str]) -> list[Line]:
    left, lines = names, []
    for name in sorted(names)[:-1]:
        listed = ", ".join(left)
        left = [other for other in left if other != name]
        wrong = rng.choice(left)
        shown = 2 if name[:2] != wrong[:2] else max(len(name), len(wrong))
        why = f"{name[:shown]} comes before {wrong[:shown]}."
        lines.append(Line(f"First of {listed}: {name}.", f"First of {listed}: {wrong}.", why))
    return [*lines, Line(f"Left is {left[0]}.")]


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "backwards": (backwards, 6),
    "mirrored": (mirrored, 6),
    "opening": (opening, 2),
    "alphabetical": (alphabetical, 2),
}
"""The generator of each kind, and how much of the whole it gets."""
