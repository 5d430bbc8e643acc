"""Explains where each setting comes from and finds every mistake in the config file."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.config.load import (
    NO_PROFILE,
    SettingOrigin,
    Source,
    collect_sources,
    merge,
    profile_chain,
    profiles_of,
    read_toml,
    sources_in_environment,
    sources_in_file,
    sources_in_profile,
    user_config_path,
)
from reflectty.config.schema import FILE_SETTINGS, SETTINGS, parse_name
from reflectty.config.templates import templates_of
from reflectty.core.errors import OptionError, UsageError
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reflectty.config.load import Document
    from reflectty.config.schema import Setting, Settings


class ExplainedSetting(NamedTuple):
    """One setting with its value and source; part of a table has a dotted key."""

    key: str
    value: object
    origin: SettingOrigin = SettingOrigin.DEFAULT
    source_name: str = ""
    """The name of the profile, the variable or the flag."""


def explain_settings(
    environment: Mapping[str, str] | None = None, file: Path | None = None, profile: str = ""
) -> tuple[ExplainedSetting, ...]:
    """Explain every setting, in the order of their table.

    Raises:
        UsageError: a source holds an invalid value.
    """
    every = collect_sources(environment, file, profile)
    settings = merge(every)
    fields = {setting.field: setting for setting in reversed(SETTINGS)}
    return tuple(row for setting in reversed(fields.values()) for row in _rows_of(setting, settings, every))


def _rows_of(setting: Setting, settings: Settings, sources: Sequence[Source]) -> Iterator[ExplainedSetting]:
    value = getattr(settings, setting.field)
    key = setting.key or setting.field
    given = [one for one in sources if one.setting.field == setting.field]
    if not (given and value and setting.is_table):
        last = given[-1] if given else None
        yield ExplainedSetting(
            key, value, last.origin if last else SettingOrigin.DEFAULT, last.source_name if last else ""
        )
        return
    for part, part_value in value:
        last = next(one for one in reversed(given) if isinstance(one.value, dict) and part in one.value)
        yield ExplainedSetting(f"{key}.{part}", part_value, last.origin, last.source_name)


def find_mistakes(environment: Mapping[str, str] | None = None, file: Path | None = None) -> tuple[UsageError, ...]:
    """Find every mistake in the file and the environment, profiles and templates included.

    Each part is checked by itself, so that one mistake hides no other.
    """
    variables, path = os.environ if environment is None else environment, file or user_config_path() or Path()
    try:
        document = read_toml(path)
    except UsageError as error:
        return (error, *find_mistakes_in({}, path, variables))
    return find_mistakes_in(document, path, variables)


def find_mistakes_in(document: Document, path: Path, environment: Mapping[str, str]) -> tuple[UsageError, ...]:
    """Find every mistake in a document for the file at `path`, and in the environment."""
    found: dict[str, UsageError] = {}
    for look in _checks_of(document, path, environment):
        try:
            look()
        except UsageError as error:
            found.setdefault(str(error), error)
    return tuple(found.values())


def _checks_of(document: Document, path: Path, environment: Mapping[str, str]) -> Iterator[Callable[[], object]]:
    """Yield checks of single parts; each raises if its part is wrong."""
    for key, value in document.items():
        yield partial(merge, sources_in_file({key: value}, path))
    yield partial(profiles_of, document, path)
    yield partial(templates_of, document, path)
    for variable in (setting.variable for setting in SETTINGS if setting.variable in environment):
        yield partial(merge, sources_in_environment({variable: environment[variable]}))
    for named in _named_profiles(document, environment, path):
        yield partial(merge, sources_in_profile(named, document, path))


def _named_profiles(document: Document, environment: Mapping[str, str], path: Path) -> Iterator[Source]:
    """Yield every reference to a profile, and every profile of the document."""
    profiles = document.get("profiles")
    for name in profiles if isinstance(profiles, dict) else ():
        yield Source(FILE_SETTINGS["profile"], parse_name, name, f"{path}: profiles", SettingOrigin.FILE)
    chosen = {"profile": document.get("profile", "")}
    for one in (*sources_in_file(chosen, path), *sources_in_environment(environment)):
        if one.setting.field == "profile":
            yield one


_KEY_FIELDS = {"api_key_file": "cluster_key"}
"""Settings that count only while another field has no value."""


def find_override(
    keys: Sequence[str], environment: Mapping[str, str] | None = None, file: Path | None = None
) -> ExplainedSetting | None:
    """Find the setting in effect in place of the one that the file has at `keys`.

    None if that one is in effect, or is in a profile that is not in use.

    Raises:
        UsageError: a source holds an invalid value.
    """
    rows = {row.key: row for row in explain_settings(environment, file)}
    profile, within = (keys[1], keys[2:]) if keys[0] == "profiles" else ("", keys)
    if profile and profile not in _profiles_in_use(str(rows["profile"].value), file):
        return None
    row = rows.get(".".join(within))
    holder = rows.get(_KEY_FIELDS.get(within[0], "")) if within else None
    if holder and holder.value:
        return holder
    if row is None or row.origin not in (SettingOrigin.ENVIRONMENT, SettingOrigin.PROFILE):
        return None
    return None if profile and row.source_name == profile else row


def _profiles_in_use(name: str, file: Path | None) -> tuple[str, ...]:
    """A profile and its bases; none without a profile."""
    path = file or user_config_path()
    if not path or name in ("", NO_PROFILE):
        return ()
    return tuple(one for one, _ in profile_chain(name, profiles_of(read_toml(path), path), "profile"))


def with_option_source(error: OptionError, profile: str, typed: Mapping[str, str] | None = None) -> OptionError:
    """The error about an option, with where the option is set as its hint.

    Args:
        error: the error, which names the option.
        profile: the profile in use; empty is that of the settings.
        typed: options that were typed, each with what set it; they precede the settings.
    """
    source = (typed or {}).get(error.option) or option_source(error.option, profile)
    return OptionError(str(error), f"set by {source}: remove it", option=error.option) if source else error


def option_source(name: str, profile: str = "") -> str:
    """The source of an option: a profile or the file; empty if neither sets it.

    Args:
        name: the option.
        profile: the one named on the command line.
    """
    try:
        found = next((row for row in explain_settings(profile=profile) if row.key == f"options.{name}"), None)
    except UsageError:
        return ""
    if found is None:
        return ""
    return (
        f"profile {found.source_name}"
        if found.origin is SettingOrigin.PROFILE
        else f"options.{name} in {user_config_path()}"
    )
