"""What is asked on the row of a session: another title, or whether it may go; does neither."""

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

QUESTION = " remove? y/n"


class NewTitle(Field):
    """A field over a title."""

    DEFAULT_CSS = "NewTitle { layer: over; position: absolute; display: none; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "leave(True)"), Binding("escape", "leave(False)")]

    @dataclass
    class Left(Message):
        """It is done: for which session, and the title that is wanted, or nothing."""

        session_id: str
        title: str

    def __init__(self) -> None:
        super().__init__()
        self.where, self._session_id = Region(), ""

    def ask(self, where: Region, session_id: str, title: str) -> None:
        """Show the title to be changed, in that part of the parent."""
        self.where, self._session_id = where, session_id
        self.styles.offset = where.offset
        self.styles.width = max(1, where.width)
        self.display = True
        self.value = title
        self.cursor_position = len(title)
        self.focus()

    def action_leave(self, named: bool) -> None:
        self.display = False
        self.post_message(self.Left(self._session_id, self.value.strip() if named else ""))

    def on_blur(self) -> None:
        self.display = False


class Removal(Static, can_focus=True):
    """A question at the end of a row; only `y` is a yes."""

    DEFAULT_CSS = """
    Removal {
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
    class Left(Message):
        """It was answered: for which session, and how."""

        session_id: str
        yes: bool

    def __init__(self) -> None:
        super().__init__(Content(QUESTION))
        self.where, self._session_id = Region(), ""

    def ask(self, where: Region, session_id: str) -> None:
        """Ask at the end of that row of the parent."""
        self.where, self._session_id = where, session_id
        self.styles.offset = (max(0, where.right - len(QUESTION)), where.y)
        self.display = True
        self.focus()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self.display = False
        self.post_message(self.Left(self._session_id, event.key == "y"))

    def on_blur(self) -> None:
        self.display = False
