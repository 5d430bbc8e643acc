from __future__ import annotations

from functools import cache
from math import comb
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.evaluation.statistics import (
    bonett_price,
    bootstrap_interval,
    clustered_error,
    holm,
    mcnemar_exact_p,
    mcnemar_mid_p,
    needed_items,
    sign_flip_p,
    smallest_gain,
    wilson,
)

DIFFERENCES = [1, 0, 0.5, -1, 0, 0, 1, 0.5, 0, -0.5, 1, 1]
CLUSTERS = "aaabbbccccdd"


def probabilities(n: int, only_baseline: float, only_arm: float) -> list[tuple[int, int, float]]:
    """Every (b, c) of n questions with its probability."""
    both = 1 - only_baseline - only_arm
    return [
        (b, c, comb(n, b) * comb(n - b, c) * only_baseline**b * only_arm**c * both ** (n - b - c))
        for b in range(n + 1)
        for c in range(n + 1 - b)
    ]


# ------------------------------------------------------------------------------------------------ values of libraries


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.2775327999),
        (10, 10, 0.7224672001, 1.0),
        (7, 10, 0.3967781475, 0.8922087326),
        (42, 100, 0.3279838267, 0.517935133),
        (1255, 1319, 0.9385145956, 0.961820053),
    ],
)
def test_wilson_has_the_values_of_statsmodels_0_15(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=1e-9)


def test_wilson_takes_another_confidence_and_no_questions() -> None:
    assert wilson(42, 100, 0.9) == pytest.approx((0.3419729807, 0.5022418547), abs=1e-9)
    assert wilson(0, 0) == (0, 1)


@pytest.mark.parametrize(
    ("b", "c", "exact", "mid"),
    [
        (0, 0, 1.0, 1.0),
        (1, 7, 0.0703125, 0.0390625),
        (8, 12, 0.5034446716308594, 0.38331031799316395),
        (15, 5, 0.04138946533203125, 0.026603698730468753),
        (40, 60, 0.05688793364098089, 0.04604406692934291),
        (300, 345, 0.083105140650487, 0.0765624733056323),
    ],
)
def test_mcnemar_has_the_values_of_statsmodels_0_15_and_scipy_1_17(b: int, c: int, exact: float, mid: float) -> None:
    assert mcnemar_exact_p(b, c) == pytest.approx(exact, abs=1e-12)
    assert mcnemar_mid_p(b, c) == pytest.approx(mid, abs=1e-12)


def test_holm_has_the_values_of_statsmodels_0_15() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()
    assert holm([0.7, 0.9]) == (1.0, 1.0)


def test_the_clustered_error_has_the_value_of_errorbars_0_2_4() -> None:
    assert clustered_error(DIFFERENCES, CLUSTERS) == pytest.approx(0.23453997965722853)
    assert clustered_error([1, 0, 1, 1], "aaaa") == clustered_error([1, 0, 1, 1], "abcd") == pytest.approx(0.25)


def test_the_bootstrap_is_that_of_errorbars_0_2_4_and_repeats_itself() -> None:
    interval = bootstrap_interval(DIFFERENCES, resamples=4000)
    assert interval == pytest.approx((-0.0833, 0.625), abs=0.05)
    assert interval == bootstrap_interval(DIFFERENCES, resamples=4000)
    assert interval != bootstrap_interval(DIFFERENCES, seed=1, resamples=200)


# ------------------------------------------------------------------------------------------------ properties


def test_the_adjusted_interval_is_the_formula_of_bonett_and_price() -> None:
    # (1, 7, 21): (8 - 2)/23 = 0.26087, and 1.959964 * sqrt((10/23 - 0.26087**2)/23) = 0.24749.
    assert bonett_price(1, 7, 21) == pytest.approx((0.01338, 0.50836), abs=1e-5)
    assert bonett_price(7, 1, 21) == pytest.approx((-0.50836, -0.01338), abs=1e-5)
    assert bonett_price(0, 2, 2) == pytest.approx((0.5 - 1.959964 * 0.4330127, 1.0), abs=1e-5)


@pytest.mark.parametrize(("n", "coverage"), [(50, 0.959), (100, 0.958)])
def test_the_adjusted_interval_covers_what_it_promises(n: int, coverage: float) -> None:
    """The coverage at a disagreement of 0.2 without a difference, by every outcome."""
    found = sum(
        p for b, c, p in probabilities(n, 0.1, 0.1) if bonett_price(b, c, n)[0] <= 0 <= bonett_price(b, c, n)[1]
    )
    assert found == pytest.approx(coverage, abs=0.006)


def test_mid_p_keeps_the_level_and_the_exact_test_is_too_careful() -> None:
    tables = [(b, c, p) for b, c, p in probabilities(60, 0.1, 0.1) if b + c < 35]
    mid = sum(p for b, c, p in tables if mcnemar_mid_p(b, c) < 0.05)
    exact = sum(p for b, c, p in tables if mcnemar_exact_p(b, c) < 0.05)
    assert exact < 0.03 < mid < 0.05


@given(st.integers(0, 200), st.integers(0, 200))
def test_p_is_symmetric_between_0_and_1_and_mid_p_is_below_the_exact_one(b: int, c: int) -> None:
    assert mcnemar_mid_p(b, c) == mcnemar_mid_p(c, b)
    assert 0 < mcnemar_mid_p(b, c) <= mcnemar_exact_p(b, c) <= 1


@given(st.integers(0, 300), st.integers(0, 300))
def test_intervals_contain_their_estimate(k: int, rest: int) -> None:
    n = k + rest
    low, high = wilson(k, n)
    assert 0 <= low <= (k / n if n else 0.5) <= high <= 1
    low, high = bonett_price(k, rest, n + 5)
    assert -1 <= low <= (rest - k) / (n + 7) <= high <= 1


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_only_raises(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert all(raw <= new <= 1 for raw, new in zip(ps, adjusted, strict=True))
    ranked = [new for _, new in sorted(zip(ps, adjusted, strict=True))]
    assert ranked == sorted(ranked)


def test_random_signs_tell_what_mcnemar_does() -> None:
    differences = [1] * 15 + [-1] * 5 + [0] * 80
    assert sign_flip_p(differences) == pytest.approx(mcnemar_exact_p(15, 5), abs=0.006)
    assert sign_flip_p([0, 0]) == 1
    assert sign_flip_p([1] * 30, resamples=200) == pytest.approx(1 / 201)


def test_repeats_of_a_question_do_not_make_it_significant() -> None:
    """Three equal repeats of 12 questions are 12 differences, and their interval is not that of 36."""
    repeated = [mean for mean in DIFFERENCES for _ in range(3)]
    once, thrice = bootstrap_interval(DIFFERENCES, resamples=2000), bootstrap_interval(repeated, resamples=2000)
    assert once.low < 0 < thrice.low


# ------------------------------------------------------------------------------------------------ planning

NEEDED = {
    0.03: (870, 1306, 1742, 2614, 3487),
    0.05: (312, 469, 626, 940, 1254),
    0.08: (121, 182, 243, 366, 489),
    0.10: (None, 116, 155, 234, 312),
    0.15: (None, None, 68, 103, 138),
}
DISAGREEMENTS = (0.10, 0.15, 0.20, 0.30, 0.40)


@pytest.mark.parametrize("gain", NEEDED)
def test_needed_questions_are_those_of_connor(gain: float) -> None:
    assert tuple(needed_items(gain, disagreement) for disagreement in DISAGREEMENTS) == NEEDED[gain]


@pytest.mark.parametrize(
    ("n", "disagreement", "points"),
    [
        *((50, 0.2, 17.3), (50, 0.3, 21.2), (100, 0.1, 8.8), (100, 0.3, 15.2), (200, 0.1, 6.2), (200, 0.3, 10.8)),
        *((300, 0.1, 5.1), (300, 0.3, 8.8), (500, 0.1, 4.0), (500, 0.3, 6.9), (1319, 0.1, 2.4), (1319, 0.3, 4.2)),
    ],
)
def test_the_smallest_gain_grows_finer_with_the_questions(n: int, disagreement: float, points: float) -> None:
    gain = smallest_gain(n, disagreement)
    assert gain is not None
    assert gain * 100 == pytest.approx(points, abs=0.06)
    assert needed_items(gain, disagreement) == n


@pytest.mark.parametrize(("n", "disagreement"), [(50, 0.1), (0, 0.2), (100, 0.0), (1, 1.0)])
def test_few_questions_show_no_gain(n: int, disagreement: float) -> None:
    assert smallest_gain(n, disagreement) is None


# ------------------------------------------------------------------------------------------------ against libraries


@pytest.mark.slow
class TestAgainstLibraries:
    def test_intervals_and_tests_are_those_of_statsmodels(self) -> None:
        reason = "needs the group `oracles`"
        shares: Any = pytest.importorskip("statsmodels.stats.proportion", reason=reason)
        tables: Any = pytest.importorskip("statsmodels.stats.contingency_tables", reason=reason)
        families: Any = pytest.importorskip("statsmodels.stats.multitest", reason=reason)
        for n in (1, 10, 97, 1319):
            for k in {0, 1, n // 3, n - 1, n}:
                assert wilson(k, n) == pytest.approx(shares.proportion_confint(k, n, method="wilson"), abs=1e-12)
        for b in range(0, 40, 3):
            for c in range(0, 40, 4):
                assert mcnemar_exact_p(b, c) == pytest.approx(tables.mcnemar([[0, b], [c, 0]], exact=True).pvalue)
        for ps in ([0.01], [0.2, 0.01, 0.04, 0.04], [0.001 * at for at in range(1, 20)]):
            assert holm(ps) == pytest.approx(list(families.multipletests(ps, method="holm")[1]))

    def test_mid_p_is_that_of_scipy(self) -> None:
        distributions: Any = pytest.importorskip("scipy.stats", reason="needs the group `oracles`")
        for b in range(0, 60, 3):
            for c in range(b + 1, 60, 4):
                tail, exactly = distributions.binom.cdf(b, b + c, 0.5), distributions.binom.pmf(b, b + c, 0.5)
                assert mcnemar_mid_p(b, c) == pytest.approx(2 * tail - exactly)

    def test_paired_answers_are_compared_as_errorbars_does(self) -> None:
        reason = "needs the group `oracles`"
        comparison: Any = pytest.importorskip("errorbars.compare", reason=reason)
        stats: Any = pytest.importorskip("errorbars.stats", reason=reason)
        board: Any = pytest.importorskip("errorbars.leaderboard", reason=reason)
        baseline, arm = [1, 1, 1, 0, 0, 0, 1, 0] * 9, [1, 0, 1, 1, 1, 0, 1, 1] * 9
        b = sum(first > second for first, second in zip(baseline, arm, strict=True))
        c = sum(first < second for first, second in zip(baseline, arm, strict=True))
        found = comparison.paired_compare(arm, baseline)
        assert found.mcnemar.p_value == pytest.approx(mcnemar_exact_p(b, c))
        assert found.mean_diff == pytest.approx((c - b) / len(arm))
        low, high = bonett_price(b, c, len(arm))
        assert (low, high) == pytest.approx((found.ci_low, found.ci_high), abs=0.02)
        wilson_found = stats.wilson_ci(42, 100)
        assert wilson(42, 100) == pytest.approx((wilson_found.ci_low, wilson_found.ci_high))
        assert clustered_error(DIFFERENCES, CLUSTERS) == pytest.approx(
            stats.cluster_robust_se(DIFFERENCES, list(CLUSTERS))
        )
        assert holm([0.03, 0.01, 0.2]) == pytest.approx(board.holm_correction([0.03, 0.01, 0.2]))
        bootstrapped = stats.bootstrap_ci(DIFFERENCES * 10)
        assert bootstrap_interval(DIFFERENCES * 10) == pytest.approx(
            (bootstrapped.ci_low, bootstrapped.ci_high), abs=0.02
        )

    def test_the_planned_questions_have_the_planned_power(self) -> None:
        """626 questions at a disagreement of 0.2 see 5 points in about four of five runs, by every outcome."""
        p_of = cache(mcnemar_mid_p)
        n, only_baseline, only_arm = 626, 0.075, 0.125
        power = 0.0
        by_count = 1.0 * (1 - only_baseline - only_arm) ** n
        for count in range(n + 1):
            ratio = only_arm / (only_baseline + only_arm)
            if by_count > 1e-9:
                power += by_count * sum(
                    comb(count, c) * ratio**c * (1 - ratio) ** (count - c)
                    for c in range(count + 1)
                    if p_of(min(count - c, c), max(count - c, c)) < 0.05
                )
            by_count *= (n - count) / (count + 1) * (only_baseline + only_arm) / (1 - only_baseline - only_arm)
        assert power == pytest.approx(0.81, abs=0.02)
