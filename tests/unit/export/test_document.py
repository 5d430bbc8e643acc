"""Exported sessions come back as they were, and anything else is refused in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import UsageError
from reflectty.export.document import read_documents
from reflectty.export.json import as_json
from reflectty.store import open_store
from support.conversations import SESSION, TURNS
from support.hostile_strategies import session_with, turns_with

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reflectty.core.session import Turn

DOCUMENT = as_json(SESSION, TURNS)


def read(text: str) -> tuple[Any, tuple[Turn, ...]]:
    (document,) = read_documents(text.encode(), "a.json")
    return document.session, document.turns


def test_document_is_read_back_whole() -> None:
    session, turns = read(DOCUMENT)

    assert turns == TURNS
    assert session == SESSION._replace(id="", questions=0)


@given(st.text())
def test_any_text_is_read_back(text: str) -> None:
    session, turns = session_with(text), turns_with(text)
    read_session, read_turns = read(as_json(session, turns))

    assert read_turns == turns
    assert read_session.title == session.title


@pytest.mark.parametrize(
    "text",
    [DOCUMENT + DOCUMENT, f"[{DOCUMENT}, {DOCUMENT}]", f"\ufeff{DOCUMENT}\n\n[{DOCUMENT}]"],
    ids=["one after the other", "list", "both"],
)
def test_file_may_have_several(text: str) -> None:
    assert [document.turns for document in read_documents(text.encode(), "a.json")] == [TURNS, TURNS]


def test_members_added_later_are_passed_over_and_missing_ones_have_defaults() -> None:
    changed = json.loads(DOCUMENT)
    changed["new"] = changed["session"]["new"] = changed["turns"][1]["said"]["new"] = 1
    del changed["turns"][1]["said"]["measured"]["usage"]["thinking_tokens"]

    assert read(json.dumps(changed))[1] == TURNS


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "a.json has no session"),
        (b"[]", "a.json has no session"),
        (b"\xff\xfe", "a.json is not an exported session"),
        (b"# Talk\n", "a.json is not an exported session"),
        (b"1", "a.json is not an exported session"),
        (b'{"format": "x"}', "a.json is not an exported session"),
        (b'{"a": NaN}', "a.json is not an exported session"),
        (b"[" * 100_000, "a.json is not an exported session"),
        (DOCUMENT[:-5].encode(), "a.json is not an exported session"),
        ((DOCUMENT + "x").encode(), "a.json is not an exported session"),
    ],
)
def test_other_file_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_documents(data, "a.json")

    assert str(refused.value) == problem
    assert "reflect sessions export ID --json" in refused.value.hint


def _set(*path: str | int, to: object) -> Callable[[Any], None]:
    """The change of one value in a document."""

    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_set("version", to=2), "a.json has version 2 of the format, not 1"),
        (_set("session", to=[]), "a.json is damaged: session must be an object"),
        (_set("turns", to={}), "a.json is damaged: turns must be a list"),
        (_set("turns", 0, to=1), "turns[0] must be an object"),
        (_set("turns", 0, "id", to="1"), "turns[0].id must be a whole number"),
        (_set("turns", 1, "id", to=1), "turns[1].id occurs twice"),
        (_set("turns", 1, "parent", to=6), "turns[1].parent is not an earlier turn"),
        (_set("turns", 1, "parent", to=True), "turns[1].parent must be a whole number"),
        (_set("turns", 0, "created", to="now"), "turns[0].created must be a number"),
        (_set("turns", 0, "created", to=10**400), "turns[0].created must be a number"),
        (_set("turns", 0, "text", to=None), "turns[0].text must be a string"),
        (_set("turns", 2, "attachments", 0, "kind", to="x"), "turns[2].attachments.kind must be file or image"),
        (
            _set("turns", 1, "said", "segments", 0, "kind", to="x"),
            "turns[1].said.segments.kind must be one of thinking",
        ),
        (_set("turns", 1, "said", "ended", to="x"), "turns[1].said.ended must be one of streaming"),
        (_set("turns", 1, "said", "prefilled", to=0), "turns[1].said.prefilled must be true or false"),
        (_set("turns", 1, "said", "options", "seed", to={}), "turns[1].said.options.seed must be a string, a number"),
        (_set("turns", 1, "said", "warnings", to=[1]), "turns[1].said.warnings must be a list of strings"),
        (_set("turns", 1, "said", "measured", "usage", "total_ms", to=[]), "usage.total_ms must be a number"),
        (_set("session", "leaf", to=99), "session.leaf is not one of the turns"),
        (_set("session", "leaf", to=[]), "session.leaf must be a whole number"),
        (_set("session", "updated", to=None), "session.updated must be a number"),
    ],
)
def test_damage_is_named(change: Callable[[Any], None], problem: str) -> None:
    document = json.loads(DOCUMENT)
    change(document)
    with pytest.raises(UsageError) as refused:
        read_documents(json.dumps(document).encode(), "a.json")

    assert problem in str(refused.value)


def test_import_equals_export_but_for_the_ids(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a.db", pytest.fail)
    store.add_question(store.create_session("Another").id, None, "one")
    session, turns = read(DOCUMENT)
    made = store.add_session(session, turns)
    found = store.turns(made.id)
    numbers = {turn.id: known.id for turn, known in zip(found, TURNS, strict=True)}

    assert made == store.find(made.id)
    assert made._replace(id=SESSION.id, leaf=numbers[made.leaf or 0]) == SESSION
    assert [turn._replace(id=numbers[turn.id], parent=numbers.get(turn.parent or 0)) for turn in found] == list(TURNS)
    assert {hit.session.id for hit in store.search("fractions")} == {made.id}
    store.close()
