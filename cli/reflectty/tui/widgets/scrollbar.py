"""A vertical scrollbar that is cheap enough to move with each added row.

Textual 8.2 draws its own through Rich, which takes as long as 40 lines of text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.color import Color
from textual.scrollbar import ScrollBar
from textual.strip import Strip

if TYPE_CHECKING:
    from rich.segment import Segment
    from rich.style import Style
    from textual.geometry import Region
    from textual.scrollbar import ScrollBarRender


class LineScrollBar(ScrollBar):
    """Textual's scrollbar, with one strip for all lines that look the same."""

    def render_lines(self, crop: Region) -> list[Strip]:
        bar = cast("ScrollBarRender", self.render())
        style = cast("Style", bar.style)
        segments = bar.render_bar(
            self.size.height,
            bar.virtual_size,
            bar.window_size,
            bar.position,
            back_color=style.bgcolor or Color.default(),
            bar_color=style.color or Color.default(),
        ).segments
        strips = {segment: self._strip_of(segment) for segment in set(segments)}
        return [strips[segments[y]] for y in crop.line_range]

    def _strip_of(self, segment: Segment) -> Strip:
        strip = Strip([segment], 1).apply_style(self.visual_style.rich_style)
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, self.background_colors[1])
        return strip
