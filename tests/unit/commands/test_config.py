from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from reflectty import config
from support.config_home import CONTROLS, Outcome, home, run, write, writing_editor

if TYPE_CHECKING:
    from pathlib import Path

GET_FILE = """
model = "m"
timeout = 60
system = "a\\nb"
hosts = ["a", "b"]
options = { num_ctx = 1, stop = ["x", "y"] }
keys.steer = "f9"

[profiles.code]
model = "c"
host = "https://me:s3cret@box"
options.seed = 2

[profiles.fast]
extends = "code"

[templates]
t = "x {input}"
"""
FILE = "# Mine.\nmodel = 'm'\n\n[profiles.code]\nmodel = 'c'\n"


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the settings file, which does not exist yet."""
    return home(tmp_path, monkeypatch)


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the text that the editor writes."""
    return writing_editor(tmp_path, monkeypatch)


@pytest.mark.parametrize("words", [("config",), ("config", "show"), ("config", "list"), ("config", "--json")])
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
        (("set", "theme", "pink"), "theme: unknown theme pink (choose from "),
        (("set", "host", "not a host"), "host: 'not a host' is not a valid host (write it as"),
        (("set", "template", "nope"), "template: unknown template 'nope' (create it with"),
        (("set", "model", ""), "model must not be empty (`reflect config unset model`"),
        (("set", "hosts", '["a:1"'), "is not a list of strings"),
        (("set", "profiles.code.keep_alive", "soon"), "keep_alive 'soon' is not a duration"),
        (("set", "keys.steer", "ctrl+c"), "ctrl+c is "),
        (("set", "keys.stear", "f9"), "unknown action 'stear' (did you mean steer"),
        (("set", "keys.steer", "x"), "steer: 'x' types a character"),
        (("set", "profile", "cod"), "profile: unknown profile 'cod' (did you mean code?)"),
        (("set", "profiles.code.extends", "code"), "profile code extends itself"),
        (("set", "model.x", "1"), "model.x is not a setting"),
        (("set", "model"), "needs VALUE"),
        (("unset", "modl"), "modl is not set (did you mean model"),
        (("unset", "zzz"), "zzz is not set (the file sets model, profiles.code.model)"),
        (("unset", "model.x"), "model.x is not set"),
        (("sett", "model", "x"), "has no command 'sett'"),
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

    # Every example is valid once its comment sign is removed.
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


def test_one_key_for_two_actions_is_refused(path: Path) -> None:
    write(path, "keys.steer = 'f9'\n")
    done = run("config", "set", "keys.save", "f9")

    assert done.code == 2
    assert "f9 is assigned to" in done.err.casefold()


def test_removing_what_is_referred_to_is_refused(path: Path) -> None:
    write(path, "template = 'review'\n[templates]\nreview = 'x'\n")
    assert "template: unknown template 'review'" in run("config", "unset", "templates.review").err
    assert "review = " in path.read_text("utf-8")


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_show_warns_of_values_that_cannot_be_used_once(path: Path, flags: tuple[str, ...]) -> None:
    write(path, "theme = 'pink'\n[profiles.a]\nhost = 'not a host'\n")
    done = run("config", "show", *flags)

    assert done.code == 0
    assert "pink" in done.out
    assert [line.split(" (")[0] for line in done.err.splitlines()] == [
        f"reflect: {path}: theme: unknown theme pink",
        f"reflect: {path}: profiles.a.host: 'not a host' is not a valid host",
    ]


def test_edit_reports_values_that_cannot_be_used(path: Path, editor: Path) -> None:
    editor.write_text("theme = 'pink'\n", "utf-8")
    done = run("config", "edit")

    assert done.code == 2
    assert f"reflect: {path}: theme: unknown theme pink" in done.err


def test_set_says_what_overrides_the_value(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, "profile = 'code'\n[profiles.code]\nmodel = 'c'\n")
    said = "reflect: profile code is in use and overrides model (set profiles.code.model instead)\n"
    assert run("config", "set", "model", "m") == Outcome(0, "", said)

    monkeypatch.setenv("OLLAMA_HOST", "box")
    said = "reflect: OLLAMA_HOST is set and overrides host (unset OLLAMA_HOST)\n"
    assert run("config", "set", "host", "gpu1") == Outcome(0, "", said)
    assert run("config", "set", "profiles.code.system", "x") == Outcome(0, "", "")


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (("model",), "m"),
        (("model", "--profile", "code"), "c"),
        (("mode",), "auto"),
        (("host",), "127.0.0.1:11434"),
        (("timeout",), "connect=5,first=60,idle=60"),
        (("store",), "true"),
        (("system",), "a b"),
        (("hosts",), "a, b"),
        (("options",), "num_ctx=1, stop=x, y"),
        (("options.num_ctx",), "1"),
        (("keys.steer",), "f9"),
        (("profiles",), "code, fast"),
        (("profiles.code.model",), "c"),
        (("profiles.fast.model",), "c"),
        (("profiles.fast.extends",), "code"),
        (("profiles.code.options.seed",), "2"),
        (("profiles.code.options",), "seed=2"),
        (("profiles.fast.options.seed",), "2"),
        (("options", "--profile", "fast"), "num_ctx=1, stop=x, y, seed=2"),
        (("profiles.code.host",), "https://me:***@box"),
        (("templates",), "t"),
        (("templates.t",), "x {input}"),
        (("theme",), "ink"),
    ],
)
def test_get_prints_the_value_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], out: str
) -> None:
    write(path, GET_FILE)
    monkeypatch.setenv("REFLECTTY_THEME", "ink")

    assert run("config", "get", *words) == Outcome(0, f"{out}\n", "")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("effort", "effort is not set (default: the model's default)"),
        ("family", "family is not set (default: from the model)"),
        ("template", "template is not set (set it with `reflect config set template VALUE`)"),
        ("options.seed", "options.seed is not set (set it with `reflect config set options.seed VALUE`)"),
        ("options.sed", "unknown option 'sed' (did you mean seed?)"),
        ("keys.save", "keys.save is not set"),
        ("keys.svae", "unknown action 'svae' (did you mean save"),
        ("profiles.code", "profiles.code is a table (name one of its entries: profiles.code.KEY)"),
        ("profiles.code.effort", "profiles.code.effort is not set"),
        ("profiles.code.options.num_ctx", "profiles.code.options.num_ctx is not set"),
        ("profiles.code.mode.x", "mode.x is not a setting"),
        ("profiles.code.theme", "unknown setting 'profiles.code.theme'"),
        ("profiles.code.extends", "profiles.code.extends is not set"),
        ("profiles.cod.model", "profiles.cod.model: unknown profile 'cod' (did you mean code?)"),
        ("templates.u", "templates.u: unknown template 'u' (choose from t)"),
        ("modle", "unknown setting 'modle' (did you mean mode or model?)"),
        ("model.x", "model.x is not a setting"),
        ("keys.steer.x", "keys.steer.x is not a setting"),
        ("", "'' is not a key"),
    ],
)
def test_get_of_what_has_no_value_exits_with_2(path: Path, key: str, said: str) -> None:
    write(path, GET_FILE)
    done = run("config", "get", key)

    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_get_as_json_has_the_form_of_show(path: Path) -> None:
    write(path, GET_FILE)
    shown = {one["key"]: one for one in json.loads(run("config", "show", "--json").out)}

    for key in ("model", "effort", "timeout", "hosts", "options.num_ctx", "profiles", "api_key"):
        assert json.loads(run("config", "get", key, "--json").out) == shown[key]
    assert json.loads(run("config", "get", "options", "--json").out)["value"] == {"num_ctx": 1, "stop": ["x", "y"]}


def test_get_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "s3cret")
    done = run("config", "get", "api_key")

    assert (done.code, done.out) == (2, "")
    assert "api_key is never shown (it is set" in done.err
    assert "s3cret" not in done.err


def test_settings_are_explained_on_a_wide_terminal(path: Path) -> None:
    write(path, "keys.steer = 'f9'\n")
    wide, narrow, piped = run("config", tty=True, width=140), run("config", tty=True, width=80), run("config")

    assert re.search(r"^keep_alive .* how long the model stays loaded$", wide.out, re.MULTILINE)
    assert len({line.find("the ") for line in wide.out.splitlines() if line.startswith(("host ", "system "))}) == 1
    assert max(map(len, wide.out.splitlines())) < 140
    assert "stays loaded" not in narrow.out + piped.out


def test_schema_of_the_file_is_printed() -> None:
    done = run("config", "schema")

    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["properties"]["model"]["type"] == "string"
