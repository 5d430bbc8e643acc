"""An answer as rows of Markdown: those of complete blocks stay, the open one is drawn as it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.paint import PLAIN
from reflectty.drawing.wrap import GUTTER

if TYPE_CHECKING:
    from reflectty.drawing.answer import Answer
    from reflectty.drawing.paint import Row
    from reflectty.tui.parts.part import Scene

_MARGIN = (" " * GUTTER, PLAIN)


class Answered:
    """One answer, safe to show."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._scene: Scene | None = None
        self._answer: Answer | None = None
        self._over = self._stale = False
        self.rows: list[Row] = []
        """Those that no further text can change."""
        self._live: list[Row] = []

    def add(self, text: str) -> None:
        """Take the next piece."""
        if not self._pieces:
            text = text.lstrip("\n")
        self._pieces.append(text)
        if self._answer and self._scene:
            self.rows += _indented(self._answer.feed(text, self._scene.columns))
            self._stale = True

    def end(self) -> None:
        """Say that nothing more comes."""
        if self._answer and self._scene and not self._over:
            self.rows += _indented(self._answer.close(self._scene.columns))
        self._over, self._stale, self._live = True, False, []

    def draw(self, scene: Scene) -> None:
        """Lay out all that is there."""
        # Markdown is worth a tenth of a start, and the first answer takes longer than its import.
        from reflectty.drawing.answer import Answer  # noqa: PLC0415

        over, self._over = self._over, False
        self._scene, self._answer, self.rows = scene, Answer(scene.palette), []
        self.rows += _indented(self._answer.feed("".join(self._pieces), scene.columns))
        self._stale = True
        if over:
            self.end()

    @property
    def live(self) -> list[Row]:
        """The rows of the open block, laid out when they are asked for: more may come between two frames."""
        if self._stale and self._answer and self._scene:
            self._live = _indented(self._answer.live(self._scene.columns, self._scene.height))
            self._stale = False
        return self._live

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def empty(self) -> bool:
        return not any(piece.strip() for piece in self._pieces)


def _indented(rows: list[Row]) -> list[Row]:
    return [[_MARGIN, *row] if row else row for row in rows]
