"""Makes evidence of a run: which arm of a model the settings may use, by what, and what speaks against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.core.errors import UsageError
from reflectty.core.evidence import Evidence, format_points
from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.arms import Way, parse_arm
from reflectty.evaluation.ledger import ledger_of
from reflectty.evaluation.summary import Conclusion, compare_arms, summarize_arm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.evaluation.records import ArmSetup
    from reflectty.evaluation.run_file import ResultFacts, RunData
    from reflectty.evaluation.summary import PairedDifference

_FORCE: Final = "--force writes it nonetheless"
_MORE: Final = f"more questions show less: reflect eval run --questions solid; {_FORCE}"


class Offer(NamedTuple):
    """Evidence that a run has for one way of asking a model."""

    model: str
    arm: str
    evidence: Evidence
    objection: str = ""
    """What speaks against using it; empty if nothing does."""
    hint: str = ""
    """What to do about that."""


def offers_of(run: RunData) -> tuple[Offer, ...]:
    """The best offer of each model of a run: the arm with the largest gain, or the closest to one, with its objection.

    Raises:
        UsageError: no arm of it can be a setting.
    """
    models = dict.fromkeys(setup.model for setup in run.manifest.arms)
    found = [offer for model in models if (offer := _best_offer(run, model))]
    if not found:
        raise UsageError(
            "this run compares no arm that can be a setting with another", "arms such as think and reflect"
        )
    return tuple(found)


def _best_offer(run: RunData, model: str) -> Offer | None:
    arms = _ModelArms(run, model)
    candidates = [one for one in arms.differences if _refusal_of(one.arm) is None]
    if not candidates:
        return None
    best = max(candidates, key=lambda one: (one.conclusion is Conclusion.GAIN, one.difference))
    return arms.offer(best.arm)


def offer_of(run: RunData, arm: str) -> Offer:
    """The offer of one arm; the baseline is set against the best of the others.

    Raises:
        UsageError: the run has no such arm, it cannot be a setting, or there is nothing to compare it with.
    """
    setup = next((one for one in run.manifest.arms if one.name == arm), None)
    if setup is None:
        raise UsageError(f"the run has no arm {arm!r}", f"its arms: {', '.join(run.arms)}")
    if refusal := _refusal_of(arm):
        raise refusal
    return _ModelArms(run, setup.model).offer(arm)


def _refusal_of(arm: str) -> UsageError | None:
    """Why an arm cannot be a setting; None if it can."""
    parsed = parse_arm(arm)
    if parsed.way is Way.VOTE:
        votes = parsed.votes
        return UsageError(f"{arm} is not a mode", f"--samples {votes}, or `reflect config set samples {votes}`, votes")
    if parsed.way is Way.REVISE:
        return UsageError(f"{arm} is not a mode", "it asks twice; the arms think and reflect correct within a reply")
    return None


class _ModelArms:
    """The arms of one model of a run, compared with the first of them."""

    def __init__(self, run: RunData, model: str) -> None:
        self._run = run
        self._setups = {setup.name: setup for setup in run.manifest.arms if setup.model == model}
        self._results: Mapping[str, Mapping[str, ResultFacts]] = {name: run.results_of(name) for name in self._setups}
        self.differences = compare_arms(self._results, run.manifest.planned)

    def offer(self, arm: str) -> Offer:
        """The offer of an arm.

        Raises:
            UsageError: there is nothing to compare it with.
        """
        own = next((one for one in self.differences if one.arm == arm), None)
        found = own or self._from_the_other_side()
        objection, hint = _objection_to(found, self._run.path.stem, is_baseline=own is None)
        setup = self._setups[arm]
        return Offer(setup.model, arm, self._evidence(setup, found), objection, hint)

    def _from_the_other_side(self) -> PairedDifference:
        """The difference of the baseline to the best of the other arms."""
        if not self.differences:
            raise UsageError("the run has nothing to compare this arm with", "reflect eval run --arms cot,think")
        found = max(self.differences, key=lambda one: one.difference)
        return found._replace(
            arm=found.baseline,
            baseline=found.arm,
            only_arm=found.only_baseline,
            only_baseline=found.only_arm,
            low=-found.high,
            high=-found.low,
        )

    def _evidence(self, setup: ArmSetup, found: PairedDifference) -> Evidence:
        ledger, arm = ledger_of(self._run, setup.name), parse_arm(setup.name)
        manifest = self._run.manifest
        return Evidence(
            mode=str(arm.mode),
            effort=str(arm.effort or ""),
            budget=arm.budget.typed if arm.budget else "",
            gain=_points(found.difference),
            low=_points(found.low),
            high=_points(found.high),
            n=found.pairs,
            baseline=found.baseline.partition("@")[0],
            fixed=ledger.fixed if ledger.drafts else None,
            broken=ledger.broken if ledger.drafts else None,
            tokens=self._cost(setup.name, found.baseline),
            date=manifest.created[:10],
            digest=setup.digest,
            set_name=manifest.set_name,
            run=self._run.path.stem,
        )

    def _cost(self, arm: str, baseline: str) -> float:
        """The tokens of an arm's answer as a multiple of the baseline's; 0 if the baseline has none."""
        own, other = (summarize_arm(name, self._results[name].values()).tokens for name in (arm, baseline))
        return round(own / other, 2) if other else 0.0


def _points(share: float) -> float:
    """A share in percentage points, with one decimal."""
    return round(100 * share, 1)


def _objection_to(found: PairedDifference, run: str, *, is_baseline: bool) -> tuple[str, str]:
    """What speaks against an arm, and what to do about it; both empty if nothing does.

    Args:
        found: the difference of the arm to the other one.
        run: the name of the run.
        is_baseline: whether the arm is the baseline, which needs no gain: it is what is done without reflection.
    """
    difference = format_points(_points(found.difference))
    interval = f"{format_points(_points(found.low))} to {format_points(_points(found.high))}"
    against = f"{found.arm} against {found.baseline}: {difference} points ({interval})"
    match found.conclusion:
        case Conclusion.INTERIM:
            asked = f"{found.asked:,} of {found.planned:,} questions are asked"
            return f"the run is not finished: {asked}", f"reflect eval run --resume {run} continues it; {_FORCE}"
        case Conclusion.LOSS:
            return f"{against}: a loss", f"{found.baseline} is better: --arm {found.baseline}; {_FORCE}"
        case Conclusion.UNSEEN if not is_baseline:
            ends = f"{format_points(_points(found.high))} or {format_points(_points(found.low))}"
            seen = f"no difference seen between {found.arm} and {found.baseline}: {difference} points"
            return f"{seen}, but it could be as large as {ends}", _MORE
    return "", ""
