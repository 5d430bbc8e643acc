"""Keeps what was pasted apart from what is shown for it; knows no widget and cleans what is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reflectty.safety import clean

if TYPE_CHECKING:
    from collections.abc import Iterator


class Limit(NamedTuple):
    """How much text is shown itself; a mark stands for more."""

    lines: int
    characters: int


PASTED = Limit(lines=20, characters=4_000)
FILLED = Limit(lines=200, characters=20_000)
"""For what the user means to edit: an earlier question, or the text of an editor."""


class Pastes:
    """The texts that are sent for what is shown: `put` them in, `expanded` gives them back."""

    def __init__(self) -> None:
        self._number = 0
        self._marked: dict[str, str] = {}
        self._cleaned: dict[str, list[str]] = {}

    def put(self, text: str, limit: Limit = PASTED) -> str:
        """Return what to show for a text: itself made safe, or the mark `[paste 1: 12,345 lines]`."""
        text = newlines(text)
        if len(text) > limit.characters or text.count("\n") > limit.lines:
            return self._mark(text)
        shown = clean(text)
        if shown != text:
            self._cleaned.setdefault(shown, []).append(text)
        return shown

    def expanded(self, text: str) -> str:
        """Return what is sent for what is shown: each mark that is still whole is the text it stands for."""
        meant = {**self._restored(text), **self._marked}
        if not meant:
            return text
        longest_first = sorted(meant, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), lambda mark: meant[mark[0]], text)

    def whole(self, line: str, start: int, end: int, cursor: int) -> tuple[int, int]:
        """Return the part of a line to delete so that no mark is cut, unless the cursor stands inside it."""
        for mark in self._marks(line):
            if mark.start() < end and start < mark.end() and not mark.start() < cursor < mark.end():
                start, end = min(start, mark.start()), max(end, mark.end())
        return start, end

    def forget(self) -> None:
        """Drop all texts; their numbers are not given again."""
        self._marked.clear()
        self._cleaned.clear()

    def _mark(self, text: str) -> str:
        self._number += 1
        lines = text.count("\n") + (not text.endswith("\n"))
        size = f"{lines:,} lines" if lines > 1 else f"{len(text):,} characters"
        mark = f"[paste {self._number}: {size}]"
        self._marked[mark] = text
        return mark

    def _marks(self, line: str) -> Iterator[re.Match[str]]:
        return (mark for mark in re.finditer(r"\[paste [^\]]+\]", line) if mark[0] in self._marked)

    def _restored(self, text: str) -> dict[str, str]:
        """Return what was pasted where it is shown otherwise, if it is certain that no such text was typed."""
        return {
            shown: pasted[0]
            for shown, pasted in self._cleaned.items()
            if len(set(pasted)) == 1 and text.count(shown) == len(pasted)
        }


def newlines(text: str) -> str:
    r"""Return a text with its line breaks as `\n`; terminals paste them as `\r`."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
