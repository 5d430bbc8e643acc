"""Where in a part somebody reads, so that he finds his line again after its rows have changed; scrolls nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.tui.parts.reply import ReplyPart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.tui.parts.part import Part


_BELOW = 1 << 30
"""The section of the blank row below a part."""


class Place(NamedTuple):
    """A row by the section it stands in: what is folded above it does not move it."""

    part: Part
    section: int
    row: int


def place_of(part: Part, row: int) -> Place:
    """Return where a row stands."""
    above: dict[int, int] = {}
    for number, rows in _spans(part):
        if row < rows:
            return Place(part, number, above.get(number, 0) + row)
        row -= rows
        above[number] = above.get(number, 0) + rows
    return Place(part, _BELOW, row)


def row_of(place: Place) -> int:
    """Return the row that stands there now, or the one nearest to it."""
    before = inside = 0
    for number, rows in _spans(place.part):
        before += rows if number < place.section else 0
        inside += rows if number == place.section else 0
    return before + min(place.row, max(0, inside - 1))


def _spans(part: Part) -> Iterable[tuple[int, int]]:
    return part.spans if isinstance(part, ReplyPart) else ((0, part.height),)
