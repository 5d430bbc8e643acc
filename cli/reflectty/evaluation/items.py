"""The questions of an evaluation: items with a key, and sets of them with a digest."""

from __future__ import annotations

import json
from hashlib import sha256
from heapq import nsmallest
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.reasoning.stated_answers import AnswerKind

LETTERS = "ABCDEFGHIJ"
"""The letters of the choices, in order."""


class Item(NamedTuple):
    """One question with its key."""

    id: str
    question: str
    """The text of the question, without its choices."""
    answer: str
    """The key: a number, a letter of the choices, LaTeX, a text or a regular expression, by `kind`."""
    kind: AnswerKind
    choices: tuple[str, ...] = ()
    group: str = ""
    """What it belongs to within its set: a subject, a generator."""

    @property
    def text(self) -> str:
        """The question as it is asked, with its choices behind their letters."""
        lettered = [f"{letter}) {choice}" for letter, choice in zip(LETTERS, self.choices, strict=False)]
        return "\n".join([self.question, *lettered])


class ItemSet(NamedTuple):
    """A named set of items, in the order in which they are asked."""

    name: str
    items: tuple[Item, ...]
    origin: str = ""
    """Where it comes from, in words: the seed of the generators, a file, an address."""

    @property
    def digest(self) -> str:
        """The SHA-256 of its items, in hexadecimal."""
        return digest_of_items(self.items)


def digest_of_items(items: Iterable[Item]) -> str:
    """The SHA-256 of items in their order, in hexadecimal."""
    digest = sha256()
    for item in items:
        digest.update(json.dumps(list(item), ensure_ascii=True).encode("ascii") + b"\n")
    return digest.hexdigest()


def sample_items(items: Iterable[Item], count: int | None, seed: int) -> tuple[Item, ...]:
    """A sample that depends on the seed and on the ids alone, in the order of the digest of each; None takes all.

    The same items are drawn however the set is ordered, and a larger sample contains a smaller one. Of a stream, no
    more items than the sample are held.
    """

    def rank(item: Item) -> bytes:
        return sha256(f"{seed}\n{item.id}".encode("utf-8", "surrogatepass")).digest()

    return tuple(sorted(items, key=rank) if count is None else nsmallest(count, items, key=rank))
