"""Reads what the chat copied by escape sequence."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.chat_app import Reader


def copied(reader: Reader) -> list[str]:
    """The texts that the chat copied to the terminal's clipboard, by OSC 52."""
    start, end = "\x1b]52;c;", "\x07"
    assert [text for text in reader.written if not (text.startswith(start) and text.endswith(end))] == []
    return [b64decode(text.removeprefix(start).removesuffix(end)).decode() for text in reader.written]
