"""Matches typed letters against names and ranks the names by how close the letters stand."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class Match(NamedTuple):
    """A match, the best first when sorted."""

    span: int
    """How many characters lie between the first and the last that matched, those included."""
    is_inside_word: bool
    """Whether it begins within a word."""
    start: int
    positions: tuple[int, ...]
    """Which characters of the name matched."""


def match(typed: str, name: str) -> Match | None:
    """Return where the letters stand in the name in their order, as close together as found in two passes; else None.

    Case and blanks do not count. Linear in the length of the name, whatever is typed.
    """
    letters, text = "".join(typed.lower().split()), name.lower()
    end = _find_end(letters, text)
    if end is None or len(text) != len(name):
        return None
    places = _find_positions(letters, text, end)
    start = places[0] if places else 0
    return Match(end - start, bool(start) and text[start - 1].isalnum(), start, places)


def _find_end(letters: str, text: str) -> int | None:
    """Return where the shortest beginning of the text ends that has all letters in order."""
    at = 0
    for letter in letters:
        at = text.find(letter, at) + 1
        if not at:
            return None
    return at


def _find_positions(letters: str, text: str, end: int) -> tuple[int, ...]:
    """Return the letters' places nearest to the last of them."""
    places: list[int] = []
    for letter in reversed(letters):
        end = text.rfind(letter, 0, end)
        places.append(end)
    return tuple(reversed(places))


def closest_matches(typed: str, items: Iterable[T], name_of: Callable[[T], str]) -> list[T]:
    """Return those whose name the letters match, the closest first; all in their order where nothing was typed."""
    found = [(at, one) for one in items if (at := match(typed, name_of(one))) is not None]
    return [one for _, one in (sorted(found, key=itemgetter(0)) if typed else found)]
