"""The text round a match, short and on one line, in pieces that matched and pieces that did not; searches nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Passage = tuple[tuple[str, bool], ...]
REACH = 80
"""How many characters stand before and behind a match at most."""
_FAR = REACH * 10
"""How much of a text is looked at for them: white space shrinks."""


def passage(pieces: Iterable[tuple[str, bool]]) -> Passage:
    """Return pieces on one line, with what is far from any match left out."""
    flat = [(re.sub(r"\s+", " ", text), matched) for text, matched in pieces]
    last = len(flat) - 1
    short = [
        (text if matched else _shortened(text, before=place > 0, behind=place < last), matched)
        for place, (text, matched) in enumerate(flat)
    ]
    return tuple((text, matched) for text, matched in short if text)


def around(text: str, words: Sequence[str]) -> Passage:
    """Return the passage round the first place of any of the words, upper and lower case alike."""
    either = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))), re.IGNORECASE)
    pieces: list[tuple[str, bool]] = []
    done, stop = 0, len(text)
    for match in either.finditer(text):
        if match.start() > stop:
            break
        stop = stop if pieces else match.end() + REACH
        pieces += (text[max(done, match.start() - _FAR) : match.start()], False), (match[0], True)
        done = match.end()
    return passage([*pieces, (text[done : done + _FAR], False)])


def _shortened(text: str, *, before: bool, behind: bool) -> str:
    """Return a text cut to what is near the matches before and behind it, between words where there are any."""
    if len(text) <= REACH * (before + behind or 1):
        return text
    head = re.sub(r"(?<=\s)\S{1,20}$", "", text[:REACH]) if before or not behind else ""
    tail = re.sub(r"^\S{1,20}(?=\s)", "", text[-REACH:]) if behind else ""
    return f"{head}…{tail}"
