"""Reads the second thoughts in the blocks of a reply, as it streams or stored, and counts those that are sure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind, SecondThoughtKind
from reflectty.core.session import Readings
from reflectty.reasoning.second_thoughts import SecondThoughts
from reflectty.reasoning.sentences import LONGEST_SENTENCE, SentenceScanner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.reasoning.second_thoughts import SecondThought

FOLDED_FROM: Final = 3
"""Alternatives in a row that fold into one mark."""
_BETWEEN_BLOCKS = "\n\n"


class ThoughtMark(NamedTuple):
    """A second thought in a block of thinking."""

    kind: SecondThoughtKind
    is_sure: bool
    block: int
    """The number of the block."""
    at: int
    """Characters of the block before its sentence."""
    run: int = 1
    """How many alternatives in a row it stands for."""


class ThoughtReader:
    """Reads block after block: `begin`, then `feed`; marks never change."""

    def __init__(self) -> None:
        self.marks: list[ThoughtMark] = []
        self._recogniser = SecondThoughts()
        self._starts: list[tuple[int, int]] = []
        """Of each block the characters before it, and its number."""
        self._read = 0
        self._is_open = False
        self._read_pieces: dict[int, int] = {}
        """By block how many of its pieces `catch_up` has read."""

    def begin(self, block: int) -> None:
        """Start a block of thinking."""
        self.end_block()
        self._starts.append((self._read, block))
        self._is_open = True

    def end_block(self) -> tuple[ThoughtMark, ...]:
        """End the last block, and with it its sentence; the marks that this decides. Harmless if called twice."""
        if not self._is_open:
            return ()
        self._is_open = False
        return self.feed(_BETWEEN_BLOCKS)

    def feed(self, text: str) -> tuple[ThoughtMark, ...]:
        """Add text of the last block; the marks that it decides."""
        self._read += len(text)
        return self._place(self._recogniser.feed(text))

    def catch_up(self, blocks: Iterable[tuple[int, Sequence[str]]], *, is_over: bool) -> None:
        """Read what is new in the blocks of thinking, each with its number and its pieces so far."""
        for number, pieces in blocks:
            if number not in self._read_pieces:
                self._read_pieces[number] = 0
                self.begin(number)
            if new := pieces[self._read_pieces[number] :]:
                self.feed("".join(new))
                self._read_pieces[number] += len(new)
        if is_over:
            self.close()

    def close(self) -> tuple[ThoughtMark, ...]:
        """End the thinking; the marks that were still open."""
        return self._place(self._recogniser.close())

    @property
    def certain_to(self) -> int:
        """Characters of the last block before which no further mark can come."""
        return max(0, self._recogniser.certain_to - self._starts[-1][0]) if self._starts else 0

    @property
    def readings(self) -> Readings:
        """How many of the marks are sure, by kind."""
        return readings_of(self.marks)

    def _place(self, found: Iterable[SecondThought]) -> tuple[ThoughtMark, ...]:
        marks = tuple(self._mark_of(one) for one in found)
        self.marks += marks
        return marks

    def _mark_of(self, found: SecondThought) -> ThoughtMark:
        start, block = next(place for place in reversed(self._starts) if place[0] <= found.at)
        return ThoughtMark(found.kind, found.is_sure, block, found.at - start)


def readings_of(marks: Iterable[ThoughtMark]) -> Readings:
    """How many of the marks are sure, by kind."""
    kinds = [mark.kind for mark in marks if mark.is_sure]
    return Readings(*(kinds.count(kind) for kind in SecondThoughtKind))


def marks_in(segments: Iterable[tuple[Kind, str]]) -> tuple[ThoughtMark, ...]:
    """The second thoughts in the segments of a whole reply; `block` is the position of the segment."""
    reader = ThoughtReader()
    for number, (kind, text) in enumerate(segments):
        if kind is Kind.THINKING:
            reader.begin(number)
            reader.feed(text)
    reader.close()
    return tuple(reader.marks)


def folded(marks: Iterable[ThoughtMark]) -> list[ThoughtMark]:
    """The marks of a block, with three or more alternatives in a row as the first of them."""
    found: list[ThoughtMark] = []
    for kind, group in groupby(marks, key=lambda mark: mark.kind):
        run = list(group)
        is_folded = kind is SecondThoughtKind.ALTERNATIVE and len(run) >= FOLDED_FROM
        found += [run[0]._replace(is_sure=any(mark.is_sure for mark in run), run=len(run))] if is_folded else run
    return found


def sentence_at(segments: Sequence[tuple[Kind, str]], mark: ThoughtMark) -> str:
    """The sentence of a mark, on one line; at most 400 characters of it."""
    scanner = SentenceScanner()
    text = segments[mark.block][1][mark.at : mark.at + 2 * LONGEST_SENTENCE]
    found = [sentence for sentence in (*scanner.feed(text), *scanner.close()) if sentence.is_whole]
    return found[0].text if found else ""
