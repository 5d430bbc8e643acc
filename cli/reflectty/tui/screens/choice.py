"""A quiet list to choose one thing from, with the chat still in sight; what is chosen is up to who asked."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.style import Style
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from reflectty.drawing.wrap import cells, fold
from reflectty.safety import clean_line
from reflectty.tui.matching import match
from reflectty.tui.screens import see_through
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.listing import GUTTER, Listing, cut, padded, signs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from reflectty.drawing.paint import Row
    from reflectty.tui.widgets.listing import Pen

FEW = 5
"""So many can be seen at once: there is no need to type."""
SHORT = 16
"""Below this many rows there is no room for blanks and hints."""
HINTS = "enter choose · esc back"
NOTHING = "Nothing matches."
_MARGINS = 4
"""Columns beside the list."""
_BLANKS = 5
"""Rows that are blank, and the one with the hints."""
_BESIDE = 24
"""Columns that a detail needs to stand beside its label; else it stands below."""
_WIDEST = 100
_MATCHED = Style(bold=True, underline=True)


class Offer(NamedTuple):
    """Something to choose: what is given back, what is shown, and whether it is what holds now."""

    value: str
    label: str
    detail: str = ""
    current: bool = False


class Choice(ModalScreen[str | None]):
    """Asks for one of several; gives back its value, or None when the reader went back."""

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
        offers: Sequence[Offer],
        *,
        preview: Callable[[str], object] | None = None,
        unicode: bool = True,
    ) -> None:
        super().__init__()
        self._title = clean_line(title, 2000)
        self._offers = tuple(_safe(offer) for offer in offers)
        self._preview = preview
        self._signs = signs(unicode=unicode)
        self._previewed = next((offer.value for offer in self._offers if offer.current), None)
        self._labels = min(40, max((cells(offer.label) for offer in self._offers), default=0))

    def compose(self) -> ComposeResult:
        with Vertical(id="choice"):
            with Horizontal(id="choice-head"):
                yield Static(Content(self._title), id="choice-title")
                if len(self._offers) > FEW:
                    yield Field(placeholder="type to narrow", id="choice-words")
            yield Listing(signs=self._signs, id="choice-list")
            yield Static(Content(NOTHING), id="choice-note")
            yield Static(Content(HINTS.replace("·", self._signs.dot)), id="choice-hints")

    def on_mount(self) -> None:
        see_through(self)
        self._list("")

    def on_resize(self) -> None:
        """Leave at least some of the chat in sight where there is room, and all rows to the list where there is not."""
        width, height = self.size
        short = height < SHORT
        self.set_class(short, "-short")
        title = max(1, min(len(fold(self._title, max(1, width - _MARGINS))), height * 2 // 5))
        self.query_one("#choice-head").styles.max_height = title
        self._listing.styles.max_height = max(1, (height if short else height * 7 // 10 - _BLANKS) - title)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._list(event.value)
        self._show()

    def on_listing_picked(self, event: Listing.Picked) -> None:
        event.stop()
        self.action_accept()

    def action_move(self, by: int) -> None:
        self._listing.move(by)
        self._show()

    def action_page(self, pages: int) -> None:
        self._listing.page(pages)
        self._show()

    def action_accept(self) -> None:
        if self._chosen is not None:
            self.dismiss(self._chosen.value)

    def action_back(self) -> None:
        self.dismiss(None)

    @property
    def _listing(self) -> Listing:
        return self.query_one(Listing)

    @property
    def _chosen(self) -> Offer | None:
        entry = self._listing.entry
        return entry.offer if isinstance(entry, _Offered) else None

    def _list(self, typed: str) -> None:
        entries = [_Offered(offer, self._labels, places) for offer, places in narrowed(self._offers, typed)]
        current = next((at for at, entry in enumerate(entries) if entry.offer.current), 0)
        self._listing.fill(entries, 0 if typed.strip() else current)
        self.set_class(not entries, "-bare")

    def _show(self) -> None:
        """Let the chat look as it would with what is chosen now."""
        if self._preview is not None and self._chosen is not None and self._chosen.value != self._previewed:
            self._previewed = self._chosen.value
            self._preview(self._chosen.value)


def narrowed(offers: Sequence[Offer], typed: str) -> list[tuple[Offer, tuple[int, ...]]]:
    """Return the offers that the typed letters match, the closest first, each with the places in its label."""
    if not typed.strip():
        return [(offer, ()) for offer in offers]
    found = ((match(typed, offer.label), offer) for offer in offers)
    by_label = sorted(((at, offer) for at, offer in found if at is not None), key=lambda pair: pair[0])
    close = [(offer, at.places) for at, offer in by_label]
    named = {offer.value for offer, _ in close}
    words = typed.lower().split()
    rest = (offer for offer in offers if offer.value not in named)
    return close + [(offer, ()) for offer in rest if all(word in offer.detail.lower() for word in words)]


def _safe(offer: Offer) -> Offer:
    return offer._replace(label=clean_line(offer.label), detail=clean_line(offer.detail, 2000))


class _Offered(NamedTuple):
    """An offer in the list: its label, and its detail beside it or below."""

    offer: Offer
    labels: int
    places: tuple[int, ...]

    @property
    def choosable(self) -> bool:
        return True

    def height(self, width: int) -> int:
        return max(1, len(self._details(width)) + self._below(width))

    def row(self, at: int, pen: Pen) -> Row:
        below = self._below(pen.width)
        head = at == 0
        lines = self._details(pen.width)
        detail = lines[at - below] if 0 <= at - below < len(lines) else ""
        row = pen.gutter(current=self.offer.current, first=head)
        if head and below:
            return row + self._label(pen, pen.width - GUTTER)
        label = self._label(pen, self.labels) if head else [(" " * (0 if below else self.labels), pen.look("text"))]
        return [*row, *label, ("  ", pen.look("text")), (detail, pen.look("dim"))]

    def _label(self, pen: Pen, width: int) -> Row:
        """Return the label, the letters that were typed underlined."""
        look = pen.look("you" if self.offer.current else "text")
        label = padded(cut(self.offer.label, width, pen.signs.more), width)
        runs = groupby(range(len(label)), self.places.__contains__)
        return [("".join(label[at] for at in places), look + _MATCHED if matched else look) for matched, places in runs]

    def _below(self, width: int) -> bool:
        return bool(self.offer.detail) and width - GUTTER - self.labels - 2 < _BESIDE

    def _details(self, width: int) -> list[str]:
        """Return the rows of the detail."""
        room = width - GUTTER - 2 - (0 if self._below(width) else self.labels)
        detail = self.offer.detail
        rows = fold(detail, max(1, min(room, _WIDEST))) if detail else []
        return [detail[start:end] for start, end in rows]
