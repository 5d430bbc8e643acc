"""Reads the stored replies of a home after a question."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from reflectty.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.core.session import Session, StoredReply, Turn


class StoredHome:
    """The sessions of a home."""

    def __init__(self, home: Path) -> None:
        self.path = home / ".local" / "share" / "reflectty" / "sessions.db"
        self.sessions: tuple[Session, ...] = ()
        self.turns: tuple[Turn, ...] = ()
        if self.path.exists():
            store = open_store(self.path, pytest.fail)
            self.sessions = store.sessions()
            self.turns = tuple(itertools.chain(*(store.turns(session.id) for session in self.sessions)))
            store.close()

    @property
    def said(self) -> StoredReply:
        """The last reply."""
        found = self.turns[-1].said
        assert found is not None
        return found
