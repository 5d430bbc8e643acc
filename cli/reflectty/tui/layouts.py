"""Reads shortcuts by the place of a key, so that they work under every keyboard layout.

Sequences are those of kitty's keyboard protocol: `CSI code:shifted:base ; modifiers:event ; text u`, where `base` is
the key at the same place of an American keyboard (https://sw.kovidgoyal.net/kitty/keyboard-protocol/).
"""

from __future__ import annotations

import re
from itertools import chain
from unicodedata import name as unicode_name

LAYOUTS = (
    ("йцукенгшщзхъфывапролджэячсмитьбюё", "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"),
    ("іїєґў", "s]'\\o"),
    ("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"),
    ("קראטוןםפשדגכעיחלךףזסבהנמצתץ", "ertyuiopasdfghjkl;zxcvbnm,."),
)
"""Letters of Russian, of Ukrainian and Belarusian, Greek and Hebrew layouts, with the American keys at their places."""
_PLACES = dict(chain.from_iterable(zip(letters, keys, strict=True) for letters, keys in LAYOUTS))
_REPORT = re.compile(r"\x1b\[([\d:]*(?:;[\d:]*){0,2})([u~A-HPQRS])", re.ASCII)
_RELEASED = "3"
_MAX_CODE = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_PLAIN = 1
_SHIFT_AND_LOCKS = 1 | 64 | 128
"""Bits of the modifiers that make no shortcut: shift, caps lock and num lock."""


def place_of(letter: str) -> str:
    """The character of the key at the same place of an American keyboard; a Latin letter and a sign are themselves."""
    return _PLACES.get(letter, letter)


def letters_at(key: str) -> tuple[str, ...]:
    """The letters of other alphabets that stand where an American keyboard has this character."""
    return tuple(letter for letter, place in _PLACES.items() if place == key)


def plain_report_of(sequence: str) -> str | None:
    """A key report without event type and alternate keys; a shortcut has the key of its place.

    Empty for a report without meaning: a key's release, or numbers that no key has. None if it is no key report.
    """
    report = _REPORT.fullmatch(sequence)
    if report is None:
        return None
    codes, modifiers, text = (*report[1].split(";"), "", "")[:3]
    held, _, event = modifiers.partition(":")
    code, _, base = (*codes.split(":"), "", "")[:3]
    if event == _RELEASED or not all(_is_character(int(number)) for number in re.findall(r"\d+", sequence)):
        return ""
    if report[2] == "u" and not code:
        return ""
    if report[2] == "u" and (int(held or _PLAIN) - _PLAIN) & ~_SHIFT_AND_LOCKS:
        code = _code_at_place(int(code), base)
    fields = (code, held, ":".join(filter(None, text.split(":"))))
    return f"\x1b[{';'.join(fields[: report[1].count(';') + 1])}{report[2]}"


def _is_character(code: int) -> bool:
    return code <= _MAX_CODE and code not in _SURROGATES


def _code_at_place(code: int, base: str) -> str:
    """The code of a shortcut's key: a letter of another alphabet is read by its place."""
    letter = chr(code)
    if not letter.isalpha() or unicode_name(letter, "").startswith("LATIN"):
        return str(code)
    return base or str(ord(place_of(letter.lower())))
