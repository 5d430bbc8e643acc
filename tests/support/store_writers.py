"""Programs that use one store at the same time, or are killed in the middle; each line they print is stored by then.

`store_writers.py turns PATH COUNT`, `store_writers.py stream PATH`, `store_writers.py limited PATH`, `store_writers.py migrate PATH`
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.core.errors import StoreError
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyStatus, StoredReply
from reflectty.store import database, open_store
from reflectty.store import open as opening
from reflectty.store.open import StoreEnvironment
from reflectty.store.schema import MIGRATIONS

if TYPE_CHECKING:
    import sqlite3

    from reflectty.store import Store

PIECE = 400
WARNED = "warned"
PATIENCE = 600.0


PAUSE = 0.002
"""Seconds between two steps, so that every writer has its turn."""


def say(*words: object) -> None:
    """Print a line in one write, so that a kill cannot leave half a line that passes for another."""
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


def opened(path: Path) -> Store:
    return open_store(path, lambda text: say(WARNED, text))


def piece(turn: int, number: int) -> str:
    """The text of piece `number` of reply `turn`; all differ."""
    return f"<{turn}.{number}>".ljust(PIECE, ".")


def complete(text: str) -> StoredReply:
    return StoredReply(
        "mini", family="reflection", segments=((Kind.ANSWER, text),), answer=text, raw=text, ended=ReplyStatus.COMPLETE
    )


def turns(path: Path, count: int) -> None:
    """Ask and answer in a session of its own until there are `count` turns."""
    store = opened(path)
    session = store.create_session(f"writer {os.getpid()}").id
    leaf = None
    for number in range(count // 2):
        question = store.add_question(session, leaf, f"question {number}")
        leaf = store.add_reply(session, question.id, StoredReply("mini", family="reflection")).id
        store.finish(leaf, complete(f"answer {number}"))
    store.close()
    say("done", session)


def stream(path: Path) -> None:
    """Stream replies until it is killed."""
    store = opened(path)
    session = store.create_session("killed").id
    leaf = None
    while True:
        question = store.add_question(session, leaf, "and then?")
        say("asked", session, question.id)
        leaf = store.add_reply(session, question.id, StoredReply("mini", family="reflection")).id
        said = ""
        for number in range(5):
            store.checkpoint(leaf, piece(leaf, number), "")
            said += piece(leaf, number)
            say("kept", leaf, number + 1)
            time.sleep(PAUSE)
        store.finish(leaf, complete(said))
        say("finished", leaf)


def limited(path: Path) -> None:
    """Ask until the system stops the files from growing, then continue in memory."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = opened(path)
    session = store.create_session("limited").id
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
    try:
        for number in range(10_000):
            store.add_question(session, None, f"question {number}")
            say(f"question {number}")
    except StoreError as error:
        say("failed", error)
    refuge = store.fall_back_to_memory(session)
    refuge.add_question(session, refuge.turns(session)[-1].id, "one more")
    say("went on")


def second_version(connection: sqlite3.Connection) -> None:
    """Change every turn, slowly, in a rebuilt table, as a future version might."""
    connection.execute("ALTER TABLE turns ADD COLUMN mood TEXT NOT NULL DEFAULT ''")
    for (turn,) in connection.execute("SELECT id FROM turns").fetchall():
        connection.execute("UPDATE turns SET mood = 'calm' WHERE id = ?", (turn,))
        time.sleep(PAUSE)
    connection.execute("CREATE TABLE moods (name TEXT)")


def endless_version(connection: sqlite3.Connection) -> None:
    """Change every turn, and wait in the same transaction to be killed."""
    second_version(connection)
    time.sleep(PATIENCE)


def migrate(path: Path) -> None:
    say("starting")
    open_store(
        path, lambda text: say(WARNED, text), StoreEnvironment(migrations=(*MIGRATIONS, endless_version))
    ).close()
    say("done")


if __name__ == "__main__":
    # On a busy machine a program may wait longer for so many others than any user would.
    opening.BUSY_SECONDS = opening.OPENING_SECONDS = database.SWITCH_SECONDS = PATIENCE
    mode, file, *rest = sys.argv[1:]
    if mode == "turns":
        turns(Path(file), int(rest[0]))
    elif mode == "stream":
        stream(Path(file))
    elif mode == "limited":
        limited(Path(file))
    else:
        migrate(Path(file))
