"""Scripted servers for a question asked from outside: what the model is, and what it says."""

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
"""A model whose name says that it answers in tags: it is asked without a prompt of our own, and without a word."""


def asking(chat: Route, *, installed: tuple[str, ...] = ("reflection:latest",), **shown: Any) -> FakeServer:
    """Return a server whose /api/chat is given; `shown` are fields of /api/show."""
    return FakeServer({"/api/show": show(**shown), "/api/tags": tags(*installed), "/api/chat": chat})


def saying(*contents: str, thinking: tuple[str, ...] = (), reason: str = "stop", **shown: Any) -> FakeServer:
    """Return a server that says this to every question."""
    return asking(reply(contents, thinking, reason=reason), **shown)


def unfinished(*contents: str) -> Answer:
    """Return a reply that says this and then nothing more, and keeps the connection."""
    return Answer([*(line(text) for text in contents), HANG])


def endless() -> Answer:
    """Return a reply that never stops saying lines of an answer."""

    def steps() -> Iterator[Step]:
        yield line("<output>\n")
        for number in itertools.count():
            yield line(f"line {number}\n")
            yield Pause(0.002)

    return Answer(steps)


LAST = line(**done())


class Gate:
    """Holds a reply back between two parts until it is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def between(self, before: str, after: str, end: Step = LAST) -> Answer:
        """Return a reply that says one part at once, the other and the end when the gate is open."""

        def steps() -> Iterator[Step]:
            yield line(before)
            self._open.wait(PATIENCE)
            yield line(after)
            yield end

        return Answer(steps)
