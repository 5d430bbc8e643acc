"""The choice of the server and its key: from the file, the environment and the engine of this call."""

from __future__ import annotations

from pathlib import Path

import pytest

from reflectty.config import Settings, load_api_key, load_settings
from reflectty.core.errors import UsageError

NOWHERE = Path("nowhere.toml")
OLLAMA = {"OLLAMA_HOST": "ollama", "OLLAMA_API_KEY": "of-ollama"}
CLUSTER = {"REFLECTTY_API_KEY": "of-reflectty", "OPENAI_API_KEY": "of-openai"}


def given(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "environment", "engine", "host"),
    [
        ("", OLLAMA, "", "ollama"),
        ("host = 'file'", {}, "", "file"),
        ("host = 'file'", OLLAMA, "", "ollama"),
        ("host = 'file'", OLLAMA | {"REFLECTTY_HOST": "cluster"}, "", "cluster"),
        ("", OLLAMA, "openai", ""),
        ("host = 'file'", OLLAMA, "openai", "file"),
        ("host = 'file'", OLLAMA | {"REFLECTTY_HOST": "cluster"}, "openai", "cluster"),
        ("host = 'file'\nengine = 'openai'", OLLAMA, "", "file"),
        ("host = 'file'", OLLAMA | {"REFLECTTY_ENGINE": "openai"}, "", "file"),
        ("host = 'file'\nengine = 'openai'", OLLAMA, "ollama", "ollama"),
    ],
)
def test_ollama_host_applies_to_ollama_only(
    tmp_path: Path, text: str, environment: dict[str, str], engine: str, host: str
) -> None:
    settings = load_settings(environment, given(tmp_path, text), engine=engine)

    assert settings.host == host
    assert settings.engine == (engine or settings.engine)


@pytest.mark.parametrize(
    ("environment", "engine", "key"),
    [
        (OLLAMA | CLUSTER, "", "of-ollama"),
        (OLLAMA | CLUSTER, "openai", "of-reflectty"),
        (OLLAMA | {"OPENAI_API_KEY": "of-openai"}, "openai", "of-openai"),
        (OLLAMA, "openai", ""),
        (CLUSTER, "", ""),
        (CLUSTER, "ollama", ""),
    ],
)
def test_api_key_is_used_only_for_its_kind_of_server(environment: dict[str, str], engine: str, key: str) -> None:
    assert load_api_key(load_settings(environment, NOWHERE, engine=engine)) == key


def test_key_file_is_read_only_for_its_server_and_without_a_variable(tmp_path: Path) -> None:
    settings = Settings(engine="openai", api_key_file=str(tmp_path / "missing"))

    assert load_api_key(settings._replace(cluster_key="k")) == "k"
    assert load_api_key(settings._replace(engine="ollama")) == ""
    with pytest.raises(UsageError, match="no such file"):
        load_api_key(settings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("engine = 'vllm'", "'vllm' is not an engine"),
        ("engine = 1", "engine must be a quoted string"),
        ("api_key_file = true", "api_key_file must be a quoted string"),
        ("api_key_over_http = 'yes'", "api_key_over_http must be true or false"),
    ],
)
def test_invalid_server_settings_are_reported(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load_settings({}, given(tmp_path, text))
