"""The list of suggestions above the composer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.geometry import Offset
from textual.reactive import reactive

from reflectty.tui.composer.completion import NO_SUGGESTIONS, Suggestion, SuggestionList
from reflectty.tui.widgets.list import ListEntry, Listing, pad, truncate
from reflectty.view.rows import cell_width

if TYPE_CHECKING:
    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row


MAX_SUGGESTION_ROWS = 8
_GAP = 3
_MIN_HELP_WIDTH = 8


@dataclass(frozen=True, slots=True)
class _SuggestionRow(ListEntry):
    """A suggestion as a row: its label, and its help if there is room."""

    item: Suggestion
    label_width: int

    def rows(self, painter: RowPainter) -> list[Row]:
        room = painter.width - self.label_width - _GAP
        if not self.item.help or room < _MIN_HELP_WIDTH:
            return [[painter.run(truncate(self.item.label, painter.width, painter.glyphs.more))]]
        label = pad(self.item.label, self.label_width + _GAP)
        return [[painter.run(label), painter.run(truncate(self.item.help, room, painter.glyphs.more), "dim")]]


class Suggestions(Listing):
    """Shows `suggested` with one chosen; hidden while empty.

    It overlays what is above the composer, so opening it moves no text. Mount it directly before the composer.
    """

    DEFAULT_CSS = f"""
    Suggestions {{
        overlay: screen;
        display: none;
        width: 1fr;
        height: auto;
        max-height: {MAX_SUGGESTION_ROWS + 1};
        padding: 0 1;
        border-top: solid $r-line;
        &.-plain {{ border-top: ascii $r-line; }}
        scrollbar-size-vertical: 1;
        scrollbar-color: $r-faint;
        scrollbar-color-hover: $r-faint;
        scrollbar-color-active: $r-dim;
        scrollbar-background: $r-background;
        scrollbar-background-hover: $r-background;
        scrollbar-background-active: $r-background;
        & > .listing--chosen {{ background: $r-panel; }}
    }}
    """
    gutter_width = 2

    suggested: reactive[SuggestionList] = reactive(NO_SUGGESTIONS)

    def marks(self, painter: RowPainter, *, current: bool, chosen: bool) -> Row:  # noqa: ARG002 - none is current
        return [painter.run(f"{self.glyphs.current if chosen else ' '} ", "accent")]

    @property
    def chosen(self) -> int:
        return self.chosen_index or 0

    def watch_suggested(self, suggested: SuggestionList) -> None:
        items = suggested.items
        width = max((cell_width(item.label) for item in items), default=0)
        self.display = bool(items)
        self.styles.offset = Offset(0, -min(len(items), MAX_SUGGESTION_ROWS) - self.gutter.height)
        self.fill([_SuggestionRow(item, width) for item in items])
