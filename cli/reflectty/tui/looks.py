"""What the chat looks like: the theme that is worn, those that could be, and what the terminal makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty import assets, config, theme
from reflectty.drawing.paint import ANSI_COLOURS, palette
from reflectty.tui import look

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.drawing.paint import Palette
    from reflectty.terminal import Terminal
    from reflectty.theme import Theme


class Looks:
    """Wears one theme at a time; a broken one is reported and not worn."""

    def __init__(self, terminal: Terminal, name: str, folders: tuple[Path, ...] = ()) -> None:
        self._sink = terminal.err
        self._folders = folders or (config.themes_folder(), assets.folder("themes"))
        self.problem = ""
        """Why the theme asked for is not worn, or nothing."""
        self.theme = theme.TERMINAL
        self.wear(name)

    def wear(self, name: str) -> str:
        """Wear a theme; return why that cannot be, or nothing."""
        loaded = theme.load(name, self._folders)
        self.theme, self.problem = loaded.theme, loaded.problem
        return loaded.problem

    @property
    def names(self) -> tuple[str, ...]:
        return theme.names(self._folders)

    @property
    def worn(self) -> Theme:
        """The theme whose colours are used: sixteen colours are the terminal's own."""
        return self.theme if self._sink.colours > ANSI_COLOURS else theme.TERMINAL

    @property
    def native(self) -> bool:
        """Whether the terminal's own colours show through."""
        return self.worn.colours.background == "default"

    @property
    def palette(self) -> Palette:
        return palette(self.worn, self._sink, motion=True)

    @property
    def variables(self) -> dict[str, str]:
        return look.variables(self.worn)
