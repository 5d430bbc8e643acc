"""Whether any setting names the server or the model to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.config import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("line", "variables", "expected"),
    [
        ("", {}, False),
        ("mode = 'direct'\ntheme = 'ink'\ntimeout = 9", {"REFLECTTY_STORE": "0"}, False),
        ("model = ''\nhost = ''", {"OLLAMA_HOST": ""}, False),
        ("", {"OPENAI_API_KEY": "of something else"}, False),
        ("model = 'm'", {}, True),
        ("host = 'h'", {}, True),
        ("hosts = ['h']", {}, True),
        ("engine = 'ollama'", {}, True),
        ("profile = 'p'\n[profiles.p]\nhost = 'h'", {}, True),
        ("profile = 'p'\n[profiles.p]\nsystem = 's'", {}, False),
        ("", {"OLLAMA_HOST": "h"}, True),
        ("", {"REFLECTTY_HOST": "h"}, True),
        ("", {"REFLECTTY_MODEL": "m"}, True),
        ("", {"REFLECTTY_ENGINE": "ollama"}, True),
        ("", {"OLLAMA_API_KEY": "k"}, True),
    ],
)
def test_user_configured_if_a_server_or_model_is_set(
    write: Callable[[str], Path], line: str, variables: dict[str, str], expected: bool
) -> None:
    assert load_settings(variables, write(line)).user_configured is expected


def test_user_configured_if_an_engine_is_passed(write: Callable[[str], Path]) -> None:
    assert load_settings({}, write(""), engine="ollama").user_configured
