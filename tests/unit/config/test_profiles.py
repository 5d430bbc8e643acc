from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty import config
from reflectty.config import Settings, load_settings
from reflectty.core.errors import UsageError
from reflectty.core.messages import Timeouts

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
model = "file"
effort = "high"
options = { num_ctx = 1, seed = 2 }
timeout = 9

[profiles.code]
model = "code"
mode = "direct"
system = "Be terse."
options = { num_ctx = 3, temperature = 0.5 }
keep_alive = "10m"
timeout = "idle=1"

[profiles.fast]
extends = "code"
model = "fast"
effort = ""

[profiles.near]
host = "near:1"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE, "utf-8")
    return path


@pytest.mark.parametrize(
    ("profile", "environment", "model", "insists"),
    [
        ("", {}, "file", False),
        ("", {"REFLECTTY_MODEL": "env"}, "env", False),
        ("", {"REFLECTTY_PROFILE": "code"}, "code", False),
        ("", {"REFLECTTY_PROFILE": "code", "REFLECTTY_MODEL": "env"}, "env", False),
        ("", {"REFLECTTY_PROFILE": "none"}, "file", False),
        ("code", {}, "code", True),
        ("code", {"REFLECTTY_MODEL": "env"}, "code", True),
        ("fast", {"REFLECTTY_PROFILE": "code"}, "fast", True),
        ("near", {"REFLECTTY_PROFILE": "code"}, "file", False),
        ("near", {"REFLECTTY_MODEL": "env"}, "env", False),
        ("none", {"REFLECTTY_PROFILE": "code"}, "file", False),
    ],
)
def test_explicit_profile_takes_precedence(
    file: Path, profile: str, environment: dict[str, str], model: str, insists: bool
) -> None:
    settings = load_settings(environment, file, profile)

    assert (settings.model, settings.is_model_explicit) == (model, insists)


def test_environment_overrides_the_profile_in_the_file(file: Path) -> None:
    file.write_text(f'profile = "code"\n{FILE}', "utf-8")

    assert load_settings({}, file).model == "code"
    assert load_settings({"REFLECTTY_PROFILE": "fast"}, file).model == "fast"
    assert load_settings({"REFLECTTY_PROFILE": "none"}, file).model == "file"
    assert load_settings({}, file, "none").model == "file"


def test_profile_replaces_values_and_extends_options_and_timeouts(file: Path) -> None:
    settings = load_settings({}, file, "code")

    assert settings == Settings(
        model="code",
        mode="direct",
        effort="high",
        system="Be terse.",
        options=(("num_ctx", 3), ("seed", 2), ("temperature", 0.5)),
        keep_alive="10m",
        timeouts=Timeouts(5, 9, 1),
        profile="code",
        is_model_explicit=True,
        user_configured=True,
    )


def test_profile_extends_another_and_empty_text_restores_the_default(file: Path) -> None:
    settings = load_settings({}, file, "fast")

    assert (settings.model, settings.mode, settings.effort) == ("fast", "direct", "")


def test_profile_that_sets_the_host_makes_it_explicit(file: Path) -> None:
    assert load_settings({"OLLAMA_HOST": "env"}, file, "near").host == "near:1"
    assert load_settings({"OLLAMA_HOST": "env"}, file, "near").is_server_explicit
    assert not load_settings({"OLLAMA_HOST": "env"}, file, "code").is_server_explicit


@pytest.mark.parametrize(
    ("profile", "engine", "environment", "host"),
    [
        ("", "", {"OLLAMA_HOST": "env"}, "env"),
        ("cluster", "", {"OLLAMA_HOST": "env"}, "far:8000"),
        ("big", "", {"OLLAMA_HOST": "env"}, ""),
        ("big", "", {"OLLAMA_HOST": "env", "REFLECTTY_HOST": "other"}, "other"),
        ("cluster", "ollama", {"OLLAMA_HOST": "env"}, "far:8000"),
        ("big", "ollama", {"OLLAMA_HOST": "env"}, "env"),
    ],
)
def test_ollama_host_does_not_apply_to_a_profile_with_another_engine(
    tmp_path: Path, profile: str, engine: str, environment: dict[str, str], host: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[profiles.cluster]\nengine = 'openai'\nhost = 'far:8000'\n[profiles.big]\nengine = 'openai'\n")
    settings = load_settings(environment, path, profile, engine)

    assert (settings.host, settings.engine) == (host, engine or ("openai" if profile else "ollama"))


def test_profile_names_are_listed(file: Path) -> None:
    assert config.profile_names(file) == ("code", "fast", "near")
    assert config.profile_names(file.with_name("none")) == ()


@pytest.mark.parametrize(
    ("text", "profile", "message", "hint"),
    [
        (FILE, "cod", "--profile: unknown profile 'cod'", "did you mean code?"),
        (FILE, "zzz", "--profile: unknown profile 'zzz'", "choose from code, fast, near"),
        ("", "code", "--profile: unknown profile 'code'", "reflect config set profiles.NAME.model MODEL"),
        (FILE, "../code", "--profile: '../code' is not a valid name", "letters, digits"),
        (FILE, "\x1b[31m", "is not a valid name", "letters, digits"),
        (FILE, "a" * 65, "is not a valid name", "letters, digits"),
        ("profile = 'x'", "", "{path}: profile: unknown profile 'x'", ""),
        ("profile = 1", "", "{path}: profile must be a quoted string", ""),
        ("profiles = 1", "x", "{path}: profiles must be a table", "[profiles.NAME]"),
        ("[profiles]\nx = 1", "x", "{path}: profiles.x must be a table", "[profiles.NAME]"),
        ("[profiles.x]\nmodle = 'm'", "x", "{path}: profiles.x: unknown profile setting 'modle'", "model"),
        ("[profiles.x]\nstore = true", "x", "unknown profile setting 'store'", "choose from model, host"),
        ("[profiles.x]\napi_key = 'k'", "x", "unknown profile setting 'api_key'", "OLLAMA_API_KEY"),
        ("[profiles.x]\nmodel = 1", "x", "{path}: profiles.x.model must be a quoted string", ""),
        ("[profiles.x]\neffort = 'huge'", "x", "profiles.x.effort 'huge' is not an effort", "low, medium"),
        ("[profiles.x]\nfamily = 'thnik'", "x", "profiles.x.family 'thnik' is not a family", "did you mean think"),
        ("[profiles.x]\nengine = 'opnai'", "x", "profiles.x.engine 'opnai' is not an engine", "ollama, openai"),
        ("[profiles.x]\noptions = 1", "x", "profiles.x.options must be a table", "num_ctx"),
        ("[profiles.x.options]\nnum_ctx = 'k'", "x", "profiles.x.options.num_ctx takes a whole number", ""),
        ("[profiles.x.options]\nnumctx = 1", "x", "profiles.x.options.numctx: Ollama has no option", "num_ctx"),
        ("[profiles.x.options]\nstop = [1]", "x", "profiles.x.options.stop takes a string", ""),
        ("[profiles.x]\nkeep_alive = true", "x", "profiles.x.keep_alive must be a duration", ""),
        ("[profiles.x]\ntemplate = 'a/b'", "x", "profiles.x.template: 'a/b' is not a valid name", ""),
        ("[profiles.x]\nextends = 'y'", "x", "profiles.x.extends: unknown profile 'y'", "choose from x"),
        ("[profiles.x]\nextends = 1", "x", "profiles.x.extends: unknown profile 1", ""),
        ("[profiles.x]\nextends = 'x'", "x", "profile x extends itself: x > x", ""),
        ("[profiles.x]\nextends = 'y'\n[profiles.y]\nextends = 'x'", "x", "extends itself: x > y > x", ""),
    ],
)
def test_mistake_in_a_profile_is_reported(tmp_path: Path, text: str, profile: str, message: str, hint: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError) as refused:
        load_settings({}, path, profile)

    assert message.format(path=path) in str(refused.value)
    assert hint in refused.value.hint


def test_unknown_profile_error_names_the_variable(file: Path) -> None:
    with pytest.raises(UsageError, match="REFLECTTY_PROFILE: unknown profile 'cod'"):
        load_settings({"REFLECTTY_PROFILE": "cod"}, file)


def test_unused_invalid_profile_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[profiles.x]\nmodle = 1", "utf-8")

    assert load_settings({}, path) == Settings()
