"""The first screen of an empty session: questions to ask, recent sessions, the model in use, and the keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.message import Message
from textual.reactive import reactive

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.tui.sessions.list import PanelState, SessionRow
from reflectty.tui.widgets.list import Heading, ListEntry, Listing, wrap_hints
from reflectty.view.rows import row_spans
from reflectty.view.units import format_clock

if TYPE_CHECKING:
    from textual import events
    from textual.binding import BindingType

    from reflectty.core.session import Session
    from reflectty.tui.widgets.list import ListGlyphs, RowPainter
    from reflectty.view.rows import Row

EXAMPLES = (
    "Which is larger, 9.11 or 9.9?",
    "How many letters r are in strawberry?",
    "If it rains, the street is wet. The street is wet. Does it rain?",
)
"""Questions in which a model that reflects finds a mistake of its own."""
KEYS = (
    ("steer", "edit the thinking"),
    ("next_correction", "next correction"),
    ("sessions", "sessions"),
    ("model", "model"),
    ("palette", "commands"),
    ("keys", "all keys"),
)
"""Actions whose keys matter at first, each with what it does."""
MAX_SESSIONS = 5
MAX_PROSE_WIDTH = 90


class WelcomeFacts(NamedTuple):
    """What the first screen shows."""

    model: str = ""
    """The model that answers, and where; empty while it is not known."""
    remarks: tuple[str, ...] = ()
    """What is missing, and what to do."""
    sessions: tuple[Session, ...] = ()
    """The latest sessions."""
    now: float = 0.0
    keys: tuple[str, ...] = ()
    """The keys that matter, each with what it does."""


@dataclass(frozen=True, slots=True)
class _TextRow(ListEntry):
    """A text that wraps."""

    text: str
    role: str = "text"

    is_choosable = False

    def rows(self, painter: RowPainter) -> list[Row]:
        width = max(1, min(painter.width, MAX_PROSE_WIDTH))
        return [[painter.run(self.text[start:end], self.role)] for start, end in row_spans(self.text, width)]


@dataclass(frozen=True, slots=True)
class _KeysRow(ListEntry):
    """The keys that matter, on as few rows as hold them."""

    keys: tuple[str, ...]

    is_choosable = False

    def rows(self, painter: RowPainter) -> list[Row]:
        width = min(painter.width, MAX_PROSE_WIDTH)
        lines = wrap_hints(self.keys, width, f" {painter.glyphs.dot} ")
        return [[], *([painter.run(line, "faint")] for line in lines)]


@dataclass(frozen=True, slots=True)
class ExampleRow(ListEntry):
    """A question that can be taken into the composer."""

    text: str

    def rows(self, painter: RowPainter) -> list[Row]:
        return [[painter.cell(self.text, painter.width, painter.style_of("text"))]]


class Welcome(Listing, can_focus=True):
    """The first screen; the composer has the focus until the user moves here."""

    DEFAULT_CSS = """
    Welcome {
        height: auto;
        max-height: 100%;
        scrollbar-size-vertical: 0;
        margin: 1 2 0 2;
        background: $r-background;
        scrollbar-background: $r-background;
        scrollbar-background-hover: $r-background;
        scrollbar-background-active: $r-background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,shift+tab", "move(-1)"),
        Binding("down,tab", "move(1)"),
        Binding("enter", "accept"),
        Binding("escape", "leave"),
    ]
    facts: reactive[WelcomeFacts] = reactive(WelcomeFacts())

    @dataclass
    class ExamplePicked(Message):
        """The user chose a question."""

        text: str

    @dataclass
    class SessionPicked(Message):
        """The user chose a session."""

        session_id: str

    @dataclass
    class Left(Message):
        """The user goes back to the composer, and may have typed a character for it."""

        typed: str = ""

    def __init__(self, glyphs: ListGlyphs) -> None:
        super().__init__(glyphs=glyphs)
        self._state = PanelState()

    def watch_facts(self) -> None:
        chosen = self.chosen_index
        self.fill(self._entries_of(self.facts), chosen, keep_scroll=True)
        if not self.has_focus:
            self.choose(None)

    def _entries_of(self, facts: WelcomeFacts) -> list[ListEntry]:
        entries: list[ListEntry] = []
        if facts.model:
            entries.append(_TextRow(clean_line(facts.model), "dim"))
        entries += [_TextRow(clean_line(text, 1000)) for text in facts.remarks]
        entries.append(Heading("try asking", is_first=not entries))
        entries += map(ExampleRow, EXAMPLES)
        if facts.sessions:
            entries.append(Heading("recent sessions"))
        for session in facts.sessions:
            entries.append(SessionRow(session, self._state, format_clock(session.updated, facts.now, with_day=True)))
        return [*entries, *([_KeysRow(facts.keys)] if facts.keys else [])]

    def on_focus(self) -> None:
        self.choose(self._nearest_choosable(0, 1))

    def on_blur(self) -> None:
        self.choose(None)

    def on_key(self, event: events.Key) -> None:
        """Pass what the user types on to the composer."""
        if event.is_printable and event.character:
            event.stop()
            self.post_message(self.Left(event.character))

    def on_listing_picked(self, event: Listing.Picked) -> None:
        event.stop()
        self.action_accept()

    def action_move(self, by: int) -> None:
        before = self.chosen_index
        self.move(by)
        if self.chosen_index == before:
            self.action_leave()

    def action_accept(self) -> None:
        entry = self.entry
        if isinstance(entry, ExampleRow):
            self.post_message(self.ExamplePicked(entry.text))
        elif isinstance(entry, SessionRow):
            self.post_message(self.SessionPicked(entry.session.id))

    def action_leave(self) -> None:
        self.post_message(self.Left())
