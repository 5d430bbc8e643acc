from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.chat import Usage
from reflectty.session import Attachment, Ended, Measured, Origin, Said
from reflectty.store import open_store
from reflectty.store import text as texts
from reflectty.store.database import Database
from reflectty.stream import Kind
from support.properties import examples
from support.stored_sessions import SAID

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.session import Turn

ANY = st.text(st.characters(exclude_categories=()) | st.sampled_from("\0\x1a\ud800\udfff\r\n0d"))
FIGURE = st.floats(allow_nan=False) | st.integers(0, 2**60)
COUNT = st.integers(0, 2**60)
USAGE = st.builds(Usage, COUNT, COUNT, FIGURE, FIGURE, FIGURE, FIGURE)
SAYINGS = st.builds(
    Said,
    model=ANY,
    digest=ANY,
    mode=ANY,
    family=ANY,
    prefilled=st.booleans(),
    effort=ANY,
    options=st.lists(st.tuples(ANY, COUNT | FIGURE | st.booleans() | ANY | st.lists(ANY).map(tuple))).map(tuple),
    segments=st.lists(st.tuples(st.sampled_from(Kind), ANY)).map(tuple),
    answer=ANY,
    raw=ANY,
    raw_thinking=ANY,
    ended=st.sampled_from([ended for ended in Ended if ended is not Ended.STREAMING]),
    done_reason=ANY,
    origin=st.sampled_from(Origin),
    error=ANY,
    warnings=st.lists(ANY).map(tuple),
    measured=st.builds(Measured, COUNT, COUNT, COUNT, FIGURE, FIGURE, FIGURE, FIGURE, USAGE),
)
ATTACHMENTS = st.lists(st.builds(Attachment, ANY, st.sampled_from(("file", "image")), ANY)).map(tuple)


class Case(NamedTuple):
    question: str
    attachments: tuple[Attachment, ...]
    said: Said


@examples(200)
@given(st.builds(Case, ANY, ATTACHMENTS, SAYINGS))
def test_whatever_was_said_comes_back_as_it_was(case: Case) -> None:
    store = open_store(None, pytest.fail)
    session = store.begin(case.question).id
    question = store.ask(session, None, case.question, case.attachments)
    reply = store.reply(session, question.id, case.said)
    store.finish(reply.id, case.said)
    assert store.turns(session) == (question, reply._replace(said=case.said))
    assert store.questions() == (case.question,)
    assert len(store.turns(store.fork(session).id)) == 2
    store.close()


@examples(100)
@given(st.lists(st.tuples(ANY, ANY)))
def test_the_pieces_of_a_reply_are_its_text(pieces: list[tuple[str, str]]) -> None:
    store = open_store(None, pytest.fail)
    session = store.begin("").id
    reply = store.reply(session, store.ask(session, None, "?").id, Said("m", family="reflection"))
    for raw, thinking in pieces:
        store.checkpoint(reply.id, raw, thinking)
    said = store.turns(session)[1].said
    assert said
    assert said.raw == "".join(raw for raw, _ in pieces)
    assert said.raw_thinking == "".join(thinking for _, thinking in pieces)
    store.close()


@given(ANY)
def test_a_stored_text_is_one_that_utf_8_has_and_c_does_not_cut(text: str) -> None:
    stored = texts.kept(text)
    assert "\0" not in stored
    assert stored.encode().decode() == stored
    assert texts.given(stored) == text


@given(ANY)
def test_a_text_that_was_never_stored_by_us_is_read_all_the_same(text: str) -> None:
    assert isinstance(texts.given(text), str)


@given(ANY)
def test_a_title_is_one_line_of_at_most_two_hundred_characters(title: str) -> None:
    line = texts.one_line(title)
    assert len(line) <= 200
    assert len(line.splitlines()) <= 1
    assert texts.one_line(line) == line


BAD = {
    "options": ("'{'", "'[1, [2], [3, 4], [\"a\", [1, \"b\"]], [\"c\", null]]'", "x'ff'", "7", "'" + "[" * 100_000 + "'"),
    "warnings": ("''", "'{}'", "'[1, \"a\"]'"),
    "measured": ("''", "'[]'", "'{\"usage\": 3, \"total_ms\": \"x\", \"mood\": 1}'", "'{\"usage\": {\"load_ms\": []}}'"),
    "ended": ("'asleep'", "7", "x'ff'"),
    "origin": ("''", "7"),
    "raw": ("x'ff00'", "7", "CAST(x'41ff' AS TEXT)"),
    "model": ("x'ff00'",),
    "created": ("'yesterday'", "x'ff'"),
    "parent": ("'x'", "NULL", "77"),
    "prefilled": ("'x'",),
}  # fmt: skip


@pytest.mark.parametrize(("column", "value"), [(column, value) for column, values in BAD.items() for value in values])
def test_a_row_that_cannot_be_read_is_read_as_far_as_it_can_be(tmp_path: Path, column: str, value: str) -> None:
    path = tmp_path / "sessions.db"
    store = open_store(path, pytest.fail)
    session = store.begin("bad").id
    store.finish(store.reply(session, store.ask(session, None, "?").id, SAID).id, SAID)
    connection = store.database.connection
    connection.execute(f"UPDATE turns SET {column} = {value} WHERE ended IS NOT NULL")  # noqa: S608 - rows of the table
    store.close()
    store = open_store(path, pytest.fail)
    question, reply = store.turns(session)
    assert question.text == "?"
    assert reply.said
    assert reply.said.segments == SAID.segments
    assert reply.said.answer == "four"
    assert reply.said.ended is not Ended.COMPLETE
    assert store.fork(session)
    store.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE passages SET part = 'feeling'",
        "UPDATE passages SET turn = 'x' WHERE part = 'answer'",
        "UPDATE sessions SET leaf = 'x', created = 'y', model = x'ff'",
        "UPDATE attachments SET kind = 'sound', content = x'ff', name = 3",
        "UPDATE writers SET pid = 'x', boot = x'ff', beat = 'y'",
        "UPDATE pieces SET raw = x'ff'",
        "UPDATE sessions SET title = x'ff'",
    ],
)
def test_other_rows_that_cannot_be_read_hide_no_session(tmp_path: Path, change: str) -> None:
    store = open_store(tmp_path / "sessions.db", pytest.fail)
    session = store.begin("bad").id
    question = store.ask(session, None, "?", (Attachment("a", "file", "b"),))
    store.finish(store.reply(session, question.id, SAID).id, SAID)
    store.checkpoint(store.reply(session, question.id, SAID).id, "x", "")
    store.database.connection.execute(change)
    store.close()
    store = open_store(tmp_path / "sessions.db", pytest.fail)
    turns: tuple[Turn, ...] = store.turns(session)
    assert [turn.said is None for turn in turns] == [True, False, False]
    assert store.find(session).questions == 1
    store.search("two")
    store.close()


def test_a_database_knows_no_table() -> None:
    database = Database(sqlite3.connect(":memory:", isolation_level=None))
    assert database.read(lambda c: c.execute("SELECT 1").fetchone()) == (1,)
    database.close()
