"""Counts the votes of several answers to one question: self-consistency (Wang et al., arXiv 2203.11171)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.text import format_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


MIN_SAMPLES: Final = 3
"""Of two answers the first wins, whatever the second is."""
MAX_SAMPLES: Final = 64


class AnswerGroup(NamedTuple):
    """The answers that are the same."""

    answer: str
    """The answer as it was first given."""
    members: tuple[int, ...]
    """The positions of the samples that gave it, in order."""


class Vote(NamedTuple):
    """The result of a vote."""

    groups: tuple[AnswerGroup, ...] = ()
    """The groups by their size; of those with the same size, the one seen first comes first."""

    @property
    def answer(self) -> str:
        """The winning answer; empty if no sample gave one."""
        return self.groups[0].answer if self.groups else ""

    @property
    def winner(self) -> int | None:
        """The position of the first sample with the winning answer; None if no sample gave one."""
        return self.groups[0].members[0] if self.groups else None

    @property
    def votes(self) -> int:
        """The samples that gave the winning answer."""
        return len(self.groups[0].members) if self.groups else 0

    @property
    def cast(self) -> int:
        """The samples that gave an answer."""
        return sum(len(group.members) for group in self.groups)

    def is_settled(self, remaining: int) -> bool:
        """Whether the winner stays the same whatever the remaining samples answer.

        A rival that was seen later, or is yet to be seen, must get one vote more than the winner to overtake it.
        """
        if not self.groups:
            return remaining <= 0
        leader, *rivals = self.groups
        reach = remaining - len(leader.members)
        return reach <= 0 and all(
            len(rival.members) + reach < (0 if rival.members < leader.members else 1) for rival in rivals
        )


def tally(answers: Iterable[str], is_same: Callable[[str, str], bool] | None = None) -> Vote:
    """Count the answers of samples, in the order of the samples.

    Args:
        answers: the answer of each sample; empty if it gave none, which is no vote.
        is_same: whether two answers are the same; by default, whether they differ in case and blanks at most.
    """
    same = is_same or _has_same_words
    groups: list[list[int]] = []
    given = tuple(answers)
    for position, answer in enumerate(given):
        if not answer.strip():
            continue
        group = next((group for group in groups if same(given[group[0]], answer)), None)
        if group is None:
            groups.append([position])
        else:
            group.append(position)
    groups.sort(key=len, reverse=True)
    return Vote(tuple(AnswerGroup(given[group[0]], tuple(group)) for group in groups))


def _has_same_words(one: str, other: str) -> bool:
    """Whether two answers differ only in case, blanks and full stops at their ends."""
    return _normalize(one) == _normalize(other)


def _normalize(answer: str) -> str:
    return " ".join(answer.split()).rstrip(".").casefold()


class Sample(NamedTuple):
    """One of several replies to the same question."""

    answer: str = ""
    """Its final answer."""
    stated: str = ""
    """The short answer that it states and that is counted; empty if it states none or is not complete."""
    tokens: int = 0
    """Tokens that the model generated."""
    prompt_tokens: int = 0
    error: str = ""
    """Why it is not complete; empty if it is."""


class Sampling(NamedTuple):
    """The samples of a question, and their vote."""

    asked: int
    """How many samples were wanted."""
    samples: tuple[Sample, ...]
    """Those that were taken."""
    vote: Vote
    winner: int
    """The position of the sample whose reply is shown: with the winning answer, or the first that is complete."""

    @property
    def tokens(self) -> int:
        """Tokens that the model generated in all samples."""
        return sum(sample.tokens for sample in self.samples)

    @property
    def summary(self) -> str:
        """What the samples took and how they voted, in one line: `5 samples · 1,240 tokens · 4 of 5 agree`."""
        taken = len(self.samples)
        count = format_count(taken, "sample") if taken == self.asked else f"{taken} of {self.asked} samples"
        return f"{count} · {format_count(self.tokens, 'token')} · {self._agreement}"

    @property
    def _agreement(self) -> str:
        taken = len(self.samples)
        if not self.vote.groups:
            return "no vote"
        if self.vote.votes == 1:
            return "no two agree" if self.vote.cast > 1 else f"1 of {taken} states an answer"
        return f"{self.vote.votes} of {taken} agree"


def is_number_of_samples(number: int) -> bool:
    """Whether so many samples can be asked for; 1 asks once."""
    return number == 1 or MIN_SAMPLES <= number <= MAX_SAMPLES
