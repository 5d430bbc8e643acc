"""Screens above the chat; each returns a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.color import TRANSPARENT

if TYPE_CHECKING:
    from textual.screen import Screen


def make_see_through(screen: Screen[Any]) -> None:
    """Leave the chat in sight behind a screen, whatever ground the app gives to all of them."""
    screen.styles.background = TRANSPARENT
