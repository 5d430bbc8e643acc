"""What each setting is and who said so, and every mistake in what is given; changes nothing."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reflectty.config import values
from reflectty.config.document import read
from reflectty.config.loading import Given, Origin, fold, given, in_file, in_profile, in_variables, own_file
from reflectty.config.profiles import profiles_of
from reflectty.config.settings import ENTRIES, SETTINGS
from reflectty.config.templates import templates_of
from reflectty.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reflectty.config.profiles import Document
    from reflectty.config.settings import Setting, Settings


class Explained(NamedTuple):
    """One value: its key, with a point before a part of a table, and where it comes from."""

    key: str
    value: object
    origin: Origin = Origin.DEFAULT
    whose: str = ""
    """The name of the profile, the variable or the flag."""


def explained(
    environment: Mapping[str, str] | None = None, file: Path | None = None, profile: str = ""
) -> tuple[Explained, ...]:
    """Return every setting, in the order of their table.

    Raises:
        UsageError: something holds what cannot be used.
    """
    every = given(environment, file, profile)
    settings = fold(every)
    return tuple(row for setting in SETTINGS for row in _rows(setting, settings, every))


def _rows(setting: Setting, settings: Settings, every: Sequence[Given]) -> Iterator[Explained]:
    value = getattr(settings, setting.field)
    key = setting.key or setting.field
    said = [one for one in every if one.setting is setting]
    if not (said and value and setting.read in (values.options, values.keys)):
        last = said[-1] if said else None
        yield Explained(key, value, last.origin if last else Origin.DEFAULT, last.whose if last else "")
        return
    for part, worth in value:
        last = next(one for one in reversed(said) if isinstance(one.value, dict) and part in one.value)
        yield Explained(f"{key}.{part}", worth, last.origin, last.whose)


def mistakes(environment: Mapping[str, str] | None = None, file: Path | None = None) -> tuple[UsageError, ...]:
    """Return everything that keeps the file or the environment from being used, profiles and templates included.

    Each is looked at by itself, so that one mistake hides no other.
    """
    variables, path = os.environ if environment is None else environment, file or own_file() or Path()
    try:
        document = read(path)
    except UsageError as error:
        return (error, *mistakes_in({}, path, variables))
    return mistakes_in(document, path, variables)


def mistakes_in(document: Document, path: Path, environment: Mapping[str, str]) -> tuple[UsageError, ...]:
    """Return the same of a document that would stand in a file."""
    found: dict[str, UsageError] = {}
    for look in _looks(document, path, environment):
        try:
            look()
        except UsageError as error:
            found.setdefault(str(error), error)
    return tuple(found.values())


def _looks(document: Document, path: Path, environment: Mapping[str, str]) -> Iterator[Callable[[], object]]:
    """Yield what raises where one thing is wrong."""
    for key, value in document.items():
        yield partial(fold, in_file({key: value}, path))
    yield partial(profiles_of, document, path)
    yield partial(templates_of, document, path)
    for variable in (setting.variable for setting in SETTINGS if setting.variable in environment):
        yield partial(fold, in_variables({variable: environment[variable]}))
    for named in _profiles_named(document, environment, path):
        yield partial(fold, in_profile(named, document, path))


def _profiles_named(document: Document, environment: Mapping[str, str], path: Path) -> Iterator[Given]:
    """Yield every name of a profile that is given, and each profile that there is."""
    profiles = document.get("profiles")
    for name in profiles if isinstance(profiles, dict) else ():
        yield Given(ENTRIES["profile"], values.name, name, f"{path}: profiles", Origin.FILE)
    chosen = {"profile": document.get("profile", "")}
    for one in (*in_file(chosen, path), *in_variables(environment)):
        if one.setting.field == "profile":
            yield one
