"""The settings: which there are, and what the file and the environment make of them; flags come on top elsewhere."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from reflectty.chat import Timeouts
from reflectty.config import values
from reflectty.config.document import read
from reflectty.config.places import config_path
from reflectty.config.remembering import remembered
from reflectty.errors import UsageError, near

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reflectty.config.values import Reader

NO_HURRY = Timeouts()
_NO_KEY = "set OLLAMA_API_KEY; the key of an OpenAI-compatible server stands in a file of its own, api_key_file"


class Settings(NamedTuple):
    """What holds for every command unless a flag says otherwise."""

    model: str = ""
    host: str = ""
    engine: str = "ollama"
    """What is spoken with the server."""
    mode: str = "auto"
    api_key: str = ""
    """The key for an Ollama server."""
    cluster_key: str = ""
    """The key for an OpenAI-compatible server: no other one gets it."""
    api_key_file: str = ""
    """Where that key stands, where no variable holds it."""
    api_key_over_http: bool = False
    """Whether it may be sent where it can be read on the way."""
    theme: str = "terminal"
    timeouts: Timeouts = NO_HURRY
    store: bool = True
    """Whether sessions are kept."""
    thinking: str = ""
    """How the chat shows thinking: one of `VIEWS`, or empty where nobody chose."""
    animation: bool = True
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The user's own keys: the name of an action and its keys, none to unbind it."""
    theme_chosen: bool = False
    """Whether the file or the environment names the theme."""


class Setting(NamedTuple):
    """One setting: its key in the file, its field, how its value is read, and the variable that sets it."""

    key: str
    """Empty where the file cannot set it."""
    field: str
    read: Reader
    variable: str = ""
    read_variable: Reader | None = None
    """How the variable is read where that differs."""


SETTINGS = (
    Setting("model", "model", values.text, "REFLECTTY_MODEL"),
    Setting("host", "host", values.text, "OLLAMA_HOST"),
    Setting("", "host", values.text, "REFLECTTY_HOST"),
    Setting("", "api_key", values.text, "OLLAMA_API_KEY"),
    Setting("mode", "mode", values.mode, "REFLECTTY_MODE"),
    Setting("timeout", "timeouts", values.timeouts, "REFLECTTY_TIMEOUT"),
    Setting("engine", "engine", values.engine, "REFLECTTY_ENGINE"),
    Setting("", "cluster_key", values.text, "OPENAI_API_KEY"),
    Setting("", "cluster_key", values.text, "REFLECTTY_API_KEY"),
    Setting("api_key_file", "api_key_file", values.text),
    Setting("api_key_over_http", "api_key_over_http", values.boolean),
    Setting("theme", "theme", values.text, "REFLECTTY_THEME"),
    Setting("thinking", "thinking", values.view, "REFLECTTY_THINKING"),
    Setting("store", "store", values.boolean, "REFLECTTY_STORE", values.switch),
    Setting("animation", "animation", values.boolean, "REFLECTTY_ANIMATION", values.switch),
    Setting("keys", "keys", values.keys),
)
"""All of them, in the order in which they are shown."""
ENTRIES = {setting.key: setting for setting in SETTINGS if setting.key}
"""What the file can set, by its key."""


class Given(NamedTuple):
    """A value that somebody gave a setting, and what that place calls it."""

    setting: Setting
    read: Reader
    value: object
    name: str


def load(environment: Mapping[str, str] | None = None, file: Path | None = None, engine: str = "") -> Settings:
    """Return the settings that the file and the environment give.

    Args:
        environment: the variables; the process's own where none are given.
        file: the user's file; the one in the home where none is given.
        engine: the one that was named with this call. OLLAMA_HOST names no server of another kind than Ollama's.

    Raises:
        UsageError: one of them holds what cannot be used.
    """
    settings = Settings()
    path = file or _own_file()
    given = (*(_from_file(path) if path else ()), *_from_variables(environment))
    for one in given:
        settings = _applied(settings, one)
    settings = settings._replace(engine=engine or settings.engine)
    if settings.engine == "ollama":
        return settings
    hosts = [one for one in given if one.setting.field == "host" and one.name != "OLLAMA_HOST"]
    return _applied(settings, hosts[-1]) if hosts else settings._replace(host="")


def _applied(settings: Settings, given: Given) -> Settings:
    field = given.setting.field
    value = given.read(given.value, given.name, getattr(settings, field))
    chosen = settings.theme_chosen or field == "theme"
    return settings._replace(**{field: value}, theme_chosen=chosen)  # type: ignore[arg-type]


def _from_file(path: Path) -> Iterator[Given]:
    for key, value in read(path).items():
        if key not in ENTRIES:
            hint = _NO_KEY if key == "api_key" else near(key, ENTRIES)
            raise UsageError(f"{path}: there is no setting {key!r}", hint or f"there are {', '.join(ENTRIES)}")
        if value not in ("", {}):
            yield Given(ENTRIES[key], ENTRIES[key].read, value, f"{path}: {key}")


def _from_variables(environment: Mapping[str, str] | None) -> Iterator[Given]:
    given = os.environ if environment is None else environment
    for setting in SETTINGS:
        if setting.variable and (text := given.get(setting.variable, "")):
            yield Given(setting, setting.read_variable or setting.read, text, setting.variable)


def _own_file() -> Path | None:
    with suppress(UsageError):
        return config_path()
    return None


def recalled(settings: Settings) -> Settings:
    """Return the settings with what the chat remembers where neither the file nor the environment chose."""
    thinking = remembered("thinking")
    theme = "" if settings.theme_chosen else remembered("theme")
    return settings._replace(
        theme=theme or settings.theme, thinking=settings.thinking or (thinking if thinking in values.VIEWS else "")
    )


def debugging() -> bool:
    """Whether tracebacks are wanted."""
    return os.environ.get("REFLECTTY_DEBUG", "") not in ("", "0")
