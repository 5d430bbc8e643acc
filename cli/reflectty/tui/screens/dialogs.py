"""Dialogs above the chat: choose an item, type a line, confirm."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, groupby, repeat
from typing import TYPE_CHECKING, Any, ClassVar

from rich.style import Style
from textual.binding import Binding
from textual.color import TRANSPARENT
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Static

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.tui.fuzzy import closest_matches
from reflectty.tui.screens.list_screen import ListScreen
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.list import SHORT, Heading, ListEntry, Listing, list_glyphs
from reflectty.view.rows import cell_width, row_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.screen import Screen
    from textual.widget import Widget
    from textual.widgets import Input

    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row


def make_see_through(screen: Screen[Any]) -> None:
    """Let the chat show through behind a screen, whatever background the app gives to all screens."""
    screen.styles.background = TRANSPARENT


MAX_UNFILTERED = 5
"""Maximum number of items without a filter: all of them are visible."""
_MARGINS = 4
"""Columns beside the list."""
_EDGE_ROWS = 1
"""Rows of the rule above the list."""
_BLANK_ROWS = 5
"""The rule, blank rows, and the row of hints."""
_MIN_DETAIL_WIDTH = 24
"""Minimum columns for a detail beside its label; else it is below."""
_MAX_DETAIL_WIDTH = 100
_MIN_LABEL_WIDTH = 40
"""Columns of a label that any detail leaves."""
_MATCH_STYLE = Style(bold=True, underline=True)


class ChoiceItem(NamedTuple):
    """An item to choose: its value, label and detail, whether it is the current one, and its group."""

    value: str
    label: str
    detail: str = ""
    is_current: bool = False
    group: str = ""


class Choice(ListScreen[str | None]):
    """Asks for one of several items; returns its value, or None on cancel."""

    DEFAULT_CSS = """
    Choice, Choice:ansi {
        & > .list-pane { dock: bottom; height: auto; padding: 0 2 1 2; border-top: solid $r-line; }
        & .list-head { height: auto; margin: 0; }
        & .list-title { max-width: 100%; }
        & Listing { height: auto; margin: 1 0 0 0; }
        & .list-note { margin: 1 0 0 0; }
        &.-plain > .list-pane { border-top: ascii $r-line; }
        &.-short > .list-pane { padding: 0 2; }
        &.-short Listing { margin: 0; }
    }
    """

    def __init__(
        self,
        title: str,
        items: Sequence[ChoiceItem],
        *,
        preview: Callable[[str], object] | None = None,
        unicode: bool = True,
    ) -> None:
        super().__init__(clean_line(title, 2000), "enter select · esc cancel", unicode=unicode)
        self._items = tuple(_clean_item(item) for item in items)
        self._preview = preview
        self._previewed_value = next((item.value for item in self._items if item.is_current), None)
        self._label_width = max((cell_width(item.label) for item in self._items), default=0)
        self._detail_width = max((cell_width(item.detail) for item in self._items), default=0)

    def head_widgets(self) -> Iterator[Widget]:
        return super().head_widgets() if len(self._items) > MAX_UNFILTERED else iter(())

    def on_mount(self) -> None:
        make_see_through(self)
        self.fill_list()

    def on_resize(self) -> None:
        """Keep some of the chat visible if there is room, else give all rows to the list."""
        width, height = self.size
        title = max(1, min(len(row_spans(self._heading, max(1, width - _MARGINS))), height * 2 // 5))
        self.query_one(".list-head").styles.max_height = title
        rows = height - _EDGE_ROWS if height < SHORT else height * 7 // 10 - _BLANK_ROWS
        self.listing.styles.max_height = max(1, rows - title)

    def on_listing_picked(self, event: Listing.Picked) -> None:
        event.stop()
        self.action_accept()

    def action_accept(self) -> None:
        if self._chosen_item is not None:
            self.dismiss(self._chosen_item.value)

    @property
    def _chosen_item(self) -> ChoiceItem | None:
        entry = self.listing.entry
        return entry.item if isinstance(entry, _ChoiceRow) else None

    def fill_list(self) -> None:
        found = filter_items(self._items, self.filter_text)
        rows = [_ChoiceRow(item, self._label_width, self._detail_width, at) for item, at in found]
        entries = rows if self.filter_text else _with_headings(rows)
        current = next((at for at, entry in enumerate(entries) if entry.is_current), 0)
        self.show_entries(entries, 0 if self.filter_text else current)

    def follow_choice(self) -> None:
        """Preview the chosen item in the chat."""
        item = self._chosen_item
        if self._preview is not None and item is not None and item.value != self._previewed_value:
            self._previewed_value = item.value
            self._preview(item.value)


def _with_headings(rows: Sequence[_ChoiceRow]) -> list[ListEntry]:
    """The rows, with a heading above each group."""
    entries: list[ListEntry] = []
    for group, members in groupby(rows, lambda row: row.item.group):
        entries += [Heading(group, not entries)] if group else []
        entries += members
    return entries


def filter_items(items: Sequence[ChoiceItem], typed: str) -> list[tuple[ChoiceItem, tuple[int, ...]]]:
    """The items that match the typed letters, closest first, each with the matching positions in its label."""
    close = closest_matches(typed, items, lambda item: item.label)
    named = {item.value for item, _ in close}
    words = typed.lower().split()
    rest = (item for item in items if item.value not in named)
    return close + [(item, ()) for item in rest if all(word in item.detail.lower() for word in words)]


def _clean_item(item: ChoiceItem) -> ChoiceItem:
    return item._replace(label=clean_line(item.label), detail=clean_line(item.detail, 2000))


@dataclass(frozen=True, slots=True)
class _ChoiceRow(ListEntry):
    """An item as a row: its label, and its detail beside it or below."""

    item: ChoiceItem
    longest_label: int
    longest_detail: int
    match_positions: tuple[int, ...]

    @property
    def is_current(self) -> bool:
        return self.item.is_current

    def rows(self, painter: RowPainter) -> list[Row]:
        detail = self.item.detail
        # A label is shortened only for a detail that has no room of its own.
        label_width = min(self.longest_label, max(_MIN_LABEL_WIDTH, painter.width - self.longest_detail - 2))
        below = bool(detail) and painter.width - label_width - 2 < _MIN_DETAIL_WIDTH
        room = painter.width - 2 - (0 if below else label_width)
        spans = row_spans(detail, max(1, min(room, _MAX_DETAIL_WIDTH))) if detail else [(0, 0)]
        details = [[painter.run("  "), painter.run(detail[start:end], "dim")] for start, end in spans]
        if below:
            return [self._label_row(painter, painter.width), *details]
        labels = chain([self._label_row(painter, label_width)], repeat([painter.run(" " * label_width)]))
        return [[*label, *text] for label, text in zip(labels, details, strict=False)]

    def _label_row(self, painter: RowPainter, width: int) -> Row:
        """The label, with the typed letters underlined."""
        label, look = painter.cell(self.item.label, width, painter.style_of("you" if self.is_current else "text"))
        runs = groupby(range(len(label)), self.match_positions.__contains__)
        return [("".join(label[at] for at in span), look + _MATCH_STYLE if matched else look) for matched, span in runs]


class Prompt(ModalScreen[ScreenResultType]):
    """A question above the chat, what answers it, and hints."""

    DEFAULT_CSS = """
    Prompt, Prompt:ansi {
        & > #ask {
            dock: bottom;
            height: auto;
            max-height: 100%;
            overflow-y: auto;
            scrollbar-size-vertical: 0;
            padding: 0 2 1 2;
            border-top: solid $r-line;
            background: $r-panel;
            color: $r-text;
        }
        &.-plain > #ask { border-top: ascii $r-line; }
        & #ask-title { text-style: bold; color: $r-accent-words; }
        & #ask-hints { color: $r-dim; margin: 1 0 0 0; }
    }
    Prompt:ansi { & #ask-hints { text-style: dim; } }
    """

    def __init__(self, question: str, hints: Content, field: Field | None = None, *, unicode: bool) -> None:
        super().__init__()
        self.set_class(not unicode, "-plain")
        self._question, self._hints, self._field = clean_line(question, 2000), hints, field

    def compose(self) -> ComposeResult:
        with Vertical(id="ask"):
            yield Static(Content(self._question), id="ask-title")
            if self._field is not None:
                yield self._field
            yield Static(self._hints, id="ask-hints")

    def on_mount(self) -> None:
        make_see_through(self)


class LinePrompt(Prompt[str | None]):
    """Asks for one line; returns its text without surrounding blanks, or None on cancel."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", priority=True)]

    def __init__(self, title: str, default: str = "", *, placeholder: str = "", unicode: bool = True) -> None:
        hints = Content(f"enter confirm {list_glyphs(unicode=unicode).dot} esc cancel")
        super().__init__(title, hints, Field(default, clean_line(placeholder)), unicode=unicode)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip())


class Confirm(Prompt[bool]):
    """Asks for confirmation; only `y` confirms, as enter may be meant for something else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", priority=True),
        Binding("n,escape,enter", "dismiss(False)", priority=True),
    ]

    def __init__(self, question: str, yes: str = "yes", no: str = "no", *, unicode: bool = True) -> None:
        between = f" {clean_line(yes)} {list_glyphs(unicode=unicode).dot} "
        super().__init__(
            question, Content.assemble(("y", "bold"), between, ("n", "bold"), f" {clean_line(no)}"), unicode=unicode
        )
