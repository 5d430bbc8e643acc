"""A one-line input that shows control characters instead of passing them on."""

from __future__ import annotations

import re

from textual.widgets import Input

from reflectty.core.safety import clean

MAX_LENGTH = 4000
"""Maximum length of typed text; longer pasted text is truncated."""


class Field(Input):
    """An input without a frame that shows control characters instead of sending them to the terminal."""

    DEFAULT_CSS = """
    Field, Field:focus, Field:ansi {
        border: none;
        height: 1;
        padding: 0;
        width: 1fr;
        background: $r-panel;
        background-tint: transparent;
        color: $r-text;
        & > .input--cursor { background: $r-text; color: $r-panel; text-style: none; }
        & > .input--placeholder { color: $r-faint; }
        & > .input--selection { background: $r-chosen; color: $r-text; }
    }
    Field:ansi {
        & > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
        & > .input--placeholder { color: ansi_default; text-style: dim; }
        & > .input--selection { background: ansi_default; color: ansi_default; text-style: reverse; }
    }
    """

    def __init__(self, value: str = "", placeholder: str = "", *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(value, placeholder, select_on_focus=False, id=id)

    def on_mount(self) -> None:
        self.cursor_blink = self.app.animation_level != "none"
        self.cursor_position = len(self.value)

    def validate_value(self, value: str) -> str:
        return re.sub("[\t\n]+", " ", clean(value))[:MAX_LENGTH]

    def replace(self, text: str, start: int, end: int) -> None:
        """Replace a text and put the cursor after the new text as shown."""
        behind = len(self.value) - max(start, end)
        super().replace(text, start, end)
        self.cursor_position = max(0, len(self.value) - behind)
