"""The models on the server, their pulls, and what can be done with them; does none of it: who keeps them does."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from reflectty.drawing.summary import counted
from reflectty.safety import clean_line
from reflectty.tui.matching import closest
from reflectty.tui.screens.model_hints import arranged, hints
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.listing import Listing, signs
from reflectty.tui.widgets.model_entries import Coming, Known, Listed, Pulled, listed, shown_name, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

WIDE = 112
"""From that many columns on, what is known of a model stands beside the list."""
ROOMY = 60
"""From that many columns on there is room to say which server it is."""
TALL = 22
"""From that many rows on it stands below the list, where there is no room beside it."""
SHORT = 16
"""Below this many rows there is no room for blanks."""
LOOK_SECONDS = 2.0
"""How often the server is looked at."""
SHOW_SECONDS = 0.2
"""How often the screen is drawn while something goes on."""
LOOKING = "Looking at the models…"
EMPTY = "No model is installed."
NOTHING = "Nothing matches."
_MARGINS = 4


class Seen(NamedTuple):
    """What there is to show."""

    models: tuple[Known, ...] | None = None
    """None while nobody has told."""
    pulls: tuple[Coming, ...] = ()
    host: str = ""
    there: bool | None = None
    """Whether the server answers; None while nobody knows."""
    gone: str = ""
    """Why nobody answers."""
    note: str = ""
    wrong: bool = False
    """Whether the note is about something that went wrong."""
    learnt: int = 0
    """Another one as soon as more is known of a model."""


class Keeper(Protocol):
    """Who knows the models and does what is wished."""

    def seen(self) -> Seen:
        """Return what there is to show now."""
        ...

    def facts(self, name: str, *, pull: bool) -> Sequence[tuple[str, str]]:
        """Return what is known of a model or a pull."""
        ...

    def look(self) -> None:
        """Look at the server again."""
        ...

    def wish(self, what: str, name: str) -> None:
        """Do something with a model: answer, load, unload, copy, remove; with a pull: pull, stop, forget."""
        ...


class ModelsScreen(ModalScreen[None]):
    """Lists the models; typing narrows them."""

    DEFAULT_CSS = """
    ModelsScreen, ModelsScreen:ansi {
        & > #models { padding: 1 2; height: 100%; background: $r-panel; color: $r-text; }
        & #models-head { height: 1; margin: 0 0 1 0; }
        & #models-title { width: auto; margin: 0 2 0 0; text-style: bold; color: $r-accent; }
        & #models-server { width: auto; margin: 0 0 0 2; color: $r-dim; }
        & #models-server.-gone { color: $r-error; text-style: bold; }
        & #models-middle { height: 1fr; layout: vertical; }
        & #models-facts { display: none; scrollbar-size-vertical: 0; height: auto; max-height: 45%; margin: 1 0 0 0; }
        & #models-empty { display: none; height: 1fr; color: $r-dim; }
        & #models-note { display: none; height: auto; max-height: 4; margin: 1 0 0 0; color: $r-text; }
        & #models-note.-wrong { color: $r-error; }
        & #models-hints { height: auto; color: $r-faint; margin: 1 0 0 0; }
        &.-wide #models-middle { layout: horizontal; }
        &.-wide #models-facts { display: block; width: 40; height: 100%; max-height: 100%; margin: 0 0 0 3; }
        &.-tall #models-facts { display: block; }
        &.-bare #models-facts, &.-bare #models-list { display: none; }
        &.-bare #models-empty { display: block; }
        &.-noted #models-note { display: block; }
        &.-short > #models { padding: 0 2; }
        &.-short #models-head, &.-short #models-hints, &.-short #models-note { margin: 0; }
    }
    ModelsScreen:ansi { & #models-server, & #models-empty, & #models-hints { text-style: dim; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", priority=True),
        Binding("down", "move(1)", priority=True),
        Binding("pageup", "page(-1)", priority=True),
        Binding("pagedown", "page(1)", priority=True),
        Binding("enter", "accept", priority=True),
        Binding("escape", "back", priority=True),
        Binding("ctrl+l", "load", priority=True),
        Binding("ctrl+p", "pull", priority=True),
        Binding("ctrl+y", "copy", priority=True),
        Binding("ctrl+x", "remove", priority=True),
        Binding("delete", "remove(True)", priority=True),
    ]

    def __init__(self, keeper: Keeper, keys: Sequence[str] = (), *, unicode: bool = True) -> None:
        super().__init__()
        self._keeper = keeper
        self._signs = signs(unicode=unicode)
        self._seen = Seen()
        self._wanted: tuple[str, str] | None = None
        for key in keys:
            self._bindings.bind(key, "dismiss", show=False, priority=True)

    def compose(self) -> ComposeResult:
        with Vertical(id="models"):
            with Horizontal(id="models-head"):
                yield Static(Content("models"), id="models-title")
                yield Field(placeholder="type to narrow")
                yield Static(id="models-server")
            with Vertical(id="models-middle"):
                yield Listing(signs=self._signs, id="models-list")
                yield Listing(signs=self._signs, id="models-facts")
                yield Static(id="models-empty")
            yield Static(id="models-note")
            yield Static(id="models-hints")

    def on_mount(self) -> None:
        self._keeper.look()
        self._show(self._keeper.seen())
        self.set_interval(LOOK_SECONDS, self._keeper.look)
        self.set_interval(SHOW_SECONDS, self._follow)

    def on_resize(self) -> None:
        width, height = self.size
        self.set_class(height < SHORT, "-short")
        self.set_class(width >= WIDE, "-wide")
        self.set_class(width < WIDE and height >= TALL, "-tall")
        self._describe()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._wanted = None
        self._list()

    def on_listing_picked(self, event: Listing.Picked) -> None:
        event.stop()
        self._moved()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the key `delete` to the line that is typed in while it can delete there."""
        return action != "remove" or not parameters or self.query_one(Field).cursor_at_end

    def action_move(self, by: int) -> None:
        self._listing.move(by)
        self._moved()

    def action_page(self, pages: int) -> None:
        self._listing.page(pages)
        self._moved()

    def action_accept(self) -> None:
        entry = self._entry
        if isinstance(entry, Listed):
            self.dismiss()
            if not entry.known.answers:
                self._keeper.wish("answer", entry.known.model.name)
        elif isinstance(entry, Pulled) and entry.coming.problem:
            self._wish("pull", entry.coming.name)

    def action_back(self) -> None:
        if self._typed:
            self.query_one(Field).value = ""
        else:
            self.dismiss()

    def action_load(self) -> None:
        entry = self._entry
        if isinstance(entry, Listed) and not entry.known.busy:
            self._wish("unload" if entry.known.running else "load", entry.known.model.name)

    def action_pull(self) -> None:
        """Ask for a name; what was typed and is nowhere in the list may be one."""
        self._list()
        self._wish("ask", "" if self._listing.entries else self._typed)

    def action_copy(self) -> None:
        if isinstance(self._entry, Listed):
            self._wish("copy", self._entry.known.model.name)

    def action_remove(self, deleting: bool = False) -> None:  # noqa: ARG002 - which key it was
        entry = self._entry
        if isinstance(entry, Listed):
            self._wish("remove", entry.known.model.name)
        elif isinstance(entry, Pulled):
            self._wish("forget" if entry.coming.problem else "stop", entry.coming.name)

    def _wish(self, what: str, name: str) -> None:
        self._keeper.wish(what, name)
        self._follow()

    @property
    def _typed(self) -> str:
        return self.query_one(Field).value.strip()

    @property
    def _listing(self) -> Listing:
        return self.query_one("#models-list", Listing)

    @property
    def _entry(self) -> Listed | Pulled | None:
        entry = self._listing.entry
        return entry if isinstance(entry, (Listed, Pulled)) else None

    def _moved(self) -> None:
        self._wanted = _key(self._entry)
        self._describe()

    def _follow(self) -> None:
        """Show what has changed since it was shown last."""
        seen = self._keeper.seen()
        if seen != self._seen:
            self._show(seen)

    def _show(self, seen: Seen) -> None:
        self._seen = seen
        server, note = self.query_one("#models-server", Static), self.query_one("#models-note", Static)
        server.update(Content(self._told_of_server()))
        server.set_class(seen.there is False, "-gone")
        text, wrong = (seen.gone, True) if seen.there is False else (seen.note, seen.wrong)
        note.update(Content(f"{'! ' if wrong else ''}{clean_line(text, 2000)}"))
        note.set_class(wrong, "-wrong")
        self.set_class(bool(text), "-noted")
        self._list()

    def _told_of_server(self) -> str:
        seen, host, dot = self._seen, clean_line(self._seen.host, 40), f" {self._signs.dot} "
        if seen.there is False:
            return f"! {host} is gone"
        roomy = seen.models and self.size.width >= ROOMY
        return f"{host}{dot}{counted(len(seen.models or ()), 'model')}" if roomy else ""

    def _list(self) -> None:
        """List what matches; what was chosen stays chosen, or whoever takes its place."""
        seen, typed = self._seen, self._typed
        models = closest(typed, seen.models or (), lambda one: shown_name(one.model.name))
        entries = listed(models, closest(typed, seen.pulls, lambda one: shown_name(one.name)))
        keys = [_key(entry) for entry in entries]
        answers = next((at for at, entry in enumerate(entries) if isinstance(entry, Listed) and entry.known.answers), 0)
        at = self._listing.chosen or 0
        wanted = keys.index(self._wanted) if self._wanted in keys else at if self._wanted else answers
        self._listing.fill(entries, wanted, stay=self._wanted is not None)
        if seen.models is not None:
            self._wanted = _key(self._entry)
        self.set_class(not entries, "-bare")
        empty = LOOKING if seen.there is None else NOTHING if typed else EMPTY if seen.there else ""
        self.query_one("#models-empty", Static).update(Content(empty.replace("…", self._signs.more)))
        self._describe()

    def _describe(self) -> None:
        """Say what is known of what is chosen, and which keys work there."""
        key = _key(self._entry)
        if key:
            facts = self._keeper.facts(key[1], pull=key[0] == "pull")
            self.query_one("#models-facts", Listing).fill(told(key[1], facts), stay=True)
        found = hints(self._entry, there=self._seen.there is not False)
        text = arranged(found, self.size.width - _MARGINS, f" {self._signs.dot} ")
        self.query_one("#models-hints", Static).update(Content(text))


def _key(entry: object) -> tuple[str, str] | None:
    """Return what an entry is about, whatever has changed of it."""
    if isinstance(entry, Listed):
        return ("model", entry.known.model.name)
    return ("pull", entry.coming.name) if isinstance(entry, Pulled) else None
