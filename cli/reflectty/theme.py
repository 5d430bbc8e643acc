"""A theme: the colours of the screen by what they are for, read from TOML; draws nothing and knows no terminal."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ANSI = frozenset(
    f"{bright}{colour}"
    for bright in ("", "bright_")
    for colour in ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
)
_HEX = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_NAME = re.compile(r"\w[\w-]*")


@dataclass(frozen=True, slots=True)
class Colours:
    """One colour for each role: `#rrggbb`, one of the sixteen names in `ANSI`, or `default`."""

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


ROLES = tuple(field.name for field in fields(Colours))


@dataclass(frozen=True, slots=True)
class Theme:
    """A named set of colours; `dark` says on what kind of background they were made to be read."""

    name: str
    dark: bool
    colours: Colours


@dataclass(frozen=True, slots=True)
class Loaded:
    """The theme to use, and one sentence on why it is not the one asked for, or nothing."""

    theme: Theme
    problem: str = ""


TERMINAL = Theme("terminal", dark=True, colours=Colours())
"""The terminal's own colours: what can be read on any background, and what is left when a file is broken."""


def load(name: str, folders: Iterable[Path]) -> Loaded:
    """Return the theme of that name from the first folder where its file is sound; `TERMINAL` needs none."""
    if name == TERMINAL.name:
        return Loaded(TERMINAL)
    if not _NAME.fullmatch(name):
        return Loaded(TERMINAL, f"{name!r} is not the name of a theme")
    problem = ""
    for folder in folders:
        loaded = _read(folder / f"{name}.toml")
        if loaded is not None and not loaded.problem:
            return Loaded(loaded.theme, problem)
        problem = problem or (loaded.problem if loaded else "")
    return Loaded(TERMINAL, problem or f"there is no theme called {name}")


def names(folders: Iterable[Path]) -> tuple[str, ...]:
    """Return the names of the themes that can be asked for, sound or not, in order."""
    found = {path.stem for folder in folders for path in folder.glob("*.toml") if _NAME.fullmatch(path.stem)}
    return tuple(sorted(found | {TERMINAL.name}))


def _read(path: Path) -> Loaded | None:
    import tomllib  # noqa: PLC0415 - the terminal's own colours are in no file

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        return Loaded(TERMINAL, f"{path}: {error}")
    return _theme(path, document)


def _theme(path: Path, document: Mapping[str, object]) -> Loaded:
    dark, colours = document.get("dark", True), document.get("colours")
    if not isinstance(dark, bool):
        return Loaded(TERMINAL, f"{path}: dark must be true or false")
    if not isinstance(colours, dict):
        return Loaded(TERMINAL, f"{path}: it has no [colours]")
    problem = _problem(colours)
    if problem:
        return Loaded(TERMINAL, f"{path}: {problem}")
    return Loaded(Theme(path.stem, dark, Colours(**colours)))


def _problem(colours: Mapping[str, object]) -> str:
    missing = [role for role in ROLES if role not in colours]
    if missing:
        return f"[colours] lacks {', '.join(missing)}"
    unknown = [key for key in colours if key not in ROLES]
    if unknown:
        return f"[colours] does not know {', '.join(unknown)}"
    wrong = [role for role in ROLES if not _is_colour(colours[role])]
    return f"{wrong[0]} must be #rrggbb, default, or one of the sixteen colours such as bright_blue" if wrong else ""


def _is_colour(value: object) -> bool:
    return isinstance(value, str) and (value == "default" or value in ANSI or _HEX.fullmatch(value) is not None)
