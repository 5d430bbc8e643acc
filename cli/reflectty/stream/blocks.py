"""Numbers blocks and strips their ends while their text is still arriving; knows no markers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.stream.segments import Kind, Reclassified, Segment

if TYPE_CHECKING:
    from reflectty.stream.segments import Event


class Place(NamedTuple):
    """Where a reply stood: its open block, the white space behind it, and the number of the next block."""

    block: int
    open: tuple[Kind, bool] | None
    space: tuple[str, ...]
    next: int


class Blocks:
    """Collects events; white space at a block's ends is dropped, so a block of nothing else does not exist."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._block = -1
        self._next = 0
        self._open: tuple[Kind, bool] | None = None
        self._pieces: list[str] = []
        self._space: list[str] = []
        self._doubtful: list[int] = []
        self._certain = True

    def text(self, kind: Kind, text: str, *, tagged: bool, certain: bool) -> None:
        """Add text to the open block, or begin one where the kind is another."""
        if self._open != (kind, tagged):
            self.end()
            text = text.lstrip()
            if not text:
                return
            self._begin(kind, tagged=tagged, certain=certain)
        body = text.rstrip()
        if body:
            self._pieces += (*self._space, body)
            self._space = []
        if len(body) < len(text):
            self._space.append(text[len(body) :])
        self._certain = certain

    def _begin(self, kind: Kind, *, tagged: bool, certain: bool) -> None:
        self._block = self._next
        self._next += 1
        self._open = (kind, tagged)
        if not certain:
            self._doubtful.append(self._block)

    def end(self) -> None:
        """End the open block."""
        self._flush()
        self._open = None
        self._space = []

    def _flush(self) -> None:
        if self._pieces and self._open:
            kind, tagged = self._open
            self._events.append(Segment(kind, "".join(self._pieces), self._block, tagged, self._certain))
        self._pieces = []

    @property
    def open(self) -> Segment | None:
        """What the next text would belong to, when no white space waits for it."""
        if self._open is None or self._space:
            return None
        kind, tagged = self._open
        return Segment(kind, "", self._block, tagged, self._certain)

    def reclassify(self) -> None:
        """Turn every doubtful block into thinking."""
        self.end()
        if self._doubtful:
            self._events.append(Reclassified(tuple(self._doubtful)))
        self._doubtful = []

    @property
    def place(self) -> Place:
        """Where the reply stands."""
        return Place(self._block, self._open, tuple(self._space), self._next)

    def withdraw(self, place: Place) -> None:
        """Take back every block that was begun since then, and go on where the reply stood."""
        self.end()
        if self._next > place.next:
            self._events.append(Reclassified(tuple(range(place.next, self._next)), None))
        self._block, self._open, self._space = place.block, place.open, list(place.space)

    def take(self) -> tuple[Event, ...]:
        """Return what has been collected since the last call."""
        self._flush()
        events, self._events = tuple(self._events), []
        return events
