"""Remembers between runs what was said once, chosen in the chat or found out about models and servers."""

from __future__ import annotations

import os
from contextlib import suppress

from reflectty.config.paths import state_folder
from reflectty.core.errors import UsageError

_MAX_CHOICE_LENGTH = 200
_SESSION_SERVERS_FILE = "places"
"""The file that says with which server a session was held, a line each."""
_SERVER_ANSWERED_FILE = "served"
"""The empty file that says that a server has answered once."""


def remember_once(topic: str, name: str) -> bool:
    """Whether `name` is new under `topic`, and remember it; where nothing can be written, everything is new."""
    if is_remembered(topic, name):
        return False
    _append_line(topic, name)
    return True


def is_remembered(topic: str, name: str) -> bool:
    """Whether `name` was remembered under `topic`; remembers nothing."""
    with suppress(OSError, ValueError, UsageError):
        return name in (state_folder() / topic).read_text("utf-8").split("\n")
    return False


def recall_note(topic: str, name: str) -> str:
    """Return what was found out of `name` under `topic` in an earlier run, or nothing."""
    with suppress(OSError, ValueError, UsageError):
        lines = (state_folder() / topic).read_text("utf-8").split("\n")
        return next((line[len(name) + 1 :] for line in reversed(lines) if line.startswith(f"{name} ")), "")
    return ""


def remember_note(topic: str, name: str, found: str) -> None:
    """Keep what was found out, in one line; where nothing can be written, it is found out again."""
    _append_line(topic, f"{name} {found}")


def _append_line(topic: str, line: str) -> None:
    with suppress(OSError, ValueError, UsageError):
        path = state_folder() / topic
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def server_of_session(session: str) -> tuple[str, str]:
    """Return the engine and the host that a session was held with, where those are not the usual ones; else nothing."""
    engine, _, host = recall_note(_SESSION_SERVERS_FILE, session).partition(" ")
    return ("", "") if " " in host else (engine, host)


def remember_session_server(session: str, engine: str, host: str) -> None:
    """Remember with which server a session is held, so that it goes on there; a host that holds a password is left out.

    Where nothing can be written, it is forgotten.
    """
    if (
        session
        and not (" " in host or "@" in host or not host.isprintable())
        and server_of_session(session) != (engine, host)
    ):
        remember_note(_SESSION_SERVERS_FILE, session, f"{engine} {host}")


def recall_choice(name: str) -> str:
    """Return what was chosen under that name in an earlier run, or nothing."""
    with suppress(OSError, ValueError, UsageError):
        text = (state_folder() / "chosen" / name).read_text("utf-8")
        return text if text.isprintable() and len(text) <= _MAX_CHOICE_LENGTH else ""
    return ""


def remember_choice(name: str, value: str) -> None:
    """Keep a choice for later runs, whole or not at all; where nothing can be written, it is forgotten."""
    with suppress(OSError, ValueError, UsageError):
        path = state_folder() / "chosen" / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{name}.{os.getpid()}")
        fresh.write_text(value, "utf-8")
        fresh.replace(path)


def has_server_answered() -> bool:
    """Whether a server has ever answered on this machine, as far as is remembered."""
    with suppress(OSError, ValueError, UsageError):
        return (state_folder() / _SERVER_ANSWERED_FILE).exists()
    return False


def remember_server_answered() -> None:
    """Remember that a server has answered; where nothing can be written, it is forgotten."""
    with suppress(OSError, ValueError, UsageError):
        path = state_folder() / _SERVER_ANSWERED_FILE
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
