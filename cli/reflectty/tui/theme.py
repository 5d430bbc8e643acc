"""The chat's theme: loads it, adapts it to the terminal's colors and gives it to Textual as CSS variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.system import theme
from reflectty.system.theme import COLOR_ROLES
from reflectty.view.rows import ANSI_COLOR_COUNT, palette_for

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.system.terminal import Terminal
    from reflectty.system.theme import Theme
    from reflectty.view.rows import Palette


def css_variables_of(theme: Theme) -> dict[str, str]:
    """The theme's roles as CSS variables such as `$r-text`; the 16 ANSI colors stay the terminal's own."""
    return {f"r-{role}": css_color_of(getattr(theme.colors, role)) for role in COLOR_ROLES}


def css_color_of(colour: str) -> str:
    """A theme's color in CSS notation."""
    return colour if colour.startswith("#") else f"ansi_{colour}"


class ChatTheme:
    """Holds the selected theme; a broken one is reported and not selected."""

    def __init__(self, terminal: Terminal, name: str, folders: tuple[Path, ...] = ()) -> None:
        self._sink = terminal.err
        self._folders = folders or theme.theme_folders()
        self.problem = ""
        """Why the requested theme is not selected, or empty."""
        self.selected_theme = theme.TERMINAL_THEME
        self.set_theme(name)

    def set_theme(self, name: str) -> str:
        """Select a theme; return the problem, or an empty text."""
        loaded = theme.load_theme(name, self._folders)
        self.selected_theme, self.problem = loaded.theme, loaded.problem
        return loaded.problem

    @property
    def names(self) -> tuple[str, ...]:
        return theme.list_theme_names(self._folders)

    @property
    def effective_theme(self) -> Theme:
        """The theme whose colors are used: the terminal's own if it has only 16 colors."""
        return self.selected_theme if self._sink.color_count > ANSI_COLOR_COUNT else theme.TERMINAL_THEME

    @property
    def uses_terminal_colors(self) -> bool:
        """True if the terminal's own colors show through."""
        return self.effective_theme.colors.background == "default"

    @property
    def palette(self) -> Palette:
        return palette_for(self.effective_theme, self._sink, can_redraw=True)

    @property
    def css_variables(self) -> dict[str, str]:
        return css_variables_of(self.effective_theme)
