"""Matches typed letters against names and ranks the names by how close the letters stand."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class Match(NamedTuple):
    """A match; the best one sorts first."""

    span: int
    """Number of characters from the first to the last matching one, inclusive."""
    is_inside_word: bool
    """True if it begins inside a word."""
    start: int
    is_partial: bool
    """True if the name has other characters before or after."""
    positions: tuple[int, ...]
    """Positions of the matching characters in the name."""


def match(typed: str, name: str) -> Match | None:
    """Find the letters in the name in order, as close together as two passes can find them; None without a match.

    Ignores case and blanks. Linear in the length of the name, whatever is typed.
    """
    letters, text = "".join(_lower(typed).split()), _lower(name)
    end = _find_end(letters, text)
    if end is None:
        return None
    positions = _find_positions(letters, text, end)
    start = positions[0] if positions else 0
    inside = bool(start) and text[start - 1].isalnum()
    return Match(end - start, inside, start, end - start < len(text), positions)


def _lower(text: str) -> str:
    """The text in lower case, of the same length."""
    return text.replace("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "i").lower()


def _find_end(letters: str, text: str) -> int | None:
    """The end of the shortest prefix of the text that has all letters in order."""
    at = 0
    for letter in letters:
        at = text.find(letter, at) + 1
        if not at:
            return None
    return at


def _find_positions(letters: str, text: str, end: int) -> tuple[int, ...]:
    """The positions of the letters, each as near as possible to the last one."""
    positions: list[int] = []
    for letter in reversed(letters):
        end = text.rfind(letter, 0, end)
        positions.append(end)
    return tuple(reversed(positions))


def closest_matches(typed: str, items: Iterable[T], name_of: Callable[[T], str]) -> list[tuple[T, tuple[int, ...]]]:
    """The items whose name matches, closest first, with the matching positions; all in order if nothing is typed."""
    if not typed.strip():
        return [(item, ()) for item in items]
    found = ((match(typed, name_of(item)), item) for item in items)
    ranked = sorted(((at, item) for at, item in found if at is not None), key=itemgetter(0))
    return [(item, at.positions) for at, item in ranked]
