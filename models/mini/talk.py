"""Everything that the built-in model learns besides arithmetic, by kind; the contents stand in the folder of knowledge.

`python -m mini.talk 3` shows three examples of each kind.
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

from mini import talk_facts, talk_lists, talk_prose, talk_rewrite, talk_tasks, talk_themes
from mini.example import reply
from mini.talk_words import held
from reflectty.reasoning.modes import REFLECT_PROMPT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mini.example import Example

KINDS: dict[str, Callable[[random.Random], Example]] = {
    "fact": talk_facts.fact,
    "explain": talk_prose.explain,
    "smalltalk": talk_prose.smalltalk,
    "unknown": talk_prose.unknown,
    "howto": talk_prose.howto,
    "creative": talk_prose.creative,
    "list": talk_lists.several,
    "odd_one_out": talk_lists.odd,
    "sort": talk_lists.sort,
    "case": talk_rewrite.case,
    "correct": talk_rewrite.correct,
    "polite": talk_rewrite.polite,
    "past_sentence": talk_rewrite.past,
    "plurals_sentence": talk_rewrite.many,
    "summary": talk_rewrite.summary,
    "translate": talk_rewrite.translate,
    "definition": talk_tasks.definition,
    "yes_no": talk_tasks.yes_no,
    "mood": talk_tasks.mood,
    "code": talk_tasks.code,
    "mail": talk_tasks.mail,
    "commit": talk_tasks.commit,
    "stranger": talk_tasks.stranger,
    "themed": talk_themes.themed,
    "told": talk_tasks.told,
}
"""What makes an example of each kind, for training and evaluation alike."""

SHARES = dict.fromkeys(KINDS, 1) | {
    "fact": 24,
    "explain": 20,
    "smalltalk": 24,
    "unknown": 12,
    "howto": 5,
    "list": 10,
    "definition": 6,
    "yes_no": 4,
    "stranger": 3,
    "told": 3,
    "case": 2,
    "creative": 2,
    "code": 2,
    "correct": 2,
    "translate": 2,
}
"""How often each kind comes up, in proportion: most, what everybody asks first and what has many facts."""

_LATER = 0.08
"""How often a question comes after another that has nothing to do with it."""
_SYSTEM = 0.06
_SYSTEMS = (
    "You are a helpful assistant.",
    "You are a friendly assistant. Answer briefly.",
    "Answer clearly and correctly.",
    "Think before you answer, and check your thinking.",
    "You are an assistant in a terminal.",
    "Be short and precise.",
    REFLECT_PROMPT,
)
"""What a system message may say without changing the answer."""
_ALIKE = {"told"}
"""Kinds whose question is the same each time and whose earlier turns differ: these tell what is held out."""


def examples(rng: random.Random, *, heldout: bool, shares: Mapping[str, int] = SHARES) -> Example:
    """Return one example of any kind: for training, or one of those that training never shows."""
    made = _any(rng, shares, heldout=heldout)
    if not made.earlier and rng.random() < _LATER:
        before = _any(rng, shares, heldout=False)
        made = made._replace(earlier=(*before.earlier, (before.question, before.answer)))
    return told_how(rng, made)


def told_how(rng: random.Random, made: Example) -> Example:
    """Return an example, now and then with a system message before it."""
    return made._replace(system=rng.choice(_SYSTEMS)) if rng.random() < _SYSTEM else made


def _any(rng: random.Random, shares: Mapping[str, int], *, heldout: bool) -> Example:
    return example(rng, rng.choices(list(shares), list(shares.values()))[0], heldout=heldout)


def example(rng: random.Random, kind: str, *, heldout: bool) -> Example:
    """Return one example of this kind, from training or from what is held out of it."""
    while True:
        made = KINDS[kind](rng)
        heart = made.earlier[0][0] if kind in _ALIKE else made.question
        if held(heart) is heldout:
            return made


def _show(count: int) -> None:
    rng = random.Random(1)
    for kind in KINDS:
        for _ in range(count):
            made = example(rng, kind, heldout=False)
            turns = "".join(f"> {question}\n{answer}\n" for question, answer in made.earlier)
            sys.stdout.write(f"{turns}> {made.question}\n{''.join(piece.text for piece in reply(made))}\n\n")


if __name__ == "__main__":
    _show(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
