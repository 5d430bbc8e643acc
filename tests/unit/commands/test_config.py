from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from reflectty import config
from support.config_home import CONTROLS, Outcome, home, run, write, writing_editor

if TYPE_CHECKING:
    from pathlib import Path

FILE = "# Mine.\nmodel = 'm'\n\n[profiles.code]\nmodel = 'c'\n"


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the settings; it is not there yet."""
    return home(tmp_path, monkeypatch)


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that says what the editor writes."""
    return writing_editor(tmp_path, monkeypatch)


@pytest.mark.parametrize("words", [("config",), ("config", "show"), ("config", "--json")])
def test_all_settings_are_shown_if_none_is_set(words: tuple[str, ...]) -> None:
    done = run(*words)

    assert (done.code, done.err) == (0, "")
    for setting in config.SETTINGS:
        assert setting.key in done.out


def test_each_setting_is_shown_with_its_origin(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, FILE)
    monkeypatch.setenv("REFLECTTY_THEME", "ink")
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in run("config", "--profile", "code").out.splitlines()}

    assert lines["model"].split() == ["profile", "(code)", "c"]
    assert lines["theme"].split() == ["environment", "(REFLECTTY_THEME)", "ink"]
    assert lines["profile"].split() == ["flag", "(--profile)", "code"]
    assert lines["profiles"].split() == ["file", "code"]
    assert lines["host"].split() == ["default", "127.0.0.1:11434"]
    assert lines["timeout"].split() == ["default", "connect=5,first=300,idle=120"]


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "s3cret")
    monkeypatch.setenv("OLLAMA_HOST", "https://me:s3cret@host:1/path")
    done = run("config", "show", *words)

    assert "s3cret" not in done.out + done.err
    assert "https://me:***@host:1/path" in done.out
    if words:
        found = {one["key"]: one for one in json.loads(done.out)}
        assert found["api_key"] == {"key": "api_key", "value": True, "from": "environment", "name": "OLLAMA_API_KEY"}
        assert found["timeout"]["value"] == {"connect": 5.0, "first": 300.0, "idle": 120.0}
    else:
        assert "set (hidden)" in done.out


def test_control_characters_in_the_file_are_escaped(path: Path) -> None:
    write(path, 'model = "\\u001b]0;title\\u0007\\u202etxt"\nsystem = """a\nb\\u001b[31m"""\n')
    done = run("config", tty=True)

    assert done.code == 0
    assert not CONTROLS.search(done.out)
    assert "^[]0;title^G" in done.out


def test_invalid_file_is_named_with_a_hint(path: Path) -> None:
    write(path, "modle = 'm'\n")
    assert run("config") == Outcome(2, "", f"reflect: {path}: unknown setting 'modle' (did you mean mode or model?)\n")
    write(path, "model = \n")
    assert "fix it with `reflect config edit`" in run("config").err


def test_path_is_printed(path: Path) -> None:
    assert run("config", "path") == Outcome(0, f"{path}\n", "")
    assert not path.exists()


def test_value_is_set_used_and_unset(path: Path) -> None:
    write(path, FILE)

    assert run("config", "set", "system", "Be", "terse.") == Outcome(0, "", "")
    assert config.load_settings({}, path).system == "Be terse."
    assert path.read_text("utf-8") == FILE.replace("'m'\n", "'m'\nsystem = \"Be terse.\"\n")
    assert run("config", "unset", "system").code == 0
    assert path.read_text("utf-8") == FILE
    assert run("config", "unset", "profiles.code").code == 0
    assert path.read_text("utf-8") == "# Mine.\nmodel = 'm'\n\n"


def test_changes_are_confirmed_on_a_terminal(path: Path) -> None:
    assert run("config", "set", "model", "m", tty=True).err == f"reflect: set model in {path}\n"
    assert run("config", "unset", "model", tty=True).err == f"reflect: removed model from {path}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "modle", "x"), "unknown setting 'modle' (did you mean mode or model?)"),
        (("set", "mode", "never"), "mode 'never' is not a mode (choose from auto, native, reflect, direct)"),
        (("set", "keys.stear", "f9"), "unknown action 'stear' (did you mean steer"),
        (("set", "keys.steer", "x"), "steer: 'x' types a character"),
        (("set", "profile", "cod"), "profile: unknown profile 'cod' (did you mean code?)"),
        (("set", "profiles.code.extends", "code"), "profile code extends itself"),
        (("set", "model.x", "1"), "model.x is not a setting"),
        (("set", "model"), "missing argument 'VALUE...'"),
        (("unset", "modl"), "modl is not set (did you mean model"),
        (("unset", "zzz"), "zzz is not set (the file sets model, profiles.code.model)"),
        (("unset", "model.x"), "model.x is not set"),
        (("sett", "model", "x"), "no such command 'sett'"),
    ],
)
def test_invalid_change_leaves_the_file_alone(path: Path, words: tuple[str, ...], said: str) -> None:
    write(path, FILE)
    done = run("config", *words)

    assert (done.code, done.out) == (2, "")
    assert said.casefold() in done.err.casefold()
    assert path.read_text("utf-8") == FILE


def test_profile_in_use_cannot_be_removed(path: Path) -> None:
    write(path, f"profile = 'code'\n{FILE}")

    assert "unknown profile 'code'" in run("config", "unset", "profiles.code").err
    assert config.load_settings({}, path).profile == "code"


@pytest.mark.parametrize("words", [("set", "store", "off"), ("unset", "modle")])
def test_other_mistakes_do_not_prevent_a_change_and_are_reported(path: Path, words: tuple[str, ...]) -> None:
    write(path, "modle = 'm'\nmode = 'never'\n")
    done = run("config", *words)

    assert done.code == 0
    assert f"reflect: still invalid: {path}: mode 'never' is not a mode" in done.err


def test_invalid_toml_is_not_changed(path: Path) -> None:
    write(path, "model = \n")
    for words in (("set", "store", "off"), ("unset", "model")):
        done = run("config", *words)
        assert (done.code, path.read_text("utf-8")) == (2, "model = \n")
        assert "fix it with `reflect config edit`" in done.err


def test_edit_starts_with_valid_examples(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "true")
    assert run("config", "edit", tty=True).err == f"reflect: {path} is valid\n"
    text = path.read_text("utf-8")
    assert config.load_settings({}, path) == config.Settings()

    # Every example is one: taken out of its comment, it holds.
    path.write_text(re.sub(r"^# (?=[\w\[])(?!Settings of)", "", text, flags=re.MULTILINE), "utf-8")
    settings = config.load_settings({}, path, "code")
    assert (settings.options, settings.model, settings.timeouts.first) == ((("num_ctx", 8192),), "qwen3", 600)


@pytest.mark.parametrize(("typed", "code"), [(b"n\n", 2), (b"\n", 0), (b"y\n", 0), (b"", 2), (b"y", 2)])
def test_invalid_edit_is_saved_and_can_be_edited_again(path: Path, editor: Path, typed: bytes, code: int) -> None:
    editor.write_text("mode = 'never'\nmode = 'direct'\n", "utf-8")
    done = run("config", "edit", tty=True, typed=typed)

    assert done.code == code
    assert f"reflect: {path}: mode 'never' is not a mode (choose from" in done.err
    assert path.read_text("utf-8") == ("mode = 'direct'\n" if code == 0 else "mode = 'never'\n")
    assert done.err.endswith(
        "is valid\n" if code == 0 else "(your edit is saved: run `reflect config edit` to continue)\n"
    )


@pytest.mark.parametrize("wrong", ["mode = 'never'", "keys.stear = 'f9'", "[profiles.x]; y = 1", "a = \\ud800", "fail"])
def test_invalid_edit_exits_with_2_without_a_terminal(path: Path, editor: Path, wrong: str) -> None:
    editor.write_text(f"{wrong}\n", "utf-8")
    done = run("config", "edit")

    assert (done.code, done.out) == (2, "")
    assert "Edit again" not in done.err
    assert path.exists()


def test_directory_in_place_of_the_file_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "true")
    path.mkdir(parents=True)
    for words in ((), ("set", "model", "m"), ("unset", "model"), ("edit",)):
        done = run("config", *words)
        assert done.code == 2
        assert "cannot be read: is a directory" in done.err
