"""Suggestions: a quiet list over the composer of what could be meant; takes no focus and decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.geometry import Offset, Size
from textual.reactive import reactive
from textual.widget import Widget

from reflectty.tui.completing import NOTHING, Suggested, Suggestion

if TYPE_CHECKING:
    from textual.style import Style

MOST_ROWS = 8
_GAP = 3
_NARROWEST_HELP = 8


class Suggestions(Widget):
    """Shows what is set as `suggested`, with `chosen` marked; hidden while there is nothing.

    It lies over what is above the composer, so that opening it moves no text. It must stand right before the composer.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"suggestions--chosen", "suggestions--mark", "suggestions--help"}

    DEFAULT_CSS = """
    Suggestions {
        overlay: screen;
        display: none;
        width: 1fr;
        height: auto;
        max-height: 8;
        background: $r-panel;
        color: $r-text;
        padding: 0 1;

        .suggestions--chosen { text-style: bold; }
        .suggestions--mark { color: $r-accent; text-style: bold; }
        .suggestions--help { color: $r-dim; }
        &:ansi .suggestions--help { text-style: dim; }
    }
    """

    can_focus = False

    suggested: reactive[Suggested] = reactive(NOTHING)
    chosen: reactive[int] = reactive(0)
    mark: reactive[str] = reactive("▌")

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._top = 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        del container, viewport, width
        return min(len(self.suggested.items), MOST_ROWS)

    def render(self) -> Content:
        items = self.suggested.items[self._top : self._top + MOST_ROWS]
        width = max((Content(item.shown).cell_length for item in items), default=0)
        return Content("\n").join(self._row(item, self._top + row, width) for row, item in enumerate(items))

    def _row(self, item: Suggestion, number: int, names: int) -> Content:
        chosen, width = number == self.chosen, self.content_size.width
        name = Content.styled(item.shown, self._style("chosen") if chosen else "")
        mark = Content.styled(f"{self.mark} ", self._style("mark")) if chosen else Content("  ")
        room = width - names - _GAP - mark.cell_length
        if not item.help or room < _NARROWEST_HELP:
            return (mark + name).truncate(width, ellipsis=True)
        gap = " " * (names - name.cell_length + _GAP)
        return mark + name + gap + Content.styled(item.help, self._style("help")).truncate(room, ellipsis=True)

    def _style(self, part: str) -> Style:
        return self.get_visual_style(f"suggestions--{part}", partial=True)

    def watch_suggested(self, suggested: Suggested) -> None:
        rows = min(len(suggested.items), MOST_ROWS)
        self._top = 0
        self.display = bool(rows)
        self.styles.offset = Offset(0, -rows)
        self.refresh(layout=True)

    def watch_chosen(self, chosen: int) -> None:
        self._top = min(max(self._top, chosen - MOST_ROWS + 1), chosen)
        self.refresh()
