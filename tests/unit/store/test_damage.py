from __future__ import annotations

import os
import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import StoreError
from reflectty.store import open_store
from reflectty.store.database import damage_marker_of
from reflectty.store.open import identity_of, quarantine_file
from support.store_programs import health
from support.stored_sessions import fill, filled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.db"


def scribble(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)


def without_tables(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE writers")
    connection.close()


DAMAGE = {
    "no header": lambda path: scribble(path, 0, b"\xff" * 100),
    "another header": lambda path: scribble(path, 0, b"Dear diary, " * 20),
    "a broken schema": lambda path: scribble(path, 100, b"\xff" * 3000),
    "cut in the middle": lambda path: os.truncate(path, path.stat().st_size // 2 + 100),
    "cut to the header": lambda path: os.truncate(path, 100),
    "a table missing": without_tables,
    "text": lambda path: path.write_text("hello\n" * 1000),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_file_is_moved_aside_and_replaced(path: Path, damage: Callable[[Path], object]) -> None:
    filled(path)
    damage(path)
    before = path.read_bytes()
    warnings: list[str] = []
    store = open_store(path, warnings.append)
    assert len(warnings) == 1
    assert "new file created" in warnings[0]
    (aside,) = (file for file in path.parent.iterdir() if ".corrupt-" in file.name and not file.name.endswith("m"))
    assert aside.name in warnings[0]
    assert aside.read_bytes() == before
    assert store.path == path
    assert store.sessions() == ()
    fill(store, 6)
    store.close()
    assert health(path) == ()
    open_store(path, pytest.fail).close()


def test_damage_found_later_raises_and_is_moved_aside_at_the_next_start(path: Path) -> None:
    session = filled(path)
    size = path.stat().st_size
    for place in range(100_000, size, 4096):
        scribble(path, place, b"\xff" * 200)
    store = open_store(path, pytest.fail)
    with pytest.raises(StoreError, match="is damaged") as raised:
        store.turns(session)
    assert "moves a damaged file aside" in raised.value.hint
    assert stat.S_IMODE(damage_marker_of(path).stat().st_mode) == 0o600
    store.close()
    warnings: list[str] = []
    open_store(path, warnings.append).close()
    assert len(warnings) == 1
    assert not damage_marker_of(path).exists()
    open_store(path, pytest.fail).close()


def test_file_with_a_damaged_definition_of_a_table_is_moved_aside(path: Path) -> None:
    filled(path)
    place = path.read_bytes().rindex(b"mode TEXT NOT NULL")
    scribble(path, place, b"\xff" * 3)
    warnings: list[str] = []
    store = open_store(path, warnings.append)
    assert len(warnings) == 1
    assert "new file created" in warnings[0]
    assert store.path == path
    store.close()


def test_unfounded_suspicion_of_damage_is_cleared(path: Path) -> None:
    session = filled(path)
    damage_marker_of(path).touch()
    store = open_store(path, pytest.fail)
    assert len(store.turns(session)) == 120
    assert not damage_marker_of(path).exists()
    store.close()


def test_only_the_damaged_file_is_moved(path: Path) -> None:
    filled(path)
    damaged = identity_of(path)
    for part in ("-wal", "-shm"):
        path.with_name(path.name + part).write_text(part)
    first = quarantine_file(path, damaged)
    assert first
    # A log left behind would be taken for that of the new file.
    assert [first.with_name(first.name + part).read_text() for part in ("-wal", "-shm")] == ["-wal", "-shm"]
    assert [file.name for file in path.parent.iterdir() if "corrupt" not in file.name] == []
    assert quarantine_file(path, damaged) is None
    filled(path)
    assert quarantine_file(path, damaged) is None
    second = quarantine_file(path, identity_of(path))
    assert second not in {None, first}
