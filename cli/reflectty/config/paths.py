"""Paths of the config file, the session store, the state, the themes and the templates."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from reflectty.core.errors import UsageError


def store_path() -> Path:
    """The session store; it may not exist."""
    return _folder("data", ".local/share") / "sessions.db"


def config_path() -> Path:
    """The config file; it may not exist."""
    return _folder("config", ".config") / "config.toml"


def state_folder() -> Path:
    """The folder of the state kept between runs; it may not exist."""
    return _folder("state", ".local/state")


def themes_folder() -> Path:
    """The folder of the user's own themes; it may not exist."""
    return _folder("config", ".config") / "themes"


def templates_folder() -> Path:
    """The folder of the user's templates; it may not exist."""
    return _folder("config", ".config") / "templates"


def _folder(kind: str, under_home: str) -> Path:
    """The user's folder of a kind, as platformdirs defines it; platformdirs is loaded only for unusual cases.

    Raises:
        UsageError: there is no home.
    """
    if sys.platform == "linux" and "ANDROID_DATA" not in os.environ:
        base, home = os.environ.get(f"XDG_{kind.upper()}_HOME", ""), os.environ.get("HOME", "")
        if base.startswith("/") or home.startswith("/"):
            return (Path(base) if base.startswith("/") else Path(home, under_home)) / "reflectty"
    import platformdirs

    folders = platformdirs.PlatformDirs("reflectty")
    try:
        return Path(getattr(folders, f"user_{kind}_dir"))
    except RuntimeError as error:
        raise UsageError("no home folder", "set HOME") from error
