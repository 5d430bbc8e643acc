"""Writes sessions and turns; every function runs inside a transaction of the caller."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reflectty.core.errors import StoreError
from reflectty.core.session import NO_SETTINGS, ReplyStatus, Session, Turn, branch_to
from reflectty.store import read
from reflectty.store.encoding import TITLE_LENGTH, encode_text, is_dense, normalize_title, to_json
from reflectty.store.liveness import current_writer
from reflectty.store.rows import REPLY_COLUMNS, reply_values_of, settings_json_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from reflectty.core.segments import Kind
    from reflectty.core.session import SessionSettings, StoredReply

_OPTIMIZE_INDEX = "INSERT INTO found (found) VALUES ('optimize')"
"""FTS5 only marks rows as deleted until it merges its segments."""
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_ID_LENGTH = 6
_FORK_SUFFIX = " (fork)"
_REMOVED_HINT = "it may have been removed in another window"
_INSERT_REPLY = f"""INSERT INTO turns (id, session, parent, created, label, {", ".join(REPLY_COLUMNS)})
    VALUES (?, ?, ?, ?, ?, {", ".join("?" * len(REPLY_COLUMNS))})"""  # noqa: S608 - our own column names
_UPDATE_REPLY = f"UPDATE turns SET {', '.join(f'{name} = ?' for name in REPLY_COLUMNS)} WHERE id = ?"  # noqa: S608 - the same


def create_session(
    connection: sqlite3.Connection, title: str, now: float, settings: SessionSettings = NO_SETTINGS
) -> Session:
    title = normalize_title(title)
    while True:
        session = Session(_new_id(), title, now, now, settings=settings)
        if _insert_session(connection, session):
            return session


def _insert_session(connection: sqlite3.Connection, session: Session) -> bool:
    """Add a session; False if its id exists already."""
    added = connection.execute(
        "INSERT OR IGNORE INTO sessions (id, title, created, updated, model, settings) VALUES (?, ?, ?, ?, ?, ?)",
        (
            *(session.id, encode_text(session.title), session.created, session.updated),
            *(encode_text(session.model), settings_json_of(session.settings)),
        ),
    )
    if added.rowcount:
        _index_title(connection, session.id, encode_text(session.title))
    return bool(added.rowcount)


def _new_id() -> str:
    # All letters are equally likely: bytes from 248 = 8 * 31 on are dropped.
    fair = [byte for byte in os.urandom(_ID_LENGTH * 4) if byte < len(_LETTERS) * 8]
    name = "".join(_LETTERS[byte % len(_LETTERS)] for byte in fair[:_ID_LENGTH])
    return name if len(name) == _ID_LENGTH else _new_id()


def add_turn(connection: sqlite3.Connection, session: str, turn: Turn) -> int:
    """Add a turn, which becomes the leaf, and return its id; an id of 0 is replaced by a new one.

    This process becomes the writer of a streaming reply.
    """
    _check_turn(connection, session, turn.parent)
    number = (
        _insert_question(connection, session, turn)
        if turn.said is None
        else _insert_reply(connection, session, turn, turn.said)
    )
    connection.execute(
        "UPDATE sessions SET leaf = ?, updated = max(updated, ?) WHERE id = ?", (number, turn.created, session)
    )
    return number


def add_exchange(
    connection: sqlite3.Connection, session: str, question: Turn, reply: StoredReply, now: float
) -> tuple[Turn, Turn]:
    """Add a question, unless it has an id, and its finished reply; return both as added."""
    if not question.id:
        question = question._replace(created=now)
        question = question._replace(id=add_turn(connection, session, question))
    answer = Turn(0, question.id, now, said=reply)
    return question, answer._replace(id=add_turn(connection, session, answer))


def _insert_question(connection: sqlite3.Connection, session: str, turn: Turn) -> int:
    added = connection.execute(
        "INSERT INTO turns (id, session, parent, created, label, text, pastes) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(turn.id or None, session, turn.parent, turn.created),
            *(encode_text(turn.label), encode_text(turn.text), to_json(turn.pastes)),
        ),
    )
    number = int(added.lastrowid or 0)
    connection.executemany(
        "INSERT INTO attachments (turn, name, kind, content) VALUES (?, ?, ?, ?)",
        [(number, encode_text(item.name), item.kind, encode_text(item.content)) for item in turn.attachments],
    )
    _index_passages(connection, session, number, [("question", encode_text(turn.text))])
    return number


def _insert_reply(connection: sqlite3.Connection, session: str, turn: Turn, reply: StoredReply) -> int:
    columns = reply_values_of(_row_values_of(reply))
    head = (turn.id or None, session, turn.parent, turn.created, encode_text(turn.label))
    added = connection.execute(_INSERT_REPLY, (*head, *columns))
    number = int(added.lastrowid or 0)
    _write_text(connection, session, number, reply, turn.created)
    connection.execute("UPDATE sessions SET model = ? WHERE id = ?", (encode_text(reply.model), session))
    return number


def checkpoint(connection: sqlite3.Connection, turn: int, raw: str, raw_thinking: str, now: float) -> None:
    """Append to a streaming reply and write a heartbeat."""
    beaten = connection.execute("UPDATE writers SET beat = ? WHERE turn = ?", (now, turn))
    if not beaten.rowcount:
        _revive(connection, turn, now)
    if raw or raw_thinking:
        _append(connection, turn, raw, raw_thinking)


def _revive(connection: sqlite3.Connection, turn: int, now: float) -> None:
    """Set a reply to streaming again that another process took for abandoned while this one was suspended."""
    session = _session_of(connection, turn)
    reply = next(item.said for item in read.turns(connection, session, now) if item.id == turn)
    if reply is None or reply.ended is not ReplyStatus.INTERRUPTED:
        raise StoreError("that reply has ended: nothing can be added to it")
    restart(connection, turn, reply._replace(error=""), now)


def restart(connection: sqlite3.Connection, turn: int, reply: StoredReply, now: float) -> None:
    """Set a reply to streaming again; its text continues after `reply.raw`."""
    _write_reply(connection, turn, reply._replace(ended=ReplyStatus.STREAMING), now)


def finish(connection: sqlite3.Connection, turn: int, reply: StoredReply, now: float) -> None:
    """Store the end of a reply."""
    _write_reply(connection, turn, reply, now)


def finish_abandoned_replies(connection: sqlite3.Connection, now: float) -> None:
    """End the replies whose writers are gone, so that they can be searched."""
    for turn, session in read.abandoned_replies(connection, now):
        reply = next(item.said for item in read.turns(connection, session, now) if item.id == turn)
        if reply is not None:
            _write_reply(connection, turn, reply, now)


def set_leaf(connection: sqlite3.Connection, session: str, leaf: int) -> None:
    """Store the leaf of the branch shown last."""
    _check_turn(connection, session, leaf)
    connection.execute("UPDATE sessions SET leaf = ? WHERE id = ?", (leaf, session))


def set_label(connection: sqlite3.Connection, session: str, turn: int, label: str) -> None:
    _check_turn(connection, session, turn)
    connection.execute("UPDATE turns SET label = ? WHERE id = ?", (encode_text(normalize_title(label)), turn))


def set_settings(connection: sqlite3.Connection, session: str, settings: SessionSettings) -> None:
    """Store how the questions of a session are asked."""
    changed = connection.execute("UPDATE sessions SET settings = ? WHERE id = ?", (settings_json_of(settings), session))
    if not changed.rowcount:
        raise _no_session_error(session)


def remove_turns(connection: sqlite3.Connection, session: str, turn: int, *, has_index: bool) -> None:
    """Remove a turn with everything below it; the leaf moves to what is left of its branch, or to the newest turn.

    Raises:
        StoreError: there is no such turn, or a reply among them is still being written.
    """
    _check_turn(connection, session, turn)
    parents = dict(connection.execute("SELECT id, parent FROM turns WHERE session = ? ORDER BY id", (session,)))
    removed = {turn}
    for number, parent in parents.items():
        # A turn has a higher id than its parent.
        if parent in removed:
            removed.add(number)
    writing = {number for (number,) in connection.execute("SELECT turn FROM writers")}
    if writing & removed:
        raise StoreError("a reply in this branch is still being written", "wait for its end, or stop it")
    numbers = [(number,) for number in removed]
    connection.executemany("DELETE FROM passages WHERE session = ? AND turn = ?", [(session, *one) for one in numbers])
    connection.executemany("DELETE FROM turns WHERE id = ?", numbers)
    leaf = parents[turn] or max((number for number in parents if number not in removed), default=None)
    connection.execute(
        "UPDATE sessions SET leaf = ? WHERE id = ? AND NOT EXISTS (SELECT 1 FROM turns WHERE turns.id = leaf)",
        (leaf, session),
    )
    if has_index:
        connection.execute(_OPTIMIZE_INDEX)


def rename(connection: sqlite3.Connection, session: str, title: str) -> None:
    title = encode_text(normalize_title(title))
    changed = connection.execute("UPDATE sessions SET title = ? WHERE id = ?", (title, session))
    if not changed.rowcount:
        raise _no_session_error(session)
    connection.execute("DELETE FROM passages WHERE session = ? AND turn IS NULL", (session,))
    _index_title(connection, session, title)


def remove(connection: sqlite3.Connection, session: str, *, has_index: bool) -> None:
    """Remove a session with all its turns, also from the index."""
    if not connection.execute("DELETE FROM sessions WHERE id = ?", (session,)).rowcount:
        raise _no_session_error(session)
    if has_index:
        connection.execute(_OPTIMIZE_INDEX)


def fork(connection: sqlite3.Connection, session: str, leaf: int | None, now: float) -> Session:
    """Create a session with the turns of one branch."""
    origin = read.session(connection, session)
    if origin is None:
        raise _no_session_error(session)
    _check_turn(connection, session, leaf)
    path = branch_to(read.turns(connection, session, now), origin.leaf if leaf is None else leaf)
    title = f"{origin.title[: TITLE_LENGTH - len(_FORK_SUFFIX)]}{_FORK_SUFFIX}"
    created = create_session(connection, title, now, origin.settings)
    _copy_turns(connection, created.id, path)
    stored = read.session(connection, created.id)
    return stored or created


def add_session(connection: sqlite3.Connection, session: Session, turns: Iterable[Turn]) -> Session:
    """Add a session of elsewhere with all its turns, parents first; they get new ids."""
    created = create_session(connection, session.title, session.created, session.settings)
    numbers = _copy_turns(connection, created.id, turns)
    connection.execute(
        "UPDATE sessions SET leaf = ?, updated = ?, model = ? WHERE id = ?",
        (numbers.get(session.leaf), session.updated, encode_text(session.model), created.id),
    )
    stored = read.session(connection, created.id)
    return stored or created


def _copy_turns(connection: sqlite3.Connection, session: str, turns: Iterable[Turn]) -> dict[int | None, int]:
    """Add copies of turns, parents first, to a session; return their ids by those of the turns."""
    numbers: dict[int | None, int] = {}
    for turn in turns:
        reply = turn.said
        if reply and reply.ended is ReplyStatus.STREAMING:
            reply = reply._replace(ended=ReplyStatus.INTERRUPTED)
        numbers[turn.id] = add_turn(
            connection, session, turn._replace(id=0, parent=numbers.get(turn.parent), said=reply)
        )
    return numbers


def import_session(connection: sqlite3.Connection, session: Session, turns: Iterable[Turn]) -> None:
    """Copy a session of another store into this one, with the same ids."""
    _insert_session(connection, session)
    known: set[int | None] = set()
    for turn in sorted(turns):
        add_turn(connection, session.id, turn._replace(parent=turn.parent if turn.parent in known else None))
        known.add(turn.id)
    if session.leaf in known:
        connection.execute("UPDATE sessions SET leaf = ? WHERE id = ?", (session.leaf, session.id))


def _row_values_of(reply: StoredReply) -> StoredReply:
    """The reply as stored in the row of its turn: without text while it streams, since `pieces` has that."""
    return reply._replace(raw="", raw_thinking="") if reply.ended is ReplyStatus.STREAMING else reply


def _write_reply(connection: sqlite3.Connection, turn: int, reply: StoredReply, now: float) -> None:
    session = _session_of(connection, turn)
    connection.execute(_UPDATE_REPLY, (*reply_values_of(_row_values_of(reply)), turn))
    connection.execute("DELETE FROM writers WHERE turn = ?", (turn,))
    connection.execute("DELETE FROM pieces WHERE turn = ?", (turn,))
    connection.execute("DELETE FROM passages WHERE session = ? AND turn = ?", (session, turn))
    _write_text(connection, session, turn, reply, now)
    connection.execute(
        "UPDATE sessions SET model = ?, updated = ? WHERE id = ?", (encode_text(reply.model), now, session)
    )


def _write_text(connection: sqlite3.Connection, session: str, turn: int, reply: StoredReply, now: float) -> None:
    if reply.ended is not ReplyStatus.STREAMING:
        _index_passages(connection, session, turn, _passages_of(reply.segments))
        return
    connection.execute(
        "INSERT INTO writers (turn, pid, boot, started, beat) VALUES (?, ?, ?, ?, ?)", (turn, *current_writer(), now)
    )
    if reply.raw or reply.raw_thinking:
        _append(connection, turn, reply.raw, reply.raw_thinking)


def _append(connection: sqlite3.Connection, turn: int, raw: str, raw_thinking: str) -> None:
    connection.execute(
        "INSERT INTO pieces (turn, raw, raw_thinking) VALUES (?, ?, ?)",
        (turn, encode_text(raw), encode_text(raw_thinking)),
    )


def _passages_of(segments: Iterable[tuple[Kind, str]]) -> list[tuple[str, str]]:
    return [(kind.value, encode_text(text)) for kind, text in segments]


def _index_title(connection: sqlite3.Connection, session: str, title: str) -> None:
    """Make a title searchable; its id is negative, and the latest title has the least."""
    connection.execute(
        """INSERT INTO passages (id, session, turn, position, part, dense, text)
        VALUES ((SELECT coalesce(min(id, 0), 0) - 1 FROM (SELECT min(id) AS id FROM passages)),
            ?, NULL, 0, 'title', ?, ?)""",
        (session, is_dense(title), title),
    )


def _index_passages(connection: sqlite3.Connection, session: str, turn: int, passages: list[tuple[str, str]]) -> None:
    connection.executemany(
        "INSERT INTO passages (session, turn, position, part, dense, text) VALUES (?, ?, ?, ?, ?, ?)",
        [(session, turn, position, part, is_dense(text), text) for position, (part, text) in enumerate(passages)],
    )


def _session_of(connection: sqlite3.Connection, turn: int) -> str:
    row = connection.execute("SELECT session FROM turns WHERE id = ?", (turn,)).fetchone()
    if row is None:
        raise StoreError("that turn no longer exists", _REMOVED_HINT)
    return str(row[0])


def _check_turn(connection: sqlite3.Connection, session: str, turn: int | None) -> None:
    if turn is None:
        return
    if not connection.execute("SELECT 1 FROM turns WHERE id = ? AND session = ?", (turn, session)).fetchone():
        raise StoreError(f"session {session} has no turn {turn}", _REMOVED_HINT)


def _no_session_error(session: str) -> StoreError:
    return StoreError(f"there is no session {session}", _REMOVED_HINT)
