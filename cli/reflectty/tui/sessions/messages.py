"""Messages of the panel of sessions, and the inline widgets that rename or remove a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import Static

from reflectty.tui.widgets.field import Field

if TYPE_CHECKING:
    from textual import events
    from textual.binding import BindingType


@dataclass
class PageRequested(Message, namespace="sessions_panel"):
    """The list is seen to its end: `add` what there is from that offset on, or nothing."""

    offset: int


@dataclass
class Searched(Message, namespace="sessions_panel"):
    """Words were typed: `show_found` where they are."""

    words: str


@dataclass
class Opened(Message, namespace="sessions_panel"):
    """A session was chosen, and the turn where the search matched."""

    session_id: str
    turn: int | None


@dataclass
class Removed(Message, namespace="sessions_panel"):
    """A session is to be removed; it is no longer listed."""

    session_id: str


@dataclass
class Renamed(Message, namespace="sessions_panel"):
    """A session is to have another title; it is listed with it."""

    session_id: str
    title: str


class Closed(Message, namespace="sessions_panel"):
    """The panel was left."""


REMOVAL_QUESTION = " remove? y/n"


class InlineRename(Field):
    """A field over a title."""

    DEFAULT_CSS = "InlineRename { layer: over; position: absolute; display: none; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "leave(True)"), Binding("escape", "leave(False)")]

    @dataclass
    class Done(Message):
        """It is done: for which session, and the title that is wanted, or nothing."""

        session_id: str
        title: str

    def __init__(self) -> None:
        super().__init__()
        self.row_region, self._session_id = Region(), ""

    def ask(self, where: Region, session_id: str, title: str) -> None:
        """Show the title to be changed, in that part of the parent."""
        self.row_region, self._session_id = where, session_id
        self.styles.offset = where.offset
        self.styles.width = max(1, where.width)
        self.display = True
        self.value = title
        self.cursor_position = len(title)
        self.focus()

    def action_leave(self, named: bool) -> None:
        self.display = False
        self.post_message(self.Done(self._session_id, self.value.strip() if named else ""))

    def on_blur(self) -> None:
        self.display = False


class InlineConfirm(Static, can_focus=True):
    """A question at the end of a row; only `y` is a yes."""

    DEFAULT_CSS = """
    InlineConfirm {
        layer: over;
        position: absolute;
        display: none;
        width: 12;
        height: 1;
        background: $r-line;
        color: $r-error;
        text-style: bold;
    }
    """

    @dataclass
    class Answered(Message):
        """It was answered: for which session, and how."""

        session_id: str
        yes: bool

    def __init__(self) -> None:
        super().__init__(Content(REMOVAL_QUESTION))
        self.row_region, self._session_id = Region(), ""

    def ask(self, where: Region, session_id: str) -> None:
        """Ask at the end of that row of the parent."""
        self.row_region, self._session_id = where, session_id
        self.styles.offset = (max(0, where.right - len(REMOVAL_QUESTION)), where.y)
        self.display = True
        self.focus()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self.display = False
        self.post_message(self.Answered(self._session_id, event.key == "y"))

    def on_blur(self) -> None:
        self.display = False
