"""Reads sessions and turns, and resolves the session that a user names."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar

from reflectty.core.errors import NoSessionError, UsageError
from reflectty.core.messages import Chunk
from reflectty.core.session import ReplyStatus
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from reflectty.store.encoding import decode_text
from reflectty.store.liveness import Writer, is_gone
from reflectty.store.rows import SELECT_SESSIONS, TURN_COLUMNS, read_attachment, read_kind, read_session, read_turn

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from reflectty.core.segments import Kind
    from reflectty.core.session import Attachment, Session, StoredReply, Turn

    SessionName = tuple[str, str]

    Pieces = list[tuple[str, str]]


_MAX_SUGGESTIONS = 3


def resolve_session(name: str, sessions: tuple[SessionName, ...]) -> str:
    """Resolve a name to a session id: by id, by the beginning of one, by title, or by a part of a title.

    Args:
        name: the name as typed.
        sessions: ids and titles, latest first.

    Raises:
        NoSessionError: no session matches.
        UsageError: several do, or the name is empty.
    """
    wanted = name.strip().casefold()
    if not wanted:
        raise UsageError("no session name given", _list_hint(sessions, "the latest are"))
    ways = (
        [session for session in sessions if session[0] == wanted],
        [session for session in sessions if session[0].startswith(wanted)],
        [session for session in sessions if session[1].casefold() == wanted],
        [session for session in sessions if wanted in session[1].casefold()],
    )
    only = next((found for found in ways if len(found) == 1), None)
    if only:
        return only[0][0]
    several = next((found for found in ways if found), None)
    if several:
        raise UsageError(f"{name!r} matches {len(several)} sessions", _list_hint(several, "for example"))
    raise NoSessionError(f"there is no session {name!r}", _near_hint(wanted, sessions))


def _near_hint(wanted: str, sessions: tuple[SessionName, ...]) -> str:
    from difflib import get_close_matches

    titles = {title.casefold(): (name, title) for name, title in reversed(sessions)}
    ids = {name: (name, title) for name, title in sessions}
    near = [ids[name] for name in get_close_matches(wanted, ids, _MAX_SUGGESTIONS)]
    near += [titles[title] for title in get_close_matches(wanted, titles, _MAX_SUGGESTIONS, cutoff=0.5)]
    return _list_hint(dict.fromkeys(near), "similar:") if near else _list_hint(sessions, "the latest are")


def _list_hint(sessions: Iterable[SessionName], introduction: str) -> str:
    shown = [f"{name} ({title})" if title else name for name, title in sessions][:_MAX_SUGGESTIONS]
    return f"{introduction} {', '.join(shown)}" if shown else "there are none yet"


T = TypeVar("T")

WRITER_GONE = "the program that was writing it has ended"
_SELECT_TURNS = f"SELECT {', '.join(TURN_COLUMNS)} FROM turns WHERE session = ? ORDER BY id"  # noqa: S608 - our own column names


def sessions(connection: sqlite3.Connection, limit: int, offset: int) -> tuple[Session, ...]:
    """The sessions, latest first."""
    rows = connection.execute(f"{SELECT_SESSIONS} ORDER BY updated DESC, rowid DESC LIMIT ? OFFSET ?", (limit, offset))
    return tuple(map(read_session, rows))


def session(connection: sqlite3.Connection, name: str) -> Session | None:
    row = connection.execute(f"{SELECT_SESSIONS} WHERE id = ?", (name,)).fetchone()
    return read_session(row) if row else None


def find(connection: sqlite3.Connection, name: str) -> Session:
    """Find the session that a name resolves to.

    Raises:
        UsageError: no session matches, or several do.
    """
    rows = connection.execute("SELECT id, title FROM sessions ORDER BY updated DESC, rowid DESC")
    wanted = resolve_session(name, tuple((decode_text(found), decode_text(title)) for found, title in rows))
    return read_session(connection.execute(f"{SELECT_SESSIONS} WHERE id = ?", (wanted,)).fetchone())


def questions(connection: sqlite3.Connection, limit: int) -> tuple[str, ...]:
    """The questions without duplicates, latest first."""
    known: dict[str, None] = {}
    for (text,) in connection.execute("SELECT text FROM turns WHERE ended IS NULL ORDER BY id DESC"):
        if len(known) >= limit:
            break
        known.setdefault(decode_text(text))
    return tuple(known)


def turns(connection: sqlite3.Connection, name: str, now: float) -> tuple[Turn, ...]:
    """The turns of a session; a reply whose writer is gone is INTERRUPTED, with the text written so far."""
    with_attachments = _load_attachments(connection, name)
    with_segments = _load_segments(connection, name)
    writing = dict(_load_writers(connection, name))
    rows = connection.execute(_SELECT_TURNS, (name,)).fetchall()
    read = (read_turn(row, tuple(with_attachments[row[0]]), tuple(with_segments[row[0]])) for row in rows)
    return tuple(
        _with_written_text(turn, load_pieces(connection, turn.id), writing.get(turn.id), now)
        if is_streaming(turn)
        else turn
        for turn in read
    )


def is_streaming(turn: Turn) -> bool:
    return turn.said is not None and turn.said.ended is ReplyStatus.STREAMING


def load_pieces(connection: sqlite3.Connection, turn: int) -> Pieces:
    rows = connection.execute("SELECT raw, raw_thinking FROM pieces WHERE turn = ? ORDER BY id", (turn,))
    return [(decode_text(raw), decode_text(thinking)) for raw, thinking in rows]


def abandoned_replies(connection: sqlite3.Connection, now: float) -> tuple[tuple[int, str], ...]:
    """Streaming replies whose writers are gone, as pairs of turn and session."""
    rows = connection.execute(
        """SELECT turn, session, pid, boot, started, CAST(beat AS REAL)
        FROM writers JOIN turns ON turns.id = writers.turn"""
    )
    return tuple((turn, name) for turn, name, *writer, beat in rows if is_gone(Writer(*writer), beat, now))


def _load_attachments(connection: sqlite3.Connection, name: str) -> defaultdict[int, list[Attachment]]:
    rows = connection.execute(
        """SELECT turn, name, kind, content FROM attachments JOIN turns ON turns.id = attachments.turn
        WHERE session = ? ORDER BY attachments.id""",
        (name,),
    )
    return _group_by_turn((turn, read_attachment(*attachment)) for turn, *attachment in rows)


def _load_segments(connection: sqlite3.Connection, name: str) -> defaultdict[int, list[tuple[Kind, str]]]:
    rows = connection.execute(
        """SELECT turn, part, text FROM passages
        WHERE session = ? AND turn IS NOT NULL AND part != 'question' ORDER BY turn, position""",
        (name,),
    )
    return _group_by_turn((turn, (read_kind(part), decode_text(text))) for turn, part, text in rows)


def _group_by_turn(pairs: Iterable[tuple[int, T]]) -> defaultdict[int, list[T]]:
    grouped: defaultdict[int, list[T]] = defaultdict(list)
    for turn, item in pairs:
        grouped[turn].append(item)
    return grouped


def _load_writers(connection: sqlite3.Connection, name: str) -> Iterator[tuple[int, tuple[Writer, float]]]:
    rows = connection.execute(
        """SELECT turn, pid, boot, started, CAST(beat AS REAL) FROM writers JOIN turns ON turns.id = writers.turn
        WHERE session = ?""",
        (name,),
    )
    for turn, *writer, beat in rows:
        yield turn, (Writer(*writer), beat)


def _with_written_text(turn: Turn, written: Pieces, writing: tuple[Writer, float] | None, now: float) -> Turn:
    if turn.said is None:
        return turn
    said = parse_pieces(turn.said, written)
    if writing is None or is_gone(*writing, now):
        said = said._replace(ended=ReplyStatus.INTERRUPTED, error=WRITER_GONE)
    return turn._replace(said=said)


def parse_pieces(said: StoredReply, written: Pieces) -> StoredReply:
    """Parse the pieces of a streaming reply into its segments, answer and raw text."""
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
