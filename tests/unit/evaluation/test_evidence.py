"""What a run offers as evidence: the arm with a gain, and what speaks against the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import UsageError
from reflectty.evaluation.evidence import offer_of, offers_of
from reflectty.evaluation.records import ArmSetup
from support.evaluation_runs import run_of

if TYPE_CHECKING:
    from pathlib import Path

WORSE, MIDDLE, BETTER = "-" * 30 + "+" * 10, "-" * 20 + "+" * 20, "+" * 40


def test_the_arm_with_the_largest_gain_is_offered_with_its_figures(tmp_path: Path) -> None:
    arms = {"cot": WORSE, "think": MIDDLE, "think:low:2000": BETTER, "vote-5": BETTER, "revise": BETTER}
    run = run_of(tmp_path, arms, {"think:low:2000": "+" * 30 + "-" * 10})

    (offer,) = offers_of(run)
    found = offer.evidence

    assert (offer.model, offer.arm, offer.objection) == ("qwen3:1.7b", "think:low:2000", "")
    assert (found.mode, found.effort, found.budget) == ("native", "low", "2000")
    assert (found.gain, found.n, found.baseline) == (75.0, 40, "cot")
    assert 55 < found.low < 75 < found.high < 100
    assert (found.fixed, found.broken) == (10, 0)
    assert (found.date, found.digest) == ("2026-11-30", "sha256:8f68893c685c")
    assert (found.set_name, found.run) == ("arithmetic", "run")
    assert found.tokens == 5.5


def test_without_drafts_nothing_is_said_of_corrections(tmp_path: Path) -> None:
    evidence = offer_of(run_of(tmp_path, {"cot": WORSE, "reflect:high": BETTER}), "reflect:high").evidence

    assert (evidence.mode, evidence.effort, evidence.fixed, evidence.broken) == ("reflect", "high", None, None)


@pytest.mark.parametrize(
    ("arms", "arm", "objection"),
    [
        ({"cot": MIDDLE, "think": BETTER}, "think", ""),
        ({"cot": MIDDLE, "think": BETTER}, "cot", "cot against think: -50 points"),
        ({"cot": MIDDLE, "think": MIDDLE}, "think", "no difference seen between think and cot: 0 points"),
        ({"cot": MIDDLE, "think": MIDDLE}, "cot", ""),
        ({"cot": BETTER, "think": MIDDLE}, "think", "think against cot: -50 points"),
        ({"cot": BETTER, "think": MIDDLE}, "cot", ""),
    ],
)
def test_an_arm_without_a_gain_has_an_objection_unless_it_is_the_baseline(
    tmp_path: Path, arms: dict[str, str], arm: str, objection: str
) -> None:
    found = offer_of(run_of(tmp_path, arms), arm)

    assert found.objection.startswith(objection)
    assert bool(found.objection) is bool(objection)
    assert bool(found.hint) is bool(objection)


def test_the_objection_says_how_large_the_difference_could_be(tmp_path: Path) -> None:
    found = offer_of(run_of(tmp_path, {"cot": "-+" * 20, "think": "+-" * 20}), "think")

    assert found.objection == (
        "no difference seen between think and cot: 0 points, but it could be as large as +30.2 or -30.2"
    )


@pytest.mark.parametrize("arm", ["cot", "think"])
def test_an_unfinished_run_has_an_objection_to_every_arm(tmp_path: Path, arm: str) -> None:
    found = offer_of(run_of(tmp_path, {"cot": MIDDLE, "think": BETTER}, planned=100), arm)

    assert found.objection == "the run is not finished: 40 of 100 questions are asked"
    assert "--resume" in found.hint


def test_the_baseline_is_set_against_the_best_of_the_others(tmp_path: Path) -> None:
    found = offer_of(run_of(tmp_path, {"cot": MIDDLE, "reflect": WORSE, "think": MIDDLE}), "cot").evidence

    assert (found.mode, found.gain, found.baseline) == ("direct", 0.0, "think")
    assert found.low == -found.high


@pytest.mark.parametrize(
    ("arm", "error"),
    [
        ("vote-5", "vote-5 is not a mode"),
        ("revise", "revise is not a mode"),
        ("reflect", "the run has no arm 'reflect'"),
    ],
)
def test_an_arm_that_is_no_mode_is_refused(tmp_path: Path, arm: str, error: str) -> None:
    run = run_of(tmp_path, {"cot": MIDDLE, "vote-5": BETTER, "revise": BETTER})

    with pytest.raises(UsageError, match=error) as raised:
        offer_of(run, arm)
    assert raised.value.hint
    with pytest.raises(UsageError, match="no arm that can be a setting"):
        offers_of(run)


def test_a_single_arm_is_evidence_of_nothing(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"think": BETTER})

    with pytest.raises(UsageError, match="nothing to compare"):
        offer_of(run, "think")
    with pytest.raises(UsageError, match="no arm that can be a setting"):
        offers_of(run)


def test_each_model_is_compared_with_its_own_baseline(tmp_path: Path) -> None:
    arms = {"cot@a": WORSE, "think@a": MIDDLE, "cot@b": MIDDLE, "think@b": BETTER, "think:low@b": MIDDLE}
    models = tuple(ArmSetup(arm, model=arm.partition("@")[2]) for arm in arms)
    offers = offers_of(run_of(tmp_path, arms, setups=models))

    assert [(one.model, one.arm, one.evidence.gain, one.evidence.baseline) for one in offers] == [
        ("a", "think@a", 25.0, "cot"),
        ("b", "think@b", 50.0, "cot"),
    ]
