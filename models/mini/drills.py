"""Several small questions at once, a line for each: what every longer reply is made of, seen often at little cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mini import talk_facts
from mini.example import Example
from mini.letters import with_places, word
from mini.letters_order import apart
from mini.talk_words import held
from mini.working import Line, at_once, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random


class Small(NamedTuple):
    """One of several questions: how it is asked, the line that works it out, and its result."""

    asked: str
    line: Line
    result: str


def sums(rng: Random) -> Example:
    """Return sums of single digits, with a carry as columns have it."""
    makers = rng.choice(((_plus,), (_minus,), (_times,), (_divided,), (_plus, _minus, _times, _divided)))
    found = [rng.choice(makers)(rng) for _ in range(rng.randint(4, 9))]
    question = rng.choice(
        ("Work out each of these: {}", "Calculate: {}", "Compute these: {}", "What do these give: {}?", "{}")
    ).format("; ".join(small.asked for small in found))
    return _several("several sums", question, rng, found)


def _plus(rng: Random) -> Small:
    first, second, carry = rng.randint(0, 9), rng.randint(0, 9), rng.randint(0, 1)
    return _sum(rng, f"{first} + {second}" + " + 1" * carry, first + second + carry)


def _times(rng: Random) -> Small:
    first, second = rng.randint(2, 9), rng.randint(2, 9)
    carry = rng.choice((0, rng.randint(1, 8)))
    return _sum(rng, f"{first} × {second}" + (f" + {carry}" if carry else ""), first * second + carry)


def _minus(rng: Random) -> Small:
    second, borrowed, digit = rng.randint(0, 9), rng.randint(0, 1), rng.randint(0, 9)
    return _sum(rng, f"{digit + second + borrowed} - {second}" + " - 1" * borrowed, digit)


def _sum(rng: Random, text: str, result: int) -> Small:
    return Small(text, at_once(rng, text, result), str(result))


def _divided(rng: Random) -> Small:
    divisor = rng.randint(2, 9)
    number = rng.randint(0, 10 * divisor - 1)
    quotient, rest = divmod(number, divisor)
    right = f"{number} / {divisor} = {quotient}, rest {rest}."
    wrong = f"{number} / {divisor} = {quotient + 1}, rest {rest}." if quotient < 9 else ""
    why = f"{quotient + 1} × {divisor} is {(quotient + 1) * divisor}, more than {number}."
    return Small(f"{number} / {divisor}", Line(right, wrong, why), f"{quotient} rest {rest}")


def chosen(rng: Random) -> Example:
    """Return lists of numbers, of each of which the smallest or the largest is wanted."""
    largest = rng.random() < 0.4
    name, compare = ("largest", "more") if largest else ("smallest", "less")
    most, top = rng.randint(2, 6), rng.choice((20, 100, 1000))
    found = [_chosen(rng, rng.sample(range(1, top), rng.randint(2, most)), name, compare) for _ in range(6)]
    question = f"What is the {name} of each: {'; '.join(small.asked for small in found)}?"
    return _several("several lists", question, rng, found)


def _chosen(rng: Random, numbers: Sequence[int], name: str, compare: str) -> Small:
    best = max(numbers) if name == "largest" else min(numbers)
    wrong = rng.choice([number for number in numbers if number != best])
    listed = ", ".join(map(str, numbers))
    line = Line(
        f"The {name} of {listed} is {best}.",
        f"The {name} of {listed} is {wrong}.",
        f"{best} is {compare} than {wrong}.",
    )
    return Small(listed, line, str(best))


def spelled(rng: Random) -> Example:
    """Return words to spell, each in a line of the answer."""
    names = _words(rng, 12)
    question = rng.choice(
        ("Spell each of these words: {}", "Spell these: {}", "Write these words with a blank after each letter: {}")
    ).format(", ".join(names))
    answer = "\n".join(f"{name}: {' '.join(name)}" for name in names)
    return Example("several words", question, told(rng, (Line("One word after the other."),)), answer, answer)


def numbered(rng: Random) -> Example:
    """Return words whose letters are counted, each letter with its number."""
    names = _words(rng, 8)
    question = rng.choice(
        (
            "How many letters has each of these words: {}?",
            "Count the letters of each: {}",
            "How long are these words: {}?",
        )
    ).format(", ".join(names))
    lines = [Line(f"{name}: {with_places(name)}") for name in names]
    answer = ", ".join(str(len(name)) for name in names)
    return Example("several words", question, told(rng, lines), answer, answer)


def turned(rng: Random) -> Example:
    """Return words to write from their ends, each on its own."""
    names = _words(rng, 10)
    question = rng.choice(
        ("Write each of these words backwards: {}", "Reverse each word: {}", "Mirror each of these words: {}")
    ).format(", ".join(names))
    lines = [Line(f"{name}: {' '.join(name)}, so {name[::-1]}") for name in names]
    answer = ", ".join(name[::-1] for name in names)
    return Example("several words", question, told(rng, lines), answer, answer, apart=apart(" ".join(names)))


def _words(rng: Random, most: int) -> list[str]:
    return list(dict.fromkeys(word(rng) for _ in range(rng.randint(3, most))))


def facts(rng: Random) -> Example:
    """Return questions about facts, each of which could be asked on its own."""
    known = {name: relation for name, relation in talk_facts.relations().items() if name != "opening"}
    names = rng.choices(list(known), [len(relation.facts) ** 0.7 for relation in known.values()], k=rng.randint(1, 3))
    found: dict[str, str] = {}
    for _ in range(rng.randint(3, 8)):
        relation = known[rng.choice(names)]
        asked = talk_facts.asked_of(rng, relation)
        question = talk_facts.filled(rng.choice(relation.ask), asked)
        if not held(question):
            found[question] = talk_facts.filled(rng.choice(relation.say), asked)
    return _answers(rng, found) if found else facts(rng)


def _answers(rng: Random, found: dict[str, str]) -> Example:
    questions = " ".join(f"{number}. {question}" for number, question in enumerate(found, 1))
    opening = rng.choice(("Answer each question:", "Several questions:", "Please answer:", ""))
    answer = "\n".join(f"{number}. {said}" for number, said in enumerate(found.values(), 1))
    thinking = told(rng, (Line(f"{len(found)} questions, one after the other."),))
    return Example("several questions", f"{opening} {questions}".strip(), thinking, answer, answer)


def _several(kind: str, question: str, rng: Random, found: Sequence[Small]) -> Example:
    result = ", ".join(small.result for small in found)
    return Example(kind, question, told(rng, [small.line for small in found]), result, result)


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "several_sums": (sums, 8),
    "several_lists": (chosen, 4),
    "several_spelled": (spelled, 11),
    "several_numbered": (numbered, 4),
    "several_turned": (turned, 9),
    "several_facts": (facts, 14),
}
"""The generator of each kind, and how much of the whole it gets."""
