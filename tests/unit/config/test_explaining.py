from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.config.explain import ExplainedSetting, explain_settings, find_mistakes, find_override
from reflectty.config.load import SettingOrigin
from reflectty.config.schema import SETTINGS
from reflectty.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
model = "file"
options = { num_ctx = 1, seed = 2 }
keys.steer = "f9"

[profiles.code]
options = { num_ctx = 3 }
mode = "direct"

[profiles.fast]
extends = "code"
effort = "low"
"""
WRONG = """
modle = 1
mode = 'never'
store = 1
[profiles.a]
model = 1
[profiles.b]
extends = 'a'
[profiles.c]
x = 1
[templates]
t = 1
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE, "utf-8")
    return path


def test_every_setting_has_a_value_and_an_origin(file: Path) -> None:
    found = {one.key: one for one in explain_settings({"REFLECTTY_THEME": "ink", "OLLAMA_API_KEY": "k"}, file, "fast")}

    assert found["model"] == ExplainedSetting("model", "file", SettingOrigin.FILE)
    assert found["options.num_ctx"] == ExplainedSetting("options.num_ctx", 3, SettingOrigin.PROFILE, "code")
    assert found["options.seed"] == ExplainedSetting("options.seed", 2, SettingOrigin.FILE)
    assert found["mode"] == ExplainedSetting("mode", "direct", SettingOrigin.PROFILE, "code")
    assert found["effort"] == ExplainedSetting("effort", "low", SettingOrigin.PROFILE, "fast")
    assert found["theme"] == ExplainedSetting("theme", "ink", SettingOrigin.ENVIRONMENT, "REFLECTTY_THEME")
    assert found["profile"] == ExplainedSetting("profile", "fast", SettingOrigin.FLAG, "--profile")
    assert found["keys.steer"] == ExplainedSetting("keys.steer", ("f9",), SettingOrigin.FILE)
    assert found["host"] == ExplainedSetting("host", "", SettingOrigin.DEFAULT)
    assert {key.partition(".")[0] for key in found} == {setting.key or setting.field for setting in SETTINGS}
    assert len(found) == len({setting.field for setting in SETTINGS}) + 1


@pytest.mark.parametrize(
    ("text", "environment", "said"),
    [
        ("", {}, ()),
        (FILE, {"REFLECTTY_PROFILE": "code"}, ()),
        (
            WRONG,
            {"REFLECTTY_STORE": "yes"},
            ("'modle'", "'never'", "store must", "templates.t must", "REFLECTTY_STORE must", "profiles.a.model", "'x'"),
        ),
        ("profile = 'x'", {"REFLECTTY_PROFILE": "y"}, ("config.toml: profile: unknown", "REFLECTTY_PROFILE: unknown")),
        ("profiles = 1\ntemplates = 1", {}, ("profiles must be", "templates must be")),
        ("[templates]\n'a b' = 'x'", {}, ("templates: 'a b' is not a valid name",)),
        ("model = m", {"REFLECTTY_MODE": "never"}, ("line 1", "REFLECTTY_MODE 'never'")),
    ],
)
def test_all_mistakes_are_reported(
    tmp_path: Path, text: str, environment: dict[str, str], said: tuple[str, ...]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    found = find_mistakes(environment, path)

    assert [part for part, error in zip(said, found, strict=True) if part not in str(error)] == []


def test_invalid_settings_cannot_be_explained(file: Path) -> None:
    with pytest.raises(UsageError, match="not a mode"):
        explain_settings({"REFLECTTY_MODE": "never"}, file)


@pytest.mark.parametrize(
    ("key", "environment", "source"),
    [
        ("model", {}, ""),
        ("model", {"REFLECTTY_MODEL": "m"}, "REFLECTTY_MODEL"),
        ("host", {"OLLAMA_HOST": "a", "REFLECTTY_HOST": "b"}, "REFLECTTY_HOST"),
        ("host", {"OLLAMA_HOST": "a", "REFLECTTY_ENGINE": "openai"}, ""),
        ("mode", {}, ""),
        ("mode", {"REFLECTTY_PROFILE": "code"}, "code"),
        ("mode", {"REFLECTTY_PROFILE": "none"}, ""),
        ("options.num_ctx", {"REFLECTTY_PROFILE": "fast"}, "code"),
        ("options.seed", {"REFLECTTY_PROFILE": "code"}, ""),
        ("profile", {"REFLECTTY_PROFILE": "code"}, "REFLECTTY_PROFILE"),
        ("profiles.code.mode", {"REFLECTTY_MODE": "auto"}, ""),
        ("profiles.code.mode", {"REFLECTTY_MODE": "auto", "REFLECTTY_PROFILE": "fast"}, "REFLECTTY_MODE"),
        ("profiles.code.mode", {"REFLECTTY_PROFILE": "code"}, ""),
        ("profiles.code.effort", {"REFLECTTY_PROFILE": "fast"}, "fast"),
        ("profiles.code.extends", {"REFLECTTY_PROFILE": "code"}, ""),
        ("api_key_file", {"OPENAI_API_KEY": "k"}, "OPENAI_API_KEY"),
        ("api_key_file", {"OLLAMA_API_KEY": "k"}, ""),
        ("keys.steer", {}, ""),
        ("templates.t", {}, ""),
    ],
)
def test_what_overrides_a_value_of_the_file_is_found(
    file: Path, key: str, environment: dict[str, str], source: str
) -> None:
    found = find_override(key.split("."), environment, file)

    assert (found.source_name if found else "") == source
