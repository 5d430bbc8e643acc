"""Writes questions with worked replies, one a line, as JSON: `python -m mini.generate --count 40000 data.jsonl`."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from mini import comparing, dates, drills, letters, letters_order, measures, puzzles, stories, sums, talk
from mini.example import prompt, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mini.example import Example

REASONED: Final = (
    comparing.KINDS
    | letters.KINDS
    | letters_order.KINDS
    | measures.KINDS
    | dates.KINDS
    | puzzles.KINDS
    | stories.KINDS
    | sums.KINDS
    | drills.KINDS
)
"""The generators of what is computed; chance takes them by their places, so that another order makes another file."""
HELD_KINDS: Final = (*REASONED, *talk.KINDS)
"""The generators whose questions are held out in part."""
TALK: Final = 0.3
"""The share of facts and short instructions among the examples."""
HELD_OUT: Final = 20
"""One question of so many is never in the training data."""


def held_out(example: Example) -> bool:
    """Whether a question is kept for the evaluation, by its letters and digits alone: no other spelling tells it."""
    key = "".join(letter for letter in example.question.lower() if letter.isalnum())
    return hashlib.sha256(key.encode()).digest()[0] % HELD_OUT == 0


def reasoned(rng: Random, *, heldout: bool) -> Example:
    """Return a question whose answer is computed, from the held-out ones or from the others."""
    make = _drawn(rng)
    while held_out(example := make(rng)) != heldout:
        pass
    return example


def held_example(kind: str, rng: Random) -> Example:
    """Return a question of a kind that the training never sees."""
    if kind in talk.KINDS:
        return talk.example(rng, kind, heldout=True)
    while not held_out(example := REASONED[kind][0](rng)):
        pass
    return example


def _drawn(rng: Random) -> Callable[[Random], Example]:
    makers = [make for make, _ in REASONED.values()]
    shares = [share for _, share in REASONED.values()]
    return rng.choices(makers, shares)[0]


def examples(rng: Random, count: int) -> Iterator[Example]:
    """Yield so many examples for the training, none of them held out; what is computed comes once, talk comes again."""
    seen: set[str] = set()
    for _ in range(count):
        if rng.random() < TALK:
            yield talk.examples(rng, heldout=False)
            continue
        while (example := reasoned(rng, heldout=False)).question in seen:
            pass
        seen.add(example.question)
        yield talk.told_how(rng, example)


def line(example: Example) -> str:
    """Return an example as the training reads it."""
    pieces = [list(piece) for piece in reply(example)]
    told = {
        "kind": example.kind,
        "prompt": prompt(example),
        "pieces": pieces,
        "answer": example.answer,
        "target": example.target,
        "apart": example.apart,
    }
    return json.dumps(told, ensure_ascii=False)


def main() -> None:
    """Write the file that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    kinds: Counter[str] = Counter()
    with args.out.open("w", encoding="utf-8") as file:
        for example in examples(Random(args.seed), args.count):
            kinds[example.kind] += 1
            file.write(line(example) + "\n")
    for kind, count in kinds.most_common():
        print(f"{count:7} {kind}")


if __name__ == "__main__":
    main()
