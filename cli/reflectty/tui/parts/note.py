"""A note in the transcript: something the program has to say, in a line or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.safety import clean_line
from reflectty.tui.parts.part import remark

if TYPE_CHECKING:
    from reflectty.drawing.paint import Row
    from reflectty.tui.parts.part import Scene


class NotePart:
    """One note; `wrong` when it is about something that failed."""

    def __init__(self, text: str, *, wrong: bool = False) -> None:
        self._text = clean_line(text)
        self._wrong = wrong
        self._rows: list[Row] = []

    @property
    def height(self) -> int:
        return len(self._rows)

    def row(self, at: int) -> Row:
        return self._rows[at]

    def lay(self, scene: Scene) -> None:
        self._rows = remark(self._text, scene, *(("error", "!") if self._wrong else ()))
