"""What a transcript shows while it is empty: the language of its gutter, said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.inline import wrapped
from reflectty.drawing.paint import BOLD
from reflectty.tui.parts.part import gutter

if TYPE_CHECKING:
    from reflectty.drawing.paint import Row
    from reflectty.tui.parts.part import Scene


class LegendPart:
    """Four lines that look like what they are about."""

    def __init__(self) -> None:
        self._rows: list[Row] = []

    @property
    def height(self) -> int:
        return len(self._rows)

    def row(self, at: int) -> Row:
        return self._rows[at]

    def lay(self, scene: Scene) -> None:
        glyphs, styles = scene.palette.glyphs, scene.palette.styles
        steer = f", and {scene.key('steer')} changes it" if scene.key("steer") else ""
        jump = f"; {scene.key('next_correction')} goes from one to the next" if scene.key("next_correction") else ""
        lines = (
            (glyphs.question, "you", "text", "what you ask"),
            (glyphs.bar, "faint", "thinking", f"what the model thinks{steer}"),
            (glyphs.correction, "correction", "correction", f"where it corrects itself{jump}"),
            (" ", "answer", "answer", "and what it answers"),
        )
        self._rows = []
        for sign, lead, role, text in lines:
            bold = BOLD if role == "text" else styles[role]
            rows = wrapped([(text, styles[role] + bold)], scene.columns.prose)
            again = sign if sign != glyphs.correction else glyphs.bar
            self._rows += gutter(rows, again, styles[lead], first=sign, lead=styles[lead] + BOLD)
            self._rows += [[]] if role in ("text", "correction") else []
