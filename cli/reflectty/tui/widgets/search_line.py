"""A line to type words in that says what is sought once the typing rests; searches nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from reflectty.tui.widgets.field import Field

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer
    from textual.widgets import Input

DEBOUNCE = 0.15
"""Seconds of not typing before words are sought."""


class SearchLine(Horizontal):
    """A sign and a field."""

    DEFAULT_CSS = """
    SearchLine {
        height: 1;
        & > Static { width: 3; color: $r-dim; }
        &:ansi > Static { text-style: dim; }
    }
    """

    @dataclass
    class Sought(Message):
        """These words are sought; none as soon as there are none."""

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

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        if self.words:
            self._timer = self.set_timer(DEBOUNCE, self._seek)
        else:
            self._seek()

    def _seek(self) -> None:
        self.post_message(self.Sought(self.words))
