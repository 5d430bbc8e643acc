from __future__ import annotations

import pytest

from reflectty import config
from reflectty.chat import Timeouts
from reflectty.config import load, parse_timeouts
from reflectty.errors import UsageError


def test_without_an_environment_there_are_defaults() -> None:
    assert load({}) == config.Settings()


def test_the_environment_overrides_defaults() -> None:
    settings = load({"REFLECTTY_MODEL": "m", "OLLAMA_HOST": "h", "REFLECTTY_MODE": "direct", "REFLECTTY_TIMEOUT": "9"})

    assert ("m", "h", "direct", Timeouts(5, 9, 9)) == (settings.model, settings.host, settings.mode, settings.timeouts)


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


def test_what_is_remembered_is_new_once(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert [config.first_time("asked", name) for name in ("a", "b", "a")] == [True, True, False]


def test_where_nothing_can_be_written_everything_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")

    assert config.first_time("asked", "a")
    assert config.first_time("asked", "a")
