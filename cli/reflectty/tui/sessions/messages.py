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
    """The end of the list is near: `add_sessions` takes the page at this offset, even if empty."""

    offset: int


@dataclass
class Searched(Message, namespace="sessions_panel"):
    """The user typed words: `show_hits` takes the results."""

    words: str


@dataclass
class Opened(Message, namespace="sessions_panel"):
    """The user chose a session, and with a search hit its turn."""

    session_id: str
    turn: int | None


@dataclass
class Removed(Message, namespace="sessions_panel"):
    """A session is to be removed; the list no longer shows it."""

    session_id: str


@dataclass
class Renamed(Message, namespace="sessions_panel"):
    """A session is to be renamed; the list already shows the new title."""

    session_id: str
    title: str


class Closed(Message, namespace="sessions_panel"):
    """The user left the panel."""


REMOVAL_QUESTION = " remove? y/n"


class InlineRename(Field):
    """A text field over a title."""

    DEFAULT_CSS = "InlineRename { layer: over; position: absolute; display: none; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "leave(True)"), Binding("escape", "leave(False)")]

    @dataclass
    class Done(Message):
        """The rename is over: the session, and the new title, or an empty one."""

        session_id: str
        title: str

    def __init__(self) -> None:
        super().__init__()
        self.row_region, self._session_id = Region(), ""

    def ask(self, where: Region, session_id: str, title: str) -> None:
        """Show a title for editing in a region of the parent."""
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
    """A question at the end of a row; only `y` means yes."""

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
        """The answer for a session."""

        session_id: str
        yes: bool

    def __init__(self) -> None:
        super().__init__(Content(REMOVAL_QUESTION))
        self.row_region, self._session_id = Region(), ""

    def ask(self, where: Region, session_id: str) -> None:
        """Ask at the end of a row of the parent."""
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
