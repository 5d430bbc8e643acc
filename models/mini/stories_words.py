"""What the word problems share: people, things, what a story is, and sums as long as they are hard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mini.working import Line, Work, adding, at_once, dividing, multiplying, taking

if TYPE_CHECKING:
    from random import Random

PEOPLE: Final = (
    "Anna", "Ben", "Carla", "David", "Emma", "Felix", "Grace", "Henry", "Ida", "Jack", "Kate", "Leo", "Maria", "Noah",
    "Olivia", "Paul", "Rosa", "Sam", "Tina", "Victor", "Lily", "Tom", "Sarah", "Ahmed", "Yuki", "Priya", "Natalia",
    "James",
)  # fmt: skip
THINGS: Final = (
    "apples", "books", "marbles", "stamps", "pencils", "cards", "cookies", "oranges", "coins", "stickers", "eggs",
    "flowers", "balloons", "shells", "photos", "toys", "muffins", "buttons", "tickets", "cupcakes", "clips", "pears",
    "candies", "bottles",
)  # fmt: skip
BOXES: Final = ("boxes", "bags", "baskets", "shelves", "packs", "rows", "crates", "jars", "trays")
GOODS: Final = (
    "book", "pen", "shirt", "ticket", "lamp", "cup", "chair", "toy", "hat", "notebook", "sandwich", "ball", "plant",
    "mug",
)  # fmt: skip


class Story(NamedTuple):
    """A problem, its steps and its result."""

    question: str
    lines: tuple[Line, ...]
    said: str
    result: int


def summed(rng: Random, first: int, second: int) -> Work:
    """Return an addition: in one line where it is easy."""
    return adding(rng, first, second) if max(first, second) > 30 else _plain(rng, first, "+", second, first + second)


def left(rng: Random, first: int, second: int) -> Work:
    """Return a subtraction: in one line where it is easy."""
    return taking(rng, first, second) if first > 30 else _plain(rng, first, "-", second, first - second)


def product(rng: Random, first: int, second: int) -> Work:
    """Return a multiplication."""
    small, large = sorted((first, second))
    return multiplying(rng, large, small)


def shared(rng: Random, number: int, divisor: int) -> Work:
    """Return a division that comes out even."""
    return dividing(rng, number, divisor) if number > 100 else _plain(rng, number, "/", divisor, number // divisor)


def _plain(rng: Random, first: int, sign: str, second: int, result: int) -> Work:
    return Work((at_once(rng, f"{first} {sign} {second}", result),), result)
