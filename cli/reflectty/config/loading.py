"""What is given to the settings, by whom, and what comes of it; flags come on top elsewhere.

From the weakest word to the strongest: the defaults, the file, the profile that the file or REFLECTTY_PROFILE names,
the environment, the profile that is named with this call, flags. A variable is the word of whoever set it for this
shell and goes before a profile that always holds; `--profile` is typed now, and goes before both.
"""

from __future__ import annotations

import os
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from reflectty.config import values
from reflectty.config.document import read
from reflectty.config.places import config_path
from reflectty.config.profiles import EXTENDS, NO_PROFILE, chain, profiles_of
from reflectty.config.remembering import remembered
from reflectty.config.settings import ENTRIES, IN_PROFILE, OF_SERVER, SETTINGS, WHO_ANSWERS, Setting, Settings
from reflectty.errors import UsageError, near

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reflectty.config.profiles import Document
    from reflectty.config.values import Reader

TABLES = ("profiles", "templates")
"""What stands in the file beside the settings."""
_NO_KEY = "set OLLAMA_API_KEY; the key of an OpenAI-compatible server stands in a file of its own, api_key_file"


class Origin(StrEnum):
    """Who gave a value."""

    DEFAULT = "default"
    FILE = "file"
    PROFILE = "profile"
    ENVIRONMENT = "environment"
    FLAG = "flag"


class Given(NamedTuple):
    """A value that somebody gave a setting."""

    setting: Setting
    read: Reader
    value: object
    name: str
    """What the value is called where it stands, for errors."""
    origin: Origin
    whose: str = ""
    """The name of the profile, the variable or the flag."""
    insists: bool = False
    """Whether it is of a profile that was named with this call."""


def load(
    environment: Mapping[str, str] | None = None, file: Path | None = None, profile: str = "", engine: str = ""
) -> Settings:
    """Return the settings that the file, a profile and the environment give.

    Args:
        environment: the variables; the process's own where none are given.
        file: the user's file; the one in the home where none is given.
        profile: the one that was named with this call; `none` keeps any other from being used.
        engine: the one that was named with this call. OLLAMA_HOST names no server of another kind than Ollama's.

    Raises:
        UsageError: one of them holds what cannot be used.
    """
    return fold(given(environment, file, profile, engine))


def fold(every: Iterable[Given]) -> Settings:
    """Return what comes of values, of which the last has the last word; an empty one is the default again."""
    settings, defaults = Settings(), Settings()
    for one in every:
        field = one.setting.field
        so_far, default = getattr(settings, field), getattr(defaults, field)
        value = default if one.value in ("", {}) else one.read(one.value, one.name, so_far)
        changes: dict[str, Any] = {field: value}
        settings = settings._replace(
            **changes,
            theme_chosen=settings.theme_chosen or field == "theme",
            model_insists=settings.model_insists or (field == "model" and one.insists),
            server_insists=settings.server_insists or (field in OF_SERVER and one.insists),
            settled=settings.settled or (field in WHO_ANSWERS and one.value not in ("", {})),
        )
    return settings


def given(
    environment: Mapping[str, str] | None = None, file: Path | None = None, profile: str = "", engine: str = ""
) -> tuple[Given, ...]:
    """Return every value that is given, the weakest word first; the values are as they stand there.

    Raises:
        UsageError: a file cannot be read, or names what there is not.
    """
    path = file or own_file()
    document = read(path) if path else {}
    written = tuple(in_file(document, path)) if path else ()
    variables = tuple(in_variables(os.environ if environment is None else environment))
    spoken = (_flag("engine", engine),) if engine else ()
    if profile:
        now = _flag("profile", profile)
        return _fitting((*written, *variables, now, *in_profile(now, document, path), *spoken))
    standing = next((one for one in reversed((*written, *variables)) if one.setting.field == "profile"), None)
    return _fitting((*written, *(in_profile(standing, document, path) if standing else ()), *variables, *spoken))


def _flag(key: str, value: str) -> Given:
    return Given(ENTRIES[key], ENTRIES[key].read, value, f"--{key}", Origin.FLAG, f"--{key}", insists=True)


def _fitting(every: tuple[Given, ...]) -> tuple[Given, ...]:
    """Leave out the host of OLLAMA_HOST where another engine than Ollama's is meant."""
    engines = [one.value for one in every if one.setting.field == "engine"]
    ours = not engines or engines[-1] in ("", Settings().engine)
    return every if ours else tuple(one for one in every if one.name != "OLLAMA_HOST")


def in_file(document: Document, path: Path) -> Iterator[Given]:
    """Yield what a file gives.

    Raises:
        UsageError: it names what there is not.
    """
    for key, value in document.items():
        if key in ENTRIES and value not in ("", {}):
            yield Given(ENTRIES[key], ENTRIES[key].read, value, f"{path}: {key}", Origin.FILE)
        elif key not in ENTRIES and key not in TABLES:
            raise unknown(key, (*ENTRIES, *TABLES), f"{path}: there is no setting {key!r}")


def unknown(key: str, known: Iterable[str], message: str) -> UsageError:
    """Return what is wrong with a key that there is not."""
    known = tuple(known)
    hint = _NO_KEY if key == "api_key" else near(key, known)
    return UsageError(message, hint or f"there are {', '.join(known)}")


def in_variables(environment: Mapping[str, str]) -> Iterator[Given]:
    """Yield what the environment gives."""
    for setting in SETTINGS:
        if setting.variable and (text := environment.get(setting.variable, "")):
            read = setting.read_variable or setting.read
            yield Given(setting, read, text, setting.variable, Origin.ENVIRONMENT, setting.variable)


def in_profile(named: Given, document: Document, path: Path | None) -> Iterator[Given]:
    """Yield what a profile gives, what it extends first.

    Raises:
        UsageError: there is no such profile, or it sets what a profile cannot.
    """
    name = values.name(named.value, named.name)
    if name == NO_PROFILE:
        return
    for whose, table in chain(name, profiles_of(document, path), named.name):
        for key, value in table.items():
            where = f"{path}: profiles.{whose}"
            if key not in IN_PROFILE:
                raise unknown(key, (*IN_PROFILE, EXTENDS), f"{where}: there is no setting {key!r} for a profile")
            setting = IN_PROFILE[key]
            yield Given(setting, setting.read, value, f"{where}.{key}", Origin.PROFILE, whose, named.insists)


def profile_names(file: Path | None = None) -> tuple[str, ...]:
    """Return the names of the profiles in the user's file.

    Raises:
        UsageError: it cannot be read, or what stands there is no profile.
    """
    path = file or own_file()
    return tuple(profiles_of(read(path), path)) if path else ()


def own_file() -> Path | None:
    """Return the file in the user's home, or None where there is no home."""
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
