"""Helpers for the tests of sanitized text: feeding it, listening as a terminal, and finding forbidden code points."""

from __future__ import annotations

import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Any

import pyte
from hypothesis import strategies as st

from reflectty.core.safety import Sanitizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LINK = r"\x1b\]8;(?:id=[0-9a-f]+;(?i:https?|mailto):[!-~]+|;)\x1b\\"
"""The pattern of the beginning or the end of a link that may be sent."""
FLAG = "\U0001f3f4"
ENGLAND, SCOTLAND, WALES = (
    FLAG + "".join(chr(0xE0000 + ord(letter)) for letter in name) + "\U000e007f" for name in ("gbeng", "gbsct", "gbwls")
)
TEXAS = FLAG + "".join(chr(0xE0000 + ord(letter)) for letter in "ustx") + "\U000e007f"


def fed(pieces: Iterable[str]) -> tuple[str, int]:
    sanitizer = Sanitizer()
    shown = "".join([sanitizer.feed(piece) for piece in pieces]) + sanitizer.close()
    return shown, sanitizer.replaced_count


class Listener:
    """A terminal that records the commands it receives."""

    def __init__(self) -> None:
        self.told: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., None]:
        return partial(self._note, name)

    def _note(self, name: str, *_: object, **__: object) -> None:
        self.told.add(name)


def terminal_commands(text: str) -> set[str]:
    listener = Listener()
    stream: Any = pyte.Stream
    stream(listener).feed(text)
    return listener.told


def is_forbidden(char: str) -> bool:
    """Whether a code point is forbidden everywhere, whatever its neighbors."""
    code = ord(char)
    if char in "\t\n\u061c\u200c\u200d\u200e\u200f" or 0xE0020 <= code <= 0xE007F:
        return False
    unseen = char in "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0" or 0xFE00 <= code <= 0xFE0D
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return unseen or noncharacter or unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def stray_tags(text: str) -> list[str]:
    for flag in (ENGLAND, SCOTLAND, WALES):
        text = text.replace(flag, "")
    return [char for char in text if 0xE0000 <= ord(char) <= 0xE0FFF and not 0xE0100 <= ord(char) <= 0xE01EF]


ODDITIES = [
    *"ab1 \n\t\r\x1b\x9b!.(<>^",
    *"\u200c\u200d\u200e\u200f\u061c\ufe0e\ufe0f\ufe00\u180b\u034f\u202e\u3164\u06dd\ufffe",
    *"\u0301\u064b\u093c\u20e3❤👩🏽😀™✓─।ᠠ葛שمक",
    *"\ud800\udbff\udc00\ud83d\ude00\udb40\udc67",
    *sorted(set(ENGLAND + WALES)),
    "\U000e0100",
    ENGLAND,
    SCOTLAND[:5],
    "\u0301" * 29,
    "\u064b" * 30,
    "\u064b\u200c" * 14,
]
texts = st.lists(st.sampled_from(ODDITIES) | st.characters(exclude_categories=()), max_size=40).map("".join)
