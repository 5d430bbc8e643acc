"""The user's file as a document: reads it, whatever somebody made of it, and says what is wrong; knows no setting."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST = 1 << 20
"""How many bytes a file that a user writes by hand may have."""


def read_text(path: Path) -> str | None:
    """Return the text of a file that a user wrote, or None where there is none.

    Raises:
        UsageError: it cannot be read, is not UTF-8, or is larger than anybody writes.
    """
    try:
        raw = _bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{path}: cannot be read: {(reason or str(error)).lower()}") from error
    if len(raw) > LARGEST:
        raise UsageError(f"{path}: it is larger than {LARGEST >> 20} MB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: it is not UTF-8", "save it as UTF-8") from error
    if "\0" in text:
        raise UsageError(f"{path}: it is no text: it holds a null character", "save it as UTF-8")
    return text


def _bytes(path: Path) -> bytes:
    # What is no plain file may never end, or never begin: a pipe without a writer is empty here.
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    with open(number, "rb") as file:  # noqa: PTH123 - a file that is open already has no path
        return file.read(LARGEST + 1)


def parse(text: str, path: Path) -> Mapping[str, object]:
    """Return what a text says as TOML.

    Raises:
        UsageError: it is none.
    """
    import tomllib  # noqa: PLC0415 - most have no such file

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {error}", "`reflect config edit` opens it") from error


def read(path: Path) -> Mapping[str, object]:
    """Return what the file says; one that is not there says nothing.

    Raises:
        UsageError: it cannot be read, or is no TOML.
    """
    text = read_text(path)
    return {} if text is None else parse(text, path)


def sections(text: str) -> tuple[str, ...]:
    """Return the parts of a document: what stands before any table, and each table with the comment right above it."""
    import tomllib  # noqa: PLC0415 - only who changes the file looks at its parts

    starts, at, lines = [0], 0, text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.lstrip().startswith("["):
            # In a text or a list of several lines, what looks like a table is none.
            with suppress(ValueError):
                tomllib.loads(text[:at])
                starts.append(at - sum(map(len, _above(lines[:number]))))
        at += len(line)
    return tuple(text[start:end] for start, end in zip(starts, (*starts[1:], len(text)), strict=True))


def _above(lines: list[str]) -> list[str]:
    """Return the comment that the lines end with."""
    count = next((count for count, line in enumerate(reversed(lines)) if not line.lstrip().startswith("#")), len(lines))
    return lines[len(lines) - count :]


def section_name(section: str) -> tuple[str, ...]:
    """Return the keys that lead to the table of a section."""
    import tomllib  # noqa: PLC0415 - the same

    header = next(line for line in section.splitlines() if not line.lstrip().startswith("#"))
    keys: list[str] = []
    table: object = tomllib.loads(header)
    while isinstance(table, dict) and table:
        key, table = next(iter(table.items()))
        keys.append(key)
    return tuple(keys)
