from __future__ import annotations

import pytest

from reflectty.core.budget import NO_BUDGET, Budget, parse_budget
from reflectty.core.errors import UsageError
from reflectty.reasoning.modes import AskOptions


@pytest.mark.parametrize(
    ("text", "budget", "words"),
    [
        ("2000", Budget(2000), "2,000 tokens"),
        ("2,000", Budget(2000), "2,000 tokens"),
        ("1", Budget(1), "1 token"),
        ("2k", Budget(2000), "2,000 tokens"),
        ("1.5K", Budget(1500), "1,500 tokens"),
        (" 30s ", Budget(seconds=30), "30 s"),
        ("1.5m", Budget(seconds=90), "1 min 30 s"),
        ("1h", Budget(seconds=3600), "60 min 0 s"),
        ("off", NO_BUDGET, "off"),
        ("0", Budget(), "0 tokens"),
        ("0s", Budget(), "0 tokens"),
    ],
)
def test_budget_is_tokens_or_a_time(text: str, budget: Budget, words: str) -> None:
    assert (parse_budget(text), str(parse_budget(text))) == (budget, words)


@pytest.mark.parametrize("text", ["2000", "0", "30s", "1.5s", "off"])
def test_budget_is_written_as_it_is_typed(text: str) -> None:
    assert parse_budget(text).typed == text


@pytest.mark.parametrize("text", ["", "-1", "many", "2kk", "1.5", "30 min", "nan", "inf", "9" * 12, "2d", "٣"])
def test_other_budgets_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a budget"):
        parse_budget(text)


@pytest.mark.parametrize(("text", "allows_none"), [("0", True), ("0s", True), ("1", False), ("off", False)])
def test_zero_allows_no_thinking(text: str, allows_none: bool) -> None:
    assert parse_budget(text).allows_none is allows_none


@pytest.mark.parametrize(
    ("model", "given", "effort", "budget"),
    [
        ("qwen3:8b", None, "", Budget(4000)),
        ("qwen3:8b", None, "low", Budget(4000)),
        ("other", None, "low", Budget(500)),
        ("other", None, "high", Budget(9000)),
        ("other", None, "", Budget(9000)),
        ("qwen3:8b", Budget(7), "low", Budget(7)),
        ("qwen3:8b", NO_BUDGET, "", NO_BUDGET),
    ],
)
def test_nearest_budget_counts(model: str, given: Budget | None, effort: str, budget: Budget) -> None:
    from reflectty.core.messages import Effort

    budgets = (("", Budget(9000)), ("qwen3:8b", Budget(4000)), ("low", Budget(500)))
    options = AskOptions(budget=given, budgets=budgets, effort=Effort(effort) if effort else None)

    assert options.budget_for(model) == budget


def test_no_budget_is_no_limit() -> None:
    assert AskOptions().budget_for("qwen3:8b") is None
