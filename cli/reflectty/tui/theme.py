"""The chat's theme: loads it, adapts it to the terminal's colors and gives it to Textual as CSS variables."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.color import Color, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter

from reflectty.system import theme
from reflectty.system.theme import COLOR_ROLES
from reflectty.view.colors import INDEXED, chosen_ground, nearest_256, theme_for
from reflectty.view.rows import palette_for

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.system.terminal import Terminal
    from reflectty.system.theme import Theme
    from reflectty.view.rows import Palette


def css_variables_of(theme: Theme) -> dict[str, str]:
    """The theme's roles as CSS variables such as `$r-text`; the 16 ANSI colors stay the terminal's own.

    `$r-error-words` is for words in the color of a role, as `Palette.words` has them; they are bold beside it.
    """
    roles = {f"r-{role}": css_color_of(getattr(theme.colors, role)) for role in COLOR_ROLES}
    words = {f"{name}-words": "ansi_default" if code.startswith("ansi_") else code for name, code in roles.items()}
    return roles | words | {"r-chosen": css_color_of(chosen_ground(theme.colors))}


def css_color_of(colour: str) -> str:
    """A theme's color in CSS notation."""
    return colour if colour.startswith("#") else f"ansi_{colour}"


DARK_THEME, LIGHT_THEME = "ink", "paper"
"""What is taken for the terminal's background if no theme is set."""


class IndexedColors(LineFilter):
    """Replaces each color by the nearest of 256; Textual's own choice differs, above all for grays."""

    def apply(self, segments: list[Segment], background: object) -> list[Segment]:
        del background
        return [Segment(text, style and _indexed(style), control) for text, style, control in segments]


@lru_cache(4096)
def _indexed(style: Style) -> Style:
    front, back = _indexed_color(style.color), _indexed_color(style.bgcolor)
    return style if (front, back) == (style.color, style.bgcolor) else style + Style(color=front, bgcolor=back)


def _indexed_color(color: Color | None) -> Color | None:
    return Color.from_ansi(nearest_256(color.triplet)) if color and color.type is ColorType.TRUECOLOR else color


class ChatTheme:
    """Holds the selected theme; a broken one is reported and not selected."""

    def __init__(
        self, terminal: Terminal, name: str, folders: tuple[Path, ...] = (), *, follows_background: bool = False
    ) -> None:
        self._sink = terminal.err
        self._folders = folders or theme.theme_folders()
        self._follows_background = follows_background
        """Whether the terminal's background decides, as no theme is set."""
        self.problem = ""
        """Why the requested theme is not selected, or empty."""
        self.selected_theme = theme.TERMINAL_THEME
        self.set_theme(name)

    def set_theme(self, name: str) -> str:
        """Select a theme; return the problem, or an empty text."""
        loaded = theme.load_theme(name, self._folders)
        self.selected_theme, self.problem = loaded.theme, loaded.problem
        return loaded.problem

    def take_background(self, *, is_dark: bool) -> bool:
        """Select the theme for a background, if none is set; return whether it did."""
        follows, self._follows_background = self._follows_background, False
        if follows:
            self.set_theme(DARK_THEME if is_dark else LIGHT_THEME)
        return follows

    @property
    def names(self) -> tuple[str, ...]:
        return theme.list_theme_names(self._folders)

    @property
    def effective_theme(self) -> Theme:
        """The theme as the terminal can show it."""
        return theme_for(self.selected_theme, self._sink.color_count)

    @property
    def color_filter(self) -> LineFilter | None:
        """What turns the colors of the screen into those of the terminal; None if it shows all."""
        return IndexedColors() if self._sink.color_count == INDEXED else None

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
