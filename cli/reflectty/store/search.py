"""Full-text search over titles, questions and replies, with snippets of the matches."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING
from unicodedata import category, ucd_3_2_0

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind, SecondThoughtKind
from reflectty.core.session import SearchHit
from reflectty.store import schema
from reflectty.store.encoding import decode_text, encode_text, is_dense
from reflectty.store.rows import SELECT_SESSIONS, read_part, read_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reflectty.reasoning.thought_reader import ThoughtMark

    _PassageRow = tuple[int, str, int | None, str, str]

Snippet = tuple[tuple[str, bool], ...]
SNIPPET_REACH = 80
"""Maximum number of characters shown before and after a match."""
_SCAN_REACH = SNIPPET_REACH * 10
"""Characters of a text from which they are taken, since white space is collapsed."""


def make_snippet(pieces: Iterable[tuple[str, bool]]) -> Snippet:
    """Join pieces of text (`True` marks a match) on one line and omit what is far from any match."""
    flat = [(re.sub(r"\s+", " ", text), matched) for text, matched in pieces]
    last = len(flat) - 1
    short = [
        (text if matched else _shorten(text, before=index > 0, behind=index < last), matched)
        for index, (text, matched) in enumerate(flat)
    ]
    return tuple((text, matched) for text, matched in short if text)


def snippet_around(text: str, words: Sequence[str]) -> Snippet:
    """The snippet around the first match of any of the words, ignoring case."""
    pattern = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))), re.IGNORECASE)
    pieces: list[tuple[str, bool]] = []
    end, stop = 0, len(text)
    for match in pattern.finditer(text):
        if match.start() > stop:
            break
        stop = stop if pieces else match.end() + SNIPPET_REACH
        pieces += (text[max(end, match.start() - _SCAN_REACH) : match.start()], False), (match[0], True)
        end = match.end()
    return make_snippet([*pieces, (text[end : end + _SCAN_REACH], False)])


def _shorten(text: str, *, before: bool, behind: bool) -> str:
    """Cut a text to what is near the matches before and behind it, at word boundaries where possible."""
    if len(text) <= SNIPPET_REACH * (before + behind or 1):
        return text
    head = re.sub(r"(?<=\s)\S{1,20}$", "", text[:SNIPPET_REACH]) if before or not behind else ""
    tail = re.sub(r"^\S{1,20}(?=\s)", "", text[-SNIPPET_REACH:]) if behind else ""
    return f"{head}…{tail}"


_MAX_TERMS = 32
_MAX_QUERY_LENGTH = 1_000
"""Maximum length of a query in characters; SQLite's own limits are far higher."""
_SNIPPET_WORDS = 12
"""Approximate number of words of a snippet."""
_TERM_PATTERN = re.compile(r'"([^"]*)("?)|([^\s"]+)')
_WORD_CLASSES = frozenset(("Lu", "Ll", "Lt", "Lm", "Nd", "Nl", "No", "Co"))
HITS_OF_SESSION = 3
"""Hits of one session that precede all others: a long one would fill the list alone."""
_CROWDED_FACTORS = (10, 80)
"""How many times the limit is read where one session has most of the first matches."""
_SELECT_PASSAGES = "SELECT id, session, turn, part, text FROM passages WHERE"
_TITLES = "rowid < 0 ORDER BY rowid LIMIT ?"
_OTHERS = "rowid > 0 ORDER BY rowid DESC LIMIT ?"
"""The latest first: the ids of titles fall, those of other passages rise."""


class Term(NamedTuple):
    """A word or phrase that every match must contain."""

    text: str
    is_prefix: bool = False
    """True if it also matches longer words that begin with it."""

    @property
    def is_words(self) -> bool:
        """True if the index can find it: it has letters or digits, and none of a script without spaces."""
        return not is_dense(self.text) and any(category(char) in _WORD_CLASSES for char in self.text)

    @property
    def is_old(self) -> bool:
        """True if the index knows all its letters: SQLite's Unicode is 6.1, older than Python's."""
        return self.text.isascii() or all(ucd_3_2_0.category(char) != "Cn" for char in self.text)

    @property
    def fts_query(self) -> str:
        """The term as an FTS5 query, quoted so that nothing in it is an operator."""
        return '"' + self.text.replace('"', '""') + '"' + "*" * self.is_prefix


class _SearchRow(NamedTuple):
    session: str
    turn: int | None
    part: str
    snippet: Snippet


def search_passages(
    connection: sqlite3.Connection, words: str, limit: int, *, has_index: bool
) -> tuple[SearchHit, ...]:
    """The passages that contain all words: titles first, then words in sequence, then the latest.

    If there are more than the limit, a few of each session precede the rest.
    """
    terms = parse_terms(words)
    if not terms:
        return ()
    by_words = has_index and all(term.is_words for term in terms)
    rows = _search_index(connection, terms, limit) if by_words else []
    if not rows and not (by_words and all(term.is_old for term in terms)):
        rows = _search_literally(connection, terms, limit)
    return _join_sessions(connection, rows)


def _spread_ids(connection: sqlite3.Connection, find_ids: Callable[[int], list[int]], limit: int) -> list[int]:
    """The ids of the passages to show: the first matches, but a few of each session before the rest of any.

    Args:
        connection: the database.
        find_ids: the ids of the first matches, at most so many.
        limit: the number of ids.
    """
    for factor in (1, *_CROWDED_FACTORS):
        ids = find_ids(limit * factor)
        sessions = [_session_of(connection, row_id) for row_id in ids]
        firsts = _first_positions(sessions)
        if len(firsts) >= limit or len(ids) < limit * factor:
            break
    rest = (at for at in range(len(ids)) if at not in firsts)
    return [ids[at] for at in sorted(islice(chain(firsts, rest), limit))]


def _session_of(connection: sqlite3.Connection, passage: int) -> str:
    found = connection.execute("SELECT session FROM passages WHERE id = ?", (passage,)).fetchone()
    return found[0] if found else ""


def _first_positions(sessions: Iterable[str]) -> dict[int, None]:
    """The positions of the first few of each session."""
    counts: Counter[str] = Counter()
    firsts: dict[int, None] = {}
    for at, session in enumerate(sessions):
        counts[session] += 1
        if counts[session] <= HITS_OF_SESSION:
            firsts[at] = None
    return firsts


def search_second_thoughts(
    connection: sqlite3.Connection, kind: SecondThoughtKind, words: str, limit: int
) -> tuple[SearchHit, ...]:
    """The sentences with which a kind of second thought begins, latest first; each contains all words.

    Nothing is stored for it: the thinking of one reply after the other is read, about a megabyte a second. Tagged
    corrections come with the kind correction.
    """
    terms = parse_terms(words)
    like, patterns = _like_clause(terms)
    turns = connection.execute(
        f"""SELECT DISTINCT session, turn FROM passages WHERE part IN ('thinking', 'reflection') AND turn IS NOT NULL
        {f"AND {like}" if terms else ""} ORDER BY turn DESC""",  # noqa: S608 - the words are parameters
        patterns,
    )
    found: list[_SearchRow] = []
    counts: Counter[str] = Counter()
    for session, turn in _spread_turns(turns, counts):
        rows = [
            _SearchRow(session, turn, part, _snippet_or_text(text, terms))
            for part, text in _sentences_of(connection, session, turn, kind)
            if _has_all(text, terms)
        ]
        found += rows
        counts[session] += len(rows)
        if len(found) >= limit:
            break
    return _join_sessions(connection, sorted(found[:limit], key=lambda row: -(row.turn or 0)))


def _spread_turns(turns: Iterable[tuple[str, int]], counts: Counter[str]) -> Iterator[tuple[str, int]]:
    """The turns in order, but those of a session that has a few hits by now come after all others."""
    rest: list[tuple[str, int]] = []
    for session, turn in turns:
        if counts[session] < HITS_OF_SESSION:
            yield session, turn
        else:
            rest.append((session, turn))
    yield from rest


def _sentences_of(
    connection: sqlite3.Connection, session: str, turn: int, kind: SecondThoughtKind
) -> Iterator[tuple[str, str]]:
    """Yield the part and the text of each second thought of a kind in a reply."""
    from reflectty.reasoning.thought_reader import marks_in, sentence_at

    stored = connection.execute(
        "SELECT part, text FROM passages WHERE session = ? AND turn = ? ORDER BY position", (session, turn)
    )
    segments = [(Kind(part), decode_text(text)) for part, text in stored if part in set(Kind)]
    marks: dict[int, list[ThoughtMark]] = {}
    for mark in marks_in(segments):
        marks.setdefault(mark.block, []).append(mark)
    for number, (part, text) in enumerate(segments):
        if part is Kind.REFLECTION and kind is SecondThoughtKind.CORRECTION:
            yield "reflection", text
        yield from ((str(kind), sentence_at(segments, mark)) for mark in marks.get(number, ()) if mark.kind is kind)


def _has_all(text: str, terms: tuple[Term, ...]) -> bool:
    lower = text.casefold()
    return all(term.text.casefold() in lower for term in terms)


def _snippet_or_text(text: str, terms: tuple[Term, ...]) -> Snippet:
    return snippet_around(text, [term.text for term in terms]) if terms else make_snippet([(text, False)])


def parse_terms(words: str) -> tuple[Term, ...]:
    """Parse a query into terms; a word at the end of the input is a prefix, and so is an unclosed quote."""
    words = re.sub("[\0\x1a\ud800-\udfff]", " ", words[:_MAX_QUERY_LENGTH])
    texts = [((match[1] or match[3] or "").strip(), match[2] != '"') for match in _TERM_PATTERN.finditer(words)]
    terms = [(text, unclosed) for text, unclosed in texts if text][:_MAX_TERMS]
    return tuple(Term(text, unclosed and number == len(terms)) for number, (text, unclosed) in enumerate(terms, 1))


def _search_index(connection: sqlite3.Connection, terms: tuple[Term, ...], limit: int) -> list[_SearchRow]:
    all_terms = " ".join(term.fts_query for term in terms)
    ids = _spread_ids(connection, lambda most: _matching_ids(connection, terms, all_terms, most), limit)
    rows = _load_passages(connection, ids)
    passages = _load_snippets(all_terms, [(row_id, text) for row_id, *_, text in rows])
    return [
        _SearchRow(session, turn, part, passages.get(row_id) or _snippet_of(text, terms))
        for row_id, session, turn, part, text in rows
    ]


def _matching_ids(connection: sqlite3.Connection, terms: tuple[Term, ...], all_terms: str, limit: int) -> list[int]:
    """The ids of the first passages that match, in the order of the results.

    Each query reads the index in the order of ids and stops at the limit: one that sorts its matches would take as long
    as there are passages with the word.
    """
    in_a_row = Term(" ".join(term.text for term in terms), terms[-1].is_prefix).fts_query
    like, patterns = _like_clause(terms)
    ids: dict[int, None] = {}
    for direction, in_order in ((1, _TITLES), (-1, _OTHERS)):
        by_index = f"SELECT rowid FROM found WHERE found MATCH ? AND {in_order}"  # noqa: S608 - our own clause
        indexed = _ids_of(connection, by_index, all_terms, limit)
        if indexed and len(terms) > 1:
            ids |= _ids_of(connection, by_index, in_a_row, limit)
        if len(ids) < limit:
            # In text without spaces, the words are parts of what the index treats as words.
            dense = f"SELECT rowid FROM passages WHERE dense AND {like} AND {in_order}"  # noqa: S608 - user input is passed as parameters
            rest = indexed | _ids_of(connection, dense, *patterns, limit)
            ids |= dict.fromkeys(sorted(rest, key=direction.__mul__))
    return list(ids)[:limit]


def _ids_of(connection: sqlite3.Connection, query: str, *parameters: object) -> dict[int, None]:
    return dict.fromkeys(row_id for (row_id,) in connection.execute(query, parameters))


def _load_passages(connection: sqlite3.Connection, ids: list[int]) -> list[_PassageRow]:
    rows = (connection.execute(f"{_SELECT_PASSAGES} id = ?", (row_id,)).fetchone() for row_id in ids)
    return [row for row in rows if row]


def _load_snippets(query: str, texts: list[tuple[int, str]]) -> dict[int, Snippet]:
    """The snippets of the texts that match the query, by row id."""
    # A random marker cannot occur in stored text.
    mark = os.urandom(8).hex()
    # An index of these texts alone: the main index would expand the prefix of the last word for every snippet.
    with contextlib.closing(sqlite3.connect(":memory:")) as small:
        small.execute(f"CREATE VIRTUAL TABLE shown USING fts5 (text, {schema.TOKENIZER})")
        small.executemany("INSERT INTO shown (rowid, text) VALUES (?, ?)", texts)
        snippets = small.execute(
            "SELECT rowid, snippet(shown, 0, ?, ?, '…', ?) FROM shown WHERE shown MATCH ?",
            (mark, mark, _SNIPPET_WORDS, query),
        )
        return {row_id: _snippet_from(text.split(mark)) for row_id, text in snippets}


def _snippet_from(split: list[str]) -> Snippet:
    return make_snippet((decode_text(piece), bool(number % 2)) for number, piece in enumerate(split))


def _search_literally(connection: sqlite3.Connection, terms: tuple[Term, ...], limit: int) -> list[_SearchRow]:
    rows = _load_passages(
        connection, _spread_ids(connection, lambda most: _literal_ids(connection, terms, most), limit)
    )
    return [_SearchRow(session, turn, part, _snippet_of(text, terms)) for _, session, turn, part, text in rows]


def _literal_ids(connection: sqlite3.Connection, terms: tuple[Term, ...], limit: int) -> list[int]:
    """The ids of the first passages that contain all terms as they are, in the order of the results."""
    like, patterns = _like_clause(terms)
    dense = "dense AND" * any(is_dense(term.text) for term in terms)
    ids: dict[int, None] = {}
    for in_order in (_TITLES, _OTHERS):
        query = f"SELECT id FROM passages WHERE {dense} {like} AND {in_order}"  # noqa: S608 - user input is passed as parameters
        ids |= _ids_of(connection, query, *patterns, limit - len(ids))
    return list(ids)


def _like_clause(terms: tuple[Term, ...]) -> tuple[str, list[str]]:
    return " AND ".join([r"text LIKE ? ESCAPE '\'"] * len(terms)), [f"%{_escape_like(term.text)}%" for term in terms]


def _snippet_of(text: object, terms: tuple[Term, ...]) -> Snippet:
    return snippet_around(decode_text(text), [term.text for term in terms])


def _escape_like(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", encode_text(text))


def _join_sessions(connection: sqlite3.Connection, rows: list[_SearchRow]) -> tuple[SearchHit, ...]:
    names = sorted({row.session for row in rows})
    session_rows = connection.execute(f"{SELECT_SESSIONS} WHERE id IN ({', '.join('?' * len(names))})", names)
    sessions = {session.id: session for session in map(read_session, session_rows)}
    return tuple(
        SearchHit(sessions[row.session], row.turn, read_part(row.part), row.snippet)
        for row in rows
        if row.session in sessions
    )
