from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import UsageError
from reflectty.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store() -> Iterator[Store]:
    opened = open_store(None, pytest.fail)
    yield opened
    opened.close()


# None of them is a prefix of an id, which has no i, l and o.
NAMES = ("Rust or C?", "Rust or C?", "Ärger mit Moo", "moo", "the long road", "the long river")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Moo", "moo"),
        ("ärger", "Ärger mit Moo"),
        (" ROAD ", "the long road"),
        ("the long river", "the long river"),
    ],
)
def test_a_session_is_found_by_its_title_or_a_part_of_it(store: Store, name: str, title: str) -> None:
    for each in NAMES:
        store.create_session(each)
    assert store.find(name).title == title


def test_session_is_found_by_its_id_or_a_prefix(store: Store) -> None:
    sessions = [store.create_session(name) for name in NAMES]
    for session in sessions:
        assert store.find(session.id) == store.find(session.id.upper()) == session
        assert store.find(session.id[:5]) == session
        assert len(session.id) == 6
        assert set(session.id) <= set("23456789abcdefghjkmnpqrstuvwxyz")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("rust or c?", "matches 2 sessions", r"for example \w{6} \(Rust or C\?\), \w{6} \(Rust or C\?\)"),
        ("the long", "matches 2 sessions", r".*\(the long river\), \w{6} \(the long road\)"),
        ("the lnog road", "there is no session 'the lnog road'", r"similar: \w{6} \(the long road\).*"),
        ("~", "there is no session '~'", r"the latest are \w{6} \(the long river\), .*"),
        ("", "no session name given", "the latest are .*"),
    ],
)
def test_ambiguous_or_unknown_name_is_reported_with_suggestions(
    store: Store, name: str, message: str, hint: str
) -> None:
    for each in NAMES:
        store.create_session(each)
    with pytest.raises(UsageError, match=message) as raised:
        store.find(name)
    assert re.fullmatch(hint, raised.value.hint), raised.value.hint


def test_at_most_three_sessions_are_suggested(store: Store) -> None:
    sessions = [store.create_session(f"the {number}") for number in range(5)]
    latest = ", ".join(f"{session.id} ({session.title})" for session in sessions[:1:-1])

    for name, introduction in (("", "the latest are"), ("the", "for example")):
        with pytest.raises(UsageError) as raised:
            store.find(name)
        assert raised.value.hint == f"{introduction} {latest}"


def test_empty_store_suggests_no_session(store: Store) -> None:
    with pytest.raises(UsageError) as raised:
        store.find("x")
    assert raised.value.hint == "there are none yet"
