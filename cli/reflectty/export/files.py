"""Writes a document to a file atomically, replacing an existing one only if forced."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.core.errors import OutputError, UsageError, reason_of
from reflectty.core.safety import clean_line
from reflectty.system.files import open_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable


def save_text(text: str, path: Path, *, force: bool = False) -> None:
    """Write a text to a file in UTF-8; see `save_pieces`."""
    save_pieces((text,), path, force=force)


def save_pieces(pieces: Iterable[str], path: Path, *, force: bool = False) -> None:
    """Write the pieces of a text to a file in UTF-8, each as it is made.

    Args:
        pieces: the text in pieces.
        path: the file; a link is followed.
        force: whether to replace an existing file.

    Raises:
        UsageError: the path exists and may not be replaced.
        OutputError: the file cannot be written.
    """
    shown = clean_line(str(path))
    try:
        target = Path(os.path.realpath(path))
        _require_replaceable(target, shown, force=force)
        with open_atomically(target, force=force) as file:
            for piece in pieces:
                file.write(piece.encode())
    except FileExistsError as error:
        raise _exists_error(shown) from error
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write {shown}: {reason_of(error)}") from error


def _require_replaceable(target: Path, shown: str, *, force: bool) -> None:
    if target.is_dir():
        raise UsageError(f"{shown} is a folder", "name a file in it")
    if target.exists() and not target.is_file():
        raise UsageError(f"{shown} is not a regular file", "omit -o to write to stdout")
    if target.exists() and not force:
        raise _exists_error(shown)


def _exists_error(shown: str) -> UsageError:
    return UsageError(f"{shown} already exists", "--force to overwrite")
