from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.store import open_store
from reflectty.store.health import examine_file

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 2000
"""Rows that take longer to check than the interval between two looks at the clock."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sessions.db"
    store = open_store(path, pytest.fail)
    session = store.create_session("a")
    insert = "INSERT INTO passages (session, turn, position, part, dense, text) VALUES (?, 1, ?, 'answer', 0, 'word')"
    store.database.write(lambda c: c.executemany(insert, [(session.id, row) for row in range(ROWS)]))
    store.close()
    return path


def test_incomplete_check_does_not_report_damage(path: Path) -> None:
    health = examine_file(path, patience=-1.0)

    assert (health.sessions, health.damage, health.is_complete) == (1, "", False)


def test_check_includes_the_write_ahead_log(path: Path) -> None:
    health = examine_file(path)
    store = open_store(path, pytest.fail)
    store.create_session("b")
    log = path.with_name("sessions.db-wal")

    assert (health.sessions, health.damage, health.is_complete) == (1, "", True)
    assert health.size == path.stat().st_size
    health = examine_file(path)
    assert (health.sessions, health.size) == (2, path.stat().st_size + log.stat().st_size)
    store.close()
