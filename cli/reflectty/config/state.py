"""Remembers between runs which notices were shown, choices in the chat, and facts about models and servers."""

from __future__ import annotations

from contextlib import suppress

from reflectty.core.errors import UsageError
from reflectty.system.files import write_atomically
from reflectty.system.paths import state_folder

_MAX_CHOICE_LENGTH = 200
_SESSION_SERVERS_FILE = "places"
"""The file of the servers of sessions, one per line."""
_TERMINALS_FILE = "terminals"
"""The file of the latest session of each terminal, one per line."""
_NOTICES_FILE = "notices"
"""The file of the notices of the last day, one per line: its name, and when it was shown."""
DAY_SECONDS = 86_400.0
_SERVER_ANSWERED_FILE = "served"
"""The empty file that exists once a server has answered."""


def remember_once(topic: str, name: str) -> bool:
    """Whether `name` is new under `topic`; remembers it. Without a writable folder everything is new."""
    if is_remembered(topic, name):
        return False
    _append_line(topic, name)
    return True


def is_remembered(topic: str, name: str) -> bool:
    """Whether `name` was remembered under `topic`."""
    with suppress(OSError, ValueError, UsageError):
        return name in (state_folder() / topic).read_text("utf-8").split("\n")
    return False


def is_notice_due(name: str, interval: float, now: float) -> bool:
    """Whether a notice was not shown within an interval; remembers that it is shown now.

    Without a writable folder it is always due.

    Args:
        name: the notice, with the place where it is shown; of one line.
        interval: seconds, at most a day.
        now: seconds since 1970; a notice of the future is due, since the clock was wrong.
    """
    shown = {}
    with suppress(OSError, ValueError, UsageError):
        for line in (state_folder() / _NOTICES_FILE).read_text("utf-8").splitlines():
            place, _, then = line.rpartition(" ")
            shown[place] = float(then)
    if 0 <= now - shown.get(name, now + 1) < interval:
        return False
    recent = {place: then for place, then in shown.items() if 0 <= now - then < DAY_SECONDS} | {name: now}
    with suppress(OSError, ValueError, UsageError):
        text = "".join(f"{place} {int(then)}\n" for place, then in recent.items())
        write_atomically(state_folder() / _NOTICES_FILE, text, with_folder=True, synced=False)
    return True


def recall_note(topic: str, name: str) -> str:
    """The note on `name` under `topic` from an earlier run, or ""."""
    with suppress(OSError, ValueError, UsageError):
        lines = (state_folder() / topic).read_text("utf-8").split("\n")
        return next((line[len(name) + 1 :] for line in reversed(lines) if line.startswith(f"{name} ")), "")
    return ""


def remember_note(topic: str, name: str, found: str) -> None:
    """Remember a note of one line; does nothing if it cannot be written."""
    _append_line(topic, f"{name} {found}")


def _append_line(topic: str, line: str) -> None:
    with suppress(OSError, ValueError, UsageError):
        path = state_folder() / topic
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def server_of_session(session: str) -> tuple[str, str]:
    """The engine and host of a session, if they differ from the defaults; else empty."""
    engine, _, host = recall_note(_SESSION_SERVERS_FILE, session).partition(" ")
    return ("", "") if " " in host else (engine, host)


def remember_session_server(session: str, engine: str, host: str) -> None:
    """Remember the server of a session, for when it continues; omits a host that contains a password.

    Does nothing if it cannot be written.
    """
    if (
        session
        and not (" " in host or "@" in host or not host.isprintable())
        and server_of_session(session) != (engine, host)
    ):
        remember_note(_SESSION_SERVERS_FILE, session, f"{engine} {host}")


def sessions_of_terminals(key: str) -> tuple[str, ...]:
    """The sessions to continue in a terminal, best first: its own latest, then the latest of any terminal."""
    with suppress(OSError, ValueError, UsageError):
        lines = [line for line in (state_folder() / _TERMINALS_FILE).read_text("utf-8").split("\n") if line]
        own = next((line for line in reversed(lines) if line.startswith(f"{key} ")), "")
        return tuple(line.rpartition(" ")[2] for line in (own, *lines[-1:]) if line)
    return ()


def remember_session_of_terminal(key: str, session: str) -> None:
    """Remember the latest session of a terminal, for `--continue`; does nothing if it cannot be written."""
    if session and sessions_of_terminals(key)[:2] != (session, session):
        remember_note(_TERMINALS_FILE, key, session)


def recall_choice(name: str) -> str:
    """The choice remembered under a name, or ""."""
    with suppress(OSError, ValueError, UsageError):
        text = (state_folder() / "chosen" / name).read_text("utf-8")
        return text if text.isprintable() and len(text) <= _MAX_CHOICE_LENGTH else ""
    return ""


def remember_choice(name: str, value: str) -> None:
    """Remember a choice for later runs, atomically; does nothing if it cannot be written."""
    with suppress(OSError, ValueError, UsageError):
        write_atomically(state_folder() / "chosen" / name, value, with_folder=True, synced=False)


def has_server_answered() -> bool:
    """Whether a server has ever answered on this machine, as far as remembered."""
    with suppress(OSError, ValueError, UsageError):
        return (state_folder() / _SERVER_ANSWERED_FILE).exists()
    return False


def remember_server_answered() -> None:
    """Remember that a server has answered; does nothing if it cannot be written."""
    with suppress(OSError, ValueError, UsageError):
        path = state_folder() / _SERVER_ANSWERED_FILE
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
