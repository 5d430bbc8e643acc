"""What the program remembers between runs by itself: what was said once, what was chosen in the chat; asks nobody."""

from __future__ import annotations

import os
from contextlib import suppress

from reflectty.config.places import state_folder
from reflectty.errors import UsageError

_LONGEST_CHOICE = 200
_PLACES = "places"
"""The file that says with which server a session was held, a line each."""
_SERVED = "served"
"""The empty file that says that a server has answered once."""


def first_time(topic: str, name: str) -> bool:
    """Whether `name` is new under `topic`, and remember it; where nothing can be written, everything is new."""
    if known(topic, name):
        return False
    _append(topic, name)
    return True


def known(topic: str, name: str) -> bool:
    """Whether `name` was remembered under `topic`; remembers nothing."""
    with suppress(OSError, ValueError, UsageError):
        return name in (state_folder() / topic).read_text("utf-8").split("\n")
    return False


def noted(topic: str, name: str) -> str:
    """Return what was found out of `name` under `topic` in an earlier run, or nothing."""
    with suppress(OSError, ValueError, UsageError):
        lines = (state_folder() / topic).read_text("utf-8").split("\n")
        return next((line[len(name) + 1 :] for line in reversed(lines) if line.startswith(f"{name} ")), "")
    return ""


def note_down(topic: str, name: str, found: str) -> None:
    """Keep what was found out, in one line; where nothing can be written, it is found out again."""
    _append(topic, f"{name} {found}")


def _append(topic: str, line: str) -> None:
    with suppress(OSError, ValueError, UsageError):
        path = state_folder() / topic
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def place_of(session: str) -> tuple[str, str]:
    """Return the engine and the host that a session was held with, where those are not the usual ones; else nothing."""
    engine, _, host = noted(_PLACES, session).partition(" ")
    return ("", "") if " " in host else (engine, host)


def remember_place(session: str, engine: str, host: str) -> None:
    """Remember with which server a session is held, so that it goes on there; a host that holds a password is left out.

    Where nothing can be written, it is forgotten.
    """
    if session and not (" " in host or "@" in host or not host.isprintable()) and place_of(session) != (engine, host):
        note_down(_PLACES, session, f"{engine} {host}")


def remembered(name: str) -> str:
    """Return what was chosen under that name in an earlier run, or nothing."""
    with suppress(OSError, ValueError, UsageError):
        text = (state_folder() / "chosen" / name).read_text("utf-8")
        return text if text.isprintable() and len(text) <= _LONGEST_CHOICE else ""
    return ""


def remember(name: str, value: str) -> None:
    """Keep a choice for later runs, whole or not at all; where nothing can be written, it is forgotten."""
    with suppress(OSError, ValueError, UsageError):
        path = state_folder() / "chosen" / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{name}.{os.getpid()}")
        fresh.write_text(value, "utf-8")
        fresh.replace(path)


def server_known() -> bool:
    """Whether a server has ever answered on this machine, as far as is remembered."""
    with suppress(OSError, ValueError, UsageError):
        return (state_folder() / _SERVED).exists()
    return False


def remember_server() -> None:
    """Remember that a server has answered; where nothing can be written, it is forgotten."""
    with suppress(OSError, ValueError, UsageError):
        path = state_folder() / _SERVED
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
