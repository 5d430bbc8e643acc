from __future__ import annotations

import pytest

from reflectty.core.evidence import Evidence

SEEN = Evidence("native", "low", gain=12, low=5, high=19, n=200, baseline="cot", date="2026-11-30")


@pytest.mark.parametrize(
    ("evidence", "text"),
    [
        (SEEN, "thinking with effort low: +12 points over step by step (+5 to +19; n = 200, 2026-11-30)"),
        (
            SEEN._replace(effort="", budget="2000", low=-0.04, fixed=9, broken=1, tokens=7.0),
            (
                "thinking with a budget of 2000: +12 points over step by step (0 to +19; n = 200, 2026-11-30),"
                " 9 fixed, 1 broken, 7 times the tokens"
            ),
        ),
        (
            Evidence("direct", gain=-2.5, low=-8, high=3.25, n=1500, baseline="think:low", tokens=0.13),
            "without thinking: -2.5 points against think:low (-8 to +3.2; n = 1,500), 0.1 times the tokens",
        ),
        (
            Evidence("reflect", "high", "30s", n=3),
            "a prompt to reflect with effort high and a budget of 30s: 0 points against the baseline (0 to 0; n = 3)",
        ),
    ],
)
def test_evidence_in_words(evidence: Evidence, text: str) -> None:
    assert str(evidence) == text


@pytest.mark.parametrize(
    ("tokens", "cost"), [(0.0, ""), (1.0, ""), (1.04, ""), (1.1, "1.1 times the tokens"), (0.2, "0.2 times the tokens")]
)
def test_the_cost_is_the_reason_where_there_is_no_gain(tokens: float, cost: str) -> None:
    same = SEEN._replace(gain=0, tokens=tokens)

    assert same.reason == ", ".join(filter(None, (same.difference, cost)))
    assert SEEN._replace(tokens=tokens).reason == SEEN.difference


@pytest.mark.parametrize(
    ("digest", "same"), [("abc", True), ("sha256:abc", True), ("", True), ("abd", False), ("sha256:abcd", False)]
)
def test_evidence_is_of_the_model_with_its_digest(digest: str, same: bool) -> None:
    assert SEEN._replace(digest="abc").is_of(digest) is same
    assert SEEN.is_of(digest)


@pytest.mark.parametrize(
    ("evidence", "arms"),
    [
        (SEEN, "cot,think:low"),
        (SEEN._replace(budget="2000", baseline=""), "cot,think:low:2000"),
        (Evidence("reflect", baseline="think"), "think,reflect"),
        (Evidence("direct", baseline="think:low"), "cot,think:low"),
        (Evidence("direct", baseline="cot"), "cot,direct"),
    ],
)
def test_the_arms_can_be_compared_again(evidence: Evidence, arms: str) -> None:
    assert evidence.arms == arms
