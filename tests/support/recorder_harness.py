"""A recorder of one exchange at work, with its store, its clock and its notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.chat.recorder import Recorder, RecordTarget
from reflectty.core.messages import Chunk, Usage
from reflectty.core.session import ReplyStatus, StoredReply
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from reflectty.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reflectty.core.session import Turn

SAID = StoredReply("m", "abc", "native", "reflection", effort="high", options=(("seed", 4),))


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class RecorderHarness:
    """A recorder of one exchange, its store and its notes."""

    def __init__(self, path: Path, place: RecordTarget, *, late: bool = False, said: StoredReply = SAID) -> None:
        self.path = path
        self.clock = Clock()
        self.notes: list[str] = []
        self.opened = 0
        self.spoken = Reply("m", FAMILIES["reflection"], mode="native")
        self.keeper = Recorder(self._open, place, deferred=late, clock=self.clock)
        if said.raw:
            self.spoken.begin_from(said.raw)
        self.keeper.begin(said, self.spoken, self.notes.append)

    def _open(self, warn: Callable[[str], None]) -> Store:
        self.opened += 1
        return open_store(self.path, warn)

    def say(self, text: str) -> None:
        self.spoken.feed(Chunk(content=text))

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        self.keeper.tick()

    def end(self, ended: ReplyStatus = ReplyStatus.COMPLETE, error: str = "") -> None:
        if ended is ReplyStatus.COMPLETE:
            self.spoken.feed(Chunk(done=True, done_reason="stop", usage=Usage(reply_tokens=20)))
        self.keeper.end(ended, error, "later")

    def turns(self) -> tuple[Turn, ...]:
        return turns(self.path)

    def reply(self) -> StoredReply:
        found = self.turns()[-1].said
        assert found is not None
        return found


def turns(path: Path) -> tuple[Turn, ...]:
    """The turns of the only session, as another program reads them."""
    store = open_store(path, pytest.fail)
    sessions = store.sessions()
    found = store.turns(sessions[0].id) if sessions else ()
    store.close()
    assert len(sessions) <= 1
    return found
