"""What a selection of shown rows is as text: lines as they were written, words and paragraphs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.view.rows import LINE_BREAK, ShownText, text_of_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reflectty.view.rows import Row

# A path, an address or an option is one word; the punctuation after it is not part of it.
_WORD = re.compile(r"(?:\.{0,2}/|~/|[$@-]+)?\w+(?:[-./:@'\u2019~+=&?%#]+\w+)*")
_END = 1 << 30
MAX_LINE_ROWS = 400
"""A word or a paragraph is looked for in at most so many rows above and below."""


class TextPlace(NamedTuple):
    """A character of a shown row."""

    line: int
    at: int


def copied_text(rows: Iterable[tuple[Row, int, int]]) -> str:
    """The text of rows as it was written: no gutter, no padding, wrapped rows joined.

    Args:
        rows: each row with the first selected character and the one after the last.
    """
    selected = list(rows)
    lines: list[str] = []
    for row, start, end in selected:
        before, pieces = _pieces_of(row, start, end)
        text = "".join(piece.text for piece in pieces).rstrip(" ")
        if LINE_BREAK in before or not lines:
            lines.append(text)
        else:
            lines[-1] += before + text
    text = "\n".join(line.rstrip(" ") for line in lines).strip("\n")
    return text or "\n".join(text_of_row(row)[start:end].strip() for row, start, end in selected).strip()


def span_around(
    place: TextPlace, row_at: Callable[[int], Row], *, whole_line: bool
) -> tuple[TextPlace, TextPlace] | None:
    """The first place of the word there, or of the whole line of the source, and the place after its last character.

    Args:
        place: the character that was clicked.
        row_at: a row by its line; an empty one beyond the end.
        whole_line: whether to take the whole line of the source, which may fill several rows.
    """
    text, places = _source_line(place.line, row_at)
    if place not in places:
        return None
    if whole_line:
        return places[0], _after(places[-1])
    at = places.index(place)
    found = next((one for one in _WORD.finditer(text) if one.start() <= at < one.end()), None)
    first, last = (found.start(), found.end() - 1) if found else (at, at)
    return places[first], _after(places[last])


class ShownMatch(NamedTuple):
    """A match in shown rows: for each row that it fills a part of, the row, its first character and the one after."""

    spans: tuple[tuple[int, int, int], ...]


def matches_in(rows: Sequence[Row], pattern: re.Pattern[str]) -> list[ShownMatch]:
    """The matches in a text as it was written, which a wrap may divide."""
    found = []
    for text, places in _source_lines(rows, 0):
        for match in pattern.finditer(text):
            by_line: dict[int, list[int]] = {}
            for place in places[match.start() : match.end()]:
                by_line.setdefault(place.line, []).append(place.at)
            found.append(ShownMatch(tuple((line, min(at), max(at) + 1) for line, at in by_line.items())))
    return found


def _after(place: TextPlace) -> TextPlace:
    return place._replace(at=place.at + 1)


def _source_line(line: int, row_at: Callable[[int], Row]) -> tuple[str, list[TextPlace]]:
    """The text of the source's line that a row is part of, and the place of each of its characters."""
    first = last = line
    while first > max(0, line - MAX_LINE_ROWS) and _goes_on(row_at(first)):
        first -= 1
    while last < line + MAX_LINE_ROWS and _goes_on(row_at(last + 1)):
        last += 1
    return next(_source_lines([row_at(number) for number in range(first, last + 1)], first))


def _source_lines(rows: Sequence[Row], first: int) -> Iterator[tuple[str, list[TextPlace]]]:
    """Yield each line of the source with the place of each of its characters; `first` is the line of the first row."""
    text = ""
    places: list[TextPlace] = []
    for number, row in enumerate(rows, first):
        before, pieces = _pieces_of(row, 0, _END)
        if LINE_BREAK in before and number > first:
            yield text, places
            text, places = "", []
        elif places and pieces:
            text += before
            places += [places[-1]] * len(before)
        for piece in pieces:
            text += piece.text
            places += [TextPlace(number, min(piece.start + at, piece.end - 1)) for at in range(len(piece.text))]
    yield text, places


def _goes_on(row: Row) -> bool:
    """True if a row goes on a line of the source that began above."""
    before, pieces = _pieces_of(row, 0, _END)
    return LINE_BREAK not in before and bool(pieces)


class _Piece(NamedTuple):
    """A selected text of a row as it was written, and the characters of the row that show it."""

    text: str
    start: int
    end: int


def _pieces_of(row: Row, start: int, end: int) -> tuple[str, list[_Piece]]:
    """What stands before a row in the source, and its selected texts."""
    before, at = LINE_BREAK, 0
    pieces: list[_Piece] = []
    for text, _ in row:
        first, last, source = max(start, at), min(end, at + len(text)), str(text)
        if isinstance(text, ShownText):
            first, source = max(first, at + text.skip), text.written
            if text.before is not None:
                before, pieces = text.before, []
        if first < last:
            is_whole = len(source) != len(text)
            pieces.append(_Piece(source if is_whole else source[first - at : last - at], first, last))
        at += len(text)
    return before, pieces
