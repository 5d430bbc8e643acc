"""Settings: defaults, the user's file, the environment; and where files are kept. Flags come on top elsewhere."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reflectty.chat import Timeouts
from reflectty.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Reader = Callable[[object, str], object]
    """Turns the value that stands under a name in the file, or in a variable, into that of a setting."""

NO_HURRY = Timeouts()
VIEWS = ("live", "peek", "folded", "off")
"""How thinking can be shown."""
_PARTS = ("connect", "first", "idle")
_SWITCH = {"0": False, "1": True}
_LONGEST_CHOICE = 200
_NO_KEY = "set OLLAMA_API_KEY: a file is no place for a key"


class Settings(NamedTuple):
    """What holds for every command unless a flag says otherwise."""

    model: str = ""
    host: str = ""
    mode: str = "auto"
    api_key: str = ""
    theme: str = "terminal"
    timeouts: Timeouts = NO_HURRY
    store: bool = True
    """Whether sessions are kept."""
    thinking: str = ""
    """How the chat shows thinking: one of `VIEWS`, or empty where nobody chose."""
    animation: bool = True
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The user's own keys: the name of an action and its keys, none to unbind it."""
    theme_chosen: bool = False
    """Whether the file or the environment names the theme."""


def load(environment: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Return the settings that the file and the environment give.

    Raises:
        UsageError: one of them holds what cannot be used.
    """
    given = os.environ if environment is None else environment
    settings = _from_file(file or _own_file())
    for variable, field, reader in _variables():
        if text := given.get(variable, ""):
            settings = _changed(settings, {field: reader(text, variable)})
    text = given.get("REFLECTTY_TIMEOUT", "")
    return settings._replace(timeouts=parse_timeouts(text, settings.timeouts, "REFLECTTY_TIMEOUT"))


def recalled(settings: Settings) -> Settings:
    """Return the settings with what the chat remembers where neither the file nor the environment chose."""
    thinking = remembered("thinking")
    theme = "" if settings.theme_chosen else remembered("theme")
    return settings._replace(
        theme=theme or settings.theme, thinking=settings.thinking or (thinking if thinking in VIEWS else "")
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


def _variables() -> tuple[tuple[str, str, Reader], ...]:
    return (
        ("REFLECTTY_MODEL", "model", _text),
        ("OLLAMA_HOST", "host", _text),
        ("OLLAMA_API_KEY", "api_key", _text),
        ("REFLECTTY_MODE", "mode", _mode),
        ("REFLECTTY_THEME", "theme", _text),
        ("REFLECTTY_THINKING", "thinking", _view),
        ("REFLECTTY_STORE", "store", _switch),
        ("REFLECTTY_ANIMATION", "animation", _switch),
    )


def _entries() -> dict[str, tuple[str, Reader]]:
    return {
        "model": ("model", _text),
        "host": ("host", _text),
        "mode": ("mode", _mode),
        "theme": ("theme", _text),
        "timeout": ("timeouts", _timeouts),
        "store": ("store", _bool),
        "thinking": ("thinking", _view),
        "animation": ("animation", _bool),
        "keys": ("keys", _keys),
    }


def _changed(settings: Settings, values: Mapping[str, object]) -> Settings:
    chosen = settings.theme_chosen or "theme" in values
    return settings._replace(**values, theme_chosen=chosen)  # type: ignore[arg-type]


def _own_file() -> Path | None:
    with suppress(UsageError):
        return config_path()
    return None


def _from_file(path: Path | None) -> Settings:
    entries, values = _entries(), dict[str, object]()
    for key, value in (_document(path) if path else {}).items():
        if key not in entries:
            hint = _NO_KEY if key == "api_key" else near(key, entries)
            raise UsageError(f"{path}: there is no setting {key!r}", hint or f"there are {', '.join(entries)}")
        field, reader = entries[key]
        if value not in ("", {}):
            values[field] = reader(value, f"{path}: {key}")
    return _changed(Settings(), values)


def _document(path: Path) -> Mapping[str, object]:
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    import tomllib  # noqa: PLC0415 - most have no such file

    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: it is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {error}") from error


def near(word: str, known: Iterable[str]) -> str:
    """Return a hint at the words that look like this one, or nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - only mistakes need it

    found = get_close_matches(word, list(known), n=3)
    return f"did you mean {' or '.join(found)}?" if found else ""


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a text in quotes")
    return value


def _bool(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{name} must be true or false")
    return value


def _switch(value: object, name: str) -> bool:
    if value not in _SWITCH:
        raise UsageError(f"{name} must be 0 or 1, not {value!r}")
    return _SWITCH[str(value)]


def _mode(value: object, name: str) -> str:
    from reflectty.modes import Mode  # noqa: PLC0415 - only who sets one needs the list

    text = _text(value, name)
    if text not in tuple(Mode):
        raise UsageError(f"{name} {text!r} is no mode", f"the modes are {', '.join(Mode)}")
    return text


def _view(value: object, name: str) -> str:
    text = _text(value, name)
    if text not in VIEWS:
        raise UsageError(f"{name} {text!r} is no way to show thinking", f"there are {', '.join(VIEWS)}")
    return text


def _timeouts(value: object, name: str) -> Timeouts:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise UsageError(f"{name} must be seconds, or a text such as 'first=300,idle=120'")
    return parse_timeouts(str(value), NO_HURRY, name)


def _keys(value: object, name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise UsageError(f"{name} must be a table", 'write [keys], and under it lines such as save = "ctrl+s"')
    return tuple((action, _some_keys(keys, f"{name}.{action}")) for action, keys in value.items())


def _some_keys(value: object, name: str) -> tuple[str, ...]:
    keys = value if isinstance(value, list) else [value]
    if not all(isinstance(key, str) for key in keys):
        raise UsageError(f"{name} must be a key in quotes, or a list of them")
    return tuple(str(key) for key in keys if key)


def store_path() -> Path:
    """Return the file of the sessions; it may not exist."""
    return _folder("data", ".local/share") / "sessions.db"


def config_path() -> Path:
    """Return the file of the user's settings; it may not exist."""
    return _folder("config", ".config") / "config.toml"


def state_folder() -> Path:
    """Return the folder for what the program remembers between runs; it may not exist."""
    return _folder("state", ".local/state")


def themes_folder() -> Path:
    """Return the folder for the user's own themes; it may not exist."""
    return _folder("config", ".config") / "themes"


def _folder(kind: str, under_home: str) -> Path:
    """Return the user's folder of a kind, as platformdirs does, which is loaded where it is not plain.

    Raises:
        UsageError: there is no home.
    """
    if sys.platform == "linux" and "ANDROID_DATA" not in os.environ:
        base, home = os.environ.get(f"XDG_{kind.upper()}_HOME", ""), os.environ.get("HOME", "")
        if base.startswith("/") or home.startswith("/"):
            return (Path(base) if base.startswith("/") else Path(home, under_home)) / "reflectty"
    import platformdirs  # noqa: PLC0415 - most runs do without

    folders = platformdirs.PlatformDirs("reflectty")
    try:
        return Path(getattr(folders, f"user_{kind}_dir"))
    except RuntimeError as error:
        raise UsageError("there is no home folder", "set HOME") from error


def first_time(topic: str, name: str) -> bool:
    """Whether `name` is new under `topic`, and remember it; where nothing can be written, everything is new."""
    with suppress(OSError, ValueError, UsageError):
        path = state_folder() / topic
        if path.exists() and name in path.read_text("utf-8").split("\n"):
            return False
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
    return True


def remembered(name: str) -> str:
    """Return what was chosen under that name in an earlier run, or nothing."""
    with suppress(OSError, ValueError, UsageError):
        text = (state_folder() / "chosen" / name).read_text("utf-8")
        return text if text.isprintable() and len(text) <= _LONGEST_CHOICE else ""
    return ""


def remember(name: str, value: str) -> None:
    """Keep a choice for later runs, whole or not at all; where nothing can be written, it is forgotten."""
    with suppress(OSError, ValueError, UsageError):
        path = state_folder() / "chosen" / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{name}.{os.getpid()}")
        fresh.write_text(value, "utf-8")
        fresh.replace(path)
