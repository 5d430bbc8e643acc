"""Finds values that are well-formed and still cannot be used: a missing template, an unknown theme, a wrong host."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.config.load import (
    SettingOrigin,
    Source,
    merge,
    read_key_file,
    sources_in_environment,
    sources_in_file,
)
from reflectty.config.schema import PROFILE_SETTINGS
from reflectty.config.templates import NO_TEMPLATE, missing_template_error, template_names_in_folder, templates_of
from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reflectty.config.load import Document

_DURATION = re.compile(r"[+-]?\d+(\.\d+)?|[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
"""Seconds, or a duration as Go's `time.ParseDuration` reads it; Ollama refuses any other."""


class ConfigFile(NamedTuple):
    """The content of a config file, which may not be written yet, and its path."""

    document: Document
    path: Path


def find_unusable_in(document: Document, path: Path, environment: Mapping[str, str]) -> tuple[UsageError, ...]:
    """Find the values in a document and the environment that a later command would refuse or warn of.

    Malformed values are left to `find_mistakes_in`.
    """
    file = ConfigFile(document, path)
    found: dict[str, UsageError] = {}
    for one in _sources_in(file, environment):
        try:
            check_use(one, file)
        except UsageError as error:
            found.setdefault(str(error), error)
    return tuple(found.values())


def check_use(source: Source, file: ConfigFile) -> None:
    """Check that a value can be used.

    Raises:
        UsageError: it cannot.
    """
    check = _CHECKS.get(source.setting.field)
    if check is None or source.value in ("", {}):
        return
    try:
        merge([source])
    except UsageError:
        return
    check(source.parse(source.value, source.name, None), source.name, file)


def _sources_in(file: ConfigFile, environment: Mapping[str, str]) -> Iterator[Source]:
    """Yield every value with a known name: in the file, in each profile, and in the environment."""
    for key, value in file.document.items():
        with suppress(UsageError):
            yield from sources_in_file({key: value}, file.path)
    profiles = file.document.get("profiles")
    for profile, table in profiles.items() if isinstance(profiles, dict) else ():
        for key, value in table.items() if isinstance(table, dict) else ():
            if key in PROFILE_SETTINGS:
                setting, name = PROFILE_SETTINGS[key], f"{file.path}: profiles.{profile}.{key}"
                yield Source(setting, setting.parse, value, name, SettingOrigin.PROFILE, profile)
    yield from sources_in_environment(environment)


def _check_model(value: object, name: str, _: ConfigFile) -> None:
    if not str(value).strip():
        raise UsageError(f"{name} is blank", "give the name of a model")


def _check_host(value: object, name: str, _: ConfigFile) -> None:
    from reflectty.engines.hosts import FORM, parse_host

    try:
        warning = parse_host(str(value)).warning
    except UsageError as error:
        raise UsageError(f"{name}: {error}", error.hint) from error
    if warning:
        raise UsageError(f"{name}: {warning.partition(';')[0]}", FORM)


def _check_hosts(value: object, name: str, file: ConfigFile) -> None:
    for host in value if isinstance(value, tuple) else ():
        _check_host(host, name, file)


def _check_key_file(value: object, name: str, _: ConfigFile) -> None:
    try:
        read_key_file(Path(str(value)).expanduser())
    except UsageError as error:
        raise UsageError(f"{name}: {error}", error.hint) from error
    except RuntimeError as error:
        raise UsageError(f"{name}: there is no home folder for {value!r}", "give the whole path") from error


def _check_keep_alive(value: object, name: str, _: ConfigFile) -> None:
    if not _DURATION.fullmatch(str(value)):
        raise UsageError(f"{name} {value!r} is not a duration", "give seconds, or a duration such as 10m or 1h30m")


def _check_template(value: object, name: str, file: ConfigFile) -> None:
    names = set(template_names_in_folder())
    with suppress(UsageError):
        names |= set(templates_of(*file))
    if value not in {*names, NO_TEMPLATE}:
        raise missing_template_error(str(value), name, sorted(names))


def _check_theme(value: object, name: str, _: ConfigFile) -> None:
    from reflectty.system import theme

    problem = theme.load_theme(str(value)).problem
    if problem:
        choices = theme.list_theme_names(theme.theme_folders())
        raise UsageError(f"{name}: {problem}", f"choose from {', '.join(choices)}")


_CHECKS: dict[str, Callable[[object, str, ConfigFile], None]] = {
    "model": _check_model,
    "host": _check_host,
    "hosts": _check_hosts,
    "api_key_file": _check_key_file,
    "keep_alive": _check_keep_alive,
    "template": _check_template,
    "theme": _check_theme,
}
"""The check of a value by the field it sets; the other values can be used once they parse."""
