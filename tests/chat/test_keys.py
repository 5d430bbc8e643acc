from __future__ import annotations

import re
from importlib.util import find_spec, module_from_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual import _ansi_sequences
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.widgets import TextArea

from reflectty.core.errors import UsageError
from reflectty.tui.actions import ACTIONS, bind_actions
from reflectty.tui.keys import format_key, register_sequences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
LEGACY = {
    **{f"alt+{letter}": f"\x1b{letter}" for letter in "acdeghijklmnopqrstuvwxyz"},
    **{f"ctrl+{letter}": chr(ord(letter) & 0x1F) for letter in "cdefgjklnopqrstuvwxyz"},
    "enter": "\r",
    "escape": "\x1b",
    "alt+enter": "\x1b\r",
    "alt+comma": "\x1b,",
    "alt+full_stop": "\x1b.",
    "alt+left": "\x1b[1;3D",
    "alt+right": "\x1b[1;3C",
    "alt+up": "\x1b[1;3A",
    "alt+down": "\x1b[1;3B",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "ctrl+home": "\x1b[1;5H",
    "ctrl+end": "\x1b[1;5F",
    "ctrl+underscore": "\x1f",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "f4": "\x1bOS",
    "f5": "\x1b[15~",
    "f6": "\x1b[17~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
}
"""Key sequences of a terminal without the protocol of kitty, tmux among them."""
KITTY = {"shift+enter": "\x1b[13;2u", "ctrl+slash": "\x1b[47;5u"}


@pytest.fixture(name="taught", autouse=True)
def _taught() -> Iterator[None]:
    """Restore Textual's own table around every test."""
    table = dict(ANSI_SEQUENCES_KEYS)
    _tell(_default_table())
    yield
    _tell(table)


def _default_table() -> Mapping[str, object]:
    """The table as Textual makes it."""
    spec = find_spec(_ansi_sequences.__name__)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.ANSI_SEQUENCES_KEYS)


def _tell(table: Mapping[str, object]) -> None:
    ANSI_SEQUENCES_KEYS.clear()  # type: ignore[attr-defined]
    ANSI_SEQUENCES_KEYS.update(table)  # type: ignore[attr-defined]


def arriving(sequence: str) -> list[str]:
    """The keys that Textual reads from a sequence and a pause after it."""
    parser = XTermParser()
    events = [*parser.feed(sequence), *parser.feed("")]
    return [event.key for event in events if isinstance(event, Key)]


def keys_of(name: str, *overrides: tuple[str, tuple[str, ...]]) -> tuple[str, ...]:
    return next(action.keys for action in bind_actions(overrides) if action.name == name)


@pytest.mark.parametrize("key", [key for action in ACTIONS for key in action.keys])
def test_every_default_key_is_parsed_from_its_terminal_sequence(key: str) -> None:
    register_sequences(ACTIONS)

    assert arriving((LEGACY | KITTY)[key]) == [key]


@pytest.mark.parametrize("sequence", ["\x1b\r", "\x1b,", "\x1b."])
def test_textual_loses_alt_without_registered_sequences(sequence: str) -> None:
    assert not arriving(sequence)[0].startswith("alt+")


@pytest.mark.parametrize(
    ("key", "sequence"), [("alt+1", "\x1b1"), ("alt+b", "\x1bb"), ("alt+/", "\x1b/"), ("ctrl+space", "\x00")]
)
def test_sequences_of_custom_keys_are_registered(key: str, sequence: str) -> None:
    actions = bind_actions([("new", (key,))])
    register_sequences(actions)

    assert tuple(arriving(sequence)) == keys_of("new", ("new", (key,)))


@pytest.mark.parametrize(("sequence", "key"), [("\x1b[A", "up"), ("\x1b2", "trade_mark_sign"), ("\x1bf", "ctrl+right")])
def test_unbound_sequences_keep_their_textual_meaning(sequence: str, key: str) -> None:
    register_sequences(bind_actions([("new", ("alt+[", "alt+1", "alt+b"))]))

    assert arriving(sequence) == [key]


def test_every_action_has_a_unique_name_a_label_and_a_key_or_command() -> None:
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)
    assert len({action.slash for action in ACTIONS if action.slash}) == sum(bool(action.slash) for action in ACTIONS)
    assert [action.name for action in ACTIONS if not (action.keys or action.slash) or not action.label] == []
    assert [action.name for action in ACTIONS if action.argument and not action.slash] == []


def test_every_action_but_typing_has_a_command_and_a_key_without_alt_or_the_key_menu() -> None:
    assert [action.name for action in ACTIONS if not action.slash] == ["send", "newline", "interrupt"]
    commands = [name for action in ACTIONS for name in (action.slash, *action.aliases) if name]
    assert len(set(commands)) == len(commands)
    assert keys_of("key_menu") == ("ctrl+l",)


def test_names_of_actions_are_those_of_the_settings_in_the_order_of_help() -> None:
    groups = {group: [action.name for action in actions] for group, actions in groupby(ACTIONS, lambda one: one.group)}
    assert groups == {
        "Ask": ["send", "newline", "editor", "attach", "paste_image", "template"],
        "Reply": [
            *("cancel", "withdraw", "steer", "conclude", "edit", "regenerate", "compare", "continue"),
            *("previous_branch", "next_branch"),
        ],
        "Thinking": [
            *("next_correction", "previous_correction", "probe"),
            *("toggle_thinking", "toggle_question", "cycle_thinking"),
        ],
        "Copy": ["copy_answer", "copy_thinking", "copy_code"],
        "Session": ["new", "sessions", "search", "tree", "save", "rename"],
        "Settings": [
            *("model", "mode", "effort", "theme", "models", "profile"),
            *("budget", "samples", "verify", "system", "option", "pull"),
        ],
        "Move": ["previous_block", "next_block", "find", "page_up", "page_down", "top", "bottom"],
        "Chat": ["keys", "palette", "key_menu", "interrupt", "quit"],
    }


def test_keys_of_the_settings_are_in_order() -> None:
    keys = [action.keys[0] for action in ACTIONS if action.group == "Settings" and action.keys]
    assert keys == sorted(keys)


def test_readme_names_only_keys_that_an_action_has() -> None:
    rows = [line.split("|") for line in (ROOT / "README.md").read_text("utf-8").splitlines() if line.startswith("| `")]
    written = {key for row in rows for key in re.findall(r"`((?:alt|ctrl|shift)\+[^`]+|f\d+|enter|esc)`", row[1])}
    assert len(written) > 20
    assert written <= {format_key(key) for action in ACTIONS for key in action.keys}


def test_default_keys_avoid_screen_and_tmux_prefixes_and_editing_keys() -> None:
    editing = {key for binding in TextArea.BINDINGS for key in binding.key.split(",")}  # type: ignore[union-attr]
    taken_on_purpose = {"pageup", "pagedown", "ctrl+c", "f6", "f7"}

    assert {key for action in ACTIONS for key in action.keys} & ({"ctrl+a", "ctrl+b"} | editing) == taken_on_purpose


def test_default_keys_apply_without_overrides() -> None:
    assert bind_actions() == ACTIONS


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        (("f9",), ("f9",)),
        ((), ()),
        (("Ctrl+Shift+Left", "F12"), ("ctrl+shift+left", "f12")),
        (("shift+alt+x",), ("alt+shift+x",)),
        (("super+shift+ctrl+alt+up", "meta+hyper+f6"), ("alt+ctrl+shift+super+up", "hyper+meta+f6")),
        (("alt+;", "ctrl++", "ctrl+-"), ("alt+semicolon", "ctrl+plus", "ctrl+minus")),
        (("ctrl+]", "ctrl+\\"), ("ctrl+right_square_bracket", "ctrl+backslash")),
        (("alt+é", "super+k"), ("alt+é", "super+k")),
        (("ctrl+i",), ("tab",)),
        (("ctrl+@", "shift+del"), ("ctrl+space", "shift+delete")),
    ],
)
def test_overrides_bind_keys(written: tuple[str, ...], keys: tuple[str, ...]) -> None:
    assert keys_of("steer", ("steer", written)) == keys


@pytest.mark.parametrize(
    ("name", "key", "message", "hint"),
    [
        ("ster", "f9", "unknown action 'ster'", "did you mean steer"),
        ("xxxxxxxx", "f9", "unknown action 'xxxxxxxx'", "choose from send, newline"),
        ("steer", "alt+foo", "steer: unknown key 'alt+foo'", "write keys like"),
        ("steer", "hyperr+x", "steer: unknown key 'hyperr+x'", "write keys like"),
        ("steer", "", "steer: unknown key ''", "write keys like"),
        ("steer", "ctrl+", "steer: unknown key 'ctrl+'", "write keys like"),
        ("steer", "x", "steer: 'x' types a character", "add ctrl or alt"),
        ("steer", "X", "steer: 'X' types a character", "add ctrl or alt"),
        ("steer", "+", "steer: '+' types a character", "add ctrl or alt"),
        ("steer", "space", "steer: 'space' types a character", "add ctrl or alt"),
        ("steer", "shift+?", "steer: 'shift+?' types a character", "add ctrl or alt"),
        ("steer", "alt+e", "alt+e is assigned to steer and edit", "another key"),
        ("edit", "alt+s", "alt+s is assigned to steer and edit", "another key"),
        ("steer", "ctrl+m", "enter is assigned to send and steer", "another key"),
    ],
)
def test_invalid_key_overrides_are_refused(name: str, key: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        bind_actions([(name, (key,))])

    assert message in str(refused.value)
    assert hint in refused.value.hint


def test_two_actions_can_swap_keys() -> None:
    overrides = (("steer", ("alt+e",)), ("edit", ("alt+s",)))

    assert keys_of("steer", *overrides) == ("alt+e",)
    assert keys_of("edit", *overrides) == ("alt+s",)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("alt+n", "alt+n"),
        ("enter", "enter"),
        ("alt+comma", "alt+,"),
        ("alt+up", "alt+↑"),
        ("pageup", "pgup"),
        ("ctrl+underscore", "ctrl+_"),
        ("ctrl+slash", "ctrl+/"),
        ("ctrl+plus", "ctrl++"),
        ("ctrl+space", "ctrl+space"),
    ],
)
def test_key_is_formatted_for_display(key: str, text: str) -> None:
    assert format_key(key) == text


def test_a_hint_names_the_first_key_or_else_the_command() -> None:
    hints = {action.name: action.hint for action in bind_actions([("steer", ())])}

    assert (hints["newline"], hints["steer"], hints["rename"]) == ("ctrl+j", "/steer", "/title")
