"""The user's templates, found by name: files in the folder `templates`, and a table of the settings; fills none."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.config.document import read, read_text
from reflectty.config.loading import own_file
from reflectty.config.places import templates_folder
from reflectty.config.values import is_name, name, text
from reflectty.errors import UsageError, near
from reflectty.templates import Template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from reflectty.config.profiles import Document

NO_TEMPLATE = "none"
"""The name that stands for no template at all."""
ENDINGS = (".md", ".txt")
"""How the file of a template may end, the first of them first."""


def template_names() -> tuple[str, ...]:
    """Return the names of all templates, in order.

    Raises:
        UsageError: the settings cannot be read.
    """
    return tuple(sorted({*in_folder(), *_in_table()}))


def template(wanted: str, said_by: str = "--template") -> Template:
    """Return the template of a name: its file, or what the settings say.

    Raises:
        UsageError: it is not there or cannot be read, or that is no name.
    """
    known = name(wanted, said_by)
    path = template_path(known)
    found = read_text(path)
    if found is not None:
        return Template(known, found.replace("\r\n", "\n").rstrip("\n"), str(path))
    table = _in_table()
    if known in table:
        return Template(known, table[known].rstrip("\n"), str(own_file()))
    raise _missing(known, said_by)


def template_path(known: str) -> Path:
    """Return the file of a template, or where it would be."""
    paths = [templates_folder() / f"{known}{ending}" for ending in ENDINGS]
    return next((path for path in paths if os.path.lexists(path)), paths[0])


def _missing(known: str, said_by: str) -> UsageError:
    names = template_names()
    if not names:
        return UsageError(f"{said_by}: there is no template {known!r}", f"`reflect templates edit {known}` makes it")
    hint = near(known, names) or f"there are {', '.join(names)}"
    return UsageError(f"{said_by}: there is no template {known!r}", hint)


def in_folder() -> Iterator[str]:
    """Yield the names of the templates that are files."""
    with suppress(OSError, UsageError):
        for entry in os.scandir(templates_folder()):
            stem, dot, ending = entry.name.rpartition(".")
            if f"{dot}{ending}" in ENDINGS and is_name(stem):
                yield stem


def _in_table() -> Mapping[str, str]:
    path = own_file()
    return templates_of(read(path), path) if path else {}


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
    return {name(key, f"{path}: templates"): text(value, f"{path}: templates.{key}") for key, value in table.items()}
