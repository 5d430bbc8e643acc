from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import pytest

from reflectty import config
from reflectty.config import Settings, load_settings, parse_timeouts
from reflectty.core.errors import UsageError
from reflectty.core.messages import Timeouts
from reflectty.reasoning.modes import Mode
from reflectty.system import paths

if TYPE_CHECKING:
    from collections.abc import Callable

NOWHERE = Path("nowhere.toml")


@pytest.fixture(name="home")
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty home, without variables that place files elsewhere."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_defaults_apply_if_nothing_is_set() -> None:
    assert load_settings({}, NOWHERE) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("REFLECTTY_MODEL", "m", "model", "m"),
        ("OLLAMA_HOST", "h", "host", "h"),
        ("OLLAMA_API_KEY", "k", "api_key", "k"),
        ("REFLECTTY_MODE", "direct", "mode", "direct"),
        ("REFLECTTY_THEME", "ink", "theme", "ink"),
        ("REFLECTTY_THINKING", "peek", "thinking", "peek"),
        ("REFLECTTY_STORE", "0", "store", False),
        ("REFLECTTY_STORE", "1", "store", True),
        ("REFLECTTY_ANIMATION", "0", "animation", False),
        ("REFLECTTY_NOTIFY", "off", "notify", "off"),
        ("REFLECTTY_TIMEOUT", "9", "timeouts", Timeouts(5, 9, 9)),
    ],
)
def test_environment_variables_set_values(variable: str, text: str, field: str, value: object) -> None:
    assert getattr(load_settings({variable: text}, NOWHERE), field) == value
    assert load_settings({variable: ""}, NOWHERE) == Settings()


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("model = 'm'", "model", "m"),
        ("host = 'h'", "host", "h"),
        ("hosts = ['h', 'g:1']", "hosts", ("h", "g:1")),
        ("hosts = 'h'", "hosts", ("h",)),
        ("mode = 'reflect'", "mode", "reflect"),
        ("theme = 'ink'", "theme", "ink"),
        ("timeout = 9", "timeouts", Timeouts(5, 9, 9)),
        ("timeout = 0.5", "timeouts", Timeouts(5, 0.5, 0.5)),
        ("timeout = 'first=600,idle=30'", "timeouts", Timeouts(5, 600, 30)),
        ("store = false", "store", False),
        ("thinking = 'folded'", "thinking", "folded"),
        ("animation = false", "animation", False),
        ("notify_after = 5", "notify_after", 5.0),
        ("[keys]\nsteer = 'alt+x'", "keys", (("steer", ("alt+x",)),)),
        ("[keys]\nsteer = ['f9', 'f10']", "keys", (("steer", ("f9", "f10")),)),
        ("keys.steer = ''\nkeys.edit = []", "keys", (("steer", ()), ("edit", ()))),
        ("\ufeffmodel = 'm'", "model", "m"),
    ],
)
def test_file_sets_values(write: Callable[[str], Path], line: str, field: str, value: object) -> None:
    settings = load_settings({}, write(line))

    assert getattr(settings, field) == value
    assert (
        settings._replace(**{field: getattr(Settings(), field)}, is_theme_chosen=False, user_configured=False)
        == Settings()
    )


@pytest.mark.parametrize("line", ["", "# nothing", "model = ''", "thinking = ''", "mode = ''", "theme = ''", "[keys]"])
def test_empty_file_changes_nothing(write: Callable[[str], Path], line: str) -> None:
    assert load_settings({}, write(line)) == Settings()


def test_environment_overrides_the_file(write: Callable[[str], Path]) -> None:
    file = write("model = 'file'\nmode = 'direct'\nstore = true\ntimeout = 'first=1,idle=2'")
    settings = load_settings({"REFLECTTY_MODEL": "here", "REFLECTTY_STORE": "0", "REFLECTTY_TIMEOUT": "idle=3"}, file)

    assert (settings.model, settings.mode, settings.store) == ("here", "direct", False)
    assert settings.timeouts == Timeouts(5, 1, 3)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("modle = 'm'", "unknown setting 'modle'", "did you mean mode"),
        ("zzzz = 1", "unknown setting 'zzzz'", "choose from model, host"),
        ("api_key = 'k'", "unknown setting 'api_key'", "OLLAMA_API_KEY"),
        ("model = 1", "model must be a quoted string", ""),
        ("mode = 'never'", "mode 'never' is not a mode", "auto, native, reflect, direct"),
        ("mode = 7", "mode must be a quoted string", ""),
        ("thinking = 'loud'", "thinking 'loud' is not a way", "live, peek, folded, off"),
        ("store = 1", "store must be true or false", ""),
        ("animation = 'no'", "animation must be true or false", ""),
        ("notify_after = '5'", "notify_after must be a number of seconds", ""),
        ("notify_after = -1", "notify_after must be a number of seconds", ""),
        ("timeout = true", "timeout must be seconds", ""),
        ("timeout = [1]", "timeout must be seconds", ""),
        ("timeout = 0", "timeout '0' is not a duration", "connect=5"),
        ("timeout = inf", "timeout 'inf' is not a duration", "connect=5"),
        ("keys = 'alt+s'", "keys must be a table", "[keys]"),
        ("keys.steer = 1", "keys.steer must be a quoted key", ""),
        ("keys.steer = ['f1', 1]", "keys.steer must be a quoted key", ""),
        ("model = m", "line 1", ""),
        ("model = 'a'\nmodel = 'b'\n", "line 2", ""),
        ("a = " + "[" * 100_000, "", ""),
    ],
)
def test_mistake_in_the_file_is_reported(write: Callable[[str], Path], text: str, message: str, hint: str) -> None:
    path = write(text)
    with pytest.raises(UsageError) as refused:
        load_settings({}, path)

    assert str(refused.value).startswith(f"{path}: ")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert hint in refused.value.hint


def test_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes("model = 'é'".encode("latin-1"))
    with pytest.raises(UsageError, match=": not UTF-8"):
        load_settings({}, path)


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: is a directory"):
        load_settings({}, tmp_path)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("REFLECTTY_STORE", "yes"),
        ("REFLECTTY_ANIMATION", "2"),
        ("REFLECTTY_THINKING", "loud"),
        ("REFLECTTY_MODE", "never"),
        ("REFLECTTY_TIMEOUT", "soon"),
    ],
)
def test_mistake_in_the_environment_is_reported(variable: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"{variable}.*{text}"):
        load_settings({variable: text}, NOWHERE)


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_can_be_set(mode: Mode) -> None:
    assert load_settings({"REFLECTTY_MODE": mode}, NOWHERE).mode == mode


@pytest.mark.usefixtures("home")
def test_the_file_is_found_in_the_home(home: Path) -> None:
    path = home / ".config/reflectty/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("model = 'mine'", "utf-8")

    assert config.config_path() == path
    assert load_settings({}).model == "mine"


@pytest.mark.parametrize(
    ("kind", "base", "home"),
    [
        ("config", None, "/home/me"),
        ("data", None, "/home/me/"),
        ("state", None, "/"),
        ("config", None, None),
        ("data", None, ""),
        ("state", None, "relative"),
        ("config", "", "/home/me"),
        ("data", "/elsewhere", "/home/me"),
        ("state", "/elsewhere/", "/home/me"),
        ("config", "/elsewhere", None),
        ("data", "relative", "/home/me"),
        ("state", " ", "/home/me"),
    ],
)
def test_folders_match_platformdirs(
    monkeypatch: pytest.MonkeyPatch, kind: str, base: str | None, home: str | None
) -> None:
    for name, value in ((f"XDG_{kind.upper()}_HOME", base), ("HOME", home)):
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    paths = {"config": config.config_path().parent, "data": config.store_path().parent, "state": config.state_folder()}

    assert paths[kind] == Path(getattr(platformdirs, f"user_{kind}_dir")("reflectty"))


def test_themes_folder_is_next_to_the_settings(home: Path) -> None:
    assert paths.themes_folder() == config.config_path().with_name("themes")
    assert paths.themes_folder().is_relative_to(home) or sys.platform != "linux"


@pytest.mark.parametrize(
    ("text", "timeouts"),
    [
        ("", Timeouts()),
        ("60", Timeouts(5, 60, 60)),
        ("first=600,idle=30", Timeouts(5, 600, 30)),
        (" connect=0.5 , 10 ", Timeouts(0.5, 10, 10)),
    ],
)
def test_timeouts_are_read(text: str, timeouts: Timeouts) -> None:
    assert timeouts == parse_timeouts(text, Timeouts())


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan", "idle=", "last=3"])
def test_timeouts_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_timeouts(text, Timeouts())


def test_remember_once_is_true_only_the_first_time(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert [config.remember_once("asked", name) for name in ("a", "b", "a")] == [True, True, False]


def test_notice_is_due_again_after_its_interval_and_apart_for_each_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    times = (("a", 0), ("a", 3599), ("b", 3599), ("a", 3600), ("a", 3601), ("b", 3601), ("a", 10), ("a", 11))

    due = [config.is_notice_due(name, 3600, 1_000_000.0 + second) for name, second in times]

    assert due == [True, False, True, True, False, False, True, False]


def test_notices_older_than_a_day_are_forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for day in range(9):
        config.is_notice_due(f"window {day}", 60, day * config.DAY_SECONDS)

    assert (tmp_path / "reflectty/notices").read_text() == f"window 8 {8 * config.DAY_SECONDS:.0f}\n"


def test_notice_is_due_if_its_file_is_unreadable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "reflectty").mkdir()
    (tmp_path / "reflectty/notices").write_bytes(b"a x\n\xff")

    assert config.is_notice_due("a", 60, 0)


def test_remember_once_stays_true_if_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")

    assert config.remember_once("asked", "a")
    assert config.remember_once("asked", "a")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("value", ["ink", "", "a b", "é"])
def test_a_choice_is_remembered(value: str) -> None:
    assert config.recall_choice("theme") == ""
    for chosen in ("before", value):
        config.remember_choice("theme", chosen)

    assert config.recall_choice("theme") == value
    assert config.recall_choice("thinking") == ""
    assert [path.name for path in (config.state_folder() / "chosen").iterdir()] == ["theme"]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("raw", [b"\xff", b"a\nb", b"\x1b[31m", b"a" * 201])
def test_corrupt_choice_is_ignored(raw: bytes) -> None:
    config.remember_choice("theme", "ink")
    (config.state_folder() / "chosen/theme").write_bytes(raw)

    assert config.recall_choice("theme") == ""


def test_choice_is_not_remembered_if_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    config.remember_choice("theme", "ink")

    assert config.recall_choice("theme") == ""


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("environment", "theme", "thinking"),
    [
        ({}, "paper", "peek"),
        ({"REFLECTTY_THEME": "ink"}, "ink", "peek"),
        ({"REFLECTTY_THEME": "terminal"}, "terminal", "peek"),
        ({"REFLECTTY_THINKING": "off"}, "paper", "off"),
    ],
)
def test_remembered_choice_applies_unless_set_explicitly(
    environment: dict[str, str], theme: str, thinking: str
) -> None:
    config.remember_choice("theme", "paper")
    config.remember_choice("thinking", "peek")
    settings = config.with_remembered_choices(load_settings(environment, NOWHERE))

    assert (settings.theme, settings.thinking) == (theme, thinking)


def test_theme_in_the_file_overrides_the_remembered_one(home: Path, write: Callable[[str], Path]) -> None:
    config.remember_choice("theme", "paper")

    assert home.exists()
    assert config.with_remembered_choices(load_settings({}, write("theme = 'terminal'"))).theme == "terminal"


@pytest.mark.usefixtures("home")
def test_settings_are_unchanged_if_nothing_is_remembered() -> None:
    assert config.with_remembered_choices(Settings()) == Settings()


@pytest.mark.usefixtures("home")
def test_invalid_thinking_view_is_not_recalled() -> None:
    config.remember_choice("thinking", "loud")

    assert config.with_remembered_choices(Settings()).thinking == ""
