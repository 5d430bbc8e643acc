"""Summarizes a run: each arm, each arm against the baseline, the ledgers, the groups, and what to be wary of."""

from __future__ import annotations

import re
from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.text import format_count, format_percent
from reflectty.evaluation.arms import Way
from reflectty.evaluation.grader import Verdict
from reflectty.evaluation.ledger import Ledger, Rate, ledger_of, rate_of
from reflectty.evaluation.statistics import (
    Interval,
    bonett_price,
    clustered_error,
    holm,
    mcnemar_exact_p,
    mcnemar_mid_p,
    smallest_gain,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reflectty.evaluation.run_file import ResultFacts, RunData

LEVEL: Final = 0.05
"""The level of the tests, two-sided."""
FEW: Final = 50
"""With fewer questions, what cannot be seen is told beside every conclusion."""
GUESSED_DISAGREEMENT: Final = 0.2
"""The share of questions on which two arms differ, while too few have been asked to measure it."""
_MIN_MEASURED = 30
_UNFINISHED_TO_WARN: Final = 0.05
_MIN_GROUP: Final = 5
"""With fewer questions a group, on average, there is no table of groups."""
_MIN_CLUSTERS: Final = 10
_Z: Final = 1.96
"""Leaves out 5 % of a normal distribution."""


class ArmSummary(NamedTuple):
    """The figures of one arm."""

    name: str
    accuracy: Rate
    """Right answers of all that did not fail: one that was cut, or that is none, counts as not right."""
    finished_accuracy: Rate
    """Right answers of those that were not cut."""
    verdicts: Mapping[Verdict, int]
    weak: Rate
    """Answers that were read by a fallback, or match only in a tolerant reading, of those that were read."""
    runaways: int
    thinking_tokens: float
    """On average."""
    answer_tokens: float
    seconds: float
    settled: float | None = None
    """The share of the thinking after which the answer stood, on average over the replies that tell; a reading."""
    settled_known: int = 0
    """The number of replies that tell."""
    clustered: Interval | None = None
    """The 95 % interval of the accuracy if questions of one group are alike; see `clustered_interval`."""

    @property
    def tokens(self) -> float:
        return self.thinking_tokens + self.answer_tokens


class Conclusion(StrEnum):
    """What a comparison of two arms found."""

    GAIN = "gain"
    LOSS = "loss"
    UNSEEN = "no difference seen"
    INTERIM = "interim"
    """Not all questions have been asked: there is no conclusion yet."""


class PairedDifference(NamedTuple):
    """One arm against the baseline, on the questions that both answered."""

    arm: str
    baseline: str
    pairs: int
    """Questions with a result in both arms that is not a failure."""
    planned: int
    asked: int
    """Questions with a result in both arms, failures among them."""
    only_baseline: int
    """Questions that only the baseline got right."""
    only_arm: int
    low: float
    high: float
    """The 95 % interval of the difference, after Bonett and Price (2012)."""
    p: float
    """The mid-p of McNemar's test (Fagerland et al., 2013)."""
    adjusted_p: float
    """The same after Holm, over all arms of the run."""
    visible: float | None
    """The smallest gain that so many questions show with 80 % power, as a share; None if they show none."""
    exact_p: float = 1.0
    """The p of McNemar's exact test."""
    clustered: Interval | None = None
    """The 95 % interval if questions of one group are alike; see `clustered_interval`."""

    @property
    def difference(self) -> float:
        """The share of right answers of the arm less that of the baseline."""
        return (self.only_arm - self.only_baseline) / self.pairs if self.pairs else 0.0

    @property
    def is_complete(self) -> bool:
        return self.asked >= self.planned > 0

    @property
    def conclusion(self) -> Conclusion:
        if not self.is_complete:
            return Conclusion.INTERIM
        if self.adjusted_p >= LEVEL:
            return Conclusion.UNSEEN
        return Conclusion.GAIN if self.only_arm > self.only_baseline else Conclusion.LOSS


class GroupAccuracy(NamedTuple):
    """The right answers of each arm in one group of questions."""

    name: str
    items: int
    accuracies: tuple[Rate, ...]
    """In the order of the arms."""


class RunSummary(NamedTuple):
    """Everything that a report says of a run in figures."""

    arms: tuple[ArmSummary, ...]
    differences: tuple[PairedDifference, ...]
    ledgers: tuple[Ledger, ...]
    """Of the arms that have drafts or corrections, or should have some."""
    groups: tuple[GroupAccuracy, ...]
    """Empty if the questions have no groups, or all the same."""
    warnings: tuple[str, ...]


def summarize(run: RunData) -> RunSummary:
    """Summarize a run."""
    results = {arm: run.results_of(arm) for arm in run.arms}
    arms = tuple(summarize_arm(name, own.values()) for name, own in results.items())
    differences = compare_arms(results, run.manifest.planned)
    if has_clusters(run):
        arms = tuple(one._replace(clustered=_accuracy_by_group(run, results[one.name])) for one in arms)
        differences = tuple(
            one._replace(clustered=_difference_by_group(run, results[one.baseline], results[one.arm]))
            for one in differences
        )
    ledgers = tuple(one for one in (ledger_of(run, name) for name in run.arms) if has_ledger(one))
    warnings = (*_warnings_on_run(run, results), *_warnings_on_arms(arms), *_weak_warnings(results))
    return RunSummary(arms, differences, ledgers, group_accuracies(run, results), warnings)


_REFLECTING: Final = (Way.REFLECT, Way.REVISE, Way.THINK)


def has_ledger(ledger: Ledger) -> bool:
    """Whether the ledger of an arm says anything: it has a draft or a correction, or should have some."""
    return bool(ledger.drafts or ledger.corrected) or re.split("[:@]", ledger.arm)[0] in _REFLECTING


def has_clusters(run: RunData) -> bool:
    """Whether the questions are drawn from so many subjects that an interval should tell them apart.

    For MMLU, the error of an accuracy may be three times as large as without (Miller, arXiv 2411.00640).
    """
    groups = {item.group for item in run.items.values()}
    return run.manifest.set_name.lower().startswith("mmlu") and len(groups) >= _MIN_CLUSTERS


def clustered_interval(values: Sequence[float], groups: Sequence[str]) -> Interval | None:
    """The 95 % interval of a mean whose values come in groups, from -1 to 1; None if there are no values."""
    if not values:
        return None
    mean, half = _mean(values), _Z * clustered_error(values, groups)
    return Interval(max(-1.0, mean - half), min(1.0, mean + half))


def _accuracy_by_group(run: RunData, results: Mapping[str, ResultFacts]) -> Interval | None:
    graded = {item: one.verdict for item, one in results.items() if one.verdict is not Verdict.ERROR}
    found = clustered_interval(
        [float(verdict is Verdict.RIGHT) for verdict in graded.values()], [run.items[item].group for item in graded]
    )
    return found and Interval(max(0.0, found.low), found.high)


def _difference_by_group(
    run: RunData, baseline: Mapping[str, ResultFacts], own: Mapping[str, ResultFacts]
) -> Interval | None:
    pairs = {item: (baseline[item].verdict, one.verdict) for item, one in own.items() if item in baseline}
    graded = {item: pair for item, pair in pairs.items() if Verdict.ERROR not in pair}
    differences = [float(two is Verdict.RIGHT) - float(one is Verdict.RIGHT) for one, two in graded.values()]
    return clustered_interval(differences, [run.items[item].group for item in graded])


def summarize_arm(name: str, results: Iterable[ResultFacts]) -> ArmSummary:
    """The figures of an arm's results."""
    every = list(results)
    found = [one.verdict for one in every]
    verdicts = {verdict: found.count(verdict) for verdict in Verdict}
    answered = [one for one in every if one.verdict is not Verdict.ERROR]
    right, total = verdicts[Verdict.RIGHT], len(answered)
    read = right + verdicts[Verdict.WRONG]
    settled = [one.settled for one in answered if one.settled is not None]
    return ArmSummary(
        name,
        rate_of(right, total),
        rate_of(right, total - verdicts[Verdict.UNFINISHED]),
        verdicts,
        rate_of(sum(one.is_weak for one in answered), read),
        sum(one.is_runaway for one in answered),
        _mean([one.thinking_tokens for one in answered]),
        _mean([one.answer_tokens for one in answered]),
        _mean([one.seconds for one in answered]),
        _mean(settled) if settled else None,
        len(settled),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def compare_arms(results: Mapping[str, Mapping[str, ResultFacts]], planned: int) -> tuple[PairedDifference, ...]:
    """Compare each arm with the first one; the p-values are adjusted over all of them."""
    baseline, *others = results
    found = [_difference_of(name, baseline, results, planned) for name in others]
    adjusted = holm([one.p for one in found]) if found else []
    return tuple(one._replace(adjusted_p=p) for one, p in zip(found, adjusted, strict=True))


def _difference_of(
    arm: str, baseline: str, results: Mapping[str, Mapping[str, ResultFacts]], planned: int
) -> PairedDifference:
    own, base = results[arm], results[baseline]
    asked = [item for item in own if item in base]
    pairs = [(base[item].verdict, own[item].verdict) for item in asked]
    pairs = [pair for pair in pairs if Verdict.ERROR not in pair]
    b = sum(first is Verdict.RIGHT and second is not Verdict.RIGHT for first, second in pairs)
    c = sum(first is not Verdict.RIGHT and second is Verdict.RIGHT for first, second in pairs)
    n = len(pairs)
    low, high = bonett_price(b, c, n) if n else (-1.0, 1.0)
    p = mcnemar_mid_p(b, c)
    disagreement = (b + c) / n if n >= _MIN_MEASURED and b + c else GUESSED_DISAGREEMENT
    exact, visible = mcnemar_exact_p(b, c), smallest_gain(n, disagreement)
    return PairedDifference(arm, baseline, n, planned, len(asked), b, c, low, high, p, p, visible, exact)


def group_accuracies(run: RunData, results: Mapping[str, Mapping[str, ResultFacts]]) -> tuple[GroupAccuracy, ...]:
    """The right answers of each arm by group, in the order of the names; none if the groups are tiny."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for item in run.items.values():
        groups[item.group].append(item.id)
    if len(groups) == 1 or len(run.items) < _MIN_GROUP * len(groups):
        return ()
    return tuple(
        GroupAccuracy(name, len(items), tuple(_accuracy_on(items, own) for own in results.values()))
        for name, items in sorted(groups.items())
    )


def _accuracy_on(items: Iterable[str], results: Mapping[str, ResultFacts]) -> Rate:
    verdicts = [results[item].verdict for item in items if item in results]
    return rate_of(verdicts.count(Verdict.RIGHT), sum(one is not Verdict.ERROR for one in verdicts))


def _warnings_on_run(run: RunData, results: Mapping[str, Mapping[str, ResultFacts]]) -> list[str]:
    """What to be wary of in how the run was made."""
    manifest = run.manifest
    found = list(run.notes)
    done = sum(all(item in own for own in results.values()) for item in run.items)
    if done < manifest.planned:
        found.append(f"interim: {done:,} of {format_count(manifest.planned, 'question')} asked in every arm")
    found += [
        f"{name or 'the model'} changed between the arms: its digests differ"
        for name in dict.fromkeys(arm.model for arm in manifest.arms)
        if len({arm.digest for arm in manifest.arms if arm.model == name and arm.digest}) > 1
    ]
    contexts = {dict(arm.options).get("num_ctx") for arm in manifest.arms}
    if len(contexts) > 1:
        found.append("the arms have different contexts (num_ctx): their differences may come from that")
    return found


def _warnings_on_arms(arms: Iterable[ArmSummary]) -> list[str]:
    found = []
    for arm in arms:
        unfinished, failed = arm.verdicts[Verdict.UNFINISHED], arm.verdicts[Verdict.ERROR]
        total = arm.accuracy.whole
        if total and unfinished / total >= _UNFINISHED_TO_WARN:
            share = format_percent(unfinished, total)
            found.append(
                f"{arm.name}: {share} of the answers are unfinished: a larger token limit may change the result"
            )
        if failed:
            found.append(
                f"{arm.name}: {format_count(failed, 'question')} failed and left out; resume the run to ask again"
            )
    return found


def _weak_warnings(results: Mapping[str, Mapping[str, ResultFacts]]) -> list[str]:
    """A warning for each arm whose answers had to be guessed more or less often than the baseline's."""
    baseline, *others = results
    found = []
    for name in others:
        base, own = results[baseline], results[name]
        pairs = [(base[item].is_weak, own[item].is_weak) for item in own if item in base]
        b, c = sum(first > second for first, second in pairs), sum(second > first for first, second in pairs)
        if mcnemar_mid_p(b, c) < LEVEL:
            found.append(
                f"suspect: {name} has {sum(one for _, one in pairs):,} weakly read answers, {baseline} "
                f"{sum(one for one, _ in pairs):,}: the difference may come from the reading, not from the answers"
            )
    return found
