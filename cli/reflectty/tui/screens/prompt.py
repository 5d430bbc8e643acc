"""Prompts for one line of text or for a yes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from reflectty.core.safety import clean_line
from reflectty.tui.screens import make_see_through
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.list import list_glyphs

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widgets import Input

_PROMPT_CSS = """
    {0}, {0}:ansi {{
        & > #ask {{
            dock: bottom;
            height: auto;
            max-height: 100%;
            overflow-y: auto;
            scrollbar-size-vertical: 0;
            padding: 1 2;
            background: $r-panel;
            color: $r-text;
        }}
        & #ask-title {{ text-style: bold; color: $r-accent; }}
        & #ask-hints {{ color: $r-dim; margin: 1 0 0 0; }}
    }}
    {0}:ansi {{ & #ask-hints {{ text-style: dim; }} }}
"""


class LinePrompt(ModalScreen[str | None]):
    """Asks for one line; returns its text without surrounding blanks, or None on cancel."""

    DEFAULT_CSS = _PROMPT_CSS.format("LinePrompt")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", priority=True)]

    def __init__(self, title: str, default: str = "", *, placeholder: str = "", unicode: bool = True) -> None:
        super().__init__()
        self._title, self._default, self._placeholder = clean_line(title), default, clean_line(placeholder)
        self._glyphs = list_glyphs(unicode=unicode)

    def compose(self) -> ComposeResult:
        with Vertical(id="ask"):
            yield Static(Content(self._title), id="ask-title")
            yield Field(self._default, self._placeholder)
            yield Static(Content(f"enter confirm {self._glyphs.dot} esc cancel"), id="ask-hints")

    def on_mount(self) -> None:
        make_see_through(self)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip())

    def action_back(self) -> None:
        self.dismiss(None)


class Confirm(ModalScreen[bool]):
    """Asks for confirmation; only `y` confirms, as enter may be meant for something else."""

    DEFAULT_CSS = _PROMPT_CSS.format("Confirm")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", priority=True),
        Binding("n,escape,enter", "answer(False)", priority=True),
    ]

    def __init__(self, question: str, yes: str = "yes", no: str = "no", *, unicode: bool = True) -> None:
        super().__init__()
        self._question, self._yes, self._no = clean_line(question, 2000), clean_line(yes), clean_line(no)
        self._glyphs = list_glyphs(unicode=unicode)

    def compose(self) -> ComposeResult:
        with Vertical(id="ask"):
            yield Static(Content(self._question), id="ask-title")
            yield Static(self._answers_content(), id="ask-hints")

    def on_mount(self) -> None:
        make_see_through(self)

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)

    def _answers_content(self) -> Content:
        between = f" {self._yes} {self._glyphs.dot} "
        return Content.assemble(("y", "bold"), between, ("n", "bold"), f" {self._no}")
