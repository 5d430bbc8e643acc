"""A long thought as one strip: where the model corrected itself, checked, tried another way, settled on its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind
from reflectty.view.rows import GUTTER_WIDTH, MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.reasoning.thought_reader import ThoughtMark
    from reflectty.view.rows import Palette, Row

SHORTEST = 1200
"""Characters of thinking from which on there is a map; a shorter one is seen at a glance."""
CELLS = 60
_RANKS = ("settled", "tagged", "correction", "check", "alternative")
_SETTLED, _TAGGED, *_ = _RANKS


class MapPoint(NamedTuple):
    """A place in the thinking where it turns."""

    at: int
    """Characters of the thinking before it."""
    kind: str
    """`tagged` for a correction in the model's own tags, `settled`, else the kind of a second thought."""
    is_sure: bool = True


def points_of(blocks: Iterable[tuple[Kind, int, Iterable[ThoughtMark]]]) -> tuple[list[MapPoint], int]:
    """The points of a thinking and its length.

    Args:
        blocks: of each block its kind, its length in characters and its second thoughts.
    """
    points: list[MapPoint] = []
    length = 0
    for kind, size, marks in blocks:
        if kind is Kind.REFLECTION:
            points.append(MapPoint(length, _TAGGED))
        points += (MapPoint(length + mark.at, str(mark.kind), mark.is_sure) for mark in marks)
        length += size
    return points, length


def with_settled(points: list[MapPoint], length: int, segments: Sequence[tuple[Kind, str]]) -> list[MapPoint]:
    """The points of a thought that has a map, and where it settled on its answer, if that can be read.

    Args:
        points: where it turned.
        length: its length in characters.
        segments: the blocks of the whole reply, each with its kind.
    """
    if length < SHORTEST or not points:
        return points
    from reflectty.reasoning.settled import settled_in

    settled = settled_in(segments)
    return [*points, MapPoint(settled.offset, _SETTLED)] if settled else points


def cells_of(points: Iterable[MapPoint], length: int, cells: int = CELLS) -> list[MapPoint | None]:
    """The most telling point in each of the cells that the thinking is divided into."""
    found: list[MapPoint | None] = [None] * cells
    for point in points:
        at = min(cells - 1, point.at * cells // max(1, length))
        known = found[at]
        if known is None or _rank_of(point) < _rank_of(known):
            found[at] = point
    return found


def _rank_of(point: MapPoint) -> tuple[bool, int]:
    return not point.is_sure, _RANKS.index(point.kind)


def map_row(points: list[MapPoint], length: int, palette: Palette, width: int) -> Row | None:
    """The strip of a thought; None if it is short, never turns, or there is no room."""
    cells = min(CELLS, width - GUTTER_WIDTH)
    if length < SHORTEST or not points or cells < CELLS // 3:
        return None
    styles, glyphs = palette.styles, palette.glyphs
    row: Row = [MARGIN]
    for point in cells_of(points, length, cells):
        if point is None:
            row.append((glyphs.rule, styles["faint"]))
        elif point.kind == _TAGGED:
            row.append((glyphs.correction, palette.mark("correction")))
        elif point.kind == _SETTLED:
            row.append((glyphs.settled, palette.mark("good")))
        else:
            row.append((glyphs.of_thought(point.kind), palette.words("correction") if point.is_sure else styles["dim"]))
    return row


def share_at(column: int, cells: int = CELLS) -> float:
    """The share of the thinking at a column of the map."""
    return min(1.0, max(0.0, (column - GUTTER_WIDTH) / cells))
