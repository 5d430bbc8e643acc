"""A vertical scrollbar that is cheap enough to move with each added row.

Textual 8.2 draws its own through Rich, which takes as long as 40 lines of text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip

if TYPE_CHECKING:
    from typing import Any

    from rich.segment import Segments
    from textual.geometry import Region


class ThinScrollBar(ScrollBarRender):
    """A scroll bar half a column wide; dim in the terminal's own color, which is that of the text."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]

    @classmethod
    def render_bar(cls, *args: Any, **options: Any) -> Segments:  # noqa: ANN401 - passed on as they come
        bar = super().render_bar(*args, **options)
        thin = {segment: _thin(segment) for segment in set(bar.segments)}
        bar.segments = [thin[segment] for segment in bar.segments]
        return bar


def _thin(segment: Segment) -> Segment:
    text, style, _ = segment
    if style is None or not style.reverse:
        return segment
    is_default = style.color is None or style.color.is_default
    return Segment("▐" * len(text), style + Style(reverse=False, dim=is_default))


class LineScrollBar(ScrollBar):
    """Textual's scrollbar, with one strip for all lines that look the same."""

    renderer = ThinScrollBar

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
