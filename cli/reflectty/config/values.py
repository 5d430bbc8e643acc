"""Parses the values of settings from the config file, the environment or flags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.messages import Effort, KeepThinkingMode, Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.core.messages import OptionValue

    ValueParser = Callable[[object, str, object], object]
    """Turns a value, which stands under a name, into that of a setting; last comes what the setting holds so far."""

THINKING_VIEWS = ("live", "peek", "folded", "off")
"""The ways to show thinking."""
TIMEOUT_PARTS = ("connect", "first", "idle")
"""The phases of a request that have a timeout."""
_NAME_PATTERN = re.compile(r"[^\W_][\w-]{0,63}")
_SWITCH_VALUES = {"0": False, "1": True}


def parse_text(value: object, name: str, _: object = None) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a quoted string")
    return value


def parse_texts(value: object, name: str, _: object = None) -> tuple[str, ...]:
    """Parse a list of texts, or one text."""
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in listed):
        raise UsageError(f"{name} must be a list of quoted strings", f'write it as {name} = ["one", "two"]')
    return tuple(str(one) for one in listed if one)


def parse_name(value: object, where: str, _: object = None) -> str:
    """Parse the name of a profile or a template, which becomes part of a path or a key."""
    word = parse_text(value, where)
    if not is_name(word):
        raise UsageError(f"{where}: {word!r} is not a valid name", "use letters, digits, - and _")
    return word


def is_name(word: str) -> bool:
    """Whether a text can be the name of a profile or a template."""
    return _NAME_PATTERN.fullmatch(word) is not None


def parse_boolean(value: object, name: str, _: object = None) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{name} must be true or false")
    return value


def parse_switch(value: object, name: str, _: object = None) -> bool:
    """Parse a variable that is on or off."""
    if value not in _SWITCH_VALUES:
        raise UsageError(f"{name} must be 0 or 1, not {value!r}")
    return _SWITCH_VALUES[str(value)]


def parse_mode(value: object, name: str, _: object = None) -> str:
    from reflectty.reasoning.modes import Mode

    word = parse_text(value, name)
    if word not in tuple(Mode):
        raise UsageError(f"{name} {word!r} is not a mode", f"choose from {', '.join(Mode)}")
    return word


def parse_engine(value: object, name: str, _: object = None) -> str:
    from reflectty.engines import EngineName

    word = parse_text(value, name)
    if word not in tuple(EngineName):
        raise UsageError(f"{name} {word!r} is not an engine", f"choose from {', '.join(EngineName)}")
    return word


def parse_view(value: object, name: str, _: object = None) -> str:
    word = parse_text(value, name)
    if word not in THINKING_VIEWS:
        raise UsageError(f"{name} {word!r} is not a way to show thinking", f"choose from {', '.join(THINKING_VIEWS)}")
    return word


def parse_effort(value: object, name: str, _: object = None) -> str:
    word = parse_text(value, name)
    if word not in tuple(Effort):
        raise UsageError(f"{name} {word!r} is not an effort", f"choose from {', '.join(Effort)}")
    return word


def parse_keep_thinking(value: object, name: str, _: object = None) -> str:
    word = parse_text(value, name)
    if word not in tuple(KeepThinkingMode):
        raise UsageError(f"{name} {word!r} is not a way to keep thinking", f"choose from {', '.join(KeepThinkingMode)}")
    return word


def parse_family(value: object, name: str, _: object = None) -> str:
    from reflectty.reasoning.families import FAMILIES

    word = parse_text(value, name)
    if word not in FAMILIES:
        raise UsageError(
            f"{name} {word!r} is not a family", did_you_mean(word, FAMILIES) or f"choose from {', '.join(FAMILIES)}"
        )
    return word


def parse_duration(value: object, name: str, _: object = None) -> str:
    """Parse how long a model stays loaded: seconds, or a duration in Ollama's form."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise UsageError(f"{name} must be a duration such as '10m', or seconds")
    return str(value)


def parse_options(value: object, name: str, before: object = None) -> tuple[tuple[str, OptionValue], ...]:
    """Parse a table of options; those that it does not set stay unchanged."""
    from reflectty.core.options import read_options

    if not isinstance(value, dict):
        raise UsageError(f"{name} must be a table", "write it as options = { num_ctx = 8192, temperature = 0.2 }")
    earlier = before if isinstance(before, tuple) else ()
    return tuple({**dict(earlier), **dict(read_options(value, name))}.items())


def parse_timeout_setting(value: object, name: str, before: object = None) -> Timeouts:
    """Parse seconds, or a text with the parts to change; the others stay unchanged."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise UsageError(f"{name} must be seconds, or a string such as 'first=300,idle=120'")
    return parse_timeouts(str(value), before if isinstance(before, Timeouts) else Timeouts(), name)


def parse_timeouts(text: str, timeouts: Timeouts, name: str = "--timeout") -> Timeouts:
    """Change `timeouts` by a text: `60` sets `first` and `idle`, `first=600,idle=30` single ones.

    Raises:
        UsageError: not a number above 0, or an unknown part.
    """
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        try:
            seconds = float(value if equals else key)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < float("inf"):
            raise UsageError(f"{name} {text!r} is not a duration", "give seconds, or connect=5,first=300,idle=120")
        if not equals:
            timeouts = timeouts._replace(first=seconds, idle=seconds)
        elif key in TIMEOUT_PARTS:
            timeouts = timeouts._replace(**{key: seconds})
        else:
            raise UsageError(f"{name} has no part {key!r}", f"its parts are {', '.join(TIMEOUT_PARTS)}")
    return timeouts


def parse_keys(value: object, name: str, _: object = None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise UsageError(f"{name} must be a table", 'write [keys], then lines such as save = "ctrl+s"')
    return tuple((action, _parse_action_keys(keys, f"{name}.{action}")) for action, keys in value.items())


def _parse_action_keys(value: object, name: str) -> tuple[str, ...]:
    keys = value if isinstance(value, list) else [value]
    if not all(isinstance(key, str) for key in keys):
        raise UsageError(f"{name} must be a quoted key, or a list of them")
    return tuple(str(key) for key in keys if key)
