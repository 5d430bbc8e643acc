"""Evidence in the config file: where it is read, what overrules it, and the error of each mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.config import load_settings
from reflectty.config.evidence import evidence_table, parse_evidence_tables
from reflectty.core.budget import Budget
from reflectty.core.errors import UsageError
from reflectty.core.evidence import Evidence
from reflectty.core.messages import Effort
from reflectty.reasoning.modes import AskOptions, Mode

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
effort = "high"
budget = 100

[evidence."qwen3:8b"]
mode = "native"
effort = "low"

[evidence.mini]
mode = "direct"

[profiles.code.evidence."qwen3:8b"]
mode = "reflect"

[profiles.code]
effort = "max"

[profiles.terse]
mode = "direct"

[profiles.hard]
effort = "max"

[profiles.short]
budget = "30s"

[profiles.harder]
extends = "code"
effort = "medium"

[profiles.blank]
evidence = {}

[profiles.unset]
effort = ""
"""


@pytest.mark.parametrize(
    ("profile", "environment", "modes"),
    [
        ("", {}, {"qwen3:8b": "native", "mini": "direct"}),
        ("code", {}, {"qwen3:8b": "reflect"}),
        ("terse", {}, {"qwen3:8b": "native", "mini": "direct"}),
        ("hard", {}, {}),
        ("short", {}, {}),
        ("harder", {}, {}),
        ("blank", {}, {}),
        ("unset", {}, {"qwen3:8b": "native", "mini": "direct"}),
        ("", {"REFLECTTY_BUDGET": "2k"}, {}),
        ("", {"REFLECTTY_MODEL": "mini"}, {"qwen3:8b": "native", "mini": "direct"}),
        ("code", {"REFLECTTY_BUDGET": "2k"}, {"qwen3:8b": "reflect"}),
    ],
)
def test_evidence_holds_until_a_higher_source_says_how_much_to_think(
    tmp_path: Path, profile: str, environment: dict[str, str], modes: dict[str, str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(FILE, "utf-8")

    settings = load_settings(environment, file, profile)

    assert {model: one.mode for model, one in settings.evidence} == modes
    assert settings.ask_options.evidence == settings.evidence


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("native", "x must be a table"),
        ({"m": "native"}, "x.m must be a table"),
        ({"m": {}}, "x.m has no mode"),
        ({"m": {"mode": "auto"}}, "x.m.mode 'auto' is not one"),
        ({"m": {"mode": "native", "gian": 1}}, "x.m: unknown key 'gian'"),
        ({"m": {"mode": "native", "effort": "much"}}, "x.m.effort 'much' is not one"),
        ({"m": {"mode": "native", "budget": "lots"}}, "x.m.budget 'lots' is not a budget"),
        ({"m": {"mode": "native", "n": 1.5}}, "x.m.n must be a whole number"),
        ({"m": {"mode": "native", "gain": "12"}}, "x.m.gain must be a number"),
        ({"m": {"mode": "native", "low": float("nan")}}, "x.m.low must be a number"),
        ({"m": {"mode": "native", "high": float("inf")}}, "x.m.high must be a number"),
        ({"m": {"mode": "native", "digest": 7}}, "x.m.digest must be a quoted string"),
        ({"m": {"mode": "native", "set_name": "a"}}, "x.m: unknown key 'set_name'"),
    ],
)
def test_a_broken_table_is_one_clear_error(value: object, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_evidence_tables(value, "x")

    assert str(raised.value) == message
    assert raised.value.hint


def test_a_table_that_is_written_is_read_as_it_was() -> None:
    evidence = Evidence(
        "native", "low", "2000", 12.5, 5, 19, 200, "cot", 3, 0, 7.5, "2026-11-30", "ab", "sums", "sums-1"
    )

    assert parse_evidence_tables({"m": evidence_table(evidence)}, "x") == (("m", evidence),)
    assert evidence_table(evidence)["set"] == "sums"


NATIVE, DIRECT = Evidence("native", "low"), Evidence("direct")
KNOWN = AskOptions(evidence=(("qwen3:8b", NATIVE), ("mini", DIRECT)))


@pytest.mark.parametrize(
    ("options", "model", "found"),
    [
        (KNOWN, "qwen3:8b", NATIVE),
        (KNOWN, "Qwen3:8B", NATIVE),
        (KNOWN, "mini:latest", DIRECT),
        (KNOWN, "qwen3:4b", None),
        (KNOWN._replace(effort=Effort.HIGH), "qwen3:8b", NATIVE),
        (KNOWN.override(mode=Mode.AUTO), "qwen3:8b", NATIVE),
        (KNOWN.override(model="mini"), "mini", DIRECT),
        (KNOWN.override(mode=Mode.NATIVE), "qwen3:8b", None),
        (KNOWN.override(effort=Effort.LOW), "qwen3:8b", None),
        (KNOWN.override(budget=Budget(9)), "mini", None),
        (KNOWN._replace(budgets=(("", Budget(0)),)), "qwen3:8b", None),
        (KNOWN._replace(budgets=(("", Budget(0)),)), "mini", DIRECT),
        (KNOWN._replace(budgets=(("", Budget(9)),)), "qwen3:8b", NATIVE),
    ],
)
def test_auto_uses_evidence_for_the_model_unless_the_user_says_otherwise(
    options: AskOptions, model: str, found: Evidence | None
) -> None:
    assert options.evidence_for(model) == found
