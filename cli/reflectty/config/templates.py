"""Finds prompt templates by name, in the templates folder and in the config file."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.config.load import read_toml, user_config_path
from reflectty.config.schema import is_name, parse_name, parse_text
from reflectty.config.template_head import template_of
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.system.files import read_text
from reflectty.system.paths import templates_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reflectty.config.load import Document
    from reflectty.core.templates import Template

NO_TEMPLATE = "none"
"""The name that disables templates."""
TEMPLATE_SUFFIXES = (".md", ".txt")
"""The file name suffixes of templates, in order of preference."""


def template_names() -> tuple[str, ...]:
    """The names of all templates, sorted.

    Raises:
        UsageError: the settings cannot be read.
    """
    return tuple(sorted({*template_names_in_folder(), *_templates_in_config()}))


def load_template(template_name: str, named_in: str = "--template") -> Template:
    """Load a template by name, from its file or the settings.

    Raises:
        UsageError: it does not exist or cannot be read, or its name or head is invalid.
    """
    known = parse_name(template_name, named_in)
    path = template_path(known)
    found = read_text(path)
    if found is not None:
        return template_of(known, found.replace("\r\n", "\n"), str(path))
    table = _templates_in_config()
    if known in table:
        return template_of(known, table[known], str(user_config_path()), f"templates.{known}")
    raise missing_template_error(known, named_in, template_names())


def template_path(known: str) -> Path:
    """The file of a template, which may not exist."""
    paths = [templates_folder() / f"{known}{ending}" for ending in TEMPLATE_SUFFIXES]
    return next((path for path in paths if os.path.lexists(path)), paths[0])


def missing_template_error(known: str, named_in: str, names: Sequence[str]) -> UsageError:
    """The error for an unknown template; `names` are those that exist."""
    if not names:
        return UsageError(f"{named_in}: unknown template {known!r}", f"create it with `reflect templates edit {known}`")
    hint = did_you_mean(known, names) or f"choose from {', '.join(names)}"
    return UsageError(f"{named_in}: unknown template {known!r}", hint)


def template_names_in_folder() -> Iterator[str]:
    """Yield the names of the templates in the folder."""
    with suppress(OSError, UsageError):
        for entry in os.scandir(templates_folder()):
            stem, dot, ending = entry.name.rpartition(".")
            if f"{dot}{ending}" in TEMPLATE_SUFFIXES and is_name(stem):
                yield stem


def _templates_in_config() -> Mapping[str, str]:
    path = user_config_path()
    return templates_of(read_toml(path), path) if path else {}


def templates_of(document: Document, path: Path | None) -> Mapping[str, str]:
    """The templates in a config file, by name.

    Raises:
        UsageError: they are not texts in a table.
    """
    table = document.get("templates", {})
    if not isinstance(table, dict):
        raise UsageError(f"{path}: templates must be a table", 'write [templates], then review = "Review {input}"')
    return {
        parse_name(key, f"{path}: templates"): parse_text(value, f"{path}: templates.{key}")
        for key, value in table.items()
    }
