"""Finds prompt templates by name, in the templates folder and in the config file."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.config.load import user_config_path
from reflectty.config.paths import templates_folder
from reflectty.config.toml_file import read_text, read_toml
from reflectty.config.values import is_name, parse_name, parse_text
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.templates import Template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reflectty.config.load import Document

NO_TEMPLATE = "none"
"""The name that stands for no template at all."""
TEMPLATE_SUFFIXES = (".md", ".txt")
"""How the file of a template may end, the first of them first."""


def template_names() -> tuple[str, ...]:
    """Return the names of all templates, in order.

    Raises:
        UsageError: the settings cannot be read.
    """
    return tuple(sorted({*template_names_in_folder(), *_templates_in_config()}))


def load_template(template_name: str, said_by: str = "--template") -> Template:
    """Return the template of a name: its file, or what the settings say.

    Raises:
        UsageError: it is not there or cannot be read, or that is no name.
    """
    known = parse_name(template_name, said_by)
    path = template_path(known)
    found = read_text(path)
    if found is not None:
        return Template(known, found.replace("\r\n", "\n").rstrip("\n"), str(path))
    table = _templates_in_config()
    if known in table:
        return Template(known, table[known].rstrip("\n"), str(user_config_path()))
    raise _missing_template_error(known, said_by)


def template_path(known: str) -> Path:
    """Return the file of a template, or where it would be."""
    paths = [templates_folder() / f"{known}{ending}" for ending in TEMPLATE_SUFFIXES]
    return next((path for path in paths if os.path.lexists(path)), paths[0])


def _missing_template_error(known: str, said_by: str) -> UsageError:
    names = template_names()
    if not names:
        return UsageError(f"{said_by}: there is no template {known!r}", f"`reflect templates edit {known}` makes it")
    hint = did_you_mean(known, names) or f"there are {', '.join(names)}"
    return UsageError(f"{said_by}: there is no template {known!r}", hint)


def template_names_in_folder() -> Iterator[str]:
    """Yield the names of the templates that are files."""
    with suppress(OSError, UsageError):
        for entry in os.scandir(templates_folder()):
            stem, dot, ending = entry.name.rpartition(".")
            if f"{dot}{ending}" in TEMPLATE_SUFFIXES and is_name(stem):
                yield stem


def _templates_in_config() -> Mapping[str, str]:
    path = user_config_path()
    return templates_of(read_toml(path), path) if path else {}


def templates_of(document: Document, path: Path | None) -> Mapping[str, str]:
    """Return the templates that stand in a file among the settings.

    Raises:
        UsageError: what stands there is none.
    """
    table = document.get("templates", {})
    if not isinstance(table, dict):
        raise UsageError(
            f"{path}: templates must be a table", 'write [templates], and under it review = "Review {input}"'
        )
    return {
        parse_name(key, f"{path}: templates"): parse_text(value, f"{path}: templates.{key}")
        for key, value in table.items()
    }
