from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

import pytest

from reflectty.core.session import NO_SETTINGS, SessionSettings
from reflectty.store import open_store
from reflectty.store.open import StoreEnvironment
from reflectty.store.schema import MIGRATIONS, migrate
from support.store_programs import health
from support.stored_sessions import filled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.db"


def with_moods(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE turns ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'")


def with_failure(connection: sqlite3.Connection) -> None:
    if connection.execute("DELETE FROM turns").rowcount:
        connection.execute("SELECT no_such_function()")


CURRENT = len(MIGRATIONS)
SECOND = StoreEnvironment(migrations=(*MIGRATIONS, with_moods))


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(found)


def test_older_file_is_migrated_and_backed_up(path: Path) -> None:
    session = filled(path)
    old = open_store(path, pytest.fail)
    before = old.turns(session)
    old.close()
    store = open_store(path, pytest.fail, SECOND)
    assert store.turns(session) == before
    assert store.database.connection.execute("SELECT DISTINCT mood FROM turns").fetchall() == [("calm",)]
    store.close()
    copy = path.with_name(f"sessions.db.version-{CURRENT}")
    assert (version(path), version(copy)) == (CURRENT + 1, CURRENT)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert health(path) == health(copy) == ()
    old = open_store(copy, pytest.fail)
    assert old.turns(session) == before
    old.close()
    assert not path.with_name("sessions.db.backup").exists()


def test_new_or_current_file_is_not_backed_up(path: Path) -> None:
    for _ in range(2):
        open_store(path, pytest.fail, SECOND).close()
    assert version(path) == CURRENT + 1
    assert [file.name for file in path.parent.iterdir()] == ["sessions.db"]


def test_failed_migration_leaves_the_file_unchanged(path: Path) -> None:
    session = filled(path)
    warnings: list[str] = []
    store = open_store(path, warnings.append, StoreEnvironment(migrations=(*MIGRATIONS, with_moods, with_failure)))
    assert len(warnings) == 1
    assert "kept in memory only" in warnings[0]
    assert store.path is None
    assert version(path) == CURRENT
    assert health(path) == ()
    store = open_store(path, pytest.fail)
    columns = {row[1] for row in store.database.connection.execute("PRAGMA table_info(turns)")}
    assert "mood" not in columns
    assert len(store.turns(session)) == 120
    store.close()


def test_leftover_backup_is_replaced_and_a_symlink_is_not_followed(path: Path, tmp_path: Path) -> None:
    filled(path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    path.with_name("sessions.db.backup").symlink_to(elsewhere)
    open_store(path, pytest.fail, SECOND).close()
    assert elsewhere.read_text() == "mine"
    assert health(path.with_name(f"sessions.db.version-{CURRENT}")) == ()


def test_failed_backup_prevents_migration(path: Path) -> None:
    filled(path)
    path.with_name("sessions.db.backup").mkdir()
    warnings: list[str] = []
    store = open_store(path, warnings.append, SECOND)
    assert len(warnings) == 1
    assert store.path is None
    assert version(path) == CURRENT
    os.rmdir(path.with_name("sessions.db.backup"))  # noqa: PTH106 - removes the folder only when it is empty
    open_store(path, pytest.fail, SECOND).close()
    assert version(path) == CURRENT + 1


def test_file_of_the_first_version_gets_labels_and_settings(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, MIGRATIONS[:1], fts5=True, back_up=lambda _: None)
    connection.execute("INSERT INTO sessions (id, title, created, updated, leaf) VALUES ('abc234', 'old', 1, 2, 1)")
    connection.execute("INSERT INTO turns (session, created, text) VALUES ('abc234', 1, 'still here?')")
    connection.close()
    store = open_store(path, pytest.fail)
    (turn,) = store.turns("abc234")
    assert (turn.text, turn.label, store.find("old").settings) == ("still here?", "", NO_SETTINGS)
    store.set_label("abc234", turn.id, "start")
    store.set_settings("abc234", SessionSettings(system="Be brief."))
    assert store.turns("abc234")[0].label == "start"
    assert store.find("old").settings.system == "Be brief."
    store.close()
    assert version(path) == CURRENT
    assert version(path.with_name("sessions.db.version-1")) == 1


def test_titles_of_an_older_file_are_still_found_first(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, MIGRATIONS[:2], fts5=True, back_up=lambda _: None)
    connection.execute("INSERT INTO sessions (id, title, created, updated) VALUES ('abc234', 'a needle', 1, 2)")
    for turn, part in ((None, "title"), (1, "question")):
        insert = "INSERT INTO passages (session, turn, position, part, dense, text) VALUES ('abc234', ?, 0, ?, 0, 'a needle')"
        connection.execute(insert, (turn, part))
    connection.close()
    store = open_store(path, pytest.fail)
    store.create_session("the latest needle")
    assert [(hit.session.title, hit.part) for hit in store.search("needle")] == [
        ("the latest needle", "title"),
        ("a needle", "title"),
        ("a needle", "question"),
    ]
    store.close()
    assert health(path) == ()


def test_older_running_program_still_works(path: Path) -> None:
    session = filled(path)
    old = open_store(path, pytest.fail)
    open_store(path, pytest.fail, SECOND).close()
    question = old.add_question(session, None, "still here?")
    assert old.turns(session)[-1] == question
    old.close()
