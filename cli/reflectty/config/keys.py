"""The key for a server: from the environment, or from a file that nobody else can read; never from anywhere else."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reflectty.config.document import read_text
from reflectty.errors import UsageError

if TYPE_CHECKING:
    from reflectty.config.settings import Settings

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def api_key(settings: Settings) -> str:
    """Return the key for the server that the engine of the settings speaks with; often nothing.

    Raises:
        UsageError: its file cannot be read, others can read it, or it holds no key.
    """
    if settings.engine == "ollama":
        return settings.api_key
    if settings.cluster_key or not settings.api_key_file:
        return settings.cluster_key
    return _in_file(Path(settings.api_key_file).expanduser())


def _in_file(path: Path) -> str:
    text = read_text(path)
    if text is None:
        raise UsageError(f"{path}: there is no such file", "api_key_file names it; REFLECTTY_API_KEY does without")
    if os.name == "posix" and path.stat().st_mode & OTHERS:
        raise UsageError(f"{path}: others can read this key", f"chmod 600 {path}")
    key = text.strip()
    if not key or len(key.split()) > 1:
        raise UsageError(f"{path}: it holds no key", "the key stands there alone, on one line")
    return key
