"""Settings: defaults, then the environment; and where the program keeps its files. Flags come on top elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reflectty.chat import Timeouts
from reflectty.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_HURRY = Timeouts()
_PARTS = ("connect", "first", "idle")


class Settings(NamedTuple):
    """What holds for every command unless a flag says otherwise."""

    model: str = ""
    host: str = ""
    mode: str = "auto"
    api_key: str = ""
    theme: str = "terminal"
    timeouts: Timeouts = NO_HURRY


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that the environment gives.

    Raises:
        UsageError: REFLECTTY_TIMEOUT cannot be read.
    """
    given = os.environ if environment is None else environment
    return Settings(
        model=given.get("REFLECTTY_MODEL", ""),
        host=given.get("OLLAMA_HOST", ""),
        mode=given.get("REFLECTTY_MODE", "") or "auto",
        api_key=given.get("OLLAMA_API_KEY", ""),
        theme=given.get("REFLECTTY_THEME", "") or "terminal",
        timeouts=parse_timeouts(given.get("REFLECTTY_TIMEOUT", ""), NO_HURRY, "REFLECTTY_TIMEOUT"),
    )


def debugging() -> bool:
    """Whether tracebacks are wanted."""
    return os.environ.get("REFLECTTY_DEBUG", "") not in ("", "0")


def parse_timeouts(text: str, timeouts: Timeouts, name: str = "--timeout") -> Timeouts:
    """Return `timeouts` with what `text` changes: `60` is the first and the idle one, `first=600,idle=30` single ones.

    Raises:
        UsageError: not a number above 0, or a part that does not exist.
    """
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        try:
            seconds = float(value if equals else key)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < float("inf"):
            raise UsageError(f"{name} {text!r} is no time", "give seconds, or connect=5,first=300,idle=120")
        if not equals:
            timeouts = timeouts._replace(first=seconds, idle=seconds)
        elif key in _PARTS:
            timeouts = timeouts._replace(**{key: seconds})
        else:
            raise UsageError(f"{name} has no part {key!r}", f"its parts are {', '.join(_PARTS)}")
    return timeouts


def state_folder() -> Path:
    """Return the folder for what the program remembers between runs; it may not exist."""
    import platformdirs  # noqa: PLC0415 - only few runs need it

    return Path(platformdirs.user_state_dir("reflectty"))


def themes_folder() -> Path:
    """Return the folder for the user's own themes; it may not exist."""
    import platformdirs  # noqa: PLC0415 - only few runs need it

    return Path(platformdirs.user_config_dir("reflectty")) / "themes"


def first_time(topic: str, name: str) -> bool:
    """Whether `name` is new under `topic`, and remember it; where nothing can be written, everything is new."""
    path = state_folder() / topic
    try:
        known = path.read_text("utf-8").split("\n") if path.exists() else []
        if name in known:
            return False
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
    except (OSError, ValueError):
        return True
    return True
