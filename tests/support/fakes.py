"""A renderer and a recorder for tests that log their calls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.core.segments import Segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.core.segments import Event
    from reflectty.core.session import ReplyStatus, StoredReply
    from reflectty.reasoning.reply import Reply


class FakeRenderer:
    """A renderer that logs its calls."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.told: list[str] = []
        self.events: list[Event] = []
        self.ticks: list[float] = []
        self.begun = asyncio.Event()
        self.reply: Reply | None = None
        self._fails = fails

    def start(self, reply: Reply) -> None:
        self.told.append("start")
        self.reply = reply

    def tick(self, seconds: float) -> None:
        self.ticks.append(seconds)

    def show(self, event: Event) -> None:
        if self._fails:
            raise self._fails
        self.events.append(event)
        self.begun.set()

    def note(self, text: str) -> None:
        self.told.append(f"note {text}")

    def end(self, reply: Reply) -> None:
        assert reply is self.reply
        self.told.append("end")

    def stop(self) -> None:
        self.told.append("stop")

    @property
    def text(self) -> str:
        return "|".join(event.text for event in self.events if isinstance(event, Segment))


class FakeRecorder:
    """A recorder that logs its calls into the renderer's list."""

    def __init__(self, told: list[str]) -> None:
        self.told = told
        self.said: StoredReply | None = None
        self.ended: tuple[ReplyStatus, str, str] | None = None
        self.ticks = 0

    def begin(self, said: StoredReply, reply: Reply, note: Callable[[str], None]) -> None:
        self.told.append("kept from here")
        self.said = said
        assert (reply.model, "".join(reply.raw)) == (said.model, "")
        note("keeping")

    def tick(self) -> None:
        self.ticks += 1

    def end(self, ended: ReplyStatus, error: str = "", digest: str = "") -> None:
        self.told.append("kept")
        self.ended = (ended, error, digest)

    def choose(self, number: int, remarks: tuple[str, ...] = ()) -> None:
        self.told.append(f"chosen {number} {remarks}")
