"""The ledger of corrections: what became of each draft of an arm, and what a fixed answer cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.grader import Verdict
from reflectty.evaluation.statistics import mcnemar_mid_p, wilson
from reflectty.evaluation.transitions import Transition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reflectty.evaluation.records import ProbeRecord
    from reflectty.evaluation.run_file import ResultFacts, RunData


_CHANGED = (Transition.FIXED, Transition.BROKEN, Transition.LOST, Transition.OTHER_WRONG)
_COUNTED = tuple(one for one in Transition if one is not Transition.FAILED)


class Rate(NamedTuple):
    """A part of a whole, with its 95 % interval after Wilson; that of nothing is everything."""

    part: int
    whole: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The part of the whole; 0 of nothing is 0."""
        return self.part / self.whole if self.whole else 0.0


def rate_of(part: int, whole: int) -> Rate:
    """A part of a whole with its interval."""
    low, high = wilson(part, whole) if whole else (0.0, 1.0)
    return Rate(part, whole, low, high)


class ExtraCost(NamedTuple):
    """What an arm takes beyond the baseline, in sum over the items that both answered."""

    items: int
    tokens: int
    seconds: float


class ProbeSums(NamedTuple):
    """What the probes of an arm's corrections found, in sum; see `ProbeResult`."""

    corrections: int = 0
    compared: int = 0
    """Continuations without a correction that count."""
    changed: int = 0
    towards_right: int = 0
    away_from_right: int = 0


class Ledger(NamedTuple):
    """What the corrections of an arm did."""

    arm: str
    transitions: Mapping[Transition, int]
    """The number of replies of each kind; failed ones are left out."""
    corrected: int
    """Replies with a correction, tagged or read, or that were asked to correct themselves."""
    tagged_corrections: int
    second_thoughts: int
    """Sure corrections that were read in free thinking."""
    runaways: int
    extra: ExtraCost
    probes: ProbeSums = ProbeSums()

    @property
    def total(self) -> int:
        return sum(self.transitions.values())

    @property
    def fixed(self) -> int:
        return self.transitions[Transition.FIXED]

    @property
    def broken(self) -> int:
        """Right drafts that were lost: to a wrong answer, or to none."""
        return self.transitions[Transition.BROKEN] + self.transitions[Transition.LOST]

    @property
    def drafts(self) -> int:
        return self.total - self.transitions[Transition.NO_DRAFT]

    @property
    def changed(self) -> Rate:
        """The drafts whose answer changed."""
        return rate_of(sum(self.transitions[one] for one in _CHANGED), self.drafts)

    @property
    def correction_rate(self) -> Rate:
        """The replies that have a correction."""
        return rate_of(self.corrected, self.total)

    @property
    def fix_rate(self) -> Rate:
        """The wrong drafts that were fixed."""
        wrong = (Transition.FIXED, Transition.SAME_WRONG, Transition.OTHER_WRONG)
        return rate_of(self.fixed, sum(self.transitions[one] for one in wrong))

    @property
    def break_rate(self) -> Rate:
        """The right drafts that were broken or lost."""
        return rate_of(self.broken, self.broken + self.transitions[Transition.KEPT_RIGHT])

    @property
    def net(self) -> int:
        """Fixed less broken answers."""
        return self.fixed - self.broken

    @property
    def p(self) -> float:
        """The mid-p of McNemar's test on fixed and broken answers."""
        return mcnemar_mid_p(self.broken, self.fixed)

    @property
    def tokens_per_fix(self) -> float | None:
        """Tokens beyond the baseline for each fixed answer; None if none was fixed."""
        return self.extra.tokens / self.fixed if self.fixed and self.extra.items else None

    @property
    def seconds_per_fix(self) -> float | None:
        """Seconds beyond the baseline for each fixed answer; None if none was fixed."""
        return self.extra.seconds / self.fixed if self.fixed and self.extra.items else None


def ledger_of(run: RunData, arm: str) -> Ledger:
    """The ledger of an arm; its cost is compared with that of the first arm."""
    own = {item: one for item, one in run.results_of(arm).items() if one.verdict is not Verdict.ERROR}
    return Ledger(
        arm,
        count_transitions(own.values()),
        sum(one.has_corrections for one in own.values()),
        sum(one.corrections for one in own.values()),
        sum(one.second_thoughts for one in own.values()),
        sum(one.is_runaway for one in own.values()),
        _extra_cost(own, run.results_of(run.arms[0])) if arm != run.arms[0] else ExtraCost(0, 0, 0.0),
        sum_probes(one for one in run.probes if one.arm == arm),
    )


def sum_probes(probes: Iterable[ProbeRecord]) -> ProbeSums:
    """The sums of the probes of an arm."""
    found = [(1, one.compared, one.changed, one.towards_right, one.away_from_right) for one in probes]
    return ProbeSums(*map(sum, zip(*found, strict=True))) if found else ProbeSums()


def count_transitions(results: Iterable[ResultFacts]) -> dict[Transition, int]:
    """How many results there are of each transition but failures."""
    found = [one.transition for one in results]
    return {one: found.count(one) for one in _COUNTED}


def _extra_cost(own: Mapping[str, ResultFacts], baseline: Mapping[str, ResultFacts]) -> ExtraCost:
    both = [item for item in own if item in baseline and baseline[item].verdict is not Verdict.ERROR]
    tokens = sum(own[item].tokens - baseline[item].tokens for item in both)
    return ExtraCost(len(both), tokens, sum(own[item].seconds - baseline[item].seconds for item in both))
