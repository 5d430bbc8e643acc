"""Reads the headers of messages that name a channel or who is addressed: harmony's, and those of Muse's models."""

from __future__ import annotations

import re
from typing import NamedTuple

from reflectty.stream.segments import Kind

LONGEST_HEADER = 200
"""A header is shorter, in characters; more text than this behind its marker is no header."""

_CHANNELS = ("analysis", "commentary", "final")
_LABEL = re.compile(rf"\s*(?:assistant\b)?\s*(?:(?:{'|'.join(_CHANNELS)})\b)?", re.IGNORECASE)
_DETAILS = re.compile(r"(?:\s*(?:to=[^\s<]+|<\|constrain\|>\s*\w*))*\s*")
_READERS = ("to=self", "to=user", "to=assistant")


class Announcement(NamedTuple):
    """What a header says of the message below it."""

    kind: Kind
    dropped: bool = False
    """Whether it is for a tool: neither thought nor answer."""
    untagged: bool = False
    """Whether it is said before the answer, and no part of it where there is one."""


class MessageHeader:
    """One header while it arrives; `channel` where its channel's marker opened it, without the role."""

    def __init__(self, marker: str, *, channel: bool) -> None:
        self._marker = marker
        self._role: list[str] = []
        self._text: list[str] = []
        self._in_channel = channel

    def name_channel(self) -> None:
        """Take note that a channel's name follows; what an earlier one said counts no more."""
        if not self._in_channel:
            self._role, self._in_channel = self._text, True
        self._text = []

    def add(self, text: str) -> None:
        self._text.append(text)

    @property
    def too_long(self) -> bool:
        """Whether this can be no header."""
        return sum(map(len, self._text)) > LONGEST_HEADER

    def message(self) -> Announcement:
        """Return what a header that is complete announces."""
        return announced(f"{''.join(self._role)} {''.join(self._text)}")

    def unfinished(self, *, said: bool) -> tuple[Announcement, str]:
        """Return what a header amounts to that its message's marker never follows, and the text of that message.

        Args:
            said: whether there is an answer already, to which the text comes as it stands.
        """
        text = "".join(self._text)
        label = _LABEL.match(text)
        named = label is not None and bool(label[0].strip())
        rest = text[label.end() :] if label else text
        details = _DETAILS.match(rest)
        body = rest[details.end() :] if details else rest
        message = announced(text[: len(text) - len(body)])
        if not body.strip():
            return message, ""
        if not named and body == text.lstrip():
            return message, self._marker + text
        return message, text if said and self._in_channel and message.kind is Kind.ANSWER else body


def announced(header: str) -> Announcement:
    """Return what the words of a header announce."""
    words = header.lower().split()
    thinks = "analysis" in words or "to=self" in words
    dropped = any(word.startswith("to=") and word not in _READERS for word in words)
    return Announcement(Kind.THINKING if thinks else Kind.ANSWER, dropped, "commentary" in words)
