from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from reflectty.core.errors import UsageError
from reflectty.tui.driver import InputParser
from reflectty.tui.keys import parse_key
from reflectty.tui.layouts import LAYOUTS, letters_at, place_of


def keys_from(sequence: str) -> list[str]:
    """The keys that a sequence and a pause after it stand for."""
    parser = InputParser()
    found = [*parser.feed(sequence), *parser.feed("")]
    return [event.key for event in found if isinstance(event, events.Key)]


@pytest.mark.parametrize(
    ("sequence", "keys"),
    [
        ("\x1b[1089::99;5u", ["ctrl+c"]),
        ("\x1b[1089;5u", ["ctrl+c"]),
        ("\x1b[1099;3u", ["alt+s"]),
        ("\x1b[1067:1099:115;4u", ["alt+shift+s"]),
        ("\x1b[963;5u", ["ctrl+s"]),
        ("\x1b[1491;3u", ["alt+s"]),
        ("\x1bы", ["alt+s"]),
        ("\x1bЫ", ["alt+shift+s"]),
        # Typed text, and Latin layouts, where the letter counts and not its place.
        ("\x1b[1089::99;;1089u", ["с"]),
        ("\x1b[99::105;5u", ["ctrl+c"]),
        ("\x1b[246::59;5u", ["ctrl+ö"]),
    ],
)
def test_shortcut_is_read_by_the_place_of_its_key(sequence: str, keys: list[str]) -> None:
    assert keys_from(sequence) == keys


@pytest.mark.parametrize(
    ("sequence", "keys"),
    [
        ("\x1b[97;1:1u", ["a"]),
        ("\x1b[97;1:2u", ["a"]),
        ("\x1b[97;1:3u", []),
        ("\x1b[97:65;2;65u", ["A"]),
        ("\x1b[1;5:1A", ["ctrl+up"]),
        ("\x1b[99999999;5u", []),
        ("\x1b[97;;55296u", []),
        ("\x1b[97;1;99999999u", []),
        ("\x1b[1;2;3;4;5u", []),
        ("\x1b[?62;22c", []),
        ("\x1b[::::u", []),
        ("\x1b[A", ["up"]),
        ("\x1b[13;2u", ["shift+enter"]),
        ("\x1b[[A", ["f1"]),
    ],
)
def test_report_that_is_no_key_types_nothing(sequence: str, keys: list[str]) -> None:
    assert keys_from(sequence) == keys


@given(st.text(alphabet="0123456789:;<=>?$ ~uABCDHMRcmty\x1b[OPxé²", max_size=14))
def test_no_control_sequence_breaks_the_parser(rest: str) -> None:
    keys_from(f"\x1b[{rest}")


@pytest.mark.parametrize(("letters", "keys"), LAYOUTS)
def test_every_letter_of_a_layout_has_its_own_place(letters: str, keys: str) -> None:
    assert len(letters) == len(keys) == len(set(letters))
    assert [place_of(letter) for letter in letters] == list(keys)
    assert all(letter in letters_at(key) for letter, key in zip(letters, keys, strict=True))


def test_key_in_the_settings_may_be_written_in_either_alphabet() -> None:
    assert parse_key("steer", "alt+ы") == parse_key("steer", "alt+s") == "alt+s"
    with pytest.raises(UsageError):
        parse_key("steer", "ы")
