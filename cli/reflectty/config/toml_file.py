"""Reads the config file as text, as TOML and in sections."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError, reason_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_FILE_BYTES = 1 << 20
"""The maximum size of a file that a user writes by hand."""


def read_text(path: Path) -> str | None:
    """Read a file that a user wrote; None if it does not exist.

    Raises:
        UsageError: it cannot be read, is not UTF-8, or is larger than `MAX_FILE_BYTES`.
    """
    try:
        raw = _read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {reason_of(error)}") from error
    if len(raw) > MAX_FILE_BYTES:
        raise UsageError(f"{path}: larger than {MAX_FILE_BYTES >> 20} MB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8", "save it as UTF-8") from error
    if "\0" in text:
        raise UsageError(f"{path}: not a text file (contains NUL bytes)", "save it as UTF-8")
    return text


def _read_bytes(path: Path) -> bytes:
    # A special file may block or never end; a pipe without a writer is empty here.
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    with open(number, "rb") as file:  # noqa: PTH123 - an open file descriptor has no path
        return file.read(MAX_FILE_BYTES + 1)


def parse_toml(text: str, path: Path) -> Mapping[str, object]:
    """Parse TOML.

    Raises:
        UsageError: it is not valid.
    """
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}", "fix it with `reflect config edit`") from error


def read_toml(path: Path) -> Mapping[str, object]:
    """Read a TOML file; a missing one is empty.

    Raises:
        UsageError: it cannot be read, or is not TOML.
    """
    text = read_text(path)
    return {} if text is None else parse_toml(text, path)


def split_sections(text: str) -> tuple[str, ...]:
    """Split a document into sections: the part before any table, and each table with the comment right above it."""
    import tomllib

    starts, at, lines = [0], 0, text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.lstrip().startswith("["):
            # In a multiline text or list, what looks like a table header is none.
            with suppress(ValueError):
                tomllib.loads(text[:at])
                starts.append(at - sum(map(len, _trailing_comment(lines[:number]))))
        at += len(line)
    return tuple(text[start:end] for start, end in zip(starts, (*starts[1:], len(text)), strict=True))


def _trailing_comment(lines: list[str]) -> list[str]:
    """The comment at the end of the lines."""
    count = next((count for count, line in enumerate(reversed(lines)) if not line.lstrip().startswith("#")), len(lines))
    return lines[len(lines) - count :]


def section_name(section: str) -> tuple[str, ...]:
    """The keys of a section's table."""
    import tomllib

    header = next(line for line in section.splitlines() if not line.lstrip().startswith("#"))
    keys: list[str] = []
    table: object = tomllib.loads(header)
    while isinstance(table, dict) and table:
        key, table = next(iter(table.items()))
        keys.append(key)
    return tuple(keys)
