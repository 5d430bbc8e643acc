"""Builds the blocks of a reply: numbers its segments and closes each one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind, Reclassification, Segment

if TYPE_CHECKING:
    from reflectty.core.segments import Event


class BlockSnapshot(NamedTuple):
    """The state of a builder: the open block, the white space after it, and the number of the next block."""

    block: int
    open_block: tuple[Kind, bool] | None
    pending_space: tuple[str, ...]
    next_block: int


class BlockBuilder:
    """Collects events; drops white space at both ends of a block, and so blocks of white space.

    Args:
        first: the number of the first block.
    """

    def __init__(self, first: int = 0) -> None:
        self._events: list[Event] = []
        self._block = first - 1
        self._next = first
        self._open: tuple[Kind, bool] | None = None
        self._pieces: list[str] = []
        self._space: list[str] = []
        self._doubtful: list[int] = []
        self._certain = True
        self._open_segment: Segment | None = None

    def add_text(self, kind: Kind, text: str, *, tagged: bool, certain: bool) -> None:
        """Add text to the open block, or begin a block if the kind differs."""
        if self._open != (kind, tagged):
            self.end_block()
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

    def end_block(self) -> None:
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
    def open_segment(self) -> Segment | None:
        """A segment without text of the block that further text extends, the same one as long as nothing of it changes.

        None if no block is open or white space is pending.
        """
        if self._open is None or self._space:
            return None
        segment = self._open_segment
        if segment is None or segment.block != self._block or segment.certain is not self._certain:
            kind, tagged = self._open
            segment = self._open_segment = Segment(kind, "", self._block, tagged, self._certain)
        return segment

    def take_space(self) -> str:
        """Take the white space after the open block, which whoever takes it adds again before more text."""
        space = "".join(self._space)
        self._space = []
        return space

    def reclassify(self) -> None:
        """Turn all doubtful blocks into thinking."""
        self.end_block()
        if self._doubtful:
            self._events.append(Reclassification(tuple(self._doubtful)))
        self._doubtful = []

    @property
    def snapshot(self) -> BlockSnapshot:
        """The current state, for `roll_back`."""
        return BlockSnapshot(self._block, self._open, tuple(self._space), self._next)

    def roll_back(self, snapshot: BlockSnapshot) -> None:
        """Withdraw all blocks since the snapshot, and restore its state."""
        self.end_block()
        if self._next > snapshot.next_block:
            self._events.append(Reclassification(tuple(range(snapshot.next_block, self._next)), None))
        self._block, self._open, self._space = snapshot.block, snapshot.open_block, list(snapshot.pending_space)

    def take_events(self) -> tuple[Event, ...]:
        """Return the events since the last call."""
        self._flush()
        events, self._events = tuple(self._events), []
        return events
