"""The panel of sessions: lists, searches, renames and removes by telling the chat; reads and writes nothing itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Offset, Region, Spacing
from textual.reactive import reactive
from textual.widgets import Static

from reflectty.tui.widgets import panel_wishes as wishes
from reflectty.tui.widgets.listing import GUTTER, Listing, signs
from reflectty.tui.widgets.on_row import NewTitle, Removal
from reflectty.tui.widgets.search_line import SearchLine
from reflectty.tui.widgets.session_entries import Listed, Matched, titled
from reflectty.tui.widgets.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.geometry import Size

    from reflectty.session import Found, Session

WIDTH = 36
NARROW = 60
"""Below this many columns the panel takes the whole width."""
SLIDE = 0.15
"""Seconds that it takes to come in."""
SHORT = 14
"""Below this many rows there is no room for blanks and hints."""
SEARCH = "search every thought"
HINTS = "ctrl+r rename · ctrl+x remove"
EMPTY = "Nothing is kept yet."
NOTHING = "Nothing found."


class SessionsPanel(Vertical):
    """Sessions, the latest first; typing searches them. Slides in from the left when it is asked to."""

    DEFAULT_CSS = """
    SessionsPanel {
        dock: left;
        display: none;
        width: auto;
        height: 100%;
        padding: 1 1 0 2;
        background: $r-panel;
        color: $r-text;
        layers: default over;
        & > * { expand: optimal; }
        & SearchLine { margin: 0 0 1 0; }
        & #sessions-note { display: none; height: auto; color: $r-dim; }
        & #sessions-hints { height: 1; color: $r-faint; margin: 1 0 0 0; }
        &.-short { padding: 0 1 0 2; }
        &.-short SearchLine { margin: 0; }
        &.-short #sessions-hints { display: none; }
        &.-bare #sessions-note { display: block; }
        &.-bare Listing { display: none; }
        &:ansi #sessions-note, &:ansi #sessions-hints { text-style: dim; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", priority=True),
        Binding("down", "move(1)", priority=True),
        Binding("pageup", "page(-1)", priority=True),
        Binding("pagedown", "page(1)", priority=True),
        Binding("enter", "accept", priority=True),
        Binding("escape", "back", priority=True),
        Binding("ctrl+x", "remove", priority=True),
        Binding("delete", "remove_or_delete", priority=True),
        Binding("ctrl+r", "rename", priority=True),
    ]
    current: reactive[str] = reactive("")
    """The id of the session that is open."""
    running: reactive[frozenset[str]] = reactive(frozenset())
    """The ids of sessions in which a reply is being written."""

    More: TypeAlias = wishes.More
    Searched: TypeAlias = wishes.Searched
    Opened: TypeAlias = wishes.Opened
    Removed: TypeAlias = wishes.Removed
    Renamed: TypeAlias = wishes.Renamed
    Closed: TypeAlias = wishes.Closed

    def __init__(
        self,
        *,
        unicode: bool = True,
        now: Callable[[], float] = time.time,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id)
        self._signs = signs(unicode=unicode)
        self._shelf = Shelf(now)

    def compose(self) -> ComposeResult:
        yield SearchLine(self._signs.search, SEARCH)
        yield Listing(signs=self._signs, id="sessions-list")
        yield Static(Content(EMPTY), id="sessions-note")
        yield Static(Content(HINTS.replace("·", self._signs.dot)), id="sessions-hints")
        yield NewTitle()
        yield Removal()

    def slide_in(self) -> None:
        """Show the panel with the latest sessions and take the keys."""
        if not self.display:
            self.display = True
            self.offset = Offset(-self.app.size.width if self.app.size.width < NARROW else -WIDTH, 0)
            self.animate("offset", Offset(0, 0), duration=SLIDE, easing="out_cubic")
        self._search.field.focus()
        self.reload()

    def slide_out(self) -> None:
        """Hide the panel; the next time it starts without a search."""
        self._search.clear()
        self.display = False

    def seek(self, words: str) -> None:
        """Search as if these words were typed."""
        self._search.field.value = words

    def reload(self) -> None:
        """Ask for the sessions anew; those that are listed stay until the others are there."""
        self.post_message(self.More(self._shelf.renew()))

    def add(self, sessions: Sequence[Session]) -> None:
        """Take the next sessions, the latest first; none when there are no more."""
        anew = self._shelf.stale
        entries = self._shelf.add(sessions)
        if self._shelf.found is not None:
            return
        if anew:
            self._rest()
            self._list(self._chosen or self.current)
        else:
            self._listing.extend(entries)
            self._note()

    def show_found(self, found: Sequence[Found], words: str | None = None) -> None:
        """List what was found; nothing happens where it was for other `words` than stand there now."""
        if self._search.words and words in (None, self._search.words):
            self._rest()
            self._shelf.found = tuple(found)
            self._list("")

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 - Textual's
        return (viewport.width if viewport.width < NARROW else WIDTH) - self.gutter.width

    def watch_current(self, current: str) -> None:
        self._shelf.state.current = current
        self._redraw()

    def watch_running(self, running: frozenset[str]) -> None:
        self._shelf.state.running = running
        self._redraw()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < SHORT, "-short")
        self._rest()

    def on_search_line_sought(self, event: SearchLine.Sought) -> None:
        event.stop()
        if event.words:
            self.post_message(self.Searched(event.words))
        elif self._shelf.found is not None:
            self._rest()
            chosen, self._shelf.found = self._chosen, None
            self._list(chosen)

    def on_listing_picked(self, event: Listing.Picked) -> None:
        event.stop()
        self._rest()
        self.action_accept()

    def on_listing_shown(self, event: Listing.Shown) -> None:
        event.stop()
        self._rest(None if self._session is None else self._row)
        if self.display and self._listing.rows_below < self._listing.size.height:
            wanted = self._shelf.wanted()
            if wanted is not None:
                self.post_message(self.More(wanted))

    def on_new_title_left(self, event: NewTitle.Left) -> None:
        event.stop()
        self._search.field.focus()
        session = self._session
        if session is not None and session.id == event.session_id and event.title not in ("", titled(session)):
            self._shelf.rename(event.session_id, event.title)
            self._list("", self._listing.chosen)
            self.post_message(self.Renamed(event.session_id, event.title))

    def on_removal_left(self, event: Removal.Left) -> None:
        event.stop()
        self._search.field.focus()
        if event.yes:
            self._shelf.remove(event.session_id)
            self._list("", self._listing.chosen)
            self.post_message(self.Removed(event.session_id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Leave the keys to what is asked on a row, and the key `delete` to the search while it can delete there."""
        if action == "remove_or_delete" and not self._search.field.cursor_at_end:
            return False
        return self._search.field.has_focus

    def action_move(self, by: int) -> None:
        self._listing.move(by)

    def action_page(self, pages: int) -> None:
        self._listing.page(pages)

    def action_accept(self) -> None:
        entry = self._listing.entry
        if isinstance(entry, (Listed, Matched)):
            turn = entry.turn if isinstance(entry, Matched) else None
            self.post_message(self.Opened(entry.session.id, turn))

    def action_back(self) -> None:
        if self._search.field.value:
            self._search.clear()
        else:
            self.slide_out()
            self.post_message(self.Closed())

    def action_remove(self) -> None:
        if self._session is not None:
            self.query_one(Removal).ask(self._row, self._session.id)

    def action_remove_or_delete(self) -> None:
        self.action_remove()

    def action_rename(self) -> None:
        session = self._session
        if session is not None:
            where = self._row.shrink(Spacing(0, 0, 0, GUTTER))
            self.query_one(NewTitle).ask(where, session.id, titled(session) if session.title.strip() else "")

    @property
    def _search(self) -> SearchLine:
        return self.query_one(SearchLine)

    @property
    def _listing(self) -> Listing:
        return self.query_one(Listing)

    @property
    def _session(self) -> Session | None:
        entry = self._listing.entry
        return entry.session if isinstance(entry, (Listed, Matched)) else None

    @property
    def _chosen(self) -> str:
        return self._session.id if self._session is not None else ""

    @property
    def _row(self) -> Region:
        """Where the first row of the chosen entry is in the panel."""
        listing = self._listing
        left, top = listing.content_region.offset - self.content_region.offset
        return Region(left, top + listing.top_of(listing.chosen or 0), listing.scrollable_content_region.width, 1)

    def _rest(self, moved_to: Region | None = None) -> None:
        """Leave what is asked on a row, where that is not the row any more, and give the keys to the search again."""
        for asked in (self.query_one(NewTitle), self.query_one(Removal)):
            if asked.display and (moved_to is None or asked.where.y != moved_to.y):
                asked.display = False
                self._search.field.focus()

    def _list(self, chosen: str, at: int | None = None) -> None:
        """List what was found, or the sessions; choose the entry of that session, or the one at or near an index."""
        entries = self._shelf.entries()
        ids = [getattr(getattr(entry, "session", None), "id", "") for entry in entries]
        index = ids.index(chosen) if chosen and chosen in ids else None
        self._listing.fill(entries, index if at is None else at, stay=at is not None)
        self._note()

    def _note(self) -> None:
        self.set_class(not self._listing.entries, "-bare")
        self.query_one("#sessions-note", Static).update(Content(EMPTY if self._shelf.found is None else NOTHING))

    def _redraw(self) -> None:
        if self.is_mounted:
            self._listing.refresh()
