"""The panel widget that lists, searches, renames and removes sessions by posting messages to the chat."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Offset, Region, Spacing
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from reflectty.tui.sessions.inline import InlineConfirm, InlineRename, SearchLine
from reflectty.tui.sessions.list import SearchHitRow, SessionList, SessionRow
from reflectty.tui.widgets.list import GUTTER, LIST_CSS, LIST_KEYS, Listing, list_glyphs, wrap_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.geometry import Size
    from textual.widgets import Input

    from reflectty.core.session import SearchHit, Session


MIN_WIDTH, MAX_WIDTH = 36, 72
_SHARE = 0.4
"""The panel's share of the screen, between these widths."""
NARROW = 60
"""Below this many columns the panel takes the full width."""
SLIDE_SECONDS = 0.15
"""Duration of the slide-in animation."""
SHORT = 14
"""Below this many rows, blank rows and hints are hidden."""
SEARCH_PLACEHOLDER = "Search sessions"
RENAME_HINTS = ("enter rename", "esc cancel")
REMOVE_HINTS = ("y remove", "n keep")
EMPTY = "No sessions yet."
NO_MATCH = "No matches."


def panel_width(columns: int) -> int:
    """The panel's columns on a screen."""
    return columns if columns < NARROW else max(MIN_WIDTH, min(MAX_WIDTH, int(columns * _SHARE)))


class SessionsPanel(Vertical):
    """Lists sessions, latest first; typing searches them. Slides in from the left on demand."""

    DEFAULT_CSS = f"""
    SessionsPanel {{
        dock: left;
        display: none;
        width: auto;
        height: 100%;
        padding: 1 1 0 2;
        background: $r-panel;
        border-right: solid $r-line;
        color: $r-text;
        layers: default over;
        & > * {{ expand: optimal; }}
        & SearchLine {{ margin: 0 0 1 0; }}
        &.-plain {{ border-right: ascii $r-line; }}
        &.-short {{ padding: 0 1 0 2; }}
        &.-short SearchLine {{ margin: 0; }}
        {LIST_CSS}
        & .list-note {{ height: 1fr; }}
        & .list-hints {{ height: auto; }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *LIST_KEYS,
        Binding("ctrl+x", "remove", priority=True),
        Binding("delete", "remove_or_delete", priority=True),
        Binding("ctrl+r", "rename", priority=True),
    ]
    current: reactive[str] = reactive("")
    """The id of the open session."""
    running: reactive[frozenset[str]] = reactive(frozenset())
    """The ids of sessions with a running reply."""

    @dataclass
    class PageRequested(Message):
        """The end of the list is near: `add_sessions` takes the page at this offset, even if empty."""

        offset: int

    @dataclass
    class Searched(Message):
        """The user typed words: `show_hits` takes the results."""

        words: str

    @dataclass
    class Opened(Message):
        """The user chose a session, and with a search hit its turn."""

        session_id: str
        turn: int | None
        words: str = ""
        """The words that were searched for."""

    @dataclass
    class Removed(Message):
        """A session is to be removed; the list no longer shows it."""

        session_id: str

    @dataclass
    class Renamed(Message):
        """A session is to be renamed; the list already shows the new title."""

        session_id: str
        title: str

    class Closed(Message):
        """The user left the panel."""

    def __init__(
        self,
        *,
        unicode: bool = True,
        now: Callable[[], float] = time.time,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id)
        self.set_class(not unicode, "-plain")
        self._glyphs = list_glyphs(unicode=unicode)
        self._session_list = SessionList(now)
        self._is_sought = False
        """True while pages are loaded until the open session is among them, to be chosen."""

    def compose(self) -> ComposeResult:
        yield SearchLine(self._glyphs.search, SEARCH_PLACEHOLDER)
        yield Listing(glyphs=self._glyphs)
        yield Static(Content(EMPTY), classes="list-note")
        yield Static(classes="list-hints")
        yield InlineRename()
        yield InlineConfirm()

    def slide_in(self) -> None:
        """Show the panel with the latest sessions and focus it."""
        if not self.display:
            self.display = True
            self.offset = Offset(-panel_width(self.app.size.width), 0)
            self.animate("offset", Offset(0, 0), duration=SLIDE_SECONDS, easing="out_cubic")
        self._is_sought = bool(self.current)
        self._search_line.field.focus()
        self.reload()

    def slide_out(self) -> None:
        """Hide the panel and clear the search."""
        self._search_line.clear()
        self.display = False

    def search(self, words: str) -> None:
        """Search as if the user had typed these words."""
        self._search_line.field.value = words

    def reload(self) -> None:
        """Request the sessions again; the listed ones stay until the response."""
        self.post_message(self.PageRequested(self._session_list.restart()))

    def add_sessions(self, sessions: Sequence[Session]) -> None:
        """Add a page of sessions, latest first; an empty page is the last one."""
        anew = self._session_list.is_stale
        entries = self._session_list.add(sessions)
        if self._session_list.hits is not None:
            return
        if anew:
            self._close_inline()
            self._fill_list(self._chosen_id)
        else:
            self._listing.extend(entries)
            self._update_note()
        if self._is_sought:
            self._seek_current()

    def _seek_current(self) -> None:
        """Choose the open session, or request the next page until it is there."""
        ids = [entry.session.id if isinstance(entry, SessionRow) else "" for entry in self._listing.entries]
        wanted = None if self.current in ids else self._session_list.next_offset()
        self._is_sought = wanted is not None
        if wanted is not None:
            self.post_message(self.PageRequested(wanted))
        elif self.current in ids:
            self._listing.choose(ids.index(self.current))

    def show_hits(self, found: Sequence[SearchHit], words: str | None = None) -> None:
        """List search hits, unless the search line no longer holds `words`."""
        if self._search_line.words and words in (None, self._search_line.words):
            self._close_inline()
            self._session_list.hits = tuple(found)
            self._fill_list("")

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 - Textual's
        return panel_width(viewport.width) - self.gutter.width

    def watch_current(self, current: str) -> None:
        self._session_list.state.current_id = current
        self._redraw()

    def watch_running(self, running: frozenset[str]) -> None:
        self._session_list.state.running_ids = running
        self._redraw()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < SHORT, "-short")
        self._close_inline()
        self._update_hints()

    def on_descendant_focus(self) -> None:
        self._update_hints()

    def on_descendant_blur(self) -> None:
        self._update_hints()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._update_hints()

    def on_search_line_words_changed(self, event: SearchLine.WordsChanged) -> None:
        event.stop()
        if event.words:
            self.post_message(self.Searched(event.words))
        elif self._session_list.hits is not None:
            self._close_inline()
            chosen, self._session_list.hits = self._chosen_id, None
            self._fill_list(chosen)

    def on_listing_picked(self, event: Listing.Picked) -> None:
        event.stop()
        self._close_inline()
        self.action_accept()

    def on_listing_view_changed(self, event: Listing.ViewChanged) -> None:
        event.stop()
        self._close_inline(None if self._chosen_session is None else self._chosen_region)
        if self.display and self._listing.rows_below < self._listing.size.height:
            wanted = self._session_list.next_offset()
            if wanted is not None:
                self.post_message(self.PageRequested(wanted))

    def on_inline_rename_done(self, event: InlineRename.Done) -> None:
        event.stop()
        self._search_line.field.focus()
        session = self._chosen_session
        if session is not None and session.id == event.session_id and event.title not in ("", session.display_title):
            self._session_list.rename(event.session_id, event.title)
            self._fill_list("", self._listing.chosen_index)
            self.post_message(self.Renamed(event.session_id, event.title))

    def on_inline_confirm_answered(self, event: InlineConfirm.Answered) -> None:
        event.stop()
        self._search_line.field.focus()
        if event.yes:
            self._session_list.remove(event.session_id)
            self._fill_list("", self._listing.chosen_index)
            self.post_message(self.Removed(event.session_id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Leave the keys to a focused inline widget, and `delete` to the search while it has text to delete."""
        if action == "remove_or_delete" and not self._search_line.field.cursor_at_end:
            return False
        return self._search_line.field.has_focus

    def action_move(self, by: int) -> None:
        self._is_sought = False
        self._listing.move(by)

    def action_page(self, pages: int) -> None:
        self._is_sought = False
        self._listing.page(pages)

    def action_accept(self) -> None:
        entry = self._listing.entry
        if isinstance(entry, SessionRow):
            turn = entry.turn if isinstance(entry, SearchHitRow) else None
            words = self._search_line.words if isinstance(entry, SearchHitRow) else ""
            self.post_message(self.Opened(entry.session.id, turn, words))

    def action_back(self) -> None:
        if self._search_line.field.value:
            self._search_line.clear()
        else:
            self.slide_out()
            self.post_message(self.Closed())

    def action_remove(self) -> None:
        if self._chosen_session is not None:
            self.query_one(InlineConfirm).ask(self._chosen_region, self._chosen_session.id)

    def action_remove_or_delete(self) -> None:
        self.action_remove()

    def action_rename(self) -> None:
        session = self._chosen_session
        if session is not None:
            where = self._chosen_region.shrink(Spacing(0, 0, 0, GUTTER))
            self.query_one(InlineRename).ask(where, session.id, session.display_title if session.title.strip() else "")

    @property
    def _search_line(self) -> SearchLine:
        return self.query_one(SearchLine)

    @property
    def _listing(self) -> Listing:
        return self.query_one(Listing)

    @property
    def _chosen_session(self) -> Session | None:
        entry = self._listing.entry
        return entry.session if isinstance(entry, SessionRow) else None

    @property
    def _chosen_id(self) -> str:
        return self._chosen_session.id if self._chosen_session is not None else ""

    @property
    def _chosen_region(self) -> Region:
        """The region of the chosen entry's first row in the panel."""
        listing = self._listing
        left, top = listing.content_region.offset - self.content_region.offset
        return Region(left, top + listing.top_of(listing.chosen_index or 0), listing.scrollable_content_region.width, 1)

    def _close_inline(self, moved_to: Region | None = None) -> None:
        """Close inline widgets that are no longer on their row, and focus the search again."""
        for asked in (self.query_one(InlineRename), self.query_one(InlineConfirm)):
            if asked.display and (moved_to is None or asked.row_region.y != moved_to.y):
                asked.display = False
                self._search_line.field.focus()

    def _fill_list(self, chosen: str, at: int | None = None) -> None:
        """List search hits or sessions; choose the entry of a session, or the one at or near an index."""
        entries = self._session_list.entries()
        ids = [entry.session.id if isinstance(entry, SessionRow) else "" for entry in entries]
        index = ids.index(chosen) if chosen and chosen in ids else None
        self._listing.fill(entries, index if at is None else at, keep_scroll=at is not None)
        self._update_note()

    def _update_note(self) -> None:
        self.set_class(not self._listing.entries, "-bare")
        self.query_one(".list-note", Static).update(Content(EMPTY if self._session_list.hits is None else NO_MATCH))
        self._update_hints()

    def _update_hints(self) -> None:
        """Name the keys that do something now."""
        if not self.is_mounted:
            return
        width, dot = panel_width(self.app.size.width) - self.gutter.width, f" {self._glyphs.dot} "
        rows = wrap_hints(self._hints, width, dot)
        self.query_one(".list-hints", Static).update(Content("\n".join(rows)))

    @property
    def _hints(self) -> tuple[str, ...]:
        if self.query_one(InlineRename).has_focus:
            return RENAME_HINTS
        if self.query_one(InlineConfirm).has_focus:
            return REMOVE_HINTS
        leave = "esc clear" if self._search_line.field.value else "esc close"
        return ("enter open", leave, "ctrl+r rename", "ctrl+x remove") if self._listing.entries else (leave,)

    def _redraw(self) -> None:
        if self.is_mounted:
            self._listing.refresh()
