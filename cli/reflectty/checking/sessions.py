"""Whether sessions can be kept and read: the file, its folder, its disk; makes neither."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.checking.aside import aside
from reflectty.errors import StoreError
from reflectty.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.checking.around import Around, Known
    from reflectty.finding import Value
    from reflectty.store.health import Health

LITTLE_ROOM: Final = 100_000_000
"""Bytes below which a disk will soon be full."""
_MB: Final = 1e6


class _File(NamedTuple):
    """The file of the sessions, and how it is called in a sentence."""

    path: Path
    shown: str

    @property
    def folder(self) -> Path:
        """The nearest folder above it that can be seen."""
        return next(parent for parent in self.path.parents if os.path.exists(parent))  # noqa: PTH110 - never raises

    def finding(self, state: State, text: str, advice: str = "", *facts: tuple[str, Value]) -> Finding:
        return Finding("store", state, text, advice, (("path", str(self.path)), *facts))


async def store(around: Around, _: Known) -> Sequence[Finding]:
    """Say whether sessions are kept, where, and in which state the file is."""
    real = await aside(lambda: Path(os.path.realpath(around.store_path)))
    file = _File(real, around.at_home(around.store_path))
    kept = around.settings.store
    off = "new questions are not kept: store = false, or REFLECTTY_STORE=0"
    found = [] if kept else [file.finding(State.NOTE, off, "", ("kept", False))]
    return [*found, *await aside(lambda: _looked(file, kept=kept))]


def _looked(file: _File, *, kept: bool) -> list[Finding]:
    if not os.path.lexists(file.path):
        return _not_there(file) if kept else []
    if not file.path.is_file():
        return [file.finding(State.WRONG, f"{file.shown} is no file", "move it away: until then nothing is kept")]
    from reflectty.store.health import examine  # noqa: PLC0415 - where there is no file, no SQLite is needed

    try:
        health = examine(file.path)
    except StoreError as error:
        advice = error.hint or "copy it to a safe place: the next question moves it aside, and begins a new one"
        return [file.finding(State.WRONG, str(error), advice), *_access(file)]
    return [_state(file, health), *_access(file), *_place(file), *_moved(file)]


def _not_there(file: _File) -> list[Finding]:
    if not (file.folder.is_dir() and os.access(file.folder, os.W_OK | os.X_OK)):
        text = f"{file.shown} cannot be made, because {file.folder} cannot be written to: sessions are not kept"
        return [file.finding(State.WARNING, text, "give yourself the right to write there, or set XDG_DATA_HOME")]
    text = f"no session yet: the first question makes {file.shown}"
    return [file.finding(State.OK, text, "", ("kept", True), ("sessions", 0)), *_place(file)]


def _state(file: _File, health: Health) -> Finding:
    sound = not health.damage if health.whole else None
    facts = (("sessions", health.sessions), ("bytes", health.size), ("sound", sound))
    if health.damage:
        advice = "copy it to a safe place: a start that meets the damage moves it aside, and begins a new one"
        return file.finding(State.WRONG, f"{file.shown} is damaged: {health.damage}", advice, *facts)
    if health.newer:
        text = f"{file.shown} was written by a newer reflectty: it can be read, and nothing new is kept"
        return file.finding(State.WARNING, text, "update reflectty", *facts)
    number = f"{health.sessions:,} session{'' if health.sessions == 1 else 's'}"
    how = "in good order" if health.whole else "too large to be looked at whole"
    text = f"{number} in {file.shown}, {health.size / _MB:.1f} MB, {how}"
    if health.suspect:
        return file.finding(State.NOTE, text, "damage was met before: the next start looks at all of it", *facts)
    return file.finding(State.OK, text, "", *facts)


def _access(file: _File) -> list[Finding]:
    found = []
    mode = stat.S_IMODE(file.path.stat().st_mode)
    if mode & 0o077:
        text = f"others on this machine may read {file.shown} (mode {mode:o})"
        found.append(file.finding(State.WARNING, text, f"chmod 600 {file.shown}; the next question does so as well"))
    if not (os.access(file.path, os.R_OK | os.W_OK) and os.access(file.path.parent, os.W_OK | os.X_OK)):
        text = f"{file.shown} or its folder cannot be written to: nothing new is kept"
        found.append(file.finding(State.WARNING, text, "give yourself the right to write there"))
    return found


def _place(file: _File) -> list[Finding]:
    """Say what is wrong with the disk that the file is, or would be, on."""
    from reflectty.store.health import on_remote_disk  # noqa: PLC0415 - loaded beside SQLite

    found = []
    free = shutil.disk_usage(file.folder).free
    if free < LITTLE_ROOM:
        text = f"only {free / _MB:.0f} MB are free where sessions are kept"
        found.append(file.finding(State.WARNING, text, "make room: on a full disk nothing new is kept"))
    if on_remote_disk(file.path):
        text = "sessions are on another machine's disk, where writing is slower"
        found.append(file.finding(State.NOTE, text, "XDG_DATA_HOME moves them to a disk of this machine"))
    return found


def _moved(file: _File) -> list[Finding]:
    """Say where a damaged file was moved to: it may hold sessions that can still be saved."""
    moved = sorted(file.path.parent.glob(f"{file.path.name}.corrupt-*"))
    if not moved:
        return []
    text = f"a damaged file was moved aside: {moved[-1].name}"
    return [file.finding(State.NOTE, text, "`sqlite3 FILE .recover` may save what it holds; else remove it")]
