"""Parses and formats the names of keys, and registers their sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from unicodedata import name as unicode_name

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.keys import KEY_NAME_REPLACEMENTS, REPLACED_KEYS, key_to_character

from reflectty.config import config_path
from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple
from reflectty.tui.layouts import letters_at, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reflectty.tui.actions.action import Action

KEYS_HINT = 'write keys like "alt+s", "ctrl+o", "f5" or "alt+,"'

_MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
_KEY_ALIASES = {
    "return": "enter",
    "esc": "escape",
    "del": "delete",
    "pgup": "pageup",
    "page_up": "pageup",
    "pgdn": "pagedown",
    "page_down": "pagedown",
    "ctrl+m": "enter",
    "ctrl+i": "tab",
    "ctrl+h": "backspace",
    "ctrl+[": "escape",
    "ctrl+@": "ctrl+space",
}
"""Other spellings of keys, and keys that a terminal cannot tell from another."""
_NAMED_KEYS = {f"f{number}" for number in range(1, 25)} | {
    *("enter", "escape", "tab", "backspace", "delete", "insert"),
    *("home", "end", "pageup", "pagedown", "up", "down", "left", "right"),
}
"""Keys that type no character."""
_SEQUENCE_STARTS = "[]OPX^_"
"""Characters that begin a longer sequence after an escape."""
_KEY_SYMBOLS = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "space": "space",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "escape": "esc",
}


class _SequenceKey(NamedTuple):
    """A key in Textual's table of sequences."""

    value: str


def format_key(key: str) -> str:
    """The key as hints show it: `alt+comma` is `alt+,`, `alt+up` is `alt+↑`."""
    modifiers, plus, base = key.rpartition("+")
    return f"{modifiers}{plus}{_KEY_SYMBOLS.get(base) or _character_of(base) or base}"


def register_sequences(actions: Iterable[Action], table: Mapping[str, object] = ANSI_SEQUENCES_KEYS) -> None:
    """Register keys with Textual for terminals that send alt as a leading escape, as most do and tmux does.

    By itself Textual reads `alt+enter` as `enter` and `alt+,` as a comma, so that a line break would send the question;
    and `alt+n` as `^n` if the next key arrives in the same chunk, as over a slow line.
    """
    known = cast("dict[str, object]", table)
    for key in (key for action in actions for key in action.keys):
        known.update({sequence: (_SequenceKey(key),) for sequence in _escape_sequences_of(key)})


def _escape_sequences_of(key: str) -> tuple[str, ...]:
    """The sequences that terminals send for a key, under any layout, without those that may begin another one."""
    alt, _, base = key.partition("+")
    if key == "ctrl+space":
        return ("\x00",)
    char = "\r" if base == "enter" else _character_of(base)
    if alt != "alt" or not char:
        return ()
    return tuple(f"\x1b{one}" for one in (char, *letters_at(char)) if one not in _SEQUENCE_STARTS)


def _character_of(base: str) -> str:
    """The character that a key without modifiers types, or an empty text."""
    return (key_to_character(REPLACED_KEYS.get(base, base)) or "") if base not in _NAMED_KEYS else ""


def key_error(message: str, hint: str) -> UsageError:
    return UsageError(f"{config_path()}: [keys] {message}", hint)


def parse_key(action: str, text: str) -> str:
    """The key by its name in Textual.

    Raises:
        UsageError: there is no such key, or it types a character.
    """
    lower = text if len(text) == 1 else text.strip().lower()
    lower = _KEY_ALIASES.get(lower, lower)
    modifiers, _, base = lower.rpartition("+") if not lower.endswith("+") else (lower[:-2], "", "+")
    parts = set(filter(None, modifiers.split("+")))
    name = _parse_base_key(place_of(_KEY_ALIASES.get(base, base)))
    if not name or not parts <= set(_MODIFIERS):
        raise key_error(f"{action}: unknown key {text!r}", KEYS_HINT)
    if name not in _NAMED_KEYS and parts <= {"shift"}:
        raise key_error(f"{action}: {text!r} types a character", "add ctrl or alt")
    return "+".join((*sorted(parts), name))


def _parse_base_key(text: str) -> str:
    """Textual's name of a key without modifiers, or an empty text."""
    if len(text) == 1 and text.isprintable() and text != " ":
        spelled = unicode_name(text, "").lower().replace("-", "_").replace(" ", "_")
        return text if text.isalnum() else KEY_NAME_REPLACEMENTS.get(spelled, spelled)
    return text if text in _NAMED_KEYS or _character_of(text) else ""
