"""The names that the user's files and settings hold, whatever mistakes stand beside them; asks no server."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.config import ENTRIES, config_path, values
from reflectty.config.document import parse, read_text
from reflectty.config.profiles import EXTENDS, profiles_of
from reflectty.config.settings import IN_PROFILE
from reflectty.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TABLE = re.compile(r"^[ \t]*\[[ \t]*profiles[ \t]*\.[ \t]*([\w-]+)[ \t]*\]", re.MULTILINE)
_SWITCH = ("true", "false")


def profiles() -> tuple[str, ...]:
    """Return the names of the profiles; of a file that is no TOML those that its headings name."""
    with suppress(UsageError):
        return (*_profiles(), "none")
    with suppress(UsageError):
        return (*dict.fromkeys(_TABLE.findall(read_text(config_path()) or "")), "none")
    return ()


def _profiles() -> Mapping[str, Mapping[str, object]]:
    path = config_path()
    return profiles_of(parse(read_text(path) or "", path), path)


def templates() -> tuple[str, ...]:
    """Return the names of the templates; where the settings cannot be read, those that are files."""
    from reflectty.config.templates import in_folder, template_names  # noqa: PLC0415 - few words are templates

    with suppress(UsageError):
        return template_names()
    return tuple(sorted(set(in_folder())))


def themes() -> tuple[str, ...]:
    """Return the names of the themes, the user's own and those that are shipped."""
    from reflectty import assets, config, theme  # noqa: PLC0415 - few words are themes

    with suppress(UsageError, FileNotFoundError, OSError):
        return theme.names((config.themes_folder(), assets.folder("themes")))
    return (theme.TERMINAL.name,)


def hosts() -> tuple[str, ...]:
    """Return the servers that the settings and their profiles name, and this machine's own."""
    from reflectty.engines.hosts import DEFAULT_HOST, DEFAULT_PORT  # noqa: PLC0415 - few words are hosts

    named: list[object] = []
    with suppress(UsageError):
        path = config_path()
        document = parse(read_text(path) or "", path)
        named += [document.get("host"), *(table.get("host") for table in profiles_of(document, path).values())]
    # What comes before an @ may be a password.
    told = [name for name in named if isinstance(name, str) and "@" not in name]
    return (*told, f"{DEFAULT_HOST}:{DEFAULT_PORT}")


def keys() -> tuple[str, ...]:
    """Return what `reflect config set` can set: the settings, and those of the profiles that there are."""
    found: tuple[str, ...] = ()
    with suppress(UsageError):
        found = tuple(f"profiles.{name}.{key}" for name in _profiles() for key in (*IN_PROFILE, EXTENDS))
    return (*ENTRIES, *found)


def values_of(key: str) -> tuple[str, tuple[str, ...]]:
    """Return the kind of the values of a setting, and those that are always the same."""
    from reflectty.chat import Effort, Keep  # noqa: PLC0415 - few words are values
    from reflectty.engines import EngineName  # noqa: PLC0415
    from reflectty.families import FAMILIES  # noqa: PLC0415
    from reflectty.modes import Mode  # noqa: PLC0415

    last = key.rpartition(".")[2]
    kinds = {"model": "models", "host": "hosts", "template": "templates", "theme": "themes"}
    kinds |= dict.fromkeys(("profile", EXTENDS), "profiles")
    fixed = {"mode": tuple(Mode), "effort": tuple(Effort), "engine": tuple(EngineName), "family": tuple(FAMILIES)}
    fixed["keep_thinking"] = tuple(Keep)
    switch = last in ENTRIES and ENTRIES[last].read is values.boolean
    words = _SWITCH if switch else values.VIEWS if last == "thinking" else fixed.get(last, ())
    return kinds.get(last, ""), tuple(map(str, words))


NAMES: dict[str, Callable[[], tuple[str, ...]]] = {
    "profiles": profiles,
    "templates": templates,
    "themes": themes,
    "hosts": hosts,
    "keys": keys,
}
"""The names of each kind."""
