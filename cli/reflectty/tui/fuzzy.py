"""Matches typed letters against names and ranks the names by how close the letters stand."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

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
    positions: tuple[int, ...]
    """Positions of the matching characters in the name."""


def match(typed: str, name: str) -> Match | None:
    """Find the letters in the name in order, as close together as two passes can find them; None without a match.

    Ignores case and blanks. Linear in the length of the name, whatever is typed.
    """
    letters, text = "".join(typed.lower().split()), name.lower()
    end = _find_end(letters, text)
    if end is None or len(text) != len(name):
        return None
    places = _find_positions(letters, text, end)
    start = places[0] if places else 0
    return Match(end - start, bool(start) and text[start - 1].isalnum(), start, places)


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
    places: list[int] = []
    for letter in reversed(letters):
        end = text.rfind(letter, 0, end)
        places.append(end)
    return tuple(reversed(places))


def closest_matches(typed: str, items: Iterable[T], name_of: Callable[[T], str]) -> list[T]:
    """The items whose name matches, closest first; all in their order if nothing is typed."""
    found = [(at, one) for one in items if (at := match(typed, name_of(one))) is not None]
    return [one for _, one in (sorted(found, key=itemgetter(0)) if typed else found)]
