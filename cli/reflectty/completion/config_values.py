"""Lists profiles, templates, themes, hosts, keys and values of settings for completion."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.config import FILE_SETTINGS, config_path
from reflectty.config.load import EXTENDS, profiles_of, read_toml
from reflectty.config.schema import PROFILE_SETTINGS
from reflectty.core.errors import UsageError
from reflectty.system.files import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PROFILE_HEADING = re.compile(r"^[ \t]*\[[ \t]*profiles[ \t]*\.[ \t]*([\w-]+)[ \t]*\]", re.MULTILINE)


def list_profiles() -> tuple[str, ...]:
    """The names of the profiles; if the file is not valid TOML, those in its headers."""
    with suppress(UsageError):
        return (*_load_profiles(), "none")
    with suppress(UsageError):
        return (*dict.fromkeys(_PROFILE_HEADING.findall(read_text(config_path()) or "")), "none")
    return ()


def _load_profiles() -> Mapping[str, Mapping[str, object]]:
    path = config_path()
    return profiles_of(read_toml(path), path)


def list_templates() -> tuple[str, ...]:
    """The names of the templates; if the settings cannot be read, those in the folder."""
    from reflectty.config.templates import template_names, template_names_in_folder

    with suppress(UsageError):
        return template_names()
    return tuple(sorted(set(template_names_in_folder())))


def list_themes() -> tuple[str, ...]:
    """The names of the themes, the user's own and the packaged ones."""
    from reflectty.system import theme

    with suppress(UsageError, OSError):
        return theme.list_theme_names(theme.theme_folders())
    return (theme.TERMINAL_THEME.name,)


def list_hosts() -> tuple[str, ...]:
    """The servers in the settings and their profiles, and this machine's own."""
    from reflectty.engines.hosts import DEFAULT_HOST, DEFAULT_PORT

    found: list[object] = []
    with suppress(UsageError):
        path = config_path()
        document = read_toml(path)
        found += [document.get("host"), *(table.get("host") for table in profiles_of(document, path).values())]
    # The part before an @ may be a password.
    hosts = [name for name in found if isinstance(name, str) and "@" not in name]
    return (*hosts, f"{DEFAULT_HOST}:{DEFAULT_PORT}")


def list_keys() -> tuple[str, ...]:
    """The keys for `reflect config set`: the settings, and those of the existing profiles."""
    profile_keys: tuple[str, ...] = ()
    with suppress(UsageError):
        profile_keys = tuple(
            f"profiles.{name}.{key}" for name in _load_profiles() for key in (*PROFILE_SETTINGS, EXTENDS)
        )
    return (*FILE_SETTINGS, *profile_keys)


def values_of(key: str) -> tuple[str, tuple[str, ...]]:
    """The kind of a setting's values, and its fixed values."""
    last = key.rpartition(".")[2]
    if last == EXTENDS:
        return "profiles", ()
    setting = FILE_SETTINGS.get(last)
    return (setting.candidates, setting.choices()) if setting else ("", ())


NAME_SOURCES: dict[str, Callable[[], tuple[str, ...]]] = {
    "profiles": list_profiles,
    "templates": list_templates,
    "themes": list_themes,
    "hosts": list_hosts,
    "keys": list_keys,
}
"""The source of names for each kind."""
