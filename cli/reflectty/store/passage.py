"""The text round a match, short and on one line, in pieces that matched and pieces that did not; searches nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Passage = tuple[tuple[str, bool], ...]
REACH = 80
"""How many characters stand before and behind a match at most."""


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
    first = either.search(text)
    place, end = first.span() if first else (0, 0)
    start, stop = max(0, place - REACH * 2), end + REACH * 2
    pieces = _split(text[start:stop], either)
    return passage([("…" * (start > 0), False), *pieces, ("…" * (stop < len(text)), False)])


def _split(text: str, either: re.Pattern[str]) -> list[tuple[str, bool]]:
    pieces: list[tuple[str, bool]] = []
    done = 0
    for match in either.finditer(text):
        pieces += (text[done : match.start()], False), (match[0], True)
        done = match.end()
    return [*pieces, (text[done:], False)]


def _shortened(text: str, *, before: bool, behind: bool) -> str:
    """Return a text cut to what is near the matches before and behind it, between words where there are any."""
    if len(text) <= REACH * (before + behind or 1):
        return text
    head = re.sub(r"(?<=\s)\S{1,20}$", "", text[:REACH]) if before or not behind else ""
    tail = re.sub(r"^\S{1,20}(?=\s)", "", text[-REACH:]) if behind else ""
    return f"{head}…{tail}"
