from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.store import open_store
from reflectty.store.titles import list_titles

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("closed", [True, False])
def test_titles_are_listed_newest_first_with_or_without_an_open_store(tmp_path: Path, closed: bool) -> None:
    path = tmp_path / "a b?c#d%20.db"
    store = open_store(path, pytest.fail)
    begun = [store.create_session(title) for title in ("first", "Ärger \udc80", "third")]
    if closed:
        store.close()

    assert list_titles(path) == tuple((session.id, session.title) for session in reversed(begun))
    assert list_titles(path, 1) == ((begun[-1].id, "third"),)
    store.close()


def test_missing_or_foreign_file_has_no_titles_and_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(b"no database at all" * 100)

    assert list_titles(tmp_path / "absent.db") == list_titles(other) == list_titles(tmp_path) == ()
    assert [path.name for path in tmp_path.iterdir()] == ["other.db"]
