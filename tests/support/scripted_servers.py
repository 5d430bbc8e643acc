"""Scripted servers for questions to the real command: the model, and its replies."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

from support.fake_server import HANG, Answer, FakeServer, Pause, done, line, reply, show, tags
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.fake_replies import Step
    from support.fake_server import Route

THOUGHT = (
    "<thinking>\n11 is more than 9, so 9.11.\n<reflection>\nNo: 9.9 is 9.90.\n</reflection>\nSo 9.9.\n</thinking>\n"
)
ANSWERED = THOUGHT + "<output>\n9.9 is larger.\n</output>"
ANSWER = "9.9 is larger."
MODEL = ("-m", "reflection")
"""A model whose name shows that it answers in tags: it is asked without a prompt of ours and without a note."""


def chat_server(chat: Route, *, installed: tuple[str, ...] = ("reflection:latest",), **shown: Any) -> FakeServer:
    """A server with a given /api/chat; `shown` are fields of /api/show."""
    return FakeServer({"/api/show": show(**shown), "/api/tags": tags(*installed), "/api/chat": chat})


def answering_server(*contents: str, thinking: tuple[str, ...] = (), reason: str = "stop", **shown: Any) -> FakeServer:
    """A server that answers every question with these pieces."""
    return chat_server(reply(contents, thinking, reason=reason), **shown)


def unfinished(*contents: str) -> Answer:
    """A reply that stops after these pieces and keeps the connection open."""
    return Answer([*(line(text) for text in contents), HANG])


def endless() -> Answer:
    """A reply that sends lines of an answer without end."""

    def steps() -> Iterator[Step]:
        yield line("<output>\n")
        for number in itertools.count():
            yield line(f"line {number}\n")
            yield Pause(0.002)

    return Answer(steps)


LAST = line(**done())


class Gate:
    """Holds a reply between two parts until it is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def between(self, before: str, after: str, end: Step = LAST) -> Answer:
        """A reply that sends one part at once, the other and the end when the gate is open."""

        def steps() -> Iterator[Step]:
            yield line(before)
            self._open.wait(PATIENCE)
            yield line(after)
            yield end

        return Answer(steps)
