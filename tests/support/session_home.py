"""Sessions in a home of their own, and the command for them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from reflectty.core.session import Attachment, ReplyOrigin, ReplyStatus
from reflectty.store import open_store
from support.command import Result
from support.conversations import QUESTION, plain_reply, stored_reply
from support.pty_screen import Screen

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.store import Store
    from support.command import Reflect

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
QUIET = Result(0, b"", b"")


class SessionHome(NamedTuple):
    """A home with sessions in it, and the command for them."""

    reflect: Reflect
    data: Path
    ids: tuple[str, ...]

    def __call__(self, *words: str, **variables: Any) -> Result:
        return self.reflect("sessions", *words, XDG_DATA_HOME=str(self.data), **variables)

    def screen(self, *words: str, **values: Any) -> Screen:
        return Screen(self.reflect, "sessions", *words, XDG_DATA_HOME=str(self.data), **values)

    @property
    def titles(self) -> list[str]:
        return [session["title"] for session in json.loads(self("--json").out)]


def store_in(data: Path) -> Store:
    (data / "reflectty").mkdir(parents=True, exist_ok=True)
    return open_store(data / "reflectty" / "sessions.db", pytest.fail)


def filled(reflect: Reflect, folder: Path) -> SessionHome:
    """Two sessions: one of two questions, the second answered twice, and one without an answer."""
    data = folder / "data"
    store = store_in(data)
    first = store.create_session(QUESTION)
    parent: int | None = None
    for question, reply in ((QUESTION, stored_reply()), ("And in Roman numerals?", plain_reply("There are none."))):
        asked = store.add_question(first.id, parent, question, (Attachment("notes.txt", "file", "IX"),))
        parent = store.add_reply(first.id, asked.id, reply).id
        store.finish(parent, reply)
    steered = stored_reply("IX, more or less.", origin=ReplyOrigin.STEERED, ended=ReplyStatus.INTERRUPTED)
    again = store.add_reply(first.id, asked.id, steered)
    store.finish(again.id, steered)
    second = store.create_session("Plan a weekend in Lisbon")
    store.add_question(second.id, None, "Plan a weekend in Lisbon")
    store.close()
    return SessionHome(reflect, data, (first.id, second.id))


def clean_lines(result: Result) -> list[str]:
    """The lines of a command that succeeded, without anything that a terminal would obey."""
    assert (result.code, result.err) == (0, "")
    assert not CONTROLS.search(result.out)
    return result.out.split("\n")[:-1]
