from __future__ import annotations

import os
import sqlite3
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import StoreError
from reflectty.store import open_store
from reflectty.store.database import is_remote
from reflectty.store.open import StoreEnvironment
from reflectty.store.schema import APPLICATION_ID, MIGRATIONS
from support.store_programs import health
from support.stored_sessions import fill, filled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_folder_and_files_are_private(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = open_store(path, pytest.fail)
        store.create_session("private")
        files = {file.name: mode(file) for file in path.parent.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert files == {"sessions.db": 0o600, "sessions.db-wal": 0o600, "sessions.db-shm": 0o600}
    assert mode(path.parent) == 0o700


def test_readable_file_is_made_private(path: Path) -> None:
    filled(path)
    path.chmod(0o644)
    open_store(path, pytest.fail).close()
    assert mode(path) == 0o600


def test_existing_folder_keeps_its_mode(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    open_store(path, pytest.fail).close()
    assert mode(path.parent) == 0o755


def test_database_settings_make_commits_durable(path: Path) -> None:
    store = open_store(path, pytest.fail)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000, "secure_delete": 1}
    found = {name: store.database.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
    assert found == wanted
    assert store.database.connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    store.close()


def test_empty_file_is_treated_as_new(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert filled(path)


def below_a_file(path: Path) -> Path:
    path.parent.write_text("a file")
    return path


def a_folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def a_pipe(path: Path) -> Path:
    path.parent.mkdir()
    os.mkfifo(path)
    return path


def a_ring_of_links(path: Path) -> Path:
    path.parent.mkdir()
    path.symlink_to(path)
    return path


def a_folder_of_the_system(path: Path) -> Path:
    return type(path)("/proc/reflectty/sessions.db")


def another_programs(path: Path) -> Path:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE cookies (name)")
    connection.close()
    return path


def another_programs_with_an_id(path: Path) -> Path:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 7")
    connection.close()
    return path


UNFIT = (
    below_a_file,
    a_folder,
    a_pipe,
    a_ring_of_links,
    a_folder_of_the_system,
    another_programs,
    another_programs_with_an_id,
)


@pytest.mark.parametrize("make", UNFIT)
def test_unusable_path_is_left_alone_and_the_session_stays_in_memory(path: Path, make: Callable[[Path], Path]) -> None:
    place = make(path)
    before = place.read_bytes() if place.is_file() else b""
    warnings: list[str] = []
    store = open_store(place, warnings.append)
    assert len(warnings) == 1
    assert warnings[0].startswith(f"this session is kept in memory only, because {place} cannot be used: ")
    assert "\n" not in warnings[0]
    assert store.path is None
    session = fill(store)
    assert len(store.turns(session)) == 120
    store.close()
    assert (place.read_bytes() if place.is_file() else b"") == before
    assert not list(path.parent.parent.rglob("*-wal"))


def test_symlink_to_a_file_is_followed(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    session = filled(elsewhere)
    path.parent.mkdir()
    path.symlink_to(elsewhere)
    store = open_store(path, pytest.fail)
    assert store.find(session).questions == 60
    assert store.path == elsewhere
    store.close()


def test_without_a_path_no_file_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(None, pytest.fail)
    fill(store)
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_file_of_a_newer_version_is_read_only(path: Path) -> None:
    session = filled(path)
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE turns ADD COLUMN mood TEXT")
    connection.execute("UPDATE turns SET ended = 'postponed', origin = 'dreamt' WHERE ended IS NOT NULL")
    connection.execute("UPDATE passages SET part = 'feeling' WHERE part = 'answer'")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    warnings: list[str] = []
    store = open_store(path, warnings.append)
    assert warnings == [f"{path} was written by a newer reflectty: its sessions can be read, but nothing new is saved"]
    assert len(store.turns(session)) == 120
    assert {found.part for found in store.search("four")} == {"thinking"}
    with pytest.raises(StoreError, match="it is read-only"):
        store.add_question(session, None, "?")
    with pytest.raises(StoreError, match="it is read-only"):
        store.create_session("new")
    refuge = store.fall_back_to_memory(session)
    assert refuge.add_question(session, None, "?").id > 120
    store.close()
    assert path.read_bytes() == before


MOUNTS = """/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/me/disk btrfs rw 0 0
//server/x /mnt/a\\040share cifs rw 0 0
odd
"""


@pytest.mark.parametrize(
    ("place", "remote"),
    [
        ("/root/x", False),
        ("/home/me/x", True),
        ("/homes/me/x", False),
        ("/home/me/disk/x", False),
        ("/mnt/a share/x", True),
    ],
)
def test_remote_disk_is_recognized_by_its_mount(path: Path, place: str, *, remote: bool) -> None:
    assert is_remote(type(path)(place), MOUNTS) is remote


def test_remote_disk_uses_no_write_ahead_log(path: Path) -> None:
    filled(path)
    store = open_store(path, pytest.fail, StoreEnvironment(read_mounts=lambda: "server:/ / nfs rw 0 0"))
    assert store.database.connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    fill(store, 6)
    store.close()
    assert health(path) == ()


def test_opening_waits_for_a_reader_before_switching_the_journal(path: Path) -> None:
    session = filled(path)
    reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    assert reader.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM turns").fetchone()
    timer = threading.Timer(0.3, reader.close)
    timer.start()
    store = open_store(path, pytest.fail)
    assert store.database.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store.find(session).questions == 60
    store.close()
    timer.join()
