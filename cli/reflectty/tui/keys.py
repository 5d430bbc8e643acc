"""The table of the chat's actions with their keys, labels and slash commands, and the parser of key names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast
from unicodedata import name as unicode_name

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.keys import KEY_NAME_REPLACEMENTS, REPLACED_KEYS, key_to_character

from reflectty.config import config_path
from reflectty.core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEYS_HINT = 'write keys like "alt+s", "ctrl+o", "f5" or "alt+,"'


class Action(NamedTuple):
    """An action: its name in the settings, its keys, and its texts for help and palette."""

    name: str
    keys: tuple[str, ...]
    label: str
    group: str
    slash: str = ""
    """The slash command, such as `/copy code`; empty if typing it makes no sense."""
    argument: str = ""
    """The argument of the command, for help."""

    @property
    def hint(self) -> str:
        """The first key as hints show it, or the command if there is no key."""
        return format_key(self.keys[0]) if self.keys else self.slash


_ASK, _REPLY, _THINKING, _COPY = "Ask", "Reply", "Thinking", "Copy"
_SESSION, _SETTINGS, _MOVE, _CHAT = "Session", "Settings", "Move", "Chat"

ACTIONS = (
    Action("send", ("enter",), "Send the question", _ASK),
    Action("newline", ("ctrl+j", "alt+enter", "shift+enter"), "Insert a new line", _ASK),
    Action("editor", ("ctrl+g",), "Write in your editor", _ASK, "/editor"),
    Action("attach", (), "Attach a file or an image", _ASK, "/attach", "PATH"),
    Action("template", (), "Start from a template", _ASK, "/template", "NAME"),
    Action("cancel", ("escape",), "Stop the reply and keep the text so far", _REPLY),
    Action("steer", ("alt+s",), "Steer: edit the thinking and continue", _REPLY, "/steer"),
    Action("conclude", ("alt+c",), "Stop thinking and answer now", _REPLY, "/conclude"),
    Action("edit", ("alt+e",), "Edit question (keeps the old one)", _REPLY, "/edit", "N"),
    Action("regenerate", ("alt+r",), "Regenerate", _REPLY, "/regenerate"),
    Action("continue", ("alt+g",), "Continue the reply", _REPLY, "/continue"),
    Action("previous_branch", ("alt+left", "alt+comma"), "Previous version", _REPLY),
    Action("next_branch", ("alt+right", "alt+full_stop"), "Next version", _REPLY),
    Action("next_correction", ("alt+n",), "Next correction", _THINKING),
    Action("previous_correction", ("alt+p",), "Previous correction", _THINKING),
    Action("toggle_thinking", ("alt+o",), "Expand or collapse thinking", _THINKING),
    Action(
        "cycle_thinking", ("alt+t",), "Change how thinking is shown", _THINKING, "/thinking", "live|peek|folded|off"
    ),
    Action("copy_answer", ("alt+y",), "Copy the answer", _COPY, "/copy"),
    Action("copy_thinking", ("alt+u",), "Copy the thinking", _COPY, "/copy thinking"),
    Action("copy_code", ("alt+k",), "Copy a code block", _COPY, "/copy code", "N"),
    Action("new", ("ctrl+n",), "New session", _SESSION, "/new"),
    Action("sessions", ("ctrl+o",), "Sessions", _SESSION, "/sessions"),
    Action("search", ("ctrl+f",), "Search all sessions", _SESSION, "/search", "WORDS"),
    Action("save", ("ctrl+s",), "Save the session to a file", _SESSION, "/save", "PATH"),
    Action("rename", (), "Rename the session", _SESSION, "/title", "TEXT"),
    Action("model", ("f2",), "Choose a model", _SETTINGS, "/model", "NAME"),
    Action("mode", ("f3",), "Reflection mode", _SETTINGS, "/mode", "auto|native|reflect|direct"),
    Action("effort", ("f4",), "Thinking effort", _SETTINGS, "/effort", "low|medium|high|max"),
    Action("models", ("f6",), "Manage models on the server", _SETTINGS, "/models"),
    Action("pull", (), "Pull a model", _SETTINGS, "/pull", "NAME"),
    Action("profile", ("f8",), "Use a profile", _SETTINGS, "/profile", "NAME"),
    Action("theme", ("f5",), "Choose a theme", _SETTINGS, "/theme", "NAME"),
    Action("system", (), "Set the system prompt", _SETTINGS, "/system", "TEXT"),
    Action("option", (), "Set a model option", _SETTINGS, "/option", "KEY=VALUE"),
    Action("previous_block", ("alt+up",), "Previous message", _MOVE),
    Action("next_block", ("alt+down",), "Next message", _MOVE),
    Action("page_up", ("pageup",), "Page up", _MOVE),
    Action("page_down", ("pagedown",), "Page down", _MOVE),
    Action("top", ("ctrl+home",), "Go to the first question", _MOVE),
    Action("bottom", ("ctrl+end",), "Go to the end and follow the reply", _MOVE),
    Action("keys", ("f1", "ctrl+slash", "ctrl+underscore"), "Keyboard shortcuts", _CHAT, "/help"),
    Action("palette", ("ctrl+p",), "Commands", _CHAT),
    Action("interrupt", ("ctrl+c",), "Stop the reply; twice to quit", _CHAT),
    Action("quit", ("ctrl+q",), "Quit", _CHAT, "/quit"),
)
"""All actions, in the order of help.

No key is `ctrl+a` or `ctrl+b`, the prefixes of screen and tmux, and none is an editing key of the composer. Digits and
most punctuation with alt stay free: Textual reads them as what a Mac's Option key types.
"""

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


def bind_actions(overrides: Iterable[tuple[str, tuple[str, ...]]] = ()) -> tuple[Action, ...]:
    """All actions, with the user's keys in place of the defaults.

    Raises:
        UsageError: there is no such action or key, or one key has two actions.
    """
    wanted = {_require_action(name): tuple(_parse_key(name, key) for key in keys) for name, keys in overrides}
    actions = tuple(action._replace(keys=wanted.get(action.name, action.keys)) for action in ACTIONS)
    owners: dict[str, str] = {}
    for key, name in ((key, action.name) for action in actions for key in action.keys):
        if owners.setdefault(key, name) != name:
            raise _key_error(
                f"{format_key(key)} is assigned to {owners[key]} and {name}",
                'assign another key to one of them, or "" for none',
            )
    return actions


def format_key(key: str) -> str:
    """The key as hints show it: `alt+comma` is `alt+,`, `alt+up` is `alt+↑`."""
    modifiers, plus, base = key.rpartition("+")
    return f"{modifiers}{plus}{_KEY_SYMBOLS.get(base) or _character_of(base) or base}"


def register_sequences(actions: Iterable[Action], table: Mapping[str, object] = ANSI_SEQUENCES_KEYS) -> None:
    """Register keys with Textual for terminals that send alt as a leading escape, as most do and tmux does.

    By itself Textual reads `alt+enter` as `enter` and `alt+,` as a comma, so that a line break would send the question;
    and `alt+n` as `^n` if the next key arrives in the same chunk, as over a slow line.
    """
    sequences = {key: _escape_sequence_of(key) for action in actions for key in action.keys}
    known = cast("dict[str, object]", table)
    known.update({sequence: (_SequenceKey(key),) for key, sequence in sequences.items() if sequence})


def _escape_sequence_of(key: str) -> str:
    """The sequence that a terminal sends for a key, or an empty text if it may begin another one."""
    alt, _, base = key.partition("+")
    if key == "ctrl+space":
        return "\x00"
    char = "\r" if base == "enter" else _character_of(base)
    return f"\x1b{char}" if alt == "alt" and char and char not in _SEQUENCE_STARTS else ""


def _character_of(base: str) -> str:
    """The character that a key without modifiers types, or an empty text."""
    return (key_to_character(REPLACED_KEYS.get(base, base)) or "") if base not in _NAMED_KEYS else ""


def _require_action(name: str) -> str:
    names = [action.name for action in ACTIONS]
    if name not in names:
        raise _key_error(f"unknown action {name!r}", did_you_mean(name, names) or f"choose from {', '.join(names)}")
    return name


def _key_error(message: str, hint: str) -> UsageError:
    return UsageError(f"{config_path()}: [keys] {message}", hint)


def _parse_key(action: str, text: str) -> str:
    """The key by its name in Textual.

    Raises:
        UsageError: there is no such key, or it types a character.
    """
    lower = text if len(text) == 1 else text.strip().lower()
    lower = _KEY_ALIASES.get(lower, lower)
    modifiers, _, base = lower.rpartition("+") if not lower.endswith("+") else (lower[:-2], "", "+")
    parts = set(filter(None, modifiers.split("+")))
    name = _parse_base_key(_KEY_ALIASES.get(base, base))
    if not name or not parts <= set(_MODIFIERS):
        raise _key_error(f"{action}: unknown key {text!r}", KEYS_HINT)
    if name not in _NAMED_KEYS and parts <= {"shift"}:
        raise _key_error(f"{action}: {text!r} types a character", "add ctrl or alt")
    return "+".join((*sorted(parts), name))


def _parse_base_key(text: str) -> str:
    """Textual's name of a key without modifiers, or an empty text."""
    if len(text) == 1 and text.isprintable() and text != " ":
        spelled = unicode_name(text, "").lower().replace("-", "_").replace(" ", "_")
        return text if text.isalnum() else KEY_NAME_REPLACEMENTS.get(spelled, spelled)
    return text if text in _NAMED_KEYS or _character_of(text) else ""
