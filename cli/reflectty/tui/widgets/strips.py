"""Converts rows to Textual strips without control characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from reflectty.view.rows import CONTROL_REPLACEMENTS, cell_width, text_of_row, with_link_id

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from reflectty.view.rows import Row

_REVERSE = Style(reverse=True)


def make_strip(row: Row, width: int, ground: Style) -> Strip:
    """The row as a strip of a width, on the style `ground`."""
    segments = [Segment(text.translate(CONTROL_REPLACEMENTS), ground + style) for text, style in row]
    filled = sum(cell_width(text) for text, _ in row)
    return Strip([*segments, Segment(" " * (width - filled), ground)] if filled < width else segments).crop(0, width)


def mark_gutter(row: Row, style: Style) -> Row:
    """The row with its first column in reverse, in another style."""
    (sign, _), *others = row or [(" ", style)]
    return [(sign[:1], style + _REVERSE), (sign[1:], row[0][1] if row else style), *others]


def mark_matches(row: Row, pattern: re.Pattern[str]) -> Row:
    """The row with what matches a pattern shown in reverse."""
    return mark_spans(row, [found.span() for found in pattern.finditer(text_of_row(row))], _REVERSE)


def mark_spans(row: Row, spans: Sequence[tuple[int, int]], mark: Style) -> Row:
    """The row with a style added to the characters in these spans, which are in order."""
    marked: Row = []
    at = 0
    for text, style in row:
        inside = [(max(0, start - at), min(len(text), end - at)) for start, end in spans]
        done = 0
        for start, end in inside:
            if start < end:
                marked += [(text[done:start], style), (text[start:end], style + mark)]
                done = end
        marked.append((text[done:], style))
        at += len(text)
    return [(text, style) for text, style in marked if text]


def mark_selection(drawn: Strip, start: int, end: int) -> Strip:
    """The strip with the characters from `start` to `end` shown as selected; -1 is the end of the line."""
    pieces: list[Segment] = []
    at = 0
    for text, style, _ in drawn:
        last = len(text) if end < 0 else max(0, end - at)
        for piece, selected in ((text[: max(0, start - at)], False), (text[max(0, start - at) : last], True)):
            if piece:
                pieces.append(Segment(piece, style + _REVERSE if selected and style else style))
        rest = text[max(last, start - at, 0) :]
        pieces += [Segment(rest, style)] if rest else []
        at += len(text)
    return Strip(pieces, drawn.cell_length)


def at_offsets(drawn: Strip, y: int) -> Strip:
    """The strip for text selection in line `y`; its links keep their ids, which Textual replaces."""
    placed = drawn.apply_offsets(0, y)
    for _, style, _ in placed:
        if style:
            with_link_id(style)
    return placed
