"""How a theme becomes the colours of Textual's widgets; draws nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.theme import ROLES

if TYPE_CHECKING:
    from reflectty.theme import Theme


def variables(theme: Theme) -> dict[str, str]:
    """Return the theme's roles as CSS variables, `$r-text` and so on; the sixteen colours stay the terminal's own."""
    return {f"r-{role}": css(getattr(theme.colours, role)) for role in ROLES}


def css(colour: str) -> str:
    """Return a theme's colour as CSS names it."""
    return colour if colour.startswith("#") else f"ansi_{colour}"
