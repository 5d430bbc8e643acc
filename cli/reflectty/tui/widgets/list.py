"""A list widget that draws only the visible rows, and its entries: headings, rows and details."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from reflectty.core.named_tuple import NamedTuple
from reflectty.tui.widgets.scrollbar import ThinScrollBar
from reflectty.tui.widgets.strips import make_strip
from reflectty.view.rows import BOLD, PLAIN, cell_width, fitting_length, row_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.style import Style
    from textual import events

    from reflectty.view.rows import Row, Run


SHORT = 16
"""Below this many rows of the screen, blank rows and hints are hidden."""
GUTTER = 3
"""Columns for the mark of the current entry, the mark of the chosen entry, and a blank."""


class ListGlyphs(NamedTuple):
    """The glyphs of a list; the defaults need UTF-8."""

    current: str = "▌"
    chosen: str = "›"  # noqa: RUF001 - not meant as the sign that it looks like
    search: str = "⌕"
    running: str = "◐"
    more: str = "…"
    dot: str = "·"


UNICODE_GLYPHS = ListGlyphs()
PLAIN_GLYPHS = ListGlyphs(current=">", chosen="-", search="/", running="*", more="~", dot="-")


def list_glyphs(*, unicode: bool) -> ListGlyphs:
    """The glyphs for a terminal with or without Unicode."""
    return UNICODE_GLYPHS if unicode else PLAIN_GLYPHS


class RowPainter(NamedTuple):
    """The properties for drawing an entry."""

    width: int
    """Columns of the entry, without the gutter."""
    style_of: Callable[[str], Style]
    """The style of a role."""
    glyphs: ListGlyphs

    def run(self, text: str, role: str = "text") -> Run:
        return text, self.style_of(role)

    def cell(self, text: str, width: int, look: Style) -> Run:
        """The text truncated or padded to a width."""
        return pad(truncate(text, width, self.glyphs.more), width), look


class ListEntry:
    """An entry of a list; its rows depend on the width."""

    __slots__ = ()
    is_choosable: ClassVar[bool] = True
    """True if it can be chosen and has a gutter with its marks."""

    @property
    def is_current(self) -> bool:
        """True if it is marked as the one in use."""
        return False

    def rows(self, painter: RowPainter) -> list[Row]:
        """Its rows; a row without text is a spacer."""
        raise NotImplementedError

    def height(self, width: int) -> int:
        """The number of its rows."""
        return len(self.rows(RowPainter(width, lambda _: PLAIN, PLAIN_GLYPHS)))


@dataclass(frozen=True, slots=True)
class Heading(ListEntry):
    """A heading; a blank row precedes it unless it is the first."""

    text: str
    is_first: bool = False
    role: str = "dim"

    is_choosable = False

    def rows(self, painter: RowPainter) -> list[Row]:
        title = [painter.run(truncate(self.text, painter.width, painter.glyphs.more), self.role)]
        return [title] if self.is_first else [[], title]


@dataclass(frozen=True, slots=True)
class Detail(ListEntry):
    """A text wrapped beside its name; without a name it belongs to the detail above."""

    name: str
    text: str
    name_width: int

    is_choosable = False

    def rows(self, painter: RowPainter) -> list[Row]:
        spans = row_spans(self.text, max(1, painter.width - self.name_width)) or [(0, 0)]
        names = chain([self.name], repeat(""))
        return [
            [painter.run(pad(name, self.name_width), "faint"), painter.run(self.text[start:end])]
            for name, (start, end) in zip(names, spans, strict=False)
        ]


def truncate(text: str, width: int, more: str) -> str:
    """The text that fits into a width, with `more` at the end if it was truncated."""
    if cell_width(text) <= width:
        return text
    return text[: fitting_length(text, width - 1)].rstrip() + more if width > 1 else more[: max(0, width)]


def pad(text: str, width: int) -> str:
    """The text padded with spaces to a width."""
    return text + " " * max(0, width - cell_width(text))


def wrap_hints(hints: Sequence[str], width: int, dot: str) -> list[str]:
    """The hints on as few rows of a width as hold them, with `dot` between two."""
    rows: list[str] = []
    for hint in hints:
        if rows and cell_width(rows[-1] + dot + hint) <= width:
            rows[-1] += dot + hint
        else:
            rows.append(hint)
    return rows


LIST_KEYS: tuple[Binding, ...] = (
    Binding("up", "move(-1)", priority=True),
    Binding("down", "move(1)", priority=True),
    Binding("pageup", "page(-1)", priority=True),
    Binding("pagedown", "page(1)", priority=True),
    Binding("enter", "accept", priority=True),
    Binding("escape", "back", priority=True),
)
"""The keys of what holds a list and a field to filter it."""
LIST_CSS = """
        & .list-note { display: none; height: auto; color: $r-dim; }
        & .list-hints { height: 1; color: $r-faint; margin: 1 0 0 0; }
        &:ansi .list-note, &:ansi .list-hints { text-style: dim; }
        &.-short .list-hints { display: none; }
        &.-bare .list-note { display: block; }
        &.-bare Listing { display: none; }
"""
"""The rules of what holds a list: a note in place of an empty list, and hints unless it is short."""


class Listing(ScrollView, can_focus=False):
    """A list of which at most one entry is chosen; another widget has the focus and moves the choice."""

    gutter_width: ClassVar[int] = GUTTER
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "listing--text",
        "listing--dim",
        "listing--faint",
        "listing--you",
        "listing--accent",
        "listing--correction",
        "listing--good",
        "listing--error",
        "listing--chosen",
    }
    DEFAULT_CSS = """
    Listing {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        background: $r-panel;
        color: $r-text;
        scrollbar-size-vertical: 1;
        scrollbar-color: $r-line;
        scrollbar-color-hover: $r-faint;
        scrollbar-color-active: $r-faint;
        scrollbar-background: $r-panel;
        scrollbar-background-hover: $r-panel;
        scrollbar-background-active: $r-panel;
        & > .listing--text { color: $r-text; }
        & > .listing--dim { color: $r-dim; }
        & > .listing--faint { color: $r-faint; }
        & > .listing--you { color: $r-you-words; text-style: bold; }
        & > .listing--accent { color: $r-accent-words; text-style: bold; }
        & > .listing--correction { color: $r-correction-words; }
        & > .listing--good { color: $r-good-words; }
        & > .listing--error { color: $r-error-words; text-style: bold; }
        & > .listing--chosen { color: $r-text; background: $r-chosen; }
        &:ansi {
            & > .listing--dim, & > .listing--faint { text-style: dim; }
            & > .listing--correction, & > .listing--good { text-style: bold; }
        }
    }
    """

    class Picked(Message):
        """The user clicked an entry, which is now chosen."""

    class ViewChanged(Message):
        """Other rows are in view, or the entries have changed."""

    def __init__(self, *, glyphs: ListGlyphs = UNICODE_GLYPHS, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self.glyphs = glyphs
        if glyphs is PLAIN_GLYPHS:
            # Textual draws scroll bars with block characters.
            self.styles.scrollbar_size_vertical = 0
            self.add_class("-plain")
        self.chosen_index: int | None = None
        self._entries: list[ListEntry] = []
        self._starts: list[int] = []
        self._total = 0
        self._layout_width = 0

    @property
    def entries(self) -> Sequence[ListEntry]:
        return self._entries

    @property
    def entry(self) -> ListEntry | None:
        """The chosen entry."""
        return None if self.chosen_index is None else self._entries[self.chosen_index]

    @property
    def rows_below(self) -> int:
        """The number of rows below those in view."""
        return max(0, self._total - self.scroll_offset.y - self.size.height)

    def fill(self, entries: Sequence[ListEntry], chosen: int | None = None, *, keep_scroll: bool = False) -> None:
        """Replace the entries and scroll to the top, unless `keep_scroll` is set.

        Chooses the entry at `chosen` or the nearest choosable one; by default the first choosable one.
        """
        self._entries = list(entries)
        wanted = min(chosen or 0, len(self._entries) - 1)
        after = self._nearest_choosable(wanted, 1)
        self.chosen_index = self._nearest_choosable(wanted, -1) if after is None else after
        self._lay_out()
        if not keep_scroll:
            self.scroll_to(y=0, animate=False)
        self._reveal_chosen()

    def extend(self, entries: Sequence[ListEntry]) -> None:
        """Add entries at the end."""
        self._entries += entries
        self._lay_out_from(len(self._starts))
        if self.chosen_index is None:
            self.chosen_index = self._nearest_choosable(0, 1)

    def choose(self, index: int | None) -> None:
        """Choose an entry and bring it into view."""
        self.chosen_index = index
        self._reveal_chosen()
        self.refresh()

    def move(self, by: int) -> None:
        """Move the choice by that many choosable entries; if nothing is choosable, scroll."""
        step = 1 if by > 0 else -1
        index = self.chosen_index
        if index is None and self._nearest_choosable(0, 1) is None:
            self.scroll_relative(y=by, animate=False)
            return
        for _ in range(abs(by)):
            found = self._nearest_choosable(-1 if index is None else index + step, step)
            index = index if found is None else found
        if index is not None:
            self.choose(index)
        if index is None or (step < 0 and self._nearest_choosable(index - 1, -1) is None):
            self.scroll_to(y=0, animate=False)

    def page(self, pages: int) -> None:
        """Move the choice by a screenful; if nothing is choosable, scroll."""
        if self.chosen_index is None:
            self.scroll_relative(y=pages * max(1, self.size.height - 1), animate=False)
            return
        at = self._starts[self.chosen_index] + pages * max(1, self.size.height - 1)
        index = self._entry_index_at(min(max(0, at), self._total - 1))
        step = 1 if pages > 0 else -1
        found = self._nearest_choosable(index, step)
        self.choose(self._nearest_choosable(index, -step) if found is None else found)

    def top_of(self, index: int) -> int:
        """The row in view where an entry begins; negative if that is above the view."""
        return self._starts[index] - self.scroll_offset.y

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        return max(1, sum(self._height_of(entry, width) for entry in self._entries))

    def render_line(self, y: int) -> Strip:
        """Draw one of the rows in view."""
        width, line = self.scrollable_content_region.width, y + self.scroll_offset.y
        if line >= self._total:
            return Strip.blank(width, self.rich_style)
        index = self._entry_index_at(line)
        chosen = index == self.chosen_index
        row = self._row(self._entries[index], line - self._starts[index], width, chosen=chosen)
        return make_strip(row, width, self._ground_style(chosen=chosen and bool(row)))

    def _row(self, entry: ListEntry, at: int, width: int, *, chosen: bool) -> Row:
        style_of = self._chosen_style_of if chosen else self._style_of
        painter = RowPainter(self._text_width(entry, width), style_of, self.glyphs)
        row = entry.rows(painter)[at : at + 1]
        # A row may be drawn once more before the layout for a new width.
        if not row or not row[0] or not entry.is_choosable:
            return row[0] if row else []
        return [*self.marks(painter, current=entry.is_current, chosen=chosen and not at), *row[0]]

    def marks(self, painter: RowPainter, *, current: bool, chosen: bool) -> Row:
        """The gutter of a row: a mark of the current entry, and one of the chosen entry on its first row."""
        bar = painter.run(self.glyphs.current, "you") if current else painter.run(" ")
        return [bar, painter.run(f"{self.glyphs.chosen if chosen else ' '} ", "accent")]

    def on_mount(self) -> None:
        self.vertical_scrollbar.renderer = ThinScrollBar  # type: ignore[misc]  # as its documentation does

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._layout_width:
            self._lay_out()
            self._reveal_chosen()
        self.post_message(self.ViewChanged())

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        index = self._entry_index_at(line) if line < self._total else None
        if index is not None and self._entries[index].is_choosable:
            event.stop()
            self.choose(index)
            self.post_message(self.Picked())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.ViewChanged())

    def _style_of(self, role: str) -> Style:
        return self.get_component_rich_style(f"listing--{role}")

    def _chosen_style_of(self, role: str) -> Style:
        """The style of a role in the chosen entry, where quiet text would be too faint on its background."""
        ground = self._ground_style(chosen=True)
        if role in ("dim", "faint"):
            return ground
        return self._style_of(role) + BOLD + ground.background_style

    def _ground_style(self, *, chosen: bool) -> Style:
        return self.get_component_rich_style("listing--chosen") if chosen else self.rich_style

    def _lay_out(self) -> None:
        self._layout_width = self.scrollable_content_region.width
        self._starts.clear()
        self._total = 0
        self._lay_out_from(0)

    def _lay_out_from(self, index: int) -> None:
        for entry in self._entries[index:]:
            self._starts.append(self._total)
            self._total += self._height_of(entry, self._layout_width)
        self.virtual_size = Size(self._layout_width, self._total)
        self.refresh(layout=self.styles.auto_dimensions)
        self.post_message(self.ViewChanged())

    def _text_width(self, entry: ListEntry, width: int) -> int:
        return width - self.gutter_width if entry.is_choosable else width

    def _height_of(self, entry: ListEntry, width: int) -> int:
        # Before the first layout the width is 0.
        return entry.height(self._text_width(entry, width)) if width else 1

    def _entry_index_at(self, line: int) -> int:
        return bisect_right(self._starts, line) - 1

    def _nearest_choosable(self, index: int, step: int) -> int | None:
        """The first choosable entry from an index on."""
        while 0 <= index < len(self._entries):
            if self._entries[index].is_choosable:
                return index
            index += step
        return None

    def _reveal_chosen(self) -> None:
        """Scroll as little as shows the whole chosen entry and the heading directly above it."""
        if self.chosen_index is None or not self.size.height or len(self._starts) <= self.chosen_index:
            return
        top = self._starts[self.chosen_index]
        bottom = top + self._height_of(self._entries[self.chosen_index], self._layout_width)
        if self.chosen_index and not self._entries[self.chosen_index - 1].is_choosable:
            top = self._starts[self.chosen_index - 1]
        y = min(max(self.scroll_offset.y, bottom - self.size.height), top)
        self.scroll_to(y=y, animate=False, force=True)
