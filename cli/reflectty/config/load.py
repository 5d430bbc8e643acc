"""Loads the settings: collects their sources and merges them, from the defaults up to flags.

From the lowest to the highest priority: the defaults, the file, the profile that the file or REFLECTTY_PROFILE names,
the environment, the profile named on the command line, flags. A variable is set for this shell and overrides a
permanent profile; `--profile` is typed for this call and overrides both.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reflectty.config.schema import (
    FILE_SETTINGS,
    MODEL_OR_SERVER_FIELDS,
    PROFILE_SETTINGS,
    SERVER_FIELDS,
    SETTINGS,
    TABLE_ABOUTS,
    THINKING_VIEWS,
    Setting,
    Settings,
    parse_name,
)
from reflectty.config.state import recall_choice
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.named_tuple import NamedTuple
from reflectty.system.files import read_text
from reflectty.system.paths import config_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reflectty.config.schema import ValueParser


Document = Mapping[str, object]
"""A TOML file, or a table in it."""

NO_PROFILE = "none"
"""The name that disables profiles."""
EXTENDS = "extends"
"""The key that names a profile's base."""
_PROFILE_HINT = 'write [profiles.NAME], then lines such as model = "reflection"'


def parse_toml(text: str, path: Path) -> Document:
    """Parse TOML.

    Raises:
        UsageError: it is not valid.
    """
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}", "fix it with `reflect config edit`") from error


def read_toml(path: Path) -> Document:
    """Read a TOML file; a missing one is empty.

    Raises:
        UsageError: it cannot be read, or is not TOML.
    """
    text = read_text(path)
    return {} if text is None else parse_toml(text, path)


def profiles_of(document: Document, path: Path | None) -> Mapping[str, Document]:
    """The profiles of a file, by name.

    Raises:
        UsageError: they are not tables.
    """
    tables = document.get("profiles", {})
    if not isinstance(tables, dict):
        raise UsageError(f"{path}: profiles must be a table", _PROFILE_HINT)
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise UsageError(f"{path}: profiles.{name} must be a table", _PROFILE_HINT)
    return tables


def profile_chain(name: str, profiles: Mapping[str, Document], named_in: str) -> tuple[tuple[str, Document], ...]:
    """A profile and its bases, the root first, each without its `extends` key.

    Raises:
        UsageError: a profile does not exist, or extends itself.
    """
    found = tuple(_walk_back(name, profiles, named_in))
    return tuple((one, {key: value for key, value in profiles[one].items() if key != EXTENDS}) for one in found[::-1])


def _walk_back(name: str, profiles: Mapping[str, Document], named_in: str) -> Iterator[str]:
    seen: list[str] = []
    wanted: object = name
    while wanted:
        if not isinstance(wanted, str) or wanted not in profiles:
            raise _missing_profile_error(wanted, profiles, named_in)
        if wanted in seen:
            raise UsageError(f"profile {wanted} extends itself: {' > '.join((*seen, wanted))}")
        yield wanted
        seen.append(wanted)
        wanted, named_in = profiles[wanted].get(EXTENDS, ""), f"profiles.{wanted}.{EXTENDS}"


def _missing_profile_error(name: object, profiles: Mapping[str, Document], named_in: str) -> UsageError:
    if not profiles:
        hint = "create one with `reflect config set profiles.NAME.model MODEL`"
    else:
        hint = did_you_mean(str(name), profiles) or f"choose from {', '.join(profiles)}"
    return UsageError(f"{named_in}: unknown profile {name!r}", hint)


OTHERS_MODE_BITS: Final = stat.S_IRWXG | stat.S_IRWXO


def load_api_key(settings: Settings) -> str:
    """The key for the server of the chosen engine; often empty.

    Raises:
        UsageError: its file cannot be read, is readable by others, or holds no key.
    """
    if settings.engine == "ollama":
        return settings.api_key
    if settings.cluster_key or not settings.api_key_file:
        return settings.cluster_key
    return read_key_file(Path(settings.api_key_file).expanduser())


def read_key_file(path: Path) -> str:
    """Read the key in a file.

    Raises:
        UsageError: the file cannot be read, is readable by others, or holds no key.
    """
    text = read_text(path)
    if text is None:
        raise UsageError(f"{path}: no such file", "fix api_key_file, or set REFLECTTY_API_KEY")
    if os.name == "posix" and path.stat().st_mode & OTHERS_MODE_BITS:
        raise UsageError(f"{path}: other users can read this key", f"chmod 600 {path}")
    key = text.strip()
    if not key or len(key.split()) > 1:
        raise UsageError(f"{path}: must contain one key", "put the key alone on one line")
    return key


TABLES = tuple(TABLE_ABOUTS)
"""Tables of the file that are not settings."""
_API_KEY_HINT = "set OLLAMA_API_KEY, or api_key_file for an OpenAI-compatible server"


class SettingOrigin(StrEnum):
    """The kind of source that gave a value."""

    DEFAULT = "default"
    FILE = "file"
    PROFILE = "profile"
    ENVIRONMENT = "environment"
    FLAG = "flag"


class Source(NamedTuple):
    """A value for a setting from one source."""

    setting: Setting
    parse: ValueParser
    value: object
    name: str
    """The value's name in its source, for errors."""
    origin: SettingOrigin
    source_name: str = ""
    """The name of the profile, the variable or the flag."""
    explicit: bool = False
    """Whether it belongs to a profile named on the command line."""


def load_settings(
    environment: Mapping[str, str] | None = None, file: Path | None = None, profile: str = "", engine: str = ""
) -> Settings:
    """Load the settings from the file, a profile and the environment.

    Args:
        environment: the variables; by default the process's own.
        file: the config file; by default the one in the home folder.
        profile: the one named on the command line; `none` disables any other.
        engine: the one named on the command line. OLLAMA_HOST applies only to Ollama servers.

    Raises:
        UsageError: one of them holds an invalid value.
    """
    return merge(collect_sources(environment, file, profile, engine))


def merge(sources: Iterable[Source]) -> Settings:
    """Merge values into settings: the last one wins, and an empty one restores the default."""
    settings, defaults, sources = Settings(), Settings(), tuple(sources)
    for one in sources:
        field = one.setting.field
        so_far, default = getattr(settings, field), getattr(defaults, field)
        value = default if one.value in ("", {}) else one.parse(one.value, one.name, so_far)
        changes: dict[str, Any] = {field: value}
        settings = settings._replace(
            **changes,
            is_theme_chosen=settings.is_theme_chosen or field == "theme",
            is_model_explicit=settings.is_model_explicit or (field == "model" and one.explicit),
            is_server_explicit=settings.is_server_explicit or (field in SERVER_FIELDS and one.explicit),
            user_configured=settings.user_configured or (field in MODEL_OR_SERVER_FIELDS and one.value not in ("", {})),
        )
    if settings.evidence:
        from reflectty.config.evidence import drop_overruled

        settings = settings._replace(evidence=drop_overruled(settings.evidence, sources))
    return settings


def collect_sources(
    environment: Mapping[str, str] | None = None, file: Path | None = None, profile: str = "", engine: str = ""
) -> tuple[Source, ...]:
    """Collect every value that is given, the lowest priority first, unparsed.

    Raises:
        UsageError: a file cannot be read, or contains an unknown name.
    """
    path = file or user_config_path()
    document = read_toml(path) if path else {}
    in_file = tuple(sources_in_file(document, path)) if path else ()
    variables = tuple(sources_in_environment(os.environ if environment is None else environment))
    flags = (_flag_source("engine", engine),) if engine else ()
    if profile:
        flag = _flag_source("profile", profile)
        return _drop_foreign_host((*in_file, *variables, flag, *sources_in_profile(flag, document, path), *flags))
    chosen = next((one for one in reversed((*in_file, *variables)) if one.setting.field == "profile"), None)
    return _drop_foreign_host(
        (*in_file, *(sources_in_profile(chosen, document, path) if chosen else ()), *variables, *flags)
    )


def _flag_source(key: str, value: str) -> Source:
    return Source(
        FILE_SETTINGS[key], FILE_SETTINGS[key].parse, value, f"--{key}", SettingOrigin.FLAG, f"--{key}", explicit=True
    )


def _drop_foreign_host(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Drop the host of OLLAMA_HOST if the engine is not Ollama's."""
    engines = [one.value for one in sources if one.setting.field == "engine"]
    ours = not engines or engines[-1] in ("", Settings().engine)
    return sources if ours else tuple(one for one in sources if one.name != "OLLAMA_HOST")


def sources_in_file(document: Document, path: Path) -> Iterator[Source]:
    """Yield the values in a file.

    Raises:
        UsageError: it contains an unknown name.
    """
    for key, value in document.items():
        if key in FILE_SETTINGS and value not in ("", {}):
            yield Source(FILE_SETTINGS[key], FILE_SETTINGS[key].parse, value, f"{path}: {key}", SettingOrigin.FILE)
        elif key not in FILE_SETTINGS and key not in TABLES:
            raise unknown_setting_error(key, (*FILE_SETTINGS, *TABLES), f"{path}: unknown setting {key!r}")


def unknown_setting_error(key: str, known: Iterable[str], message: str) -> UsageError:
    """The error for an unknown key."""
    known = tuple(known)
    hint = _API_KEY_HINT if key == "api_key" else did_you_mean(key, known)
    return UsageError(message, hint or f"choose from {', '.join(known)}")


def sources_in_environment(environment: Mapping[str, str]) -> Iterator[Source]:
    """Yield the values in the environment."""
    for setting in SETTINGS:
        if setting.variable and (text := environment.get(setting.variable, "")):
            read = setting.parse_variable or setting.parse
            yield Source(setting, read, text, setting.variable, SettingOrigin.ENVIRONMENT, setting.variable)


def sources_in_profile(named: Source, document: Document, path: Path | None) -> Iterator[Source]:
    """Yield the values of a profile, those of its bases first.

    Raises:
        UsageError: the profile does not exist, or sets what a profile cannot.
    """
    name = parse_name(named.value, named.name)
    if name == NO_PROFILE:
        return
    for profile, table in profile_chain(name, profiles_of(document, path), named.name):
        for key, value in table.items():
            where = f"{path}: profiles.{profile}"
            if key not in PROFILE_SETTINGS:
                raise unknown_setting_error(
                    key, (*PROFILE_SETTINGS, EXTENDS), f"{where}: unknown profile setting {key!r}"
                )
            setting = PROFILE_SETTINGS[key]
            yield Source(
                setting, setting.parse, value, f"{where}.{key}", SettingOrigin.PROFILE, profile, named.explicit
            )


def profile_names(file: Path | None = None) -> tuple[str, ...]:
    """The names of the profiles in the config file.

    Raises:
        UsageError: it cannot be read, or its profiles are not tables.
    """
    path = file or user_config_path()
    return tuple(profiles_of(read_toml(path), path)) if path else ()


def user_config_path() -> Path | None:
    """The config file in the home folder; None if there is no home."""
    with suppress(UsageError):
        return config_path()
    return None


def with_remembered_choices(settings: Settings) -> Settings:
    """Apply the chat's remembered choices where neither the file nor the environment sets a value."""
    thinking = recall_choice("thinking")
    theme = "" if settings.is_theme_chosen else recall_choice("theme")
    return settings._replace(
        theme=theme or settings.theme,
        is_theme_chosen=settings.is_theme_chosen or bool(theme),
        thinking=settings.thinking or (thinking if thinking in THINKING_VIEWS else ""),
    )


def is_debugging() -> bool:
    """Whether tracebacks are shown."""
    return os.environ.get("REFLECTTY_DEBUG", "") not in ("", "0")
