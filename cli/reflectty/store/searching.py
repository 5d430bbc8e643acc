"""Finds words in everything that was said; nothing that is typed is syntax but quotes."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from typing import NamedTuple
from unicodedata import category

from reflectty.session import Found
from reflectty.store import schema
from reflectty.store.passage import Passage, around, passage
from reflectty.store.rows import SESSIONS, read_part, read_session
from reflectty.store.text import given, is_dense, kept

_MOST_TERMS = 32
_LONGEST = 1_000
"""How many characters of what is typed are looked for; SQLite has bounds of its own far above."""
_WORDS = 12
"""How many words a passage has, about."""
_TERM = re.compile(r'"([^"]*)("?)|([^\s"]+)')
_WORD_CLASSES = frozenset(("Lu", "Ll", "Lt", "Lm", "Nd", "Nl", "No", "Co"))
_PASSAGES = "SELECT id, session, turn, part, text FROM passages WHERE"
_ORDER = "ORDER BY part = 'title' DESC, {} id DESC LIMIT ?"
_IN_INDEX = "SELECT rowid FROM found WHERE found MATCH ?"


class Term(NamedTuple):
    """A word or a phrase that must be there."""

    text: str
    may_go_on: bool = False
    """Whether a longer word that begins like it is meant as well."""

    @property
    def is_words(self) -> bool:
        """Whether the index knows it: it has letters or figures, and none of a script without spaces."""
        return not is_dense(self.text) and any(category(char) in _WORD_CLASSES for char in self.text)

    @property
    def quoted(self) -> str:
        """The term in the language of the index, where nothing between quotes has a meaning."""
        return '"' + self.text.replace('"', '""') + '"' + "*" * self.may_go_on


class _Place(NamedTuple):
    session: str
    turn: int | None
    part: str
    passage: Passage


def search(connection: sqlite3.Connection, words: str, limit: int, *, indexed: bool) -> tuple[Found, ...]:
    """Return where all the words are: titles first, then where they stand side by side, then the latest."""
    terms = read_terms(words)
    if not terms:
        return ()
    by_words = indexed and all(term.is_words for term in terms)
    places = _by_words(connection, terms, limit) if by_words else []
    # SQLite knows the letters of an older Unicode than Python, and has none of the newer in a word.
    if not places and not (by_words and words.isascii()):
        places = _as_they_stand(connection, terms, limit)
    return _with_sessions(connection, places)


def read_terms(words: str) -> tuple[Term, ...]:
    """Return what to look for; a word that ends the input may go on, and so may a quote that was not closed."""
    words = re.sub("[\0\x1a\ud800-\udfff]", " ", words[:_LONGEST])
    texts = [((match[1] or match[3] or "").strip(), match[2] != '"') for match in _TERM.finditer(words)]
    terms = [(text, unclosed) for text, unclosed in texts if text][:_MOST_TERMS]
    return tuple(Term(text, unclosed and place == len(terms)) for place, (text, unclosed) in enumerate(terms, 1))


def _by_words(connection: sqlite3.Connection, terms: tuple[Term, ...], limit: int) -> list[_Place]:
    every = " ".join(term.quoted for term in terms)
    in_a_row = Term(" ".join(term.text for term in terms), terms[-1].may_go_on).quoted
    like, patterns = _like(terms)
    # In a text without spaces the words stand inside what the index takes for words.
    rows = connection.execute(
        f"""{_PASSAGES} id IN ({_IN_INDEX} UNION SELECT id FROM passages WHERE dense AND {like})
        {_ORDER.format(f"id IN ({_IN_INDEX}) DESC,")}""",  # noqa: S608 - what was typed goes in as parameters
        (every, *patterns, in_a_row, limit),
    ).fetchall()
    passages = _snippets(every, [(place, text) for place, *_, text in rows])
    return [
        _Place(session, turn, part, passages.get(place) or _around(text, terms))
        for place, session, turn, part, text in rows
    ]


def _snippets(query: str, texts: list[tuple[int, str]]) -> dict[int, Passage]:
    """Return the passages of those texts that an index finds the query in, by their numbers."""
    # Nothing that was said can hold a mark that did not exist then.
    mark = os.urandom(8).hex()
    # In an index of these texts alone: the great one would look up each word that begins like the last one, every time.
    with contextlib.closing(sqlite3.connect(":memory:")) as small:
        small.execute(f"CREATE VIRTUAL TABLE shown USING fts5 (text, {schema.TOKENS})")
        small.executemany("INSERT INTO shown (rowid, text) VALUES (?, ?)", texts)
        rows = small.execute(
            "SELECT rowid, snippet(shown, 0, ?, ?, '…', ?) FROM shown WHERE shown MATCH ?", (mark, mark, _WORDS, query)
        )
        return {place: _pieces(text.split(mark)) for place, text in rows}


def _pieces(split: list[str]) -> Passage:
    return passage((given(piece), bool(number % 2)) for number, piece in enumerate(split))


def _as_they_stand(connection: sqlite3.Connection, terms: tuple[Term, ...], limit: int) -> list[_Place]:
    like, patterns = _like(terms)
    dense = "dense AND" * any(is_dense(term.text) for term in terms)
    rows = connection.execute(f"{_PASSAGES} {dense} {like} {_ORDER.format('')}", (*patterns, limit))
    return [_Place(session, turn, part, _around(text, terms)) for _, session, turn, part, text in rows]


def _like(terms: tuple[Term, ...]) -> tuple[str, list[str]]:
    return " AND ".join([r"text LIKE ? ESCAPE '\'"] * len(terms)), [f"%{_literal(term.text)}%" for term in terms]


def _around(text: object, terms: tuple[Term, ...]) -> Passage:
    return around(given(text), [term.text for term in terms])


def _literal(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", kept(text))


def _with_sessions(connection: sqlite3.Connection, places: list[_Place]) -> tuple[Found, ...]:
    names = sorted({place.session for place in places})
    rows = connection.execute(f"{SESSIONS} WHERE id IN ({', '.join('?' * len(names))})", names)
    sessions = {session.id: session for session in map(read_session, rows)}
    return tuple(
        Found(sessions[place.session], place.turn, read_part(place.part), place.passage)
        for place in places
        if place.session in sessions
    )
