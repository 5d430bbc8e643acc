"""Makes attachments of the files that a question names; sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.errors import UsageError
from reflectty.material import as_text, read_file, read_image
from reflectty.session import Attachment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LARGEST = 20_000_000
"""Bytes of a file that can come along."""


def attachment(path: Path, warn: Callable[[str], None]) -> Attachment:
    """Return a file as what comes along with a question: an image if it is one, else its text.

    Raises:
        UsageError: it cannot be read, is too large, or is neither.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    if size > LARGEST:
        raise UsageError(f"{path} is too large to come along", f"at most {LARGEST // 1_000_000} MB do")
    try:
        return Attachment(path.name, "image", read_image(path))
    except UsageError:
        return Attachment(str(path), "file", as_text(read_file(path), str(path), warn))
