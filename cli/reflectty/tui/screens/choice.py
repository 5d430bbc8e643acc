"""A filterable list above the chat that returns the chosen item."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.style import Style
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from reflectty.core.safety import clean_line
from reflectty.tui.fuzzy import match
from reflectty.tui.screens import make_see_through
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.list import GUTTER, Listing, list_glyphs, pad, truncate
from reflectty.view.rows import cell_width, row_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row

MAX_UNFILTERED = 5
"""Maximum number of items without a filter: all of them are visible."""
SHORT = 16
"""Below this many rows, blank rows and hints are hidden."""
HINTS = "enter select · esc cancel"
NO_MATCH = "No matches."
_MARGINS = 4
"""Columns beside the list."""
_BLANK_ROWS = 5
"""Blank rows, and the row of hints."""
_MIN_DETAIL_WIDTH = 24
"""Minimum columns for a detail beside its label; else it is below."""
_MAX_DETAIL_WIDTH = 100
_MATCH_STYLE = Style(bold=True, underline=True)


class ChoiceItem(NamedTuple):
    """An item to choose: its value, label and detail, and whether it is the current one."""

    value: str
    label: str
    detail: str = ""
    is_current: bool = False


class Choice(ModalScreen[str | None]):
    """Asks for one of several items; returns its value, or None on cancel."""

    DEFAULT_CSS = """
    Choice, Choice:ansi {
        & > #choice {
            dock: bottom;
            height: auto;
            padding: 1 2 1 2;
            background: $r-panel;
            color: $r-text;
        }
        & #choice-head { height: auto; }
        & #choice-title { width: auto; max-width: 100%; margin: 0 2 0 0; text-style: bold; color: $r-accent; }
        & #choice-list { height: auto; margin: 1 0 0 0; }
        & #choice-note { display: none; color: $r-dim; margin: 1 0 0 0; }
        & #choice-hints { height: 1; color: $r-faint; margin: 1 0 0 0; }
        &.-short > #choice { padding: 0 2; }
        &.-short #choice-list { margin: 0; }
        &.-short #choice-hints { display: none; }
        &.-bare #choice-note { display: block; }
        &.-bare #choice-list { display: none; }
    }
    Choice:ansi { & #choice-note, & #choice-hints { text-style: dim; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", priority=True),
        Binding("down", "move(1)", priority=True),
        Binding("pageup", "page(-1)", priority=True),
        Binding("pagedown", "page(1)", priority=True),
        Binding("enter", "accept", priority=True),
        Binding("escape", "back", priority=True),
    ]

    def __init__(
        self,
        title: str,
        items: Sequence[ChoiceItem],
        *,
        preview: Callable[[str], object] | None = None,
        unicode: bool = True,
    ) -> None:
        super().__init__()
        self._title = clean_line(title, 2000)
        self._items = tuple(_clean_item(offer) for offer in items)
        self._preview = preview
        self._glyphs = list_glyphs(unicode=unicode)
        self._previewed_value = next((offer.value for offer in self._items if offer.is_current), None)
        self._label_width = min(40, max((cell_width(offer.label) for offer in self._items), default=0))

    def compose(self) -> ComposeResult:
        with Vertical(id="choice"):
            with Horizontal(id="choice-head"):
                yield Static(Content(self._title), id="choice-title")
                if len(self._items) > MAX_UNFILTERED:
                    yield Field(placeholder="type to filter", id="choice-words")
            yield Listing(glyphs=self._glyphs, id="choice-list")
            yield Static(Content(NO_MATCH), id="choice-note")
            yield Static(Content(HINTS.replace("·", self._glyphs.dot)), id="choice-hints")

    def on_mount(self) -> None:
        make_see_through(self)
        self._fill_list("")

    def on_resize(self) -> None:
        """Keep some of the chat visible if there is room, else give all rows to the list."""
        width, height = self.size
        short = height < SHORT
        self.set_class(short, "-short")
        title = max(1, min(len(row_spans(self._title, max(1, width - _MARGINS))), height * 2 // 5))
        self.query_one("#choice-head").styles.max_height = title
        self._listing.styles.max_height = max(1, (height if short else height * 7 // 10 - _BLANK_ROWS) - title)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill_list(event.value)
        self._show_preview()

    def on_listing_picked(self, event: Listing.Picked) -> None:
        event.stop()
        self.action_accept()

    def action_move(self, by: int) -> None:
        self._listing.move(by)
        self._show_preview()

    def action_page(self, pages: int) -> None:
        self._listing.page(pages)
        self._show_preview()

    def action_accept(self) -> None:
        if self._chosen_item is not None:
            self.dismiss(self._chosen_item.value)

    def action_back(self) -> None:
        self.dismiss(None)

    @property
    def _listing(self) -> Listing:
        return self.query_one(Listing)

    @property
    def _chosen_item(self) -> ChoiceItem | None:
        entry = self._listing.entry
        return entry.item if isinstance(entry, _ChoiceRow) else None

    def _fill_list(self, typed: str) -> None:
        entries = [_ChoiceRow(offer, self._label_width, places) for offer, places in filter_items(self._items, typed)]
        current = next((at for at, entry in enumerate(entries) if entry.item.is_current), 0)
        self._listing.fill(entries, 0 if typed.strip() else current)
        self.set_class(not entries, "-bare")

    def _show_preview(self) -> None:
        """Preview the chosen item in the chat."""
        if (
            self._preview is not None
            and self._chosen_item is not None
            and self._chosen_item.value != self._previewed_value
        ):
            self._previewed_value = self._chosen_item.value
            self._preview(self._chosen_item.value)


def filter_items(items: Sequence[ChoiceItem], typed: str) -> list[tuple[ChoiceItem, tuple[int, ...]]]:
    """The items that match the typed letters, closest first, each with the matching positions in its label."""
    if not typed.strip():
        return [(offer, ()) for offer in items]
    found = ((match(typed, offer.label), offer) for offer in items)
    by_label = sorted(((at, offer) for at, offer in found if at is not None), key=lambda pair: pair[0])
    close = [(offer, at.positions) for at, offer in by_label]
    named = {offer.value for offer, _ in close}
    words = typed.lower().split()
    rest = (offer for offer in items if offer.value not in named)
    return close + [(offer, ()) for offer in rest if all(word in offer.detail.lower() for word in words)]


def _clean_item(item: ChoiceItem) -> ChoiceItem:
    return item._replace(label=clean_line(item.label), detail=clean_line(item.detail, 2000))


class _ChoiceRow(NamedTuple):
    """An item as a row: its label, and its detail beside it or below."""

    item: ChoiceItem
    label_width: int
    match_positions: tuple[int, ...]

    @property
    def is_choosable(self) -> bool:
        return True

    def height(self, width: int) -> int:
        return max(1, len(self._detail_rows(width)) + self._is_detail_below(width))

    def row(self, at: int, painter: RowPainter) -> Row:
        below = self._is_detail_below(painter.width)
        head = at == 0
        lines = self._detail_rows(painter.width)
        detail = lines[at - below] if 0 <= at - below < len(lines) else ""
        row = painter.gutter(current=self.item.is_current, first=head)
        if head and below:
            return row + self._label_row(painter, painter.width - GUTTER)
        label = (
            self._label_row(painter, self.label_width)
            if head
            else [(" " * (0 if below else self.label_width), painter.style_of("text"))]
        )
        return [*row, *label, ("  ", painter.style_of("text")), (detail, painter.style_of("dim"))]

    def _label_row(self, painter: RowPainter, width: int) -> Row:
        """The label, with the typed letters underlined."""
        look = painter.style_of("you" if self.item.is_current else "text")
        label = pad(truncate(self.item.label, width, painter.glyphs.more), width)
        runs = groupby(range(len(label)), self.match_positions.__contains__)
        return [
            ("".join(label[at] for at in places), look + _MATCH_STYLE if matched else look) for matched, places in runs
        ]

    def _is_detail_below(self, width: int) -> bool:
        return bool(self.item.detail) and width - GUTTER - self.label_width - 2 < _MIN_DETAIL_WIDTH

    def _detail_rows(self, width: int) -> list[str]:
        room = width - GUTTER - 2 - (0 if self._is_detail_below(width) else self.label_width)
        detail = self.item.detail
        rows = row_spans(detail, max(1, min(room, _MAX_DETAIL_WIDTH))) if detail else []
        return [detail[start:end] for start, end in rows]
