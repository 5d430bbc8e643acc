from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.evaluation.ledger import ledger_of, rate_of
from reflectty.evaluation.records import ProbeRecord, encode_probe
from reflectty.evaluation.run_file import read_run
from reflectty.evaluation.transitions import Transition
from support.evaluation_runs import run_of

if TYPE_CHECKING:
    from pathlib import Path

FINALS = "++--~-+0+!"
DRAFTS = "+-+-+-.--+"
"""Kept, fixed, broken, same wrong, lost, same wrong, no draft, wrong to none, fixed, failed."""


def test_every_reply_is_in_one_row_of_the_ledger(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"cot": "+" * 10, "reflect": FINALS}, {"reflect": DRAFTS})
    ledger = ledger_of(run, "reflect")
    assert {str(one): number for one, number in ledger.transitions.items()} == {
        "right-right": 1,
        "fixed": 2,
        "broken": 1,
        "lost": 1,
        "same-wrong": 2,
        "other-wrong": 1,
        "no-draft": 1,
    }
    assert (ledger.total, ledger.drafts, ledger.fixed, ledger.broken, ledger.net) == (9, 8, 2, 2, 0)


def test_rates_of_a_ledger_are_those_of_its_drafts(tmp_path: Path) -> None:
    ledger = ledger_of(run_of(tmp_path, {"cot": "+" * 10, "reflect": FINALS}, {"reflect": DRAFTS}), "reflect")
    assert (ledger.fix_rate.part, ledger.fix_rate.whole) == (2, 5)
    assert (ledger.break_rate.part, ledger.break_rate.whole) == (2, 3)
    assert (ledger.changed.part, ledger.changed.whole) == (5, 8)
    assert (ledger.correction_rate.part, ledger.correction_rate.whole) == (8, 9)
    assert ledger.fix_rate.low == pytest.approx(0.1176, abs=1e-4)
    assert ledger.fix_rate.high == pytest.approx(0.7693, abs=1e-4)


@pytest.mark.parametrize(
    ("finals", "drafts", "p"),
    [
        ("++", "++", 1.0),
        ("++++", "----", 0.0625),
        ("++++++", "------", 0.015625),
        ("------+", "++++++-", 0.0703125),
    ],
)
def test_net_is_tested_by_the_mid_p_of_mcnemar(tmp_path: Path, finals: str, drafts: str, p: float) -> None:
    ledger = ledger_of(run_of(tmp_path, {"cot": finals, "reflect": finals}, {"reflect": drafts}), "reflect")
    assert ledger.p == pytest.approx(p)


def test_a_fixed_answer_costs_what_the_arm_takes_beyond_the_baseline(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"cot": "+!+ +", "reflect": "++++!"}, {"reflect": "-+-+-"})
    ledger = ledger_of(run, "reflect")
    # Two items have both results, each with 90 tokens of thinking and 3.5 seconds more.
    assert ledger.extra == (2, 180, 7.0)
    assert ledger.tokens_per_fix == 90
    assert ledger.seconds_per_fix == 3.5


@pytest.mark.parametrize("drafts", ["++", ".."])
def test_without_a_fixed_answer_there_is_no_price(tmp_path: Path, drafts: str) -> None:
    ledger = ledger_of(run_of(tmp_path, {"cot": "++", "reflect": "++"}, {"reflect": drafts}), "reflect")
    assert ledger.tokens_per_fix is None
    assert ledger.seconds_per_fix is None


def test_the_baseline_has_a_ledger_without_a_price(tmp_path: Path) -> None:
    ledger = ledger_of(run_of(tmp_path, {"reflect": "+", "cot": "+"}, {"reflect": "-"}), "reflect")
    assert (ledger.fixed, ledger.tokens_per_fix) == (1, None)


def test_runaways_and_corrections_are_counted(tmp_path: Path) -> None:
    ledger = ledger_of(run_of(tmp_path, {"reflect": "~+~!"}, {"reflect": "++.-"}), "reflect")
    assert (ledger.runaways, ledger.tagged_corrections, ledger.second_thoughts) == (2, 2, 0)
    assert ledger.transitions[Transition.LOST] == 1


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"), [(0, 0, 0, 1), (0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (50, 100, 0.4038, 0.5962)]
)
def test_a_rate_has_the_interval_of_wilson(part: int, whole: int, low: float, high: float) -> None:
    found = rate_of(part, whole)
    assert [found.low, found.high] == pytest.approx([low, high], abs=1e-4)


def test_probes_of_an_arm_are_summed(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"reflect": "++", "think": "++"}, {"reflect": "--"})
    probe = ProbeRecord("q00000", "reflect", 1, compared=5, changed=4, towards_right=3)
    lines = (probe, probe._replace(correction=2, away_from_right=1), probe._replace(arm="think", changed=9))
    run.path.write_bytes(run.path.read_bytes() + b"".join(map(encode_probe, lines)))
    ledger = ledger_of(read_run(run.path), "reflect")
    assert ledger.probes == (2, 10, 8, 6, 1)
    assert ledger_of(run, "reflect").probes == (0, 0, 0, 0, 0)
