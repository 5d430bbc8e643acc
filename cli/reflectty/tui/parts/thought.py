"""The thinking of a reply as rows, its corrections marked; drawn only while it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.thinking import Thinking
from reflectty.stream import Kind

if TYPE_CHECKING:
    from reflectty.drawing.paint import Row
    from reflectty.tui.parts.part import Scene

_TAIL = 60
"""The last line of thought is looked for in so many of the last pieces."""


class Thought:
    """What was thought before one answer: blocks of thinking and reflection, safe to show."""

    def __init__(self) -> None:
        self._blocks: list[tuple[Kind, list[str]]] = []
        self._drawer: Thinking | None = None
        self._width = 0
        self.rows: list[Row] = []
        """Those that no further text can change."""
        self.live: list[Row] = []

    def begin(self, kind: Kind) -> None:
        """Start a block."""
        self._close()
        self._blocks.append((kind, []))
        if self._drawer:
            self._drawer.begin(kind)

    def add(self, text: str) -> None:
        """Take the next piece of the block."""
        pieces = self._blocks[-1][1]
        if not pieces:
            text = text.lstrip("\n")
        pieces.append(text)
        if self._drawer:
            self.rows += self._drawer.feed(text, self._width)
            self.live = self._drawer.live(self._width)

    def end(self) -> None:
        """Say that the last block is over."""
        self._close()

    def _close(self) -> None:
        if self._drawer and self._blocks:
            self.rows += self._drawer.close(self._width)
            self.live = []

    def draw(self, scene: Scene) -> None:
        """Lay out all that is there, and from now on what comes."""
        self._drawer, self._width = Thinking(scene.palette), scene.columns.prose
        self.rows, self.live = [], []
        for at, (kind, pieces) in enumerate(self._blocks):
            self._drawer.begin(kind)
            self.rows += self._drawer.feed("".join(pieces), self._width)
            if at < len(self._blocks) - 1:
                self.rows += self._drawer.close(self._width)
        self.live = self._drawer.live(self._width) if self._blocks else []

    def hide(self) -> None:
        """Draw nothing until asked to: what is not looked at costs nothing."""
        self._drawer = None
        self.rows, self.live = [], []

    @property
    def drawn(self) -> bool:
        return self._drawer is not None

    @property
    def empty(self) -> bool:
        return not any(piece.strip() for _, pieces in self._blocks for piece in pieces)

    @property
    def last_line(self) -> str:
        """The line that is being thought."""
        tail = "".join(self._blocks[-1][1][-_TAIL:]) if self._blocks else ""
        return next((line.strip() for line in reversed(tail.split("\n")) if line.strip()), "")

    @property
    def corrects(self) -> bool:
        """Whether the model is correcting itself right now."""
        return bool(self._blocks) and self._blocks[-1][0] is Kind.REFLECTION
