from __future__ import annotations

from typing import Any

import pytest

from reflectty.commands.ask import question_of
from reflectty.commands.ask_options import AskArguments
from reflectty.config import Settings
from reflectty.core.messages import Effort, KeepThinkingMode
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.modes import AskOptions, Mode

SETTINGS = Settings(
    model="mini",
    mode="native",
    effort="low",
    family="think",
    system="Be brief.",
    options=(("seed", 7), ("num_ctx", 512)),
    keep_alive="5m",
    keep_thinking="on",
)


def test_settings_alone_decide_how_a_model_is_asked() -> None:
    assert question_of(AskArguments(), SETTINGS).ask_options == AskOptions(
        mode=Mode.NATIVE,
        effort=Effort.LOW,
        family=FAMILIES["think"],
        system="Be brief.",
        model="mini",
        options=(("seed", 7), ("num_ctx", 512)),
        keep_alive="5m",
        keep_thinking="on",
    )
    assert Settings().ask_options == AskOptions()


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [
        (AskArguments(model="other"), {"model": "other"}),
        (AskArguments(mode=Mode.AUTO), {"mode": Mode.AUTO}),
        (AskArguments(effort=Effort.HIGH), {"effort": Effort.HIGH, "has_typed_way": True}),
        (AskArguments(family="none"), {"family": FAMILIES["none"]}),
        (AskArguments(system="Be kind."), {"system": "Be kind."}),
        (AskArguments(option=["seed=1", "top_k=2"]), {"options": (("seed", 1), ("num_ctx", 512), ("top_k", 2))}),
        (AskArguments(keep_alive="0"), {"keep_alive": "0"}),
        (AskArguments(keep_thinking=KeepThinkingMode.AUTO), {"keep_thinking": "auto"}),
    ],
)
def test_flag_overrides_its_setting_and_no_other(arguments: AskArguments, changes: dict[str, Any]) -> None:
    assert question_of(arguments, SETTINGS).ask_options == SETTINGS.ask_options._replace(**changes)


def test_empty_and_missing_values_override_nothing() -> None:
    assert SETTINGS.ask_options.override() == SETTINGS.ask_options
    assert SETTINGS.ask_options.override(model="", mode=None, options=()) == SETTINGS.ask_options
