"""The base of screens that filter a list: their layout, keys and styles."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Static

from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.list import LIST_CSS, LIST_KEYS, SHORT, Listing, list_glyphs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget
    from textual.widgets import Input

    from reflectty.tui.widgets.list import ListEntry

NO_MATCH = "No matches."


class ListScreen(ModalScreen[ScreenResultType]):
    """A heading with a field to filter, a list, and hints."""

    DEFAULT_CSS = f"""
    ListScreen, ListScreen:ansi {{
        & > .list-pane {{ padding: 1 2; height: 100%; background: $r-panel; color: $r-text; }}
        & .list-head {{ height: 1; margin: 0 0 1 0; }}
        & .list-title {{ width: auto; margin: 0 2 0 0; text-style: bold; color: $r-accent-words; }}
        &.-short > .list-pane {{ padding: 0 2; }}
        &.-short .list-head {{ margin: 0; }}
        {LIST_CSS}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [*LIST_KEYS]

    def __init__(self, heading: str, hints: str, *, unicode: bool = True) -> None:
        super().__init__()
        self._heading = heading
        self.set_class(not unicode, "-plain")
        self._glyphs = list_glyphs(unicode=unicode)
        self._hints = hints.replace("·", self._glyphs.dot)

    def compose(self) -> ComposeResult:
        with Vertical(classes="list-pane"):
            with Horizontal(classes="list-head"):
                yield Static(Content(self._heading), classes="list-title")
                yield from self.head_widgets()
            yield from self.list_widgets()
            yield Static(Content(self._hints), classes="list-hints")

    def head_widgets(self) -> Iterator[Widget]:
        """The widgets beside the heading."""
        yield Field(placeholder="type to filter")

    def list_widgets(self) -> ComposeResult:
        """The list and what is shown with it."""
        yield Listing(glyphs=self._glyphs)
        yield Static(Content(NO_MATCH), classes="list-note")

    def fill_list(self) -> None:
        """List the entries that match the filter."""
        raise NotImplementedError

    def follow_filter(self) -> None:
        """List what matches a changed filter."""
        self.fill_list()
        self.follow_choice()

    def follow_choice(self) -> None:
        """Show what belongs to the chosen entry, after a key or the filter has moved the choice."""

    @property
    def listing(self) -> Listing:
        return self.query_one(Listing)

    @property
    def filter_text(self) -> str:
        """The filter; empty if there is no field."""
        return "".join(field.value for field in self.query(Field)).strip()

    def show_entries(
        self, entries: Sequence[ListEntry], chosen: int | None = None, *, keep_scroll: bool = False
    ) -> None:
        """Replace the entries of the list."""
        self.listing.fill(entries, chosen, keep_scroll=keep_scroll)
        self.set_class(not entries, "-bare")

    def on_resize(self) -> None:
        self.set_class(self.size.height < SHORT, "-short")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.follow_filter()

    def action_move(self, by: int) -> None:
        self.listing.move(by)
        self.follow_choice()

    def action_page(self, pages: int) -> None:
        self.listing.page(pages)
        self.follow_choice()

    def action_accept(self) -> None:
        self.dismiss()

    def action_back(self) -> None:
        self.dismiss()
