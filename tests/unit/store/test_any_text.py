from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.messages import Usage
from reflectty.core.segments import Kind
from reflectty.core.session import (
    Attachment,
    ProbedCorrection,
    Readings,
    ReplyMetrics,
    ReplyOrigin,
    ReplyStatus,
    StoredReply,
)
from reflectty.store import encoding as texts
from reflectty.store import open_store
from reflectty.store.database import Database
from support.properties import examples
from support.stored_sessions import SAID

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.core.session import Turn

ANY = st.text(st.characters(exclude_categories=()) | st.sampled_from("\0\x1a\ud800\udfff\r\n0d"))
FIGURE = st.floats(allow_nan=False) | st.integers(0, 2**60)
COUNT = st.integers(0, 2**60)
USAGE = st.builds(Usage, COUNT, COUNT, FIGURE, FIGURE, FIGURE, FIGURE)
SAYINGS = st.builds(
    StoredReply,
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
    ended=st.sampled_from([ended for ended in ReplyStatus if ended is not ReplyStatus.STREAMING]),
    done_reason=ANY,
    origin=st.sampled_from(ReplyOrigin),
    error=ANY,
    warnings=st.lists(ANY).map(tuple),
    measured=st.builds(
        ReplyMetrics,
        *(COUNT, COUNT, COUNT, FIGURE, FIGURE, FIGURE, FIGURE, USAGE),
        *(ANY, COUNT, ANY),
        st.none() | st.builds(Readings, COUNT, COUNT, COUNT),
        st.lists(st.builds(ProbedCorrection, COUNT, COUNT, COUNT), max_size=2).map(tuple),
    ),
)
ATTACHMENTS = st.lists(st.builds(Attachment, ANY, st.sampled_from(("file", "image")), ANY)).map(tuple)


class Case(NamedTuple):
    question: str
    attachments: tuple[Attachment, ...]
    said: StoredReply


@examples(200)
@given(st.builds(Case, ANY, ATTACHMENTS, SAYINGS))
def test_any_turn_is_restored_unchanged(case: Case) -> None:
    store = open_store(None, pytest.fail)
    session = store.create_session(case.question).id
    question = store.add_question(session, None, case.question, case.attachments)
    reply = store.add_reply(session, question.id, case.said)
    store.finish(reply.id, case.said)
    assert store.turns(session) == (question, reply._replace(said=case.said))
    assert store.questions() == (case.question,)
    assert len(store.turns(store.fork(session).id)) == 2
    store.close()


@examples(100)
@given(st.lists(st.tuples(ANY, ANY)))
def test_checkpoints_add_up_to_the_reply(pieces: list[tuple[str, str]]) -> None:
    store = open_store(None, pytest.fail)
    session = store.create_session("").id
    reply = store.add_reply(session, store.add_question(session, None, "?").id, StoredReply("m", family="reflection"))
    for raw, thinking in pieces:
        store.checkpoint(reply.id, raw, thinking)
    said = store.turns(session)[1].said
    assert said
    assert said.raw == "".join(raw for raw, _ in pieces)
    assert said.raw_thinking == "".join(thinking for _, thinking in pieces)
    store.close()


@given(ANY)
def test_stored_text_is_valid_utf_8_without_nul(text: str) -> None:
    stored = texts.encode_text(text)
    assert "\0" not in stored
    assert stored.encode().decode() == stored
    assert texts.decode_text(stored) == text


@given(ANY)
def test_any_stored_text_can_be_decoded(text: str) -> None:
    assert isinstance(texts.decode_text(text), str)


@given(ANY)
def test_a_title_is_one_line_of_at_most_two_hundred_characters(title: str) -> None:
    line = texts.normalize_title(title)
    assert len(line) <= 200
    assert len(line.splitlines()) <= 1
    assert texts.normalize_title(line) == line


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
def test_unreadable_row_is_read_as_far_as_possible(tmp_path: Path, column: str, value: str) -> None:
    path = tmp_path / "sessions.db"
    store = open_store(path, pytest.fail)
    session = store.create_session("bad").id
    store.finish(store.add_reply(session, store.add_question(session, None, "?").id, SAID).id, SAID)
    connection = store.database.connection
    connection.execute(f"UPDATE turns SET {column} = {value} WHERE ended IS NOT NULL")  # noqa: S608 - rows of the table
    store.close()
    store = open_store(path, pytest.fail)
    question, reply = store.turns(session)
    assert question.text == "?"
    assert reply.said
    assert reply.said.segments == SAID.segments
    assert reply.said.answer == "four"
    assert reply.said.ended is not ReplyStatus.COMPLETE
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
def test_other_unreadable_rows_hide_no_session(tmp_path: Path, change: str) -> None:
    store = open_store(tmp_path / "sessions.db", pytest.fail)
    session = store.create_session("bad").id
    question = store.add_question(session, None, "?", (Attachment("a", "file", "b"),))
    store.finish(store.add_reply(session, question.id, SAID).id, SAID)
    store.checkpoint(store.add_reply(session, question.id, SAID).id, "x", "")
    store.database.connection.execute(change)
    store.close()
    store = open_store(tmp_path / "sessions.db", pytest.fail)
    turns: tuple[Turn, ...] = store.turns(session)
    assert [turn.said is None for turn in turns] == [True, False, False]
    assert store.find(session).questions == 1
    store.search("two")
    store.close()


def test_database_needs_no_tables() -> None:
    database = Database(sqlite3.connect(":memory:", isolation_level=None))
    assert database.read(lambda c: c.execute("SELECT 1").fetchone()) == (1,)
    database.close()
