"""Color themes: the colors of the screen by role, read from TOML files."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from reflectty.system.assets import find_asset_folder
from reflectty.system.paths import themes_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ANSI_COLORS = frozenset(
    f"{bright}{colour}"
    for bright in ("", "bright_")
    for colour in ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
)
_HEX = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_NAME = re.compile(r"\w[\w-]*")


@dataclass(frozen=True, slots=True)
class Colors:
    """One color per role: `#rrggbb`, one of the sixteen names in `ANSI_COLORS`, or `default`."""

    background: str = "default"
    panel: str = "default"
    line: str = "default"
    text: str = "default"
    dim: str = "default"
    faint: str = "default"
    you: str = "blue"
    thinking: str = "default"
    correction: str = "yellow"
    answer: str = "default"
    good: str = "green"
    accent: str = "magenta"
    error: str = "red"


COLOR_ROLES = tuple(field.name for field in fields(Colors))


@dataclass(frozen=True, slots=True)
class Theme:
    """A named set of colors; `dark` tells the kind of background that they are designed for."""

    name: str
    dark: bool
    colors: Colors


@dataclass(frozen=True, slots=True)
class LoadedTheme:
    """The theme to use, and one sentence on why it is not the requested one, or ""."""

    theme: Theme
    problem: str = ""


TERMINAL_THEME = Theme("terminal", dark=True, colors=Colors())
"""The terminal's own colors: readable on any background, and the fallback for a broken file."""


def theme_folders() -> tuple[Path, Path]:
    """The folder of the user's own themes and that of the packaged ones."""
    return themes_folder(), find_asset_folder("themes")


def load_theme(name: str, folders: Iterable[Path] | None = None) -> LoadedTheme:
    """Load a theme from the first folder (of `theme_folders`) with a valid file; `TERMINAL_THEME` needs none."""
    if name == TERMINAL_THEME.name:
        return LoadedTheme(TERMINAL_THEME)
    if not _NAME.fullmatch(name):
        return LoadedTheme(TERMINAL_THEME, f"{name!r} is not a valid theme name")
    problem = ""
    for folder in theme_folders() if folders is None else folders:
        loaded = _read_theme(folder / f"{name}.toml")
        if loaded is not None and not loaded.problem:
            return LoadedTheme(loaded.theme, problem)
        problem = problem or (loaded.problem if loaded else "")
    return LoadedTheme(TERMINAL_THEME, problem or f"unknown theme {name}")


def list_theme_names(folders: Iterable[Path]) -> tuple[str, ...]:
    """The names of all themes, valid or not, sorted."""
    found = {path.stem for folder in folders for path in folder.glob("*.toml") if _NAME.fullmatch(path.stem)}
    return tuple(sorted(found | {TERMINAL_THEME.name}))


def _read_theme(path: Path) -> LoadedTheme | None:
    import tomllib

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        return LoadedTheme(TERMINAL_THEME, f"{path}: {error}")
    return _theme_from(path, document)


def _theme_from(path: Path, document: Mapping[str, object]) -> LoadedTheme:
    dark, colours = document.get("dark", True), document.get("colours")
    if not isinstance(dark, bool):
        return LoadedTheme(TERMINAL_THEME, f"{path}: dark must be true or false")
    if not isinstance(colours, dict):
        return LoadedTheme(TERMINAL_THEME, f"{path}: [colours] is missing")
    problem = _problem_with(colours)
    if problem:
        return LoadedTheme(TERMINAL_THEME, f"{path}: {problem}")
    return LoadedTheme(Theme(path.stem, dark, Colors(**colours)))


def _problem_with(colors: Mapping[str, object]) -> str:
    missing = [role for role in COLOR_ROLES if role not in colors]
    if missing:
        return f"[colours] lacks {', '.join(missing)}"
    unknown = [key for key in colors if key not in COLOR_ROLES]
    if unknown:
        return f"[colours] has unknown keys: {', '.join(unknown)}"
    wrong = [role for role in COLOR_ROLES if not _is_color(colors[role])]
    return (
        f"{wrong[0]} must be #rrggbb, default, or one of the sixteen color names such as bright_blue" if wrong else ""
    )


def _is_color(value: object) -> bool:
    return isinstance(value, str) and (value == "default" or value in ANSI_COLORS or _HEX.fullmatch(value) is not None)
