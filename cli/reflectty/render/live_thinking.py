"""Draws on stderr what goes with an answer: status, thinking, reflections, notes, and the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.paint import BOLD, PLAIN, Row
from reflectty.drawing.summary import facts, fitting
from reflectty.drawing.thinking import Thinking
from reflectty.drawing.wrap import GUTTER, chop, fold
from reflectty.render.stage import Stage
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from rich.style import Style

    from reflectty.reply import Reply
    from reflectty.stream import Kind
    from reflectty.terminal import Terminal
    from reflectty.theme import Theme

_TURNS_PER_SECOND = 6
_MARGIN = (" " * GUTTER, PLAIN)


class LiveThinking:
    """Draws one block after another; never fails, since a stderr that cannot be written to is not worth failing for."""

    def __init__(self, terminal: Terminal, theme: Theme) -> None:
        self._stage = Stage(terminal, terminal.err, theme, terminal.say)
        self._thinking = Thinking(self._stage.palette)
        self._gap = False
        self.final = False
        """Whether rows of this block have been drawn for good."""

    def begin(self, kind: Kind, *, gap: bool) -> None:
        self._thinking.begin(kind)
        self._gap, self.final = gap, False

    def stand_below(self) -> None:
        """Leave a blank line before what comes next of the block."""
        self._gap = True

    def feed(self, text: str) -> None:
        width = self._stage.columns.prose
        self._draw(self._thinking.feed(text, width), self._thinking.live(width))

    def close(self) -> None:
        """Make final what is not; a status disappears."""
        self._draw(self._thinking.close(self._stage.columns.prose), [])

    def _draw(self, final: list[Row], live: list[Row]) -> None:
        blank: list[Row] = [[]] if self._gap else []
        self._stage.draw([*blank, *final] if final else [], live if final or not live else [*blank, *live])
        if final:
            self._gap, self.final = False, True

    def status(self, label: str, seconds: float) -> None:
        """Show one row that is gone with the next thing drawn."""
        if self._stage.motion:
            colours, glyphs = self._stage.palette.styles, self._stage.palette.glyphs
            turn = int(seconds * _TURNS_PER_SECOND) % len(glyphs.spinner)
            text = label.replace("·", glyphs.dot)
            text = text[: chop(text, self._stage.columns.prose)]
            self._stage.draw(live=[[(glyphs.spinner[turn] + " ", colours["accent"]), (text, colours["dim"])]])

    def say(self, text: str, *, gap: bool) -> None:
        """Draw a line; what is open of a block comes back below it with the next text."""
        line = clean_line(text)
        rows = [[_MARGIN, (line[start:end], self._dim)] for start, end in fold(line, self._stage.columns.prose)]
        self._stage.draw([[], *rows] if gap else rows)

    def summarise(self, reply: Reply, *, gap: bool) -> None:
        dot = f" {self._stage.palette.glyphs.dot} "
        row: Row = []
        strong = self._stage.palette.styles["correction"] + BOLD
        for fact in fitting(facts(reply.measured), self._stage.columns.prose, len(dot)):
            row += [(dot, self._dim)] if row else [_MARGIN]
            row.append((fact.text, strong if fact.strong else self._dim))
        if row:
            self._stage.draw([[], row] if gap else [row])

    @property
    def _dim(self) -> Style:
        return self._stage.palette.styles["dim"]
