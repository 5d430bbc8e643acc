"""The user's file as a document: reads it, whatever somebody made of it, and says what is wrong; knows no setting."""

from __future__ import annotations

import os
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
