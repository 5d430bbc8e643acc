"""The top line: the name of the program and the title of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import reactive
from textual.widget import Widget

from reflectty.drawing.paint import BOLD
from reflectty.drawing.wrap import cells, chop
from reflectty.safety import clean_line
from reflectty.tui.strips import strip

if TYPE_CHECKING:
    from textual.strip import Strip

    from reflectty.drawing.paint import Palette

NAME = "reflect"


class TopLine(Widget):
    """One row; of a title that is too long the end is cut."""

    DEFAULT_CSS = """
    TopLine { height: 1; padding: 0 1; background: $r-background; }
    """

    title: reactive[str] = reactive("")
    palette: reactive[Palette | None] = reactive(None)

    def render_line(self, y: int) -> Strip:
        del y
        colours = self.palette
        if colours is None:
            return super().render_line(0)
        width = self.size.width
        room = max(1, width - len(NAME) - 3)
        title, more = clean_line(self.title, 400), colours.glyphs.more
        cut = chop(title, room) if title else 0
        text = title if cut == len(title) else title[: chop(title, max(1, room - cells(more)))] + more
        row = [(NAME, colours.styles["accent"] + BOLD), ("   ", colours.styles["dim"]), (text, colours.styles["dim"])]
        return strip(row, width, colours.ground)
