"""The screen that lists the models and downloads of a server, with the keys that apply."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from reflectty.core.model_names import remote_host_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.text import format_count
from reflectty.tui.fuzzy import closest_matches
from reflectty.tui.models.rows import (
    DownloadRow,
    DownloadState,
    ModelInfo,
    ModelRow,
    build_fact_rows,
    build_rows,
    display_name_of,
)
from reflectty.tui.screens.list_screen import NO_MATCH, ListScreen
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.list import Listing, wrap_hints
from reflectty.view.summary import SummaryFact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget


MAX_HINT_ROWS = 3


def key_hints_for(entry: ModelRow | DownloadRow | None, *, is_reachable: bool) -> tuple[SummaryFact, ...]:
    """The keys that apply to an entry, the most important with the lowest rank."""
    found = [SummaryFact("ctrl+p pull", 2)] if is_reachable else []
    if isinstance(entry, ModelRow) and is_reachable:
        known = entry.info
        answer = [] if known.is_chat_model else [SummaryFact("enter use", 1)]
        load = (
            []
            if known.busy_with or remote_host_of(known.model)
            else [SummaryFact("ctrl+l unload" if known.running else "ctrl+l load", 3)]
        )
        found = [*answer, *load, *found, SummaryFact("ctrl+y copy", 5), SummaryFact("ctrl+x remove", 4)]
    elif isinstance(entry, DownloadRow):
        ended = bool(entry.state.problem)
        again = [SummaryFact("enter retry", 1)] if ended and is_reachable else []
        found = [*again, SummaryFact("ctrl+x dismiss" if ended else "ctrl+x cancel", 1), *found]
    return (*found, SummaryFact("esc back", 0))


def arrange_hints(found: Sequence[SummaryFact], width: int, dot: str) -> str:
    """The hints on at most three rows; hints with the highest rank are dropped if they do not fit."""
    kept = list(found)
    while len(rows := wrap_hints([fact.text for fact in kept], width, dot)) > MAX_HINT_ROWS:
        kept.remove(max(kept, key=lambda fact: fact.rank))
    return "\n".join(rows)


WIDE = 112
"""Minimum columns to show facts beside the list."""
HOST_WIDTH = 60
"""Minimum columns to show the host."""
TALL = 22
"""Minimum rows to show facts below the list, if there is no room beside it."""
POLL_SECONDS = 2.0
"""Time between polls of the server."""
REFRESH_SECONDS = 0.2
"""Time between updates of the screen."""
LOADING = "Listing models…"
EMPTY = "No models installed."
_MARGINS = 4


class ModelsSnapshot(NamedTuple):
    """The state that the screen shows."""

    models: tuple[ModelInfo, ...] | None = None
    """None before the first response."""
    downloads: tuple[DownloadState, ...] = ()
    host: str = ""
    is_reachable: bool | None = None
    """True if the server answers; None before the first response."""
    unreachable_reason: str = ""
    """Why the server is unreachable."""
    note: str = ""
    is_error: bool = False
    """True if the note is an error."""
    revision: int = 0
    """Changes when more is known about a model."""


class ModelsBackend(Protocol):
    """Provides the models and performs actions on them."""

    def snapshot(self) -> ModelsSnapshot:
        """The current state."""
        ...

    def facts(self, name: str, *, pull: bool) -> Sequence[tuple[str, str]]:
        """The facts of a model or a pull."""
        ...

    def poll(self) -> None:
        """Poll the server."""
        ...

    def perform(self, action: str, name: str) -> None:
        """Perform an action on a model (answer, load, unload, copy, remove) or a pull (ask, pull, stop, forget)."""
        ...


class ModelsScreen(ListScreen[None]):
    """Lists the models; typing filters them."""

    DEFAULT_CSS = """
    ModelsScreen, ModelsScreen:ansi {
        & #models-server { width: auto; margin: 0 0 0 2; color: $r-dim; }
        & #models-server.-gone { color: $r-error-words; text-style: bold; }
        & #models-middle { height: 1fr; layout: vertical; }
        & #models-facts { display: none; scrollbar-size-vertical: 0; height: auto; max-height: 45%; margin: 1 0 0 0; }
        & .list-note { height: 1fr; }
        & #models-note { display: none; height: auto; max-height: 4; margin: 1 0 0 0; color: $r-text; }
        & #models-note.-wrong { color: $r-error-words; text-style: bold; }
        & .list-hints { height: auto; }
        &.-wide #models-middle { layout: horizontal; }
        &.-wide #models-facts { display: block; width: 40; height: 100%; max-height: 100%; margin: 0 0 0 3; }
        &.-tall #models-facts { display: block; }
        &.-bare #models-facts { display: none; }
        &.-noted #models-note { display: block; }
        &.-short .list-hints { display: block; margin: 0; }
        &.-short #models-note { margin: 0; }
    }
    ModelsScreen:ansi { & #models-server { text-style: dim; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+l", "load", priority=True),
        Binding("ctrl+p", "pull", priority=True),
        Binding("ctrl+y", "copy", priority=True),
        Binding("ctrl+x", "remove", priority=True),
        Binding("delete", "remove(True)", priority=True),
    ]

    def __init__(self, backend: ModelsBackend, keys: Sequence[str] = (), *, unicode: bool = True) -> None:
        super().__init__("Models", "", unicode=unicode)
        self._backend = backend
        self._snapshot = ModelsSnapshot()
        self._selected_key: tuple[str, str] | None = None
        for key in keys:
            self._bindings.bind(key, "dismiss", show=False, priority=True)

    def head_widgets(self) -> Iterator[Widget]:
        yield from super().head_widgets()
        yield Static(id="models-server")

    def list_widgets(self) -> ComposeResult:
        with Vertical(id="models-middle"):
            yield Listing(glyphs=self._glyphs)
            yield Listing(glyphs=self._glyphs, id="models-facts")
            yield Static(classes="list-note")
        yield Static(id="models-note")

    def on_mount(self) -> None:
        self._backend.poll()
        self._apply_snapshot(self._backend.snapshot())
        self.set_interval(POLL_SECONDS, self._backend.poll)
        self.set_interval(REFRESH_SECONDS, self._refresh_if_changed)

    def on_resize(self) -> None:
        width, height = self.size
        self.set_class(width >= WIDE, "-wide")
        self.set_class(width < WIDE and height >= TALL, "-tall")
        self._describe()

    def follow_filter(self) -> None:
        self._selected_key = None
        self.fill_list()

    def on_listing_picked(self, event: Listing.Picked) -> None:
        event.stop()
        self.follow_choice()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave `delete` to the filter while it has text to delete."""
        return action != "remove" or not parameters or self.query_one(Field).cursor_at_end

    def action_accept(self) -> None:
        entry = self._entry
        if isinstance(entry, ModelRow):
            self.dismiss()
            if not entry.info.is_chat_model:
                self._backend.perform("answer", entry.info.model.name)
        elif isinstance(entry, DownloadRow) and entry.state.problem:
            self._perform("pull", entry.state.name)

    def action_back(self) -> None:
        if self.filter_text:
            self.query_one(Field).value = ""
        else:
            self.dismiss()

    def action_load(self) -> None:
        entry = self._entry
        if isinstance(entry, ModelRow) and not entry.info.busy_with:
            self._perform("unload" if entry.info.running else "load", entry.info.model.name)

    def action_pull(self) -> None:
        """Ask for a model name; a filter without matches is the default."""
        self.fill_list()
        self._perform("ask", "" if self.listing.entries else self.filter_text)

    def action_copy(self) -> None:
        if isinstance(self._entry, ModelRow):
            self._perform("copy", self._entry.info.model.name)

    def action_remove(self, deleting: bool = False) -> None:  # noqa: ARG002 - which key it was
        entry = self._entry
        if isinstance(entry, ModelRow):
            self._perform("remove", entry.info.model.name)
        elif isinstance(entry, DownloadRow):
            self._perform("forget" if entry.state.problem else "stop", entry.state.name)

    def _perform(self, action: str, name: str) -> None:
        self._backend.perform(action, name)
        self._refresh_if_changed()

    @property
    def _entry(self) -> ModelRow | DownloadRow | None:
        entry = self.listing.entry
        return entry if isinstance(entry, (ModelRow, DownloadRow)) else None

    def follow_choice(self) -> None:
        self._selected_key = _key_of(self._entry)
        self._describe()

    def _refresh_if_changed(self) -> None:
        """Show the backend's state if it has changed."""
        seen = self._backend.snapshot()
        if seen != self._snapshot:
            self._apply_snapshot(seen)

    def _apply_snapshot(self, seen: ModelsSnapshot) -> None:
        self._snapshot = seen
        server, note = self.query_one("#models-server", Static), self.query_one("#models-note", Static)
        server.update(Content(self._server_text()))
        server.set_class(seen.is_reachable is False, "-gone")
        text, wrong = (seen.unreachable_reason, True) if seen.is_reachable is False else (seen.note, seen.is_error)
        note.update(Content(f"{'! ' if wrong else ''}{clean_line(text, 2000)}"))
        note.set_class(wrong, "-wrong")
        self.set_class(bool(text), "-noted")
        self.fill_list()

    def _server_text(self) -> str:
        seen, host, dot = self._snapshot, clean_line(self._snapshot.host, 40), f" {self._glyphs.dot} "
        if seen.is_reachable is False:
            return f"! {host} is not reachable"
        roomy = seen.models and self.size.width >= HOST_WIDTH
        return f"{host}{dot}{format_count(len(seen.models or ()), 'model')}" if roomy else ""

    def fill_list(self) -> None:
        """List the matches; the chosen entry stays chosen, or the one that takes its place."""
        seen, typed = self._snapshot, self.filter_text
        models = closest_matches(typed, seen.models or (), lambda one: display_name_of(one.model.name))
        pulls = closest_matches(typed, seen.downloads, lambda one: display_name_of(one.name))
        entries = build_rows([one for one, _ in models], [one for one, _ in pulls])
        keys = [_key_of(entry) for entry in entries]
        answers = next((at for at, entry in enumerate(entries) if entry.is_current), 0)
        at = self.listing.chosen_index or 0
        wanted = keys.index(self._selected_key) if self._selected_key in keys else at if self._selected_key else answers
        self.show_entries(entries, wanted, keep_scroll=self._selected_key is not None)
        if seen.models is not None:
            self._selected_key = _key_of(self._entry)
        empty = LOADING if seen.is_reachable is None else NO_MATCH if typed else EMPTY if seen.is_reachable else ""
        self.query_one(".list-note", Static).update(Content(empty.replace("…", self._glyphs.more)))
        self._describe()

    def _describe(self) -> None:
        """Show the facts of the chosen entry and the keys that apply."""
        key = _key_of(self._entry)
        if key:
            facts = self._backend.facts(key[1], pull=key[0] == "pull")
            self.query_one("#models-facts", Listing).fill(build_fact_rows(key[1], facts), keep_scroll=True)
        found = key_hints_for(self._entry, is_reachable=self._snapshot.is_reachable is not False)
        text = arrange_hints(found, self.size.width - _MARGINS, f" {self._glyphs.dot} ")
        self.query_one(".list-hints", Static).update(Content(text))


def _key_of(entry: object) -> tuple[str, str] | None:
    """The identity of an entry, independent of its state."""
    if isinstance(entry, ModelRow):
        return ("model", entry.info.model.name)
    return ("pull", entry.state.name) if isinstance(entry, DownloadRow) else None
