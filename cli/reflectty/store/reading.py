"""Reads sessions and turns; changes nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar

from reflectty.chat import Chunk
from reflectty.families import FAMILIES
from reflectty.reply import Reply
from reflectty.session import Ended
from reflectty.store.naming import meant
from reflectty.store.rows import SESSIONS, TURN, read_attachment, read_kind, read_session, read_turn
from reflectty.store.text import given
from reflectty.store.writers import Writer, is_gone

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from reflectty.session import Attachment, Said, Session, Turn
    from reflectty.stream import Kind

    Pieces = list[tuple[str, str]]

T = TypeVar("T")

GONE = "the program that was writing it is gone"
_TURNS = f"SELECT {', '.join(TURN)} FROM turns WHERE session = ? ORDER BY id"  # noqa: S608 - column names of ours


def sessions(connection: sqlite3.Connection, limit: int, offset: int) -> tuple[Session, ...]:
    """Return sessions, the latest first."""
    rows = connection.execute(f"{SESSIONS} ORDER BY updated DESC, rowid DESC LIMIT ? OFFSET ?", (limit, offset))
    return tuple(map(read_session, rows))


def session(connection: sqlite3.Connection, name: str) -> Session | None:
    row = connection.execute(f"{SESSIONS} WHERE id = ?", (name,)).fetchone()
    return read_session(row) if row else None


def find(connection: sqlite3.Connection, name: str) -> Session:
    """Return the session that a user means.

    Raises:
        UsageError: none is meant, or several are.
    """
    rows = connection.execute("SELECT id, title FROM sessions ORDER BY updated DESC, rowid DESC")
    wanted = meant(name, tuple((given(found), given(title)) for found, title in rows))
    return read_session(connection.execute(f"{SESSIONS} WHERE id = ?", (wanted,)).fetchone())


def questions(connection: sqlite3.Connection, limit: int) -> tuple[str, ...]:
    """Return what was asked, the latest first, each once."""
    known: dict[str, None] = {}
    for (text,) in connection.execute("SELECT text FROM turns WHERE ended IS NULL ORDER BY id DESC"):
        if len(known) >= limit:
            break
        known.setdefault(given(text))
    return tuple(known)


def turns(connection: sqlite3.Connection, name: str, now: float) -> tuple[Turn, ...]:
    """Return a session's turns; a reply whose writer is gone is interrupted, with the text that was kept of it."""
    with_attachments = _attachments(connection, name)
    with_segments = _segments(connection, name)
    writing = dict(_writing(connection, name))
    rows = connection.execute(_TURNS, (name,)).fetchall()
    read = (read_turn(row, tuple(with_attachments[row[0]]), tuple(with_segments[row[0]])) for row in rows)
    return tuple(
        _so_far(turn, pieces(connection, turn.id), writing.get(turn.id), now) if is_streaming(turn) else turn
        for turn in read
    )


def is_streaming(turn: Turn) -> bool:
    return turn.said is not None and turn.said.ended is Ended.STREAMING


def pieces(connection: sqlite3.Connection, turn: int) -> Pieces:
    rows = connection.execute("SELECT raw, raw_thinking FROM pieces WHERE turn = ? ORDER BY id", (turn,))
    return [(given(raw), given(thinking)) for raw, thinking in rows]


def left_behind(connection: sqlite3.Connection, now: float) -> tuple[tuple[int, str], ...]:
    """Return the replies that nobody writes any more and nobody ended: the turn and its session."""
    rows = connection.execute(
        """SELECT turn, session, pid, boot, started, CAST(beat AS REAL)
        FROM writers JOIN turns ON turns.id = writers.turn"""
    )
    return tuple((turn, name) for turn, name, *writer, beat in rows if is_gone(Writer(*writer), beat, now))


def _attachments(connection: sqlite3.Connection, name: str) -> defaultdict[int, list[Attachment]]:
    rows = connection.execute(
        """SELECT turn, name, kind, content FROM attachments JOIN turns ON turns.id = attachments.turn
        WHERE session = ? ORDER BY attachments.id""",
        (name,),
    )
    return _by_turn((turn, read_attachment(*attachment)) for turn, *attachment in rows)


def _segments(connection: sqlite3.Connection, name: str) -> defaultdict[int, list[tuple[Kind, str]]]:
    rows = connection.execute(
        """SELECT turn, part, text FROM passages
        WHERE session = ? AND turn IS NOT NULL AND part != 'question' ORDER BY turn, position""",
        (name,),
    )
    return _by_turn((turn, (read_kind(part), given(text))) for turn, part, text in rows)


def _by_turn(pairs: Iterable[tuple[int, T]]) -> defaultdict[int, list[T]]:
    grouped: defaultdict[int, list[T]] = defaultdict(list)
    for turn, item in pairs:
        grouped[turn].append(item)
    return grouped


def _writing(connection: sqlite3.Connection, name: str) -> Iterator[tuple[int, tuple[Writer, float]]]:
    rows = connection.execute(
        """SELECT turn, pid, boot, started, CAST(beat AS REAL) FROM writers JOIN turns ON turns.id = writers.turn
        WHERE session = ?""",
        (name,),
    )
    for turn, *writer, beat in rows:
        yield turn, (Writer(*writer), beat)


def _so_far(turn: Turn, written: Pieces, writing: tuple[Writer, float] | None, now: float) -> Turn:
    if turn.said is None:
        return turn
    said = parsed(turn.said, written)
    if writing is None or is_gone(*writing, now):
        said = said._replace(ended=Ended.INTERRUPTED, error=GONE)
    return turn._replace(said=said)


def parsed(said: Said, written: Pieces) -> Said:
    """Return a reply with what its pieces amount to."""
    reply = Reply(said.model, FAMILIES.get(said.family, FAMILIES["any"]), prefilled=said.prefilled)
    for raw, thinking in written:
        reply.feed(Chunk(thinking=thinking))
        reply.feed(Chunk(content=raw))
    reply.close()
    return said._replace(
        segments=reply.segments,
        answer=reply.answer,
        raw="".join(raw for raw, _ in written),
        raw_thinking="".join(thinking for _, thinking in written),
        measured=said.measured._replace(corrections=reply.corrections),
    )
