"""Statistics of paired answers: intervals of shares and differences, McNemar's test, Holm's correction, planning.

Shares and differences are fractions of 1, not points. `b` is the number of questions that only the baseline answers
right, `c` the number that only the arm does, `n` all questions that both were asked.
"""

from __future__ import annotations

import random
from fractions import Fraction
from math import ceil, comb, sqrt
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE: Final = 0.95
POWER: Final = 0.8
RESAMPLES: Final = 10_000


class Interval(NamedTuple):
    """An interval of a share (0 to 1) or of a difference of shares (-1 to 1)."""

    low: float
    high: float


def wilson(k: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The score interval of a share k/n (Wilson, JASA 22, 1927); from 0 to 1 if n is 0."""
    if not n:
        return Interval(0.0, 1.0)
    z = _z(confidence)
    share, shrunk = k / n, 1 + z * z / n
    center = (share + z * z / (2 * n)) / shrunk
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / shrunk
    # At the ends the score interval is exact, and only rounding would leave them.
    return Interval(0.0 if k == 0 else center - half, 1.0 if k == n else center + half)


def bonett_price(b: int, c: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The adjusted Wald interval of the paired difference (c - b)/n (Bonett and Price, JEBS 37, 2012).

    It adds 1 to b and to c and 2 to n, so its center is not the difference itself.
    """
    total, difference = n + 2, (c - b) / (n + 2)
    spread = (b + c + 2) / total - difference * difference
    half = _z(confidence) * sqrt(max(0.0, spread) / total)
    return Interval(max(-1.0, difference - half), min(1.0, difference + half))


def mcnemar_exact_p(b: int, c: int) -> float:
    """The two-sided p of McNemar's exact conditional test; 1 if both arms disagree nowhere."""
    at_most, _ = _binomial_tail(b, c)
    return float(min(Fraction(1), 2 * at_most))


def mcnemar_mid_p(b: int, c: int) -> float:
    """The two-sided mid-p of McNemar's test; 1 if b equals c.

    It keeps the level where the exact test is too careful (Fagerland et al., BMC Med Res Methodol 13, 2013).
    """
    if b == c:
        return 1.0
    at_most, exactly = _binomial_tail(b, c)
    return float(2 * at_most - exactly)


def _binomial_tail(b: int, c: int) -> tuple[Fraction, Fraction]:
    """P(X <= min(b, c)) and P(X = min(b, c)) for X of b + c fair coins, without rounding."""
    count, least = b + c, min(b, c)
    ways = total = 1
    for heads in range(least):
        ways = ways * (count - heads) // (heads + 1)
        total += ways
    return Fraction(total, 2**count), Fraction(comb(count, least), 2**count)


def holm(ps: Sequence[float]) -> tuple[float, ...]:
    """The p values of a family of tests in the given order, adjusted for their number (Holm, Scand J Stat 6, 1979)."""
    adjusted, largest = [0.0] * len(ps), 0.0
    for rank, at in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[at]))
        adjusted[at] = largest
    return tuple(adjusted)


def needed_items(gain: float, disagreement: float, power: float = POWER, confidence: float = CONFIDENCE) -> int | None:
    """The number of questions that a paired test needs to see a gain (Connor, Biometrics 43, 1987; Miettinen, 1968).

    Args:
        gain: the difference of the shares of right answers, above 0.
        disagreement: the share of questions that only one arm answers right.
        power: the probability of seeing the gain.
        confidence: one less the level of the two-sided test.

    Returns:
        The number; None if the gain is not smaller than the disagreement, which it cannot exceed.
    """
    if not 0 < gain < disagreement <= 1:
        return None
    return ceil(_needed(gain, disagreement, power, confidence))


def smallest_gain(n: int, disagreement: float, power: float = POWER, confidence: float = CONFIDENCE) -> float | None:
    """The smallest gain that n questions show with that power; None if they show none below the disagreement."""
    low, high = 0.0, disagreement
    if n < 1 or not 0 < disagreement <= 1 or _needed(high, disagreement, power, confidence) >= n:
        return None
    while high - low > 1e-9:  # noqa: PLR2004 - a share is known well enough
        middle = (low + high) / 2
        low, high = (low, middle) if _needed(middle, disagreement, power, confidence) <= n else (middle, high)
    return high


def _needed(gain: float, disagreement: float, power: float, confidence: float) -> float:
    """The number of pairs, not rounded up."""
    spread = sqrt(max(0.0, disagreement - gain * gain))
    return ((_z(confidence) * sqrt(disagreement) + NormalDist().inv_cdf(power) * spread) / gain) ** 2


def bootstrap_interval(
    differences: Sequence[float], confidence: float = CONFIDENCE, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """The percentile interval of the mean of paired differences, drawn anew question by question.

    For answers that are repeated: each question has one difference, the arm's share of right answers less that of the
    baseline, so that repeats do not count as questions. The same seed gives the same interval. 10,000 resamples of 200
    questions take about a second.

    Args:
        differences: one for each question, from -1 to 1; at least one.
        confidence: the share of resampled means in the interval.
        seed: where the resampling starts.
        resamples: the number of resampled means.
    """
    choices = random.Random(seed).choices  # noqa: S311 - resampling guards nothing
    count = len(differences)
    means = sorted(fmean(choices(differences, k=count)) for _ in range(resamples))
    outside = round((1 - confidence) / 2 * (resamples - 1))
    return Interval(means[outside], means[-1 - outside])


def sign_flip_p(differences: Sequence[float], seed: int = 0, resamples: int = RESAMPLES) -> float:
    """The two-sided p of paired differences: how often random signs give a mean at least as far from 0.

    The observed signs count as one of the draws, so that it is never 0 (Phipson and Smyth, SAGMB 9, 2010).
    """
    rest = [difference for difference in differences if difference]
    bits = random.Random(seed).getrandbits  # noqa: S311 - resampling guards nothing
    observed, total = abs(sum(rest)) - 1e-12, sum(rest)
    hits = 0
    for _ in range(resamples):
        signs = bits(len(rest)) if rest else 0
        flipped = sum(difference for at, difference in enumerate(rest) if signs >> at & 1)
        hits += abs(total - 2 * flipped) >= observed
    return (hits + 1) / (resamples + 1)


def clustered_error(values: Sequence[float], clusters: Sequence[str]) -> float:
    """The standard error of a mean whose values come in clusters, such as subjects (Miller, arXiv 2411.00640).

    The sandwich estimator with its correction G/(G - 1) for G clusters. With one value in each cluster, or with one
    cluster, it is the usual error of independent values.

    Args:
        values: at least two.
        clusters: the name of the cluster of each value.
    """
    mean = fmean(values)
    names = clusters if len(set(clusters)) > 1 else range(len(values))
    sums: dict[object, float] = {}
    for value, cluster in zip(values, names, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + value - mean
    return sqrt(sum(total * total for total in sums.values()) * len(sums) / (len(sums) - 1)) / len(values)


def _z(confidence: float) -> float:
    """The quantile of the normal distribution that leaves out half the rest on each side."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
