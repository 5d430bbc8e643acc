from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.segments import Kind, SecondThoughtKind
from reflectty.core.session import ReplyStatus, SearchHit, StoredReply
from reflectty.store import Store, open_store
from reflectty.store.open import StoreEnvironment
from reflectty.store.search import SNIPPET_REACH, make_snippet
from support.properties import examples
from support.stored_sessions import SAID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Passage = tuple[tuple[str, bool], ...]


def without_fts5(_: sqlite3.Connection) -> bool:
    return False


@pytest.fixture
def store() -> Iterator[Store]:
    opened = open_store(None, pytest.fail)
    yield opened
    opened.close()


@pytest.fixture
def plain() -> Iterator[Store]:
    """A store whose SQLite has no index of words."""
    opened = open_store(None, pytest.fail, StoreEnvironment(has_fts5=without_fts5))
    yield opened
    opened.close()


def tell(store: Store, *texts: str, title: str = "-") -> str:
    session = store.create_session(title).id
    for text in texts:
        store.add_question(session, None, text)
    return session


def texts(found: tuple[SearchHit, ...]) -> list[str]:
    return ["".join(text for text, _ in place.passage) for place in found]


def marked(found: tuple[SearchHit, ...]) -> list[str]:
    return [text for place in found for text, matched in place.passage if matched]


def test_every_part_of_a_session_is_found_with_its_kind(store: Store) -> None:
    session = store.create_session("needle title").id
    question = store.add_question(session, None, "needle question")
    reply = store.add_reply(session, question.id, SAID)
    kinds = ((Kind.THINKING, "needle thought"), (Kind.REFLECTION, "needle doubt"), (Kind.ANSWER, "needle answer"))
    store.finish(reply.id, SAID._replace(segments=kinds))
    found = store.search("needle")
    places = [(place.part, place.turn) for place in found]
    assert places[0] == ("title", None)
    assert set(places[1:]) == {
        ("question", question.id),
        ("thinking", reply.id),
        ("reflection", reply.id),
        ("answer", reply.id),
    }
    assert {place.session for place in found} == {store.find(session)}


SAYINGS = ("The quick brown fox", "a FOX is brown and quick", "quicksand", "Das Café über Łódź", "it's a fox-trot")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("fox", ["it's a fox-trot", "a FOX is brown and quick", "The quick brown fox"]),
        ("brown qui", ["a FOX is brown and quick", "The quick brown fox"]),
        ("quick brown", ["The quick brown fox", "a FOX is brown and quick"]),
        ('"quick brown"', ["The quick brown fox"]),
        ('"brown fox', ["The quick brown fox"]),
        ("quick fox", ["a FOX is brown and quick", "The quick brown fox"]),
        ("qui fox", []),
        ('"quick"', ["a FOX is brown and quick", "The quick brown fox"]),
        ("quick", ["quicksand", "a FOX is brown and quick", "The quick brown fox"]),
        ("cafe uber", ["Das Café über Łódź"]),
        ("CAFÉ", ["Das Café über Łódź"]),
        ("łódź", ["Das Café über Łódź"]),
        ("fox-tr", ["it's a fox-trot"]),
        ("it's", ["it's a fox-trot"]),
        ("fox cat", []),
        ("fox NOT brown", []),
        ("fox OR cat", []),
        ("'", ["it's a fox-trot"]),
        ("-", ["it's a fox-trot"]),
        ("", []),
        ('"" " "', []),
    ],
)
def test_all_words_must_match_and_the_last_may_be_a_prefix(store: Store, words: str, expected: list[str]) -> None:
    session = store.create_session("").id
    for saying in SAYINGS:
        store.add_question(session, None, saying)
    assert texts(store.search(words)) == expected


HOSTILE = (
    '"', '"""', "'", "OR", "AND", "NOT", "NEAR", "NEAR(", "NEAR(a b, 3)", "*", "a*", "^", "^a", ":", "text:a", "{text}:a",
    "(", ")", "((", "a AND", "+", "a + b", "-a", "- {text} : a", "\\", "%", "_", ";", "--", "/*", "?", "?1", "\0", "a\0b",
    "\ud800", "\x1a", "\x1a0\x1a", "🦊", "\u0300", "a" * 100_000, "a " * 10_000, '"' * 10_001, "% " * 5_000,
)  # fmt: skip


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_queries_do_not_fail(store: Store, plain: Store, words: str) -> None:
    for each in (store, plain):
        tell(each, "a OR b", "100 % of a_b", "\\")
        each.search(words)


@examples(300)
@given(words=st.text(), said=st.text())
def test_any_query_and_text_do_not_fail(words: str, said: str) -> None:
    for around in (StoreEnvironment(), StoreEnvironment(has_fts5=without_fts5)):
        store = open_store(None, pytest.fail, around)
        tell(store, said)
        for place in store.search(words):
            assert all(text for text, _ in place.passage)
        store.close()


@pytest.mark.parametrize("words", ["%", "_", "\\"])
def test_special_characters_match_themselves(store: Store, words: str) -> None:
    tell(store, "50 % off", "snake_case", "C:\\temp", "nothing")
    assert len(store.search(words)) == 1
    assert marked(store.search(words)) == [words]


@pytest.mark.parametrize(
    ("said", "words", "expected"),
    [
        ("机器学习很有趣", "学习", ["学习"]),
        ("使用GPU加速", "gpu", ["GPU"]),
        ("使用GPU加速", "加速 使用", ["使用", "加速"]),
        ("日本語のテキスト", "テキ", ["テキ"]),
        ("한국어를 공부한다", "공부", ["공부"]),
        ("ภาษาไทยง่ายมาก", "ไทย", ["ไทย"]),
        ("שלום עולם", "עולם", ["עולם"]),
        ("机器 learning", "learn 机", ["机", "learn"]),
        ("机器 100%", "100% 机", ["机", "100%"]),
        ("ᴀ\U0001e900\U0001e901", "\U0001e901", ["\U0001e901"]),
    ],
)
def test_scripts_without_spaces_are_searched_by_substring(
    store: Store, plain: Store, said: str, words: str, expected: list[str]
) -> None:
    for each in (store, plain):
        tell(each, "nothing of it", said)
        assert marked(each.search(words)) == expected


def test_passage_is_one_short_line_with_the_match_marked(store: Store) -> None:
    tell(store, "before\n\n" * 500 + "here is the needle\nand more" + " after" * 500)
    (found,) = store.search("needle")
    text = "".join(piece for piece, _ in found.passage)
    assert "here is the needle and more" in text
    assert marked((found,)) == ["needle"]
    assert "\n" not in text
    assert len(text.split()) <= 14


@pytest.mark.parametrize("words", ["needle", "針"])
def test_passage_is_short_even_with_endless_words(store: Store, words: str) -> None:
    tell(store, "。" * 5_000 + "x" * 3_000 + " needle 針 " + "y" * 3_000 + "…" * 5_000)
    (found,) = store.search(words)
    assert marked((found,)) == [words]
    assert len("".join(piece for piece, _ in found.passage)) <= 2 * SNIPPET_REACH + len(words) + 10


def test_passage_contains_only_text_near_a_match() -> None:
    far = " ".join(f"w{number}" for number in range(1_000, 1_100))
    pieces = make_snippet(
        [(f"{far} ", False), ("needle", True), (f" {far} ", False), ("needle", True), (f" {far}", False)]
    )

    assert "".join(text for text, _ in pieces) == (
        "… w1087 w1088 w1089 w1090 w1091 w1092 w1093 w1094 w1095 w1096 w1097 w1098 w1099 needle"
        " w1000 w1001 w1002 w1003 w1004 w1005 w1006 w1007 w1008 w1009 w1010 w1011 w1012 …"
        " w1087 w1088 w1089 w1090 w1091 w1092 w1093 w1094 w1095 w1096 w1097 w1098 w1099 needle"
        " w1000 w1001 w1002 w1003 w1004 w1005 w1006 w1007 w1008 w1009 w1010 w1011 w1012 …"
    )


def test_text_may_contain_marker_characters(store: Store) -> None:
    tell(store, "a \x02mark\x03 <b>needle</b> \x1a0\x1a\0 b")
    (found,) = store.search("needle")
    assert texts((found,)) == ["a \x02mark\x03 <b>needle</b> \x1a0\x1a\0 b"]


def test_results_are_limited_and_newest_first(store: Store) -> None:
    tell(store, *(f"needle {number}" for number in range(9)))
    assert texts(store.search("needle", 3)) == ["needle 8", "needle 7", "needle 6"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("needle", ["a needle", "the needle", "needle hay 3", "hay needle 3"]),
        ("hay needle", ["needle in hay", "hay needle 3", "hay needle 2", "hay needle 1"]),
    ],
)
def test_titles_are_first_then_words_in_sequence_then_the_latest(store: Store, words: str, expected: list[str]) -> None:
    tell(store, title="the needle")
    for number in (1, 2, 3):
        tell(store, f"hay needle {number}", f"needle hay {number}")
    tell(store, title="needle in hay" if " " in words else "a needle")

    assert texts(store.search(words, 4)) == expected


@pytest.mark.parametrize("words", ["needle", "a needle"])
def test_long_session_leaves_room_for_others(words: str, store: Store) -> None:
    for number in (1, 2, 3, 4):
        tell(store, f"a needle {number}")
    tell(store, *(f"a needle of many {number}" for number in range(300)))

    shown = [f"a needle of many {number}" for number in (299, 298, 297)]
    assert texts(store.search(words, 5)) == [*shown, "a needle 4", "a needle 3"]
    assert texts(store.search(words, 9)) == [
        *(f"a needle of many {number}" for number in range(299, 294, -1)),
        *(f"a needle {number}" for number in (4, 3, 2, 1)),
    ]


def test_long_session_leaves_room_for_others_without_the_index_too(plain: Store) -> None:
    tell(plain, "needle 1")
    tell(plain, *(f"needle of many {number}" for number in range(100)))

    assert "needle 1" in texts(plain.search("needle", 5))


def test_second_thoughts_of_a_long_session_leave_room_for_others(store: Store) -> None:
    for numbers in ((1,), range(2, 12)):
        session = store.create_session("-").id
        for number in numbers:
            said = StoredReply("m", segments=((Kind.REFLECTION, f"needle {number}"),), ended=ReplyStatus.COMPLETE)
            question = store.add_question(session, None, "?")
            store.finish(store.add_reply(session, question.id, said).id, said)

    found = {limit: store.search_second_thoughts(SecondThoughtKind.CORRECTION, "needle", limit) for limit in (4, 6)}
    assert texts(found[4]) == ["needle 11", "needle 10", "needle 9", "needle 1"]
    assert texts(found[6]) == ["needle 11", "needle 10", "needle 9", "needle 8", "needle 7", "needle 1"]


def test_titles_are_first_without_the_index_too(plain: Store) -> None:
    tell(plain, "needle 1", title="the needle")
    tell(plain, "needle 2", title="a needle")

    assert texts(plain.search("needle", 3)) == ["a needle", "the needle", "needle 2"]


def test_without_the_index_search_ignores_case_and_matches_inside_words(plain: Store) -> None:
    tell(plain, *SAYINGS)
    assert texts(plain.search("FOX brown")) == ["a FOX is brown and quick", "The quick brown fox"]
    assert marked(plain.search("sand")) == ["sand"]


def test_outdated_index_is_rebuilt(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    for around, said in (
        (StoreEnvironment(), "first"),
        (StoreEnvironment(has_fts5=without_fts5), "second"),
        (StoreEnvironment(), "third"),
    ):
        store = open_store(path, pytest.fail, around)
        session = tell(store, f"needle {said}")
        triggers = store.database.connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'")
        # With a trigger on an index that this SQLite cannot open, every write would fail.
        assert triggers.fetchone() == (0 if said == "second" else 2,)
        store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO found (found, rank) VALUES ('integrity-check', 1)")
    connection.close()
    store = open_store(path, pytest.fail)
    assert texts(store.search("needle")) == ["needle third", "needle second", "needle first"]
    store.remove(session)
    assert len(store.search("needle")) == 2
    store.close()


def test_damaged_index_is_repaired_silently(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    store = open_store(path, pytest.fail)
    session = tell(store, *(f"needle {number}" for number in range(50)))
    store.database.connection.execute("UPDATE found_data SET block = x'00' WHERE id > 10")
    assert len(store.search("needle")) == 50
    store.database.connection.execute("UPDATE found_data SET block = x'ff00ff' WHERE id > 10")
    store.remove(session)
    assert store.search("needle") == ()
    store.close()


def test_an_interrupted_reply_is_found_as_well(store: Store) -> None:
    session = tell(store, "?")
    said = StoredReply("m", segments=((Kind.ANSWER, "half a needle"),), ended=ReplyStatus.INTERRUPTED)
    store.finish(store.add_reply(session, store.turns(session)[0].id, said).id, said)
    assert marked(store.search("needle")) == ["needle"]
