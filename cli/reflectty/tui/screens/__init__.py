"""Screens above the chat; each returns a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.color import TRANSPARENT

if TYPE_CHECKING:
    from textual.screen import Screen


def make_see_through(screen: Screen[Any]) -> None:
    """Let the chat show through behind a screen, whatever background the app gives to all screens."""
    screen.styles.background = TRANSPARENT
