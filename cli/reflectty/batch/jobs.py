"""What the work on a batch deals with: its terms, where its questions come from and go to, and each line as a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.asking.context import prompt_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.asking import Question
    from reflectty.batch.items import Item
    from reflectty.batch.records import Outcome


AROUND: Final = 256
"""Tokens around a prompt where many share a context: what is allowed for is kept from the others."""
UNKNOWN_ANSWER: Final = 512
"""Tokens that an answer may have as long as none has been seen."""
SPREAD: Final = 1.5
"""By what factor an answer may well be longer than the mean."""


class Terms(NamedTuple):
    """On which terms lines are asked."""

    jobs: int = 0
    """How many at once of each server; 0 finds out what it answers."""
    retry: int = 3
    """How many more times a line is asked whose reply was cut, or that was not served."""
    patience: float = 3600.0
    """How many seconds to wait for an answer of any server, once all are away."""
    delay: float = 1.0
    """Seconds before the first further try; each later one waits twice as long."""


class Hooks(NamedTuple):
    """Where the work has its questions from, and whom it tells."""

    question_of: Callable[[Item], Question]
    """Makes a question of a line, or raises UsageError."""
    has_room: Callable[[int], bool]
    """Whether the line that was given out with this number can be taken back by now."""
    deliver: Callable[[int, Item, Outcome], None]
    note: Callable[[str], None]
    tell: Callable[[str], None]
    """Said to whoever looks on."""


@dataclass(slots=True)
class Job:
    """A line that waits to be asked, and how often it was."""

    number: int
    """Counted from 0 in the order of the lines."""
    item: Item
    question: Question | None = None
    """None where the line cannot be asked."""
    tries: int = 0
    returns: int = 0
    tokens: int = 0
    """How many it and its answer are estimated to have, when it was given out."""
    round: int = 0
    """The round of its server when it was given out."""

    @property
    def model(self) -> str:
        return self.question.model if self.question else ""


def estimated(question: Question, mean: float) -> int:
    """Return how many tokens a question and its answer will have at a rough guess, rather too many than too few.

    Args:
        question: what is asked.
        mean: how many tokens answers have had so far; 0 where there was none.
    """
    prompt = prompt_tokens(question, around=AROUND)
    wished = dict(question.options).get("num_predict")
    if isinstance(wished, int) and wished > 0:
        return prompt + wished
    return prompt + int(SPREAD * mean if mean else UNKNOWN_ANSWER)
