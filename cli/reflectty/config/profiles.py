"""Profiles: named sets of settings in the user's file, and which of them build on which; reads no value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reflectty.errors import UsageError, near

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Document = Mapping[str, object]
"""A file, or a table in it, as TOML gives it."""

NO_PROFILE = "none"
"""The name that stands for no profile at all."""
EXTENDS = "extends"
"""The key that names the profile which one builds on."""
_SHAPE = 'write [profiles.NAME], and under it lines such as model = "reflection"'


def profiles_of(document: Document, path: Path | None) -> Mapping[str, Document]:
    """Return the profiles of a file, by name.

    Raises:
        UsageError: what stands there is none.
    """
    tables = document.get("profiles", {})
    if not isinstance(tables, dict):
        raise UsageError(f"{path}: profiles must be a table", _SHAPE)
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise UsageError(f"{path}: profiles.{name} must be a table", _SHAPE)
    return tables


def chain(name: str, profiles: Mapping[str, Document], said_by: str) -> tuple[tuple[str, Document], ...]:
    """Return a profile and those that it builds on, the first of them first, each without saying so itself.

    Raises:
        UsageError: there is none of that name, or one builds on itself.
    """
    found = tuple(_back(name, profiles, said_by))
    return tuple((one, {key: value for key, value in profiles[one].items() if key != EXTENDS}) for one in found[::-1])


def _back(name: str, profiles: Mapping[str, Document], said_by: str) -> Iterator[str]:
    seen: list[str] = []
    wanted: object = name
    while wanted:
        if not isinstance(wanted, str) or wanted not in profiles:
            raise _missing(wanted, profiles, said_by)
        if wanted in seen:
            raise UsageError(f"the profile {wanted} extends itself: {' > '.join((*seen, wanted))}")
        yield wanted
        seen.append(wanted)
        wanted, said_by = profiles[wanted].get(EXTENDS, ""), f"profiles.{wanted}.{EXTENDS}"


def _missing(name: object, profiles: Mapping[str, Document], said_by: str) -> UsageError:
    if not profiles:
        hint = "there are none yet: reflect config set profiles.NAME.model MODEL makes one"
    else:
        hint = near(str(name), profiles) or f"there are {', '.join(profiles)}"
    return UsageError(f"{said_by}: there is no profile {name!r}", hint)
