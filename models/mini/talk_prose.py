"""Questions with an answer written by hand: explanations, greetings, how-tos, what cannot be known, small programs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from mini.example import Example, step
from mini.talk_words import capital, erred, spoken, text

if TYPE_CHECKING:
    from random import Random

_WHY = (
    "Explain {}.",
    "Can you explain {}?",
    "Please explain {}.",
    "Tell me {}.",
    "Do you know {}?",
    "I would like to know {}.",
    "Can you tell me {}?",
    "Explain in simple words {}.",
    "I do not understand {}.",
    "Explain to a child {}.",
)
_WHAT = (
    "What {is} {}?",
    "What {is} {}?",
    "What {is} {}?",
    "Explain {}.",
    "Explain {} in one or two sentences.",
    "Can you explain {}?",
    "Tell me about {}.",
    "What exactly {is} {}?",
    "Tell me what {} {is}.",
    "Can you tell me what {} {is}?",
    "I want to know what {} {is}.",
    "Describe {} briefly.",
    "In simple words, what {is} {}?",
    "Define {}.",
    "What do you know about {}?",
)
_DO = (
    "How do I {}?",
    "How do I {}?",
    "How can I {}?",
    "How to {}?",
    "How does one {}?",
    "Tell me how to {}.",
    "Explain how to {}.",
    "Give me steps to {}.",
    "What are the steps to {}?",
    "I want to {}. What do I do?",
    "Can you explain how to {}?",
    "Show me how to {}.",
)
_ERRING = 0.6
"""How often a block's slip is shown: only some blocks have one."""


class Block(NamedTuple):
    """Wordings of one question with the lines of its reply."""

    asks: list[str]
    thoughts: list[str]
    answers: list[str]
    slip: str
    mend: str
    target: str


@cache
def blocks(name: str) -> list[Block]:
    """Return the blocks of a data file, which are parted by empty lines; the first letter of a line is its meaning."""
    return [_block(part.splitlines()) for part in text(name).split("\n\n") if part.strip("\n# ")]


def _block(lines: list[str]) -> Block:
    said: dict[str, list[str]] = {}
    for line in lines:
        sign, _, rest = line.partition(" ")
        said.setdefault(sign, []).append(rest.strip())
    one = {sign: said.get(sign, [""])[0] for sign in "!*>"}
    answers = [answer.replace(" / ", "\n") for answer in said["="]]
    return Block(_asks(said), _thoughts(said), answers, one["!"], one["*"], one[">"])


def _asks(said: dict[str, list[str]]) -> list[str]:
    asks = [*said.get("?", []) * (4 if "~" in said else 1)]
    asks += [way.format(indirect) for indirect in said.get("~", []) for way in _WHY]
    asks += [way.format(noun, **{"is": "is"}) for noun in said.get("@", []) for way in _WHAT]
    asks += [way.format(noun, **{"is": "are"}) for noun in said.get("@@", []) for way in _WHAT]
    return asks + [way.format(task) for task in said.get("&", []) for way in _DO]


def _thoughts(said: dict[str, list[str]]) -> list[str]:
    thoughts = said.get("-", [])
    for sign, opener in (
        ("~", "The question is {}."),
        ("@", "I am asked what {} is."),
        ("@@", "I am asked what {} are."),
    ):
        if sign in said:
            return [opener.format(said[sign][0]), *thoughts]
    return [f"The task is to {said['&'][0]}.", *thoughts] if "&" in said else thoughts


def _from(rng: Random, kind: str) -> Example:
    block = rng.choice(blocks(f"{kind}.txt"))
    lines = [step(capital(line)) for line in block.thoughts]
    if block.slip and rng.random() < _ERRING:
        lines[1:1] = erred(block.slip, block.mend)
    return Example(kind, spoken(rng, rng.choice(block.asks)), tuple(lines), rng.choice(block.answers), block.target)


def explain(rng: Random) -> Example:
    return _from(rng, "explain")


def smalltalk(rng: Random) -> Example:
    return _from(rng, "smalltalk")


def unknown(rng: Random) -> Example:
    return _from(rng, "unknown")


def howto(rng: Random) -> Example:
    return _from(rng, "howto")


def creative(rng: Random) -> Example:
    return _from(rng, "creative")
