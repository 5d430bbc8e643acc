"""Whether sessions can be kept and read: the file, its folder, its disk; makes neither."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING, Final

from reflectty.checking.aside import aside
from reflectty.errors import StoreError
from reflectty.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reflectty.checking.around import Around, Known
    from reflectty.store.health import Health

LITTLE_ROOM: Final = 100_000_000
"""Bytes below which a disk will soon be full."""
_MB: Final = 1e6


async def store(around: Around, _: Known) -> Sequence[Finding]:
    """Say whether sessions are kept, where, and in which state the file is."""
    path = around.store_path
    kept = around.settings.store
    found = [] if kept else [_off(path)]
    return [*found, *await aside(lambda: _looked(path, kept=kept))]


def _off(path: Path) -> Finding:
    text = "sessions are not kept: store = false, or REFLECTTY_STORE=0"
    return Finding("store", State.NOTE, text, facts=(("path", str(path)), ("kept", False)))


def _looked(path: Path, *, kept: bool) -> list[Finding]:
    if not os.path.lexists(path):
        return _not_there(path) if kept else []
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        return [_wrong(f"{path} is no file", "move it away: sessions are kept in memory only", path)]
    from reflectty.store.health import examine  # noqa: PLC0415 - where there is no file, no SQLite is needed

    try:
        health = examine(path)
    except StoreError as error:
        return [_wrong(str(error), error.hint or "the next question moves it aside, and begins a new one", path)]
    return [_state(path, health), *_access(path, mode), *_place(path), *_moved(path)]


def _wrong(text: str, advice: str, path: Path) -> Finding:
    return Finding("store", State.WRONG, text, advice, (("path", str(path)),))


def _not_there(path: Path) -> list[Finding]:
    folder = next(parent for parent in path.parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return [_wrong(f"{path} cannot be made: {folder} cannot be written to", "sessions live in memory only", path)]
    facts = (("path", str(path)), ("kept", True), ("sessions", 0))
    return [Finding("store", State.OK, f"no session yet: the first question makes {path}", facts=facts), *_place(path)]


def _state(path: Path, health: Health) -> Finding:
    facts = (
        ("path", str(path)),
        ("sessions", health.sessions),
        ("bytes", health.size),
        ("sound", None if not health.whole else not health.damage),
    )
    if health.damage:
        text = f"{path} is damaged: {health.damage}"
        advice = "copy it before anything else; a start that meets the damage moves it aside and begins a new one"
        return Finding("store", State.WRONG, text, advice, facts)
    if health.newer:
        text = f"{path} was written by a newer reflectty: it can be read, and nothing new is kept"
        return Finding("store", State.WARNING, text, "update reflectty", facts)
    number = f"{health.sessions:,} session{'' if health.sessions == 1 else 's'}"
    how = "in good order" if health.whole else "too large to be looked at whole"
    text = f"{number} in {path}, {health.size / _MB:.1f} MB, {how}"
    if health.suspect:
        return Finding("store", State.WARNING, text, "damage was met before: the next start looks at all of it", facts)
    return Finding("store", State.OK, text, facts=facts)


def _access(path: Path, mode: int) -> list[Finding]:
    found = []
    if stat.S_IMODE(mode) & 0o077:
        text = f"others on this machine may read {path} (mode {stat.S_IMODE(mode):o})"
        found.append(Finding("store", State.WARNING, text, f"chmod 600 {path}; the next question does it as well"))
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)):
        text = f"{path} or its folder cannot be written to: nothing new is kept"
        found.append(Finding("store", State.WARNING, text, f"give yourself the right to write in {path.parent}"))
    return found


def _place(path: Path) -> list[Finding]:
    """Say what is wrong with the disk that the file is, or would be, on."""
    from reflectty.store.health import on_remote_disk  # noqa: PLC0415 - loaded beside SQLite

    found = []
    folder = next(parent for parent in path.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    if free < LITTLE_ROOM:
        text = f"only {free / _MB:.0f} MB are free where sessions are kept"
        found.append(Finding("store", State.WARNING, text, "make room: on a full disk nothing new is kept"))
    if on_remote_disk(path):
        text = "sessions are on another machine's disk, where writing is slower"
        found.append(Finding("store", State.NOTE, text, "XDG_DATA_HOME moves them to a disk of this machine"))
    return found


def _moved(path: Path) -> list[Finding]:
    """Say where a damaged file was moved to: it may hold sessions that can still be saved."""
    moved = sorted(path.parent.glob(f"{path.name}.corrupt-*"))
    if not moved:
        return []
    text = f"a damaged file was moved aside: {moved[-1].name}"
    return [Finding("store", State.NOTE, text, "`sqlite3 FILE .recover` may save what it holds")]
