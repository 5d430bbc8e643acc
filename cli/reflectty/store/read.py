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
    query = name.strip().casefold()
    if not query:
        raise UsageError("no session name given", _list_hint(sessions, "the latest are"))
    groups = (
        [session for session in sessions if session[0] == query],
        [session for session in sessions if session[0].startswith(query)],
        [session for session in sessions if session[1].casefold() == query],
        [session for session in sessions if query in session[1].casefold()],
    )
    unambiguous = next((matches for matches in groups if len(matches) == 1), None)
    if unambiguous:
        return unambiguous[0][0]
    several = next((matches for matches in groups if matches), None)
    if several:
        raise UsageError(f"{name!r} matches {len(several)} sessions", _list_hint(several, "for example"))
    raise NoSessionError(f"there is no session {name!r}", _near_hint(query, sessions))


def _near_hint(query: str, sessions: tuple[SessionName, ...]) -> str:
    from difflib import get_close_matches

    titles = {title.casefold(): (name, title) for name, title in reversed(sessions)}
    ids = {name: (name, title) for name, title in sessions}
    near = [ids[name] for name in get_close_matches(query, ids, _MAX_SUGGESTIONS)]
    near += [titles[title] for title in get_close_matches(query, titles, _MAX_SUGGESTIONS, cutoff=0.5)]
    return _list_hint(dict.fromkeys(near), "similar:") if near else _list_hint(sessions, "the latest are")


def _list_hint(sessions: Iterable[SessionName], introduction: str) -> str:
    listed = [f"{name} ({title})" if title else name for name, title in sessions][:_MAX_SUGGESTIONS]
    return f"{introduction} {', '.join(listed)}" if listed else "there are none yet"


T = TypeVar("T")

WRITER_GONE = "the program that was writing it has ended"
_SELECT_TURNS = f"SELECT {', '.join(TURN_COLUMNS)} FROM turns WHERE session = ? ORDER BY id"  # noqa: S608 - our own column names
_SELECT_REPLIES = f"""SELECT {", ".join(TURN_COLUMNS)} FROM turns
    WHERE id > ? AND ended NOT IN ('streaming', 'failed') AND origin != 'probed' ORDER BY id LIMIT ?"""  # noqa: S608
_SELECT_SEGMENTS_OF_TURNS = """SELECT turn, part, passages.text
    FROM turns JOIN passages ON passages.session = turns.session AND passages.turn = turns.id
    WHERE turns.id BETWEEN ? AND ? AND ended IS NOT NULL ORDER BY turn, position"""


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
    session_id = resolve_session(name, tuple((decode_text(row_id), decode_text(title)) for row_id, title in rows))
    return read_session(connection.execute(f"{SELECT_SESSIONS} WHERE id = ?", (session_id,)).fetchone())


def questions(connection: sqlite3.Connection, limit: int) -> tuple[str, ...]:
    """The questions without duplicates, latest first."""
    unique: dict[str, None] = {}
    for (text,) in connection.execute("SELECT text FROM turns WHERE ended IS NULL ORDER BY id DESC"):
        if len(unique) >= limit:
            break
        unique.setdefault(decode_text(text))
    return tuple(unique)


def turns(connection: sqlite3.Connection, name: str, now: float) -> tuple[Turn, ...]:
    """The turns of a session; a reply whose writer has ended is INTERRUPTED, with the text written so far."""
    with_attachments = _load_attachments(connection, name)
    with_segments = _load_segments(connection, name)
    writing = dict(_load_writers(connection, name))
    rows = connection.execute(_SELECT_TURNS, (name,)).fetchall()
    read = (read_turn(row, tuple(with_attachments[row[0]]), tuple(with_segments[row[0]])) for row in rows)
    return tuple(
        _with_written_text(turn, load_pieces(connection, turn.id), writing.get(turn.id), now)
        if turn.is_streaming
        else turn
        for turn in read
    )


def ended_replies(connection: sqlite3.Connection, after: int, limit: int) -> tuple[Turn, ...]:
    """Replies of all sessions that have ended, by their ids above `after`, without those of probes."""
    rows = connection.execute(_SELECT_REPLIES, (after, limit)).fetchall()
    if not rows:
        return ()
    found = connection.execute(_SELECT_SEGMENTS_OF_TURNS, (rows[0][0], rows[-1][0]))
    segments = _group_by_turn((turn, (read_kind(part), decode_text(text))) for turn, part, text in found)
    return tuple(read_turn(row, (), tuple(segments[row[0]])) for row in rows)


def load_pieces(connection: sqlite3.Connection, turn: int) -> Pieces:
    rows = connection.execute("SELECT raw, raw_thinking FROM pieces WHERE turn = ? ORDER BY id", (turn,))
    return [(decode_text(raw), decode_text(thinking)) for raw, thinking in rows]


def abandoned_replies(connection: sqlite3.Connection, now: float) -> tuple[tuple[int, str], ...]:
    """Streaming replies whose writers have ended, as pairs of turn and session."""
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
    reply = parse_pieces(turn.said, written)
    if writing is None or is_gone(*writing, now):
        reply = reply._replace(ended=ReplyStatus.INTERRUPTED, error=WRITER_GONE)
    return turn._replace(said=reply)


def parse_pieces(reply: StoredReply, written: Pieces) -> StoredReply:
    """Parse the pieces of a streaming reply into its segments, answer and raw text."""
    parsed = Reply(reply.model, FAMILIES.get(reply.family, FAMILIES["any"]), prefilled=reply.prefilled)
    for raw, thinking in written:
        parsed.feed(Chunk(thinking=thinking))
        parsed.feed(Chunk(content=raw))
    parsed.close()
    return reply._replace(
        segments=parsed.segments,
        answer=parsed.answer,
        raw="".join(raw for raw, _ in written),
        raw_thinking="".join(thinking for _, thinking in written),
        measured=reply.measured._replace(corrections=parsed.corrections),
    )
