"""Word problems of one to three steps, of whatever shape; the shapes themselves stand beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mini import stories_sizes, stories_things
from mini.example import Example
from mini.working import told

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from mini.stories_words import Story

SHAPES: Final[tuple[Callable[[Random], Story], ...]] = (
    stories_things.gains,
    stories_things.loses,
    stories_things.total,
    stories_things.boxes,
    stories_things.sharing,
    stories_sizes.shopping,
    stories_sizes.rates,
    stories_sizes.times_needed,
    stories_things.halves,
    stories_sizes.discount,
    stories_sizes.ages,
    stories_sizes.rectangle,
)
"""All shapes; chance takes them by their places, so that another order makes another file."""


def problem(rng: Random) -> Example:
    """Return a word problem of any shape."""
    story = rng.choice(SHAPES)(rng)
    return Example("word problems", story.question, told(rng, story.lines), story.said, str(story.result))


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {"problem": (problem, 9)}
"""The generator of each kind, and how much of the whole it gets."""
