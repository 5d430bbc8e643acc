"""One line on stderr beside a reply: cleaned, and marked as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.safety import clean_line

if TYPE_CHECKING:
    from reflectty.terminal import Terminal


def remark(terminal: Terminal, text: str) -> None:
    """Say something in one line; a stderr that cannot be written to is not worth failing for."""
    terminal.say(f"reflect: {clean_line(text)}\n")
