"""Writes a document to a file atomically, replacing an existing one only if forced."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.core.errors import OutputError, UsageError
from reflectty.core.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterator


def save_text(text: str, path: Path, *, force: bool = False) -> None:
    """Write a text to a file in UTF-8.

    Args:
        text: the text.
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
        with _temporary_name_for(target) as written:
            _write_synced(written, text)
            if force:
                written.replace(target)
            else:
                _link_into_place(written, target)
    except FileExistsError as error:
        raise _exists_error(shown) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise OutputError(f"cannot write {shown}: {(reason or str(error)).lower()}") from error


def _require_replaceable(target: Path, shown: str, *, force: bool) -> None:
    if target.is_dir():
        raise UsageError(f"{shown} is a folder", "name a file in it")
    if target.exists() and not target.is_file():
        raise UsageError(f"{shown} is not a regular file", "omit -o to write to stdout")
    if target.exists() and not force:
        raise _exists_error(shown)


def _exists_error(shown: str) -> UsageError:
    return UsageError(f"{shown} already exists", "--force to overwrite")


@contextmanager
def _temporary_name_for(target: Path) -> Iterator[Path]:
    """A temporary name in the same folder; the file is removed afterwards."""
    path = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _link_into_place(written: Path, target: Path) -> None:
    """Give a file its final name, unless another one has it by now."""
    try:
        target.hardlink_to(written)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no links.
        target.open("x").close()
        written.replace(target)


def _write_synced(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
