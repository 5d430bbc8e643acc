"""The chat in a terminal of its own: its keys, its screen, and the sessions it leaves."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING, Self

import pytest

from reflectty.store import open_store
from support.fake_server import FakeServer, show, tags, whole
from support.pty_screen import Screen
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.core.session import ReplyStatus, Session, StoredReply, Turn
    from support.command import Reflect
    from support.fake_server import Route

READY = "Ask, or / for commands"
KEYS = {
    "enter": b"\r",
    "escape": b"\x1b",
    "steer": b"\x1bs",
    "conclude": b"\x1bc",
    "edit": b"\x1be",
    "regenerate": b"\x1br",
    "continue": b"\x1bg",
    "branch before": b"\x1b[1;3D",
    "branch after": b"\x1b[1;3C",
    "next correction": b"\x1bn",
    "view": b"\x1bt",
    "fold": b"\x1bo",
    "sessions": b"\x0f",
    "interrupt": b"\x03",
    "leave": b"\x11",
    "new": b"\x0e",
    "palette": b"\x10",
    "page up": b"\x1b[5~",
    "line start": b"\x01",
    "to end of line": b"\x0b",
    "clear": b"\x01\x0b",
}
SUMMARY = r"^ ▾ .*thought .*\d correction"
"""The line above a thinking that has ended and has a correction."""
LEFT_BEHIND = (
    (b"\x1b[?1049h", b"\x1b[?1049l", "the alternate screen"),
    (b"\x1b[?1000h", b"\x1b[?1000l", "the mouse"),
    (b"\x1b[?1003h", b"\x1b[?1003l", "the mouse's movements"),
    (b"\x1b[?1015h", b"\x1b[?1015l", "the mouse's columns"),
    (b"\x1b[?1006h", b"\x1b[?1006l", "the mouse's reports"),
    (b"\x1b[?25l", b"\x1b[?25h", "a hidden cursor"),
    (b"\x1b[?2004h", b"\x1b[?2004l", "bracketed paste"),
    (b"\x1b[?1004h", b"\x1b[?1004l", "reports of focus"),
    (b"\x1b[>25u", b"\x1b[<u", "the keyboard's protocol"),
    (b"\x1b[?7l", b"\x1b[?7h", "lines that are not wrapped"),
)
"""A mode that a program switches on, the sequence that switches it off, and its name."""


class Chat(Screen):
    """`reflect` in a terminal, without a question."""

    def opened(self) -> bool:
        """Wait until it takes keys."""
        return self.shows(READY)

    @property
    def drawn(self) -> list[str]:
        """The lines of the screen, from the top."""
        return [text.rstrip() for text in self._screen.display]

    def lacks(self, part: str) -> bool:
        """Wait until a text is gone."""
        return self.until(lambda text: part not in text)

    def matches(self, pattern: str, patience: float = PATIENCE) -> bool:
        """Wait for a pattern."""
        return self.until(lambda text: bool(re.search(pattern, text, re.MULTILINE)), patience)

    def rests(self) -> bool:
        """Wait until no reply is running."""
        # The scrollback may hold rows from a change of the terminal's size.
        return self.until(lambda _: "new line" in (screen := "\n".join(self.drawn)) and "esc stop" not in screen)

    def answered(self, part: str) -> bool:
        """Wait for a text, and until no reply is running: leaving before that would interrupt the reply."""
        return self.shows(part) and self.rests()

    def hit(self, *names: str) -> None:
        """Press keys by the name of their action."""
        for name in names:
            self.press(KEYS[name])
            if name == "escape":
                # A key that is read with an escape, or soon after it, is a key with alt.
                time.sleep(0.1)
                assert until(lambda: self.unread == 0)
                time.sleep(0.3)

    def ask(self, text: str) -> None:
        """Type a question and send it."""
        self.press(text.encode() + KEYS["enter"])

    def computed_to_show(self, keys: bytes, part: str) -> float:
        """Press keys and return the CPU seconds that the chat uses until a text is on the screen."""
        before = self.computed
        self.press(keys)
        assert self.shows(part)
        return self.computed - before

    def leave(self) -> int:
        self.hit("leave")
        return self.finish()

    @property
    def left_behind(self) -> list[str]:
        """The modes that are still switched on in the terminal."""
        return [name for on, off, name in LEFT_BEHIND if self.raw.rfind(on) > self.raw.rfind(off)]


class Unseen(Chat):
    """The chat in a terminal that draws nothing, and so keeps up: the effect of a key is looked for in the output."""

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(self._leader, 1 << 16):
                with self._changed:
                    self.raw += piece
                    self._changed.notify_all()

    def wrote(self, part: bytes, patience: float = PATIENCE) -> bool:
        return self.until(lambda _: part in self.raw, patience)

    def rested(self, last: bytes) -> bool:
        """Wait until the last words of a reply are drawn and no reply is running."""
        # The words may be drawn again after the line of keys, so the order of the two proves nothing.
        return self.until(lambda _: last in self.raw and self.raw.rfind(b"new line") > self.raw.rfind(b"esc stop"))

    def computed_to_echo(self, mark: str) -> float:
        """Type a mark that was never typed before; return the CPU seconds that the chat uses until it is drawn."""
        computed, before = self.computed, len(self.raw)
        self.press(mark.encode())
        assert self.until(lambda _: mark.encode() in self.raw[before:])
        took, drawn = self.computed - computed, len(self.raw)
        self.hit("clear")
        # Keys of one read can overtake each other: the next ones would be cleared with the mark.
        assert self.until(lambda _: READY.encode() in self.raw[drawn:])
        return took


class LateServer(FakeServer):
    """A server that starts later, on a port that is free until then."""

    def __init__(self, routes: dict[str, Route], port: int) -> None:
        super().__init__(routes)
        self.port = port

    def __enter__(self) -> Self:
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(64)
        self._start(self._accept)
        return self


def gutter(chat: Chat) -> str:
    """The signs before the rows of the thinking."""
    return "".join(row[1] for row in chat.drawn if re.match(r" [│↺] ", row))


def serving(chat: Route, **more: Route) -> FakeServer:
    """A server with one model and a given /api/chat; `more` are other answers of its API, by name."""
    return FakeServer(routes(chat, **more))


def routes(chat: Route, **more: Route) -> dict[str, Route]:
    """The answers of such a server."""
    usual: dict[str, Route] = {
        "chat": chat,
        "show": show(),
        "tags": tags("reflection:latest"),
        "ps": whole({"models": []}),
    }
    return {f"/api/{name}": route for name, route in (usual | more).items()}


def database(reflect: Reflect) -> Path:
    return reflect.home / ".local" / "share" / "reflectty" / "sessions.db"


def stored_sessions(reflect: Reflect) -> tuple[tuple[Session, tuple[Turn, ...]], ...]:
    """The sessions in the store, the latest first, with all their turns."""
    with closing(open_store(database(reflect), pytest.fail)) as store:
        return tuple((session, store.turns(session.id)) for session in store.sessions(1_000))


def replies(reflect: Reflect) -> tuple[StoredReply, ...]:
    """The replies of the latest session, in the order in which they began."""
    return tuple(turn.said for turn in stored_sessions(reflect)[0][1] if turn.said)


HALF = "<thinking>\nFirst this.\n</thinking>\n<output>\nHalf of an answer"


def ended_as(reflect: Reflect) -> list[tuple[ReplyStatus, str]]:
    return [(said.ended, said.answer or said.raw) for said in replies(reflect)]
