"""Paths of the config file, the session store, the runs, the state, the cache, the themes and the templates."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def store_path() -> Path:
    """The session store; it may not exist."""
    return _folder("data", ".local/share") / "sessions.db"


def runs_folder() -> Path:
    """The folder of the runs of `reflect eval`; it may not exist."""
    return _folder("data", ".local/share") / "evals"


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


def cache_folder(environment: Mapping[str, str]) -> Path:
    """The folder of what can be made again; it may not exist."""
    return _folder("cache", ".cache", environment)


def _folder(kind: str, under_home: str, environment: Mapping[str, str] | None = None) -> Path:
    """The user's folder of a kind, as platformdirs defines it; platformdirs is loaded only for unusual cases.

    Raises:
        UsageError: there is no home.
    """
    variables = os.environ if environment is None else environment
    if sys.platform == "linux" and "ANDROID_DATA" not in variables:
        base, home = variables.get(f"XDG_{kind.upper()}_HOME", ""), variables.get("HOME", "")
        if base.startswith("/") or home.startswith("/"):
            return (Path(base) if base.startswith("/") else Path(home, under_home)) / "reflectty"
    import platformdirs

    folders = platformdirs.PlatformDirs("reflectty")
    try:
        return Path(getattr(folders, f"user_{kind}_dir"))
    except RuntimeError as error:
        raise UsageError("no home folder", "set HOME") from error
