"""Which records stand where in an output file: what is answered there, what has to be asked again; reads no file."""

from __future__ import annotations

import json
import re
from array import array
from enum import Enum, auto
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGEST = re.compile(r"[0-9a-f]{16}")
_HIGHEST = 1 << 62


class Entry(NamedTuple):
    """What a record says of itself."""

    line: int
    digest: str
    failed: bool
    model: str = ""


class Span(NamedTuple):
    """Where a record stands in its file, in bytes; its line break belongs to it."""

    offset: int
    length: int


def read_entry(record: bytes) -> Entry | None:
    """Return what a record of an output file says of itself, or None where it is no record of ours."""
    try:
        value = json.loads(record)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    line, digest, model = value.get("line"), value.get("digest"), value.get("model")
    if not (isinstance(line, int) and isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        return None
    if not 0 < line < _HIGHEST:
        return None
    return Entry(line, digest, "error" in value, model if isinstance(model, str) else "")


class Before(Enum):
    """What a file says of a line that is about to be asked."""

    NOTHING = auto()
    ANSWERED = auto()
    FAILED = auto()
    CHANGED = auto()
    """It was answered, but it was another line."""


class Ledger:
    """The records of one file in the order in which they stand there; of several for a line the last one holds.

    It has some tens of bytes for each, so that a hundred thousand are nothing.
    """

    def __init__(self) -> None:
        self._lines = array("q")
        self._digests = array("Q")
        self._failed = bytearray()
        self._lengths = array("q")
        self.models: set[str] = set()
        """Who answered."""

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, entry: Entry, length: int) -> None:
        """Note a record that follows the others; `length` is in bytes."""
        self._lines.append(entry.line)
        self._digests.append(int(entry.digest, 16))
        self._failed.append(entry.failed)
        self._lengths.append(length)
        if entry.model and not entry.failed:
            self.models.add(entry.model)

    def arranged(self, *, ordered: bool) -> Iterator[Span] | None:
        """Return where the records that hold stand, in the order they ought to have; None where they have it.

        Args:
            ordered: whether they ought to stand in the order of the lines, or may stay in their own.
        """
        holding = self._holding()
        wanted = holding if ordered else sorted(holding)
        if len(wanted) == len(self) and all(at == place for place, at in enumerate(wanted)):
            return None
        offsets = array("q", accumulate(self._lengths, initial=0))
        return (Span(offsets[at], self._lengths[at]) for at in wanted)

    def _holding(self) -> list[int]:
        """Return the places of the records that hold, by line."""
        holding: list[int] = []
        for at in sorted(range(len(self)), key=self._lines.__getitem__):
            if holding and self._lines[holding[-1]] == self._lines[at]:
                holding[-1] = at
            else:
                holding.append(at)
        return holding

    def earlier(self) -> Earlier:
        """Return what the file says by now, to be asked line by line."""
        holding = self._holding()
        return Earlier(
            array("q", (self._lines[at] for at in holding)),
            array("Q", (self._digests[at] for at in holding)),
            bytes(self._failed[at] for at in holding),
        )


class Earlier:
    """What a file said before of each line; asked in the order of the lines."""

    def __init__(self, lines: array[int], digests: array[int], failed: bytes) -> None:
        self._lines = lines
        self._digests = digests
        self._failed = failed
        self._at = 0

    @property
    def beyond(self) -> int:
        """How many lines the file speaks of that come after those that were asked for."""
        return len(self._lines) - self._at

    def of(self, line: int, digest: str) -> Before:
        """Return what the file says of a line; its number is higher than that of the last time."""
        while self._at < len(self._lines) and self._lines[self._at] < line:
            self._at += 1
        if self._at == len(self._lines) or self._lines[self._at] != line:
            return Before.NOTHING
        at, self._at = self._at, self._at + 1
        if self._failed[at]:
            return Before.FAILED
        return Before.ANSWERED if self._digests[at] == int(digest, 16) else Before.CHANGED
