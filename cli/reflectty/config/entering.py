"""A setting as it is typed: which place in the file its key names, and the value that its words are; writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.config import values
from reflectty.config.loading import TABLES, unknown
from reflectty.config.profiles import EXTENDS
from reflectty.config.settings import ENTRIES, IN_PROFILE
from reflectty.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reflectty.config.settings import Setting

_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_OF_TWO = 2
_OF_PARTS = (values.options, values.keys)


class Entry(NamedTuple):
    """A value and its place: the keys that lead to it."""

    keys: tuple[str, ...]
    value: object


def place(key: str) -> tuple[str, ...]:
    """Return the keys that lead to what a dotted key names.

    Raises:
        UsageError: it names nothing.
    """
    keys = tuple(key.split("."))
    if not all(keys):
        raise UsageError(f"{key!r} is no key", "write one such as model, keys.steer or profiles.code.model")
    return keys


def entry(key: str, words: Sequence[str]) -> Entry:
    """Return what is to stand where.

    Raises:
        UsageError: there is no such setting, or the words are no value of it.
    """
    keys = place(key)
    if keys[0] == "templates":
        values.name(_part(keys, 1, "NAME"), "templates")
        return Entry(_whole(keys, 2), " ".join(words))
    if keys[0] != "profiles":
        return Entry(keys, _value(keys, ENTRIES, words, ""))
    profile, beyond = values.name(_part(keys, 1, "NAME.KEY"), "profiles"), keys[2:]
    if beyond == (EXTENDS,):
        return Entry(keys, values.name(" ".join(words), key))
    _part(keys, 2, "KEY")
    return Entry(keys, _value(beyond, IN_PROFILE, words, f"profiles.{profile}."))


def _value(keys: tuple[str, ...], known: Mapping[str, Setting], words: Sequence[str], within: str) -> object:
    key = f"{within}{keys[0]}"
    if keys[0] not in known:
        raise unknown(keys[0], (*known, *(() if within else TABLES)), f"there is no setting {key!r}")
    setting = known[keys[0]]
    if setting.read in _OF_PARTS:
        part = _part(keys, 1, "NAME", key)
        _whole(keys, _OF_TWO)
        return _part_of_table(setting, key, part, words)
    _whole(keys, 1)
    value = list(words) if setting.read is values.texts else _typed(setting, " ".join(words))
    setting.read(value, key, None)
    return value


def _typed(setting: Setting, text: str) -> object:
    """Return a text as TOML would have it."""
    if setting.read is values.boolean:
        return _BOOLEANS.get(text.lower(), text)
    if setting.read is values.timeouts and text.isascii() and text.isdecimal():
        return int(text)
    return text


def _part_of_table(setting: Setting, key: str, part: str, words: Sequence[str]) -> object:
    """Return the value of an option, or the keys of an action; several words are a list."""
    several = part == "stop" or setting.read is values.keys
    given = (list(words) if len(words) > 1 else words[0]) if several else " ".join(words)
    if setting.read is values.keys:
        return given
    _, value = values.options({part: given}, key)[0]
    return list(value) if isinstance(value, tuple) else value


def _part(keys: Sequence[str], at: int, wanted: str, named: str = "") -> str:
    if len(keys) <= at:
        whole = named or ".".join(keys)
        raise UsageError(f"{whole} is a table", f"set one part of it: {whole}.{wanted}")
    return keys[at]


def _whole(keys: tuple[str, ...], number: int) -> tuple[str, ...]:
    if len(keys) > number:
        raise UsageError(f"{'.'.join(keys)} is no setting", f"{'.'.join(keys[:number])} has no parts")
    return keys
