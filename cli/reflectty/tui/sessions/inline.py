"""What the panel of sessions asks in place: words to search for, a new title, and whether to remove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import Static

from reflectty.tui.widgets.field import Field

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer
    from textual.widgets import Input

DEBOUNCE_SECONDS = 0.15
"""Delay in seconds from the last keystroke to the search."""


class SearchLine(Horizontal):
    """A glyph and a text field."""

    DEFAULT_CSS = """
    SearchLine {
        height: 1;
        & > Static { width: 3; color: $r-dim; }
        &:ansi > Static { text-style: dim; }
    }
    """

    @dataclass
    class WordsChanged(Message):
        """The words to search for; empty as soon as the field is."""

        words: str

    def __init__(self, sign: str, placeholder: str) -> None:
        super().__init__()
        self.field = Field(placeholder=placeholder)
        self._sign = sign
        self._timer: Timer | None = None

    @property
    def words(self) -> str:
        return self.field.value.strip()

    def compose(self) -> ComposeResult:
        yield Static(Content(self._sign))
        yield self.field

    def clear(self) -> None:
        self.field.value = ""

    def on_input_changed(self, _: Input.Changed) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self.words:
            self._timer = self.set_timer(DEBOUNCE_SECONDS, self._post_words)
        else:
            self._post_words()

    def _post_words(self) -> None:
        self.post_message(self.WordsChanged(self.words))


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
        background: $r-chosen;
        color: $r-error-words;
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
