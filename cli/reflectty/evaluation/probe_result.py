"""What a probe found: the answers with and without a correction, and how far they differ."""

from __future__ import annotations

from collections import Counter
from math import comb
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.text import format_count, format_duration
from reflectty.evaluation.probe_points import ProbeMethod
from reflectty.evaluation.statistics import wilson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.core.session import StoredReply
    from reflectty.evaluation.probe_points import ProbePoint
    from reflectty.evaluation.statistics import Interval


class ProbeOptions(NamedTuple):
    """How to probe."""

    samples: int = 5
    """Continuations with the correction, and as many without it."""
    method: ProbeMethod = ProbeMethod.RESAMPLE
    seed: int = 0
    jobs: int = 0
    """Continuations at once; 0 for as many as the server answers in parallel."""


class ProbeSample(NamedTuple):
    """One continuation of a reply."""

    has_correction: bool
    """Whether it went on after the correction; otherwise without it."""
    seed: int
    answer: str = ""
    """The answer that it states, the same text for all that mean the same; empty if it states none."""
    text: str = ""
    """Its final answer, whole."""
    is_complete: bool = True
    corrected_again: bool = False
    """Whether the model corrected itself at the same place although the correction was left out."""
    is_right: bool | None = None
    """None if the key is unknown."""
    tokens: int = 0
    seconds: float = 0.0
    error: str = ""

    @property
    def is_counted(self) -> bool:
        """Whether it ended with an answer; those that were cut or state none are told apart."""
        return self.is_complete and bool(self.answer)


class ProbeResult(NamedTuple):
    """The continuations with and without one correction.

    The answer with the correction, `reference`, is the most frequent one of the continuations with it and of the reply
    itself, which is one of them; of equally frequent ones it is that of the reply. The correction changed the answer
    in `changed` of `compared` continuations: those without it whose answer is another. Continuations in which the
    model corrected itself anyway are not compared, as in the counterfactual importance of Thought Anchors (arXiv
    2506.19143), which leaves out resampled sentences that mean the same as the original.
    """

    point: ProbePoint
    method: ProbeMethod
    samples: tuple[ProbeSample, ...]
    own_answer: str = ""
    """The answer that the reply states."""
    is_own_right: bool | None = None
    temperature: float | None = None
    """The temperature of the continuations; None for that of the server."""

    @property
    def with_correction(self) -> tuple[ProbeSample, ...]:
        """The continuations after the correction that state an answer."""
        return tuple(sample for sample in self.samples if sample.has_correction and sample.is_counted)

    @property
    def without_correction(self) -> tuple[ProbeSample, ...]:
        """The continuations without any correction there that state an answer."""
        return tuple(sample for sample in self._left_out if sample.is_counted and not sample.corrected_again)

    @property
    def _left_out(self) -> tuple[ProbeSample, ...]:
        return tuple(sample for sample in self.samples if not sample.has_correction)

    @property
    def corrected_again(self) -> int:
        """The continuations in which the model corrected itself anyway."""
        return sum(sample.corrected_again for sample in self._left_out)

    @property
    def without_answer(self) -> int:
        """The continuations that were cut or state no answer."""
        return sum(not sample.is_counted for sample in self.samples)

    @property
    def reference(self) -> str:
        """The most frequent answer with the correction; empty if there is none."""
        answers = [self.own_answer, *(sample.answer for sample in self.with_correction)]
        counts = Counter(filter(None, answers))
        return max(counts, key=lambda answer: (counts[answer], answer == self.own_answer), default="")

    @property
    def is_reference_right(self) -> bool | None:
        """Whether that answer is right; None if the key is unknown."""
        known = [(self.own_answer, self.is_own_right), *((one.answer, one.is_right) for one in self.samples)]
        return next((is_right for answer, is_right in known if answer == self.reference), None)

    @property
    def compared(self) -> int:
        """The continuations without the correction that are compared; 0 if there is no answer to compare them to."""
        return len(self.without_correction) if self.reference else 0

    @property
    def changed(self) -> int:
        """How many of them have another answer than the reply with the correction."""
        return sum(sample.answer != self.reference for sample in self.without_correction) if self.reference else 0

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the share of changed answers after Wilson."""
        return wilson(self.changed, self.compared)

    @property
    def varied(self) -> int:
        """How many of the continuations with the correction have another answer: what chance alone does."""
        return sum(sample.answer != self.reference for sample in self.with_correction)

    @property
    def towards_right(self) -> int:
        """How many answers the correction made right: those that are wrong without it, if it is right with it."""
        if not self.is_reference_right:
            return 0
        return sum(sample.is_right is False for sample in self.without_correction)

    @property
    def away_from_right(self) -> int:
        """How many answers the correction made wrong: those that are right without it, if it is wrong with it."""
        if self.is_reference_right is not False:
            return 0
        return sum(sample.is_right is True for sample in self.without_correction)

    @property
    def counts(self) -> tuple[tuple[str, int, int], ...]:
        """Each answer with how often it was given with and without the correction, the most frequent first."""
        given = Counter(sample.answer for sample in self.with_correction)
        left_out = Counter(sample.answer for sample in self.without_correction)
        answers = sorted({*given, *left_out}, key=lambda answer: (-given[answer], -left_out[answer], answer))
        return tuple((answer, given[answer], left_out[answer]) for answer in answers)

    @property
    def p(self) -> float:
        """The chance of answers that differ as much if the correction were worth nothing; 1 without answers."""
        return difference_p([given for _, given, _ in self.counts], [left_out for _, _, left_out in self.counts])


def difference_p(one: Sequence[int], other: Sequence[int]) -> float:
    """The exact p-value of a permutation test on how far the counts of two samples differ.

    The statistic is the total variation distance of the two distributions. With two categories this is close to
    Fisher's exact test; unlike it, any number of categories will do, and none has to be singled out as the reference.

    Args:
        one: how often each category occurs in one sample.
        other: the same for the other sample, in the same order.
    """
    size, rest = sum(one), sum(other)
    if not (size and rest):
        return 1.0
    seen = _distance(one, other, size, rest)
    ways = {(0, 0): 1}
    for total in (a + b for a, b in zip(one, other, strict=True)):
        ways = _with_category(ways, total, size, rest)
    extreme = sum(count for (drawn, distance), count in ways.items() if drawn == size and distance >= seen)
    return extreme / comb(size + rest, size)


def _distance(one: Sequence[int], other: Sequence[int], size: int, rest: int) -> int:
    """The distance of two distributions, times twice the product of the sizes of their samples."""
    return sum(abs(a * rest - b * size) for a, b in zip(one, other, strict=True))


def _with_category(ways: dict[tuple[int, int], int], total: int, size: int, rest: int) -> dict[tuple[int, int], int]:
    """The number of ways to draw so many at such a distance, with one more category of `total` members."""
    found: Counter[tuple[int, int]] = Counter()
    for (drawn, distance), count in ways.items():
        for taken in range(min(total, size - drawn) + 1):
            step = _distance((taken,), (total - taken,), size, rest)
            found[drawn + taken, distance + step] += count * comb(total, taken)
    return found


class ProbeCost(NamedTuple):
    """What probing costs: an estimate by the length and the speed of the reply."""

    replies: int
    tokens: int
    seconds: float
    """At the reply's speed, one continuation after the other; 0 if the speed is unknown."""

    def __str__(self) -> str:
        size = f"{format_count(self.replies, 'continuation')} of about {format_count(self.each, 'token')}"
        return f"{size}, about {format_duration(self.seconds)} one by one" if self.seconds else size

    @property
    def each(self) -> int:
        """The tokens of one continuation."""
        return round(self.tokens / self.replies) if self.replies else 0


def cost_of(reply: StoredReply, points: Iterable[ProbePoint], samples: int) -> ProbeCost:
    """Estimate what it costs to probe corrections of a reply, from their places in it.

    Args:
        reply: the reply.
        points: the corrections to probe.
        samples: the continuations with and as many without each of them.
    """
    lengths = [len(text) for _, text in reply.segments]
    measured = reply.measured
    total = measured.thinking_tokens + measured.answer_tokens or sum(lengths) // 4
    starts = [sum(lengths[: point.segment]) + point.start for point in points]
    tokens = sum(2 * samples * total * (1 - start / max(1, sum(lengths))) for start in starts)
    speed = measured.tokens_per_second
    return ProbeCost(2 * samples * len(starts), round(tokens), tokens / speed if speed else 0.0)
