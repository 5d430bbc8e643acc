from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from reflectty.config.usability import find_unusable_in
from support.config_home import home, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the settings file, which does not exist yet."""
    return home(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theme = 'pink'", "config.toml: theme: unknown theme pink"),
        ("theme = '../ink'", "theme: '../ink' is not a valid theme name"),
        ("host = 'not a host'", "config.toml: host: 'not a host' is not a valid host"),
        ("host = 'gpu:99999'", "host: '99999' is not a port"),
        ("host = 'ftp://gpu'", "host: ftp:// is not supported"),
        ("hosts = ['gpu1', 'gpu 2']", "hosts: 'gpu 2' is not a valid host"),
        ("template = 'nope'", "config.toml: template: unknown template 'nope'"),
        ("model = '  '", "config.toml: model is blank"),
        ("keep_alive = 'soon'", "keep_alive 'soon' is not a duration"),
        ("keep_alive = '5 m'", "keep_alive '5 m' is not a duration"),
        ("api_key_file = '/nowhere/key'", "api_key_file: /nowhere/key: no such file"),
        ("api_key_file = '~nobody-of-that-name/key'", "api_key_file: there is no home folder"),
        ("profiles.a.host = 'not a host'", "config.toml: profiles.a.host: 'not a host' is not"),
        ("profiles.a.template = 'nope'", "profiles.a.template: unknown template 'nope'"),
    ],
)
def test_values_that_later_commands_refuse_are_found(path: Path, text: str, said: str) -> None:
    (error,) = find_unusable_in(tomllib.loads(text), path, {})

    assert said in str(error)
    assert error.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "theme = 'ink'",
        "theme = 'terminal'",
        "theme = 'mine'",
        "host = ''",
        "host = 'http://me:s3cret@gpu1:80/path'",
        "hosts = ['[::1]:8000', 'unix:///run/ollama.sock']",
        "template = 'none'",
        "template = 'file'",
        "template = 'own'\ntemplates.own = 'x'",
        "model = ''",
        "profiles.a.model = ''",
        "keep_alive = -1",
        "keep_alive = '1.5'",
        "keep_alive = '1h30m'",
        "api_key_file = '~/key'",
        "model = 1",
        "modle = ' '",
        "profiles = 1",
        "templates = 1",
        "profiles.a = 1",
    ],
)
def test_usable_values_and_malformed_ones_pass(path: Path, text: str) -> None:
    write(path.parent / "themes" / "mine.toml", _theme_text())
    write(path.parent / "templates" / "file.md", "x")
    key = path.parents[1] / "key"
    key.write_text("k\n", "utf-8")
    key.chmod(0o600)

    assert find_unusable_in(tomllib.loads(text), path, {}) == ()


def _theme_text() -> str:
    from reflectty.system.assets import find_asset_folder

    return (find_asset_folder("themes") / "ink.toml").read_text("utf-8")


def test_variables_are_checked(path: Path) -> None:
    found = find_unusable_in({}, path, {"REFLECTTY_THEME": "pink", "OLLAMA_HOST": "a b", "REFLECTTY_MODEL": "m"})

    assert [str(error).partition(":")[0] for error in found] == ["OLLAMA_HOST", "REFLECTTY_THEME"]


def test_an_unknown_template_is_named_with_those_that_exist(path: Path) -> None:
    (error,) = find_unusable_in({"template": "reveiw", "templates": {"review": "x"}}, path, {})

    assert error.hint == "did you mean review?"
