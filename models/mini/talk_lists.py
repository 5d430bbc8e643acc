"""Lists of so many things of a kind, the odd one out, and which of two kinds a thing is; no member stands here."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mini.example import Example, Piece, reflection, slip, step
from mini.talk_words import a, capital, errs, other, rows, spoken

if TYPE_CHECKING:
    from random import Random

_MOST = 6
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")
_ASKS = (
    "Name {n} {kind}.",
    "List {n} {kind}.",
    "Give me {n} {kind}.",
    "Tell me {n} {kind}.",
    "Can you name {n} {kind}?",
    "Write a list of {n} {kind}.",
    "What are {n} {kind}?",
    "I need {n} {kind}.",
    "Please list {n} {kind}.",
    "{n} {kind}",
    "Do you know {n} {kind}?",
    "Make a list with {n} {kind}.",
    "Show me {n} examples of {kind}.",
)
_APART = (
    "fruits",
    "vegetables",
    "birds",
    "insects",
    "planets",
    "days of the week",
    "months",
    "European countries",
    "programming languages",
    "musical instruments",
    "sports",
    "professions",
    "vehicles",
    "pieces of furniture",
    "tools",
    "clothes",
    "drinks",
    "metals",
    "feelings",
    "school subjects",
    "currencies",
)
"""Kinds of which nothing belongs to two."""
_ONES = {"fruits", "birds", "insects", "musical instruments", "vehicles", "pieces of furniture", "tools", "clothes"}
"""Kinds of things that can be counted, so that one of them takes an article."""
_AS_WRITTEN = {
    "shell commands",
    "git commands",
    "operating systems",
    "files in a project",
    "Python types",
    "text editors",
}
"""Kinds whose members are never written with a large letter that they lack."""
_ODD = (
    "Which one does not fit: {}?",
    "Which is the odd one out: {}?",
    "Find the odd one out: {}",
    "Which word does not belong: {}?",
    "One of these does not belong to the others: {}",
    "What does not fit here: {}?",
    "Odd one out: {}?",
    "Which of these is different: {}?",
)
_SORT = (
    "Is this {x} or {y}: {thing}?",
    "{X} or {y}: {thing}?",
    "Say whether this is {x} or {y}: {thing}",
    "Which is it, {x} or {y}: {thing}?",
    "Classify as {x} or {y}: {thing}",
    "Decide between {x} and {y}: {thing}",
    "What is this, {x} or {y}: {thing}?",
    "Tell me if it is {x} or {y}: {thing}",
)


@cache
def kinds() -> dict[str, tuple[str, list[str]]]:
    """Return what one of each kind is called, and its members."""
    return {many: (one, members.split(", ")) for many, one, members in rows("lists.txt")}


def several(rng: Random) -> Example:
    """Return a question for so many things of a kind, which are counted while they are found."""
    kind = rng.choice(list(kinds()))
    members = kinds()[kind][1]
    count = rng.randint(2, min(_MOST, len(members)))
    said = str(count) if rng.random() < 0.4 else _NUMBERS[count]
    picked = [members[i] for i in sorted(rng.sample(range(len(members)), count))]
    thought = [step(f"{count} {kind} are wanted."), *_counted(rng, kind, picked)]
    question = spoken(rng, capital(rng.choice(_ASKS).format(n=said, kind=kind)))
    return Example("list", question, tuple(thought), _bullets(kind, picked), "")


def _bullets(kind: str, picked: list[str]) -> str:
    return "\n".join(f"- {thing if kind in _AS_WRITTEN else capital(thing)}" for thing in picked)


def _one(kind: str, thing: str) -> str:
    return capital(a(thing) if kind in _ONES else thing)


def _counted(rng: Random, kind: str, picked: list[str]) -> list[Piece]:
    right = ", ".join(f"({i}) {thing}" for i, thing in enumerate(picked, 1))
    if not errs(rng):
        return [step(f"I count them: {right}.")]
    if rng.random() < 0.5:
        return _short(picked, right)
    return _foreign(rng, kind, picked, right)


def _short(picked: list[str], right: str) -> list[Piece]:
    few = ", ".join(f"({i}) {thing}" for i, thing in enumerate(picked[:-1], 1))
    return [
        slip(f"I count them: {few}. That is all."),
        reflection(f"That makes {len(picked) - 1}, and {len(picked)} are wanted. I add {picked[-1]}: {right}."),
    ]


def _foreign(rng: Random, kind: str, picked: list[str], right: str) -> list[Piece]:
    place = rng.randrange(len(picked))
    its = other(rng, _APART, kind)
    stray = rng.choice(kinds()[its][1])
    wrong = ", ".join(f"({i}) {stray if i == place + 1 else thing}" for i, thing in enumerate(picked, 1))
    if stray in kinds()[kind][1] or its in {"birds", "insects", "fruits", "vegetables", "European countries", "drinks"}:
        return [step(f"I count them: {right}.")]
    return [
        slip(f"I count them: {wrong}."),
        reflection(f"{capital(stray)} does not belong to the {kind}. I take {picked[place]} instead: {right}."),
    ]


def odd(rng: Random) -> Example:
    """Return a question for the one of four that is of another kind."""
    kind, its = rng.sample(_APART, 2)
    three, stray = rng.sample(kinds()[kind][1], 3), rng.choice(kinds()[its][1])
    four = rng.sample([*three, stray], 4)
    one = a(kinds()[its][0])
    question = rng.choice(_ODD).format(", ".join(four))
    thought = [step(f"I look at each: {', '.join(four)}."), *_weighed(rng, kind, three, stray)]
    thought.append(step(f"{_one(its, stray)} is {one}."))
    answer = f"{capital(stray)} does not fit: the others are {kind}."
    return Example("odd_one_out", question, tuple(thought), answer, stray)


def _weighed(rng: Random, kind: str, three: list[str], stray: str) -> list[Piece]:
    together = f"{', '.join(three[:-1])} and {three[-1]} are {kind}"
    if not errs(rng):
        return [step(f"{capital(together)}.")]
    return [
        slip(f"{capital(three[0])} does not fit."),
        reflection(f"{capital(together)}, so it is {stray} that differs."),
    ]


def sort(rng: Random) -> Example:
    """Return a question which of two kinds a thing is."""
    kind, its = rng.sample(_APART, 2)
    thing = rng.choice(kinds()[kind][1])
    right, wrong = a(kinds()[kind][0]), a(kinds()[its][0])
    x, y = rng.sample([right, wrong], 2)
    question = rng.choice(_SORT).format(x=x, y=y, X=capital(x), thing=thing)
    thought = [step(f"The choice is between {x} and {y}."), *_judged(rng, _one(kind, thing), right, wrong)]
    return Example("sort", question, tuple(thought), f"{_one(kind, thing)} is {right}.", right)


def _judged(rng: Random, thing: str, right: str, wrong: str) -> list[Piece]:
    if not errs(rng):
        return [step(f"{thing} is {right}.")]
    return [slip(f"{thing} is {wrong}."), reflection(f"{thing} is not {wrong} but {right}.")]
