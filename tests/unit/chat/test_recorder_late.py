from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from reflectty.chat.recorder import Recorder, RecordTarget
from reflectty.core.errors import StoreError
from reflectty.core.messages import Chunk
from reflectty.core.session import ReplyStatus
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from reflectty.store import Store, open_store
from support.recorder_harness import SAID, RecorderHarness, turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


THOUGHT = "<thinking>\n11 is more.\n<reflection>\nNo.\n</reflection>\n</thinking>\n"
ANSWER = "<output>\n9.9\n</output>"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


class TestDelayedRecording:
    def test_quick_turn_is_written_at_the_end(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"), late=True)
        desk.say(THOUGHT + ANSWER)
        desk.wait(0.9)
        before = desk.opened, path.exists()
        desk.end()

        assert before == (0, False)
        assert [turn.text for turn in desk.turns()] == ["q", ""]
        assert (desk.reply().answer, desk.reply().ended, desk.reply().digest) == ("9.9", ReplyStatus.COMPLETE, "abc")
        assert desk.opened == 1

    @pytest.mark.parametrize("place", ["a new session", "after a turn", "another reply to a question"])
    def test_quick_turn_is_written_in_one_transaction(self, path: Path, place: str) -> None:
        store = open_store(path, pytest.fail)
        target = RecordTarget("q")
        if place != "a new session":
            session = store.create_session("s").id
            question = store.add_question(session, None, "before").id
            parent, answered = (question, None) if place == "after a turn" else (None, question)
            target = target._replace(session=session, parent=parent, question=answered)
        sent: list[str] = []
        store.database.connection.set_trace_callback(sent.append)
        recorder = Recorder(lambda _: store, target, deferred=True)
        reply = Reply("m", FAMILIES["reflection"], mode="native")
        recorder.begin(SAID, reply, pytest.fail)
        reply.feed(Chunk(THOUGHT + ANSWER, done=True, done_reason="stop"))
        recorder.end(ReplyStatus.COMPLETE)
        found = turns(path)

        assert sent.count("COMMIT") == 1
        assert recorder.turn is not None
        assert found[-1] == recorder.turn
        assert (recorder.question, recorder.reply) == (found[-2].id, found[-1].id)
        assert [turn.text for turn in found] == {
            "a new session": ["q", ""],
            "after a turn": ["before", "q", ""],
            "another reply to a question": ["before", ""],
        }[place]

    def test_long_turn_is_written_after_one_second(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"), late=True)
        desk.say("<thinking>\n11 ")
        desk.wait(1)
        streaming = desk.reply()
        desk.say("is more")
        desk.wait(1)
        later = desk.reply()
        desk.end(ReplyStatus.INTERRUPTED)

        assert (streaming.ended, streaming.raw) == (ReplyStatus.STREAMING, "<thinking>\n11 ")
        assert later.raw == "<thinking>\n11 is more"
        assert desk.reply().ended is ReplyStatus.INTERRUPTED
        assert len(desk.turns()) == 2

    @pytest.mark.parametrize("ended", [ReplyStatus.FAILED, ReplyStatus.INTERRUPTED])
    @pytest.mark.parametrize("seconds", [0.5, 3])
    def test_question_without_a_reply_is_not_saved(self, path: Path, ended: ReplyStatus, seconds: float) -> None:
        desk = RecorderHarness(path, RecordTarget("q"), late=True)
        desk.wait(seconds)
        desk.end(ended, "refused")

        assert turns(path) == ()
        assert desk.opened == (seconds >= 1)


class TestFailingStore:
    def test_write_failure_gives_one_note(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"))
        store = open_store(path, pytest.fail)
        store.remove(desk.keeper.session)
        store.close()
        desk.say("x")
        desk.wait(1)
        desk.say("y")
        desk.wait(1)
        desk.end()

        assert len(desk.notes) == 1
        assert "the rest of this turn is not saved" in desk.notes[0]
        assert isinstance(desk.keeper.failure, StoreError)

    @pytest.mark.parametrize("late", [True, False])
    def test_open_failure_gives_one_note(self, tmp_path: Path, late: bool) -> None:
        (tmp_path / "file").write_text("in the way")
        desk = RecorderHarness(tmp_path / "file" / "sessions.db", RecordTarget("q"), late=late)
        desk.say("x")
        desk.wait(2)
        desk.end()

        assert len(desk.notes) == 1

    def test_failed_open_is_not_retried(self) -> None:
        notes: list[str] = []
        opened: list[str] = []
        reply = Reply("m", FAMILIES["reflection"])

        def fails(_: Callable[[str], None]) -> Store:
            opened.append("once")
            raise StoreError("it is not there")

        keeper = Recorder(fails, RecordTarget("q"), clock=itertools.count(step=10).__next__)
        keeper.begin(SAID, reply, notes.append)
        reply.feed(Chunk(content="x"))
        keeper.tick()
        keeper.end(ReplyStatus.COMPLETE)

        assert (len(opened), len(notes)) == (1, 1)
        assert str(keeper.failure) == "it is not there"

    def test_newer_schema_gives_one_note(self, path: Path) -> None:
        store = open_store(path, pytest.fail)
        store.database.connection.execute("PRAGMA user_version = 999")
        store.close()
        desk = RecorderHarness(path, RecordTarget("q"))
        desk.say("x")
        desk.end()

        assert len(desk.notes) == 1
        assert "newer" in desk.notes[0]
        assert desk.keeper.failure is not None
