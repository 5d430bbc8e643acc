from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import StoreError
from reflectty.core.segments import Kind
from reflectty.core.session import NO_SETTINGS, Attachment, ReplyStatus, SessionSettings, StoredReply, branch_to
from reflectty.store import Store, open_store
from reflectty.store.open import StoreEnvironment
from support.stored_sessions import COMPLETE, SAID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.db"


@pytest.fixture(params=["in a file", "in memory"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[Store]:
    ticks = count(1000.0)
    opened = open_store(
        path if request.param == "in a file" else None, pytest.fail, StoreEnvironment(clock=lambda: next(ticks))
    )
    yield opened
    opened.close()


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.sessions() == ()
    assert store.latest() is None
    assert store.questions() == ()
    assert store.turns("nobody") == ()


def test_every_part_of_a_turn_is_restored(store: Store) -> None:
    session = store.create_session("sums")
    files = (Attachment("a.txt", "file", "1 + 1"), Attachment("b.png", "image", "AAAA"))
    question = store.add_question(session.id, None, "what is 2 + 2?", files)
    assert (question.text, question.attachments, question.parent) == ("what is 2 + 2?", files, None)
    reply = store.add_reply(session.id, question.id, SAID)
    store.finish(reply.id, SAID)
    assert store.turns(session.id) == (question, reply._replace(said=SAID))


def test_saved_turns_survive_closing_the_file(path: Path) -> None:
    store = open_store(path, pytest.fail)
    session = store.create_session("sums")
    question = store.add_question(session.id, None, "what is 2 + 2?")
    store.close()
    store = open_store(path, pytest.fail)
    assert store.turns(session.id) == (question,)
    assert store.path == path
    store.close()


def test_session_has_model_leaf_and_question_count(store: Store) -> None:
    session = store.create_session("a\n\tlong   title " + "x" * 300)
    assert session.title == ("a long title " + "x" * 300)[:200]
    assert (session.leaf, session.questions, session.model) == (None, 0, "")
    question = store.add_question(session.id, None, "one")
    store.add_reply(session.id, question.id, SAID)
    other = store.add_question(session.id, None, "two")
    found = store.find(session.id)
    assert (found.leaf, found.questions, found.model) == (other.id, 2, "reflection")
    assert found.updated == other.created > found.created


def test_latest_session_is_the_one_changed_last(store: Store) -> None:
    first, second = store.create_session("first"), store.create_session("second")
    assert store.latest() == second
    question = store.add_question(first.id, None, "and?")
    assert [session.id for session in store.sessions()] == [first.id, second.id]
    reply = store.add_reply(second.id, store.add_question(second.id, None, "and?").id, COMPLETE)
    store.add_question(first.id, question.id, "again")
    store.finish(reply.id, COMPLETE)
    assert [session.id for session in store.sessions()] == [second.id, first.id]
    assert [session.id for session in store.sessions(limit=1, offset=1)] == [first.id]


def test_turns_with_the_same_parent_are_branches_and_one_is_current(store: Store) -> None:
    session = store.create_session("branches").id
    question = store.add_question(session, None, "one")
    first = store.add_reply(session, question.id, COMPLETE)
    store.add_reply(session, question.id, COMPLETE)
    store.set_leaf(session, first.id)
    leaf = store.find(session).leaf
    assert [turn.id for turn in branch_to(store.turns(session), leaf)] == [question.id, first.id]
    assert len(store.turns(session)) == 3


def test_streaming_reply_is_built_from_its_checkpoints(store: Store) -> None:
    session = store.create_session("pieces").id
    said = StoredReply("m", family="reflection")
    reply = store.add_reply(session, store.add_question(session, None, "?").id, said)
    assert reply.said == said
    for piece in ("<thinking>one, ", "", "two<reflec", "tion>no</reflection></thinking><out"):
        store.checkpoint(reply.id, piece, "")
    kept = store.turns(session)[1].said
    assert kept
    assert kept.ended is ReplyStatus.STREAMING
    assert kept.raw == "<thinking>one, two<reflection>no</reflection></thinking><out"
    assert kept.segments == ((Kind.THINKING, "one, two"), (Kind.REFLECTION, "no"), (Kind.ANSWER, "<out"))
    assert kept.measured.corrections == 1


def test_thinking_field_is_saved_separately_from_the_content(store: Store) -> None:
    session = store.create_session("field").id
    reply = store.add_reply(session, store.add_question(session, None, "?").id, StoredReply("m", family="native"))
    store.checkpoint(reply.id, "", "hm ")
    store.checkpoint(reply.id, "so", "then")
    said = store.turns(session)[1].said
    assert said
    assert (said.raw, said.raw_thinking) == ("so", "hm then")
    assert said.segments == ((Kind.THINKING, "hm then"), (Kind.ANSWER, "so"))


def test_restarted_reply_continues_from_the_given_text(store: Store) -> None:
    session = store.create_session("again").id
    reply = store.add_reply(
        session, store.add_question(session, None, "?").id, StoredReply("m", family="reflection", raw="<thinking>a")
    )
    store.checkpoint(reply.id, "b", "")
    store.finish(reply.id, SAID)
    assert [found.part for found in store.search("two")] == ["thinking"]
    store.restart(reply.id, SAID._replace(raw="<thinking>ab</thinking><output>", raw_thinking=""))
    assert store.search("two") == ()
    store.checkpoint(reply.id, "c", "")
    said = store.turns(session)[1].said
    assert said
    assert (said.ended, said.origin, said.options) == (ReplyStatus.STREAMING, SAID.origin, SAID.options)
    assert said.raw == "<thinking>ab</thinking><output>c"
    store.finish(reply.id, COMPLETE)
    assert store.turns(session)[1].said == COMPLETE


def test_fork_copies_one_branch_and_is_independent(store: Store) -> None:
    session = store.create_session("origin")
    files = (Attachment("a.txt", "file", "1"),)
    question = store.add_question(session.id, None, "one", files)
    for said in (SAID, COMPLETE):
        store.finish(store.add_reply(session.id, question.id, said).id, said)
    left = store.turns(session.id)[1]
    fork = store.fork(session.id, left.id)
    assert fork.title == "origin (fork)"
    assert [(turn.text, turn.attachments, turn.said) for turn in store.turns(fork.id)] == [
        ("one", files, None),
        ("", (), SAID),
    ]
    assert fork.leaf == store.turns(fork.id)[-1].id
    assert store.turns(fork.id)[1].parent == store.turns(fork.id)[0].id
    store.remove(session.id)
    assert store.turns(session.id) == ()
    assert store.turns(fork.id)[1].said == SAID
    assert [found.session.id for found in store.search("three")] == [fork.id]


def test_fork_of_the_current_branch_ends_a_streaming_reply(store: Store) -> None:
    session = store.create_session("x" * 250)
    reply = store.add_reply(
        session.id, store.add_question(session.id, None, "?").id, StoredReply("m", family="reflection")
    )
    store.checkpoint(reply.id, "so far", "")
    fork = store.fork(session.id)
    assert fork.title == "x" * 193 + " (fork)"
    said = store.turns(fork.id)[1].said
    assert said
    assert (said.ended, said.answer) == (ReplyStatus.INTERRUPTED, "so far")
    store.checkpoint(reply.id, ", so good", "")
    store.finish(reply.id, COMPLETE)
    assert store.turns(fork.id)[1].said == said


def test_removed_session_is_deleted_completely(store: Store) -> None:
    session = store.create_session("secret").id
    question = store.add_question(session, None, "secret", (Attachment("secret", "file", "secret"),))
    store.checkpoint(store.add_reply(session, question.id, SAID).id, "secret", "")
    store.finish(store.add_reply(session, question.id, SAID).id, SAID)
    store.remove(session)
    assert store.search("secret") == ()
    for table in ("sessions", "turns", "attachments", "pieces", "writers", "passages"):
        assert store.database.connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608 - names of ours


def test_removed_text_is_erased_from_the_disk(path: Path) -> None:
    store = open_store(path, pytest.fail)
    for number in range(40):
        session = store.create_session(f"kept {number}").id
        question = store.add_question(
            session, None, f"a zqxjkvbwpfgh{number}zqxjkvbwpfgh question " + "and more " * 400
        )
        store.finish(store.add_reply(session, question.id, SAID).id, SAID)
    files = [path, path.with_name("sessions.db-wal")]
    assert b"zqxjkvbwpfgh" in b"".join(file.read_bytes() for file in files)
    for kept in store.sessions():
        store.remove(kept.id)
    assert b"qxjkvbwpfgh" not in b"".join(file.read_bytes() for file in files)
    store.close()


def test_a_session_can_be_renamed_and_is_found_by_its_new_name_only(store: Store) -> None:
    session = store.create_session("old").id
    store.rename(session, "new\nname")
    assert store.find("new name").title == "new name"
    assert store.search("old") == ()
    assert [(found.part, found.turn) for found in store.search("new")] == [("title", None)]


def test_questions_are_listed_newest_first_without_duplicates(store: Store) -> None:
    first, second = store.create_session("a").id, store.create_session("b").id
    for session, text in ((first, "one"), (second, "two"), (first, "three"), (second, "one")):
        question = store.add_question(session, None, text)
        store.add_reply(session, question.id, SAID)
    assert store.questions() == ("one", "three", "two")
    assert store.questions(2) == ("one", "three")


@pytest.mark.parametrize(
    "call",
    [
        lambda store, session: store.add_question(session, 99, "?"),
        lambda store, _: store.add_question("nobody", None, "?"),
        lambda store, session: store.add_reply(session, 99, SAID),
        lambda store, _: store.checkpoint(99, "a", ""),
        lambda store, _: store.checkpoint(99, "", ""),
        lambda store, _: store.finish(99, SAID),
        lambda store, _: store.restart(99, SAID),
        lambda store, session: store.set_leaf(session, 99),
        lambda store, _: store.rename("nobody", "x"),
        lambda store, _: store.remove("nobody"),
        lambda store, _: store.fork("nobody"),
        lambda store, session: store.fork(session, 99),
    ],
)
def test_missing_item_raises_with_a_hint_and_changes_nothing(store: Store, call: object) -> None:
    session = store.create_session("here").id
    assert callable(call)
    with pytest.raises(StoreError) as raised:
        call(store, session)
    assert (raised.value.exit_code, raised.value.hint) == (6, "it may have been removed in another window")
    assert store.turns(session) == ()
    assert [found.id for found in store.sessions()] == [session]


def test_turn_of_another_session_cannot_be_a_parent(store: Store) -> None:
    here, there = store.create_session("here").id, store.create_session("there").id
    question = store.add_question(there, None, "?")
    with pytest.raises(StoreError, match="has no turn"):
        store.add_question(here, question.id, "?")


def test_finished_reply_accepts_no_more_text(store: Store) -> None:
    session = store.create_session("ended").id
    reply = store.add_reply(session, store.add_question(session, None, "?").id, SAID)
    store.finish(reply.id, SAID)
    with pytest.raises(StoreError, match="has ended"):
        store.checkpoint(reply.id, "more", "")
    assert store.turns(session)[1].said == SAID


def test_closed_store_raises(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.sessions()
    store.close()


def test_chat_continues_in_memory_with_the_same_ids(store: Store) -> None:
    store.create_session("another")
    session = store.create_session("going on")
    question = store.add_question(session.id, None, "one", (Attachment("a", "file", "b"),))
    store.finish(store.add_reply(session.id, question.id, SAID).id, SAID)
    streaming = store.add_reply(session.id, question.id, StoredReply("m", family="reflection"))
    store.checkpoint(streaming.id, "so ", "")
    refuge = store.fall_back_to_memory(session.id)
    assert refuge.path is None
    assert refuge.turns(session.id) == store.turns(session.id)
    assert refuge.sessions() == (store.find(session.id),)
    store.close()
    refuge.checkpoint(streaming.id, "far", "")
    kept = refuge.turns(session.id)[-1].said
    assert kept
    assert kept.raw == "so far"
    refuge.finish(streaming.id, COMPLETE)
    assert refuge.add_question(session.id, streaming.id, "two").id == streaming.id + 1


def test_chat_continues_with_known_turns_if_the_file_is_unreadable(store: Store) -> None:
    session = store.create_session("lost").id
    question = store.add_question(session, None, "one")
    store.finish(store.add_reply(session, question.id, SAID).id, SAID)
    known = store.turns(session)
    store.close()
    refuge = store.fall_back_to_memory(session, known)
    assert refuge.turns(session) == known
    assert refuge.add_question(session, known[-1].id, "two").parent == known[-1].id
    assert store.fall_back_to_memory(session).find(session).questions == 0


SETTINGS = SessionSettings("far", "reflect", "", "Be brief.\0", (("temperature", 0.3), ("stop", ("a", "b"))), "30s")


@pytest.mark.parametrize(
    "settings",
    [SETTINGS, NO_SETTINGS, SessionSettings(system=""), SessionSettings(options=()), SessionSettings(effort="high")],
)
def test_settings_of_a_session_are_restored_and_copied(store: Store, settings: SessionSettings) -> None:
    session = store.create_session("asked")
    store.add_question(session.id, None, "one")
    store.set_settings(session.id, settings)
    found = store.find(session.id)
    assert found.settings == settings
    assert store.fork(session.id).settings == settings
    assert store.add_session(found, store.turns(session.id)).settings == settings
    assert store.fall_back_to_memory(session.id).find(session.id).settings == settings


def test_unreadable_settings_are_no_settings(store: Store) -> None:
    session = store.create_session("asked").id
    for text in ("", "[]", '{"mode": 1, "system": null, "options": [1, ["a"], ["b", 2]]}', "{"):
        store.database.connection.execute("UPDATE sessions SET settings = ?", (text,))
        assert store.find(session).settings in (NO_SETTINGS, SessionSettings(options=(("b", 2),))), text


def test_label_names_a_turn_and_is_copied(store: Store) -> None:
    session = store.create_session("named").id
    question = store.add_question(session, None, "one")
    reply = store.add_reply(session, question.id, SAID)
    store.finish(reply.id, SAID)
    store.set_label(session, question.id, " start\n\0")
    store.set_label(session, reply.id, "wrong turn")
    for turns in (
        store.turns(session),
        store.turns(store.fork(session).id),
        store.fall_back_to_memory(session).turns(session),
    ):
        assert [turn.label for turn in turns] == ["start \0", "wrong turn"]
    store.set_label(session, reply.id, "")
    assert store.turns(session)[1].label == ""
    with pytest.raises(StoreError, match="no turn 99"):
        store.set_label(session, 99, "x")


@pytest.mark.parametrize(
    ("removed", "left", "leaf"),
    [
        (5, [1, 2, 3, 4], 4),
        (4, [1, 2, 3], 3),
        (2, [1, 3, 4, 5], 5),
        (3, [1, 2], 1),
        (1, [], None),
    ],
)
def test_branch_is_removed_with_everything_below_it(
    store: Store, removed: int, left: list[int], leaf: int | None
) -> None:
    session, other = store.create_session("tree").id, store.create_session("other").id
    first = store.add_question(session, None, "one")
    for text in ("no", "yes"):
        said = COMPLETE._replace(answer=text, segments=((Kind.ANSWER, f"{text} frog"),))
        reply = store.add_reply(session, first.id, said)
        store.finish(reply.id, said)
    second = store.add_question(session, reply.id, "two frogs")
    store.finish(store.add_reply(session, second.id, COMPLETE).id, COMPLETE)
    kept = store.add_question(other, None, "a frog of another session")
    store.remove_turns(session, removed)
    assert [turn.id for turn in store.turns(session)] == left
    assert store.find(session).leaf == leaf
    assert {hit.turn for hit in store.search("frog")} <= {*left, kept.id}
    assert kept.id in {hit.turn for hit in store.search("frog")}


def test_branch_whose_reply_is_being_written_is_not_removed(store: Store) -> None:
    session = store.create_session("tree").id
    question = store.add_question(session, None, "one")
    store.add_reply(session, question.id, SAID)
    with pytest.raises(StoreError, match="still being written"):
        store.remove_turns(session, question.id)
    assert len(store.turns(session)) == 2


@pytest.mark.parametrize("pastes", [(), ((0, 3),), ((0, 3), (4, 9))])
def test_places_of_pasted_texts_are_stored_and_copied(store: Store, pastes: tuple[tuple[int, int], ...]) -> None:
    session = store.create_session("pasted").id
    question = store.add_question(session, None, "abc\0defgh", pastes=pastes)
    assert question.pastes == pastes
    fork = store.fork(session)
    assert [turn.pastes for name in (session, fork.id) for turn in store.turns(name)] == [pastes, pastes]


@pytest.mark.parametrize("stored", ["", "7", "[[3, 1]]", "[[0, 99]]", "[[0, 2], [1, 3]]", '[["a", 2]]', "[[1]]"])
def test_damaged_places_of_pasted_texts_are_left_out(store: Store, stored: str) -> None:
    session = store.create_session("pasted").id
    store.add_question(session, None, "abcdefgh")
    store.database.write(lambda c: c.execute("UPDATE turns SET pastes = ?", (stored,)))
    assert store.turns(session)[0].pastes == (((0, 2),) if stored == "[[0, 2], [1, 3]]" else ())
