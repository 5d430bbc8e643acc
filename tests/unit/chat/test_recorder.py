from __future__ import annotations

import asyncio
import queue
import threading
from typing import TYPE_CHECKING

import pytest

from reflectty.chat.recorder import Recorder, RecordTarget
from reflectty.core.messages import Chunk
from reflectty.core.segments import Kind
from reflectty.core.session import Attachment, ReplyOrigin, ReplyStatus, branch_to, history_of
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from reflectty.store import open_store
from support.recorder_harness import SAID, RecorderHarness, turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


THOUGHT = "<thinking>\n11 is more.\n<reflection>\nNo.\n</reflection>\n</thinking>\n"
ANSWER = "<output>\n9.9\n</output>"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


class TestImmediateRecording:
    def test_question_is_saved_before_the_reply_starts(self, path: Path) -> None:
        RecorderHarness(path, RecordTarget("Which?", (Attachment("a.txt", "file", "9.9"),)))
        question, reply = turns(path)

        assert (question.text, question.attachments) == ("Which?", (Attachment("a.txt", "file", "9.9"),))
        assert reply.parent == question.id
        assert reply.said is not None
        assert (reply.said.ended, reply.said.model, reply.said.effort) == (ReplyStatus.STREAMING, "m", "high")

    def test_partial_reply_is_saved_after_one_second(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"))
        desk.say("<thinking>\n11 ")
        desk.wait(0.9)
        before = desk.reply().raw
        desk.wait(0.1)
        after = desk.reply().raw
        desk.say("is more")
        desk.wait(1.0)

        assert (before, after, desk.reply().raw) == ("", "<thinking>\n11 ", "<thinking>\n11 is more")

    def test_long_text_is_saved_at_once(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"))
        desk.say("a" * 4096)
        desk.wait(0.1)

        assert len(desk.reply().raw) == 4096

    def test_thinking_in_its_own_field_is_saved_too(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"))
        desk.spoken.feed(Chunk(thinking="so"))
        desk.wait(1)
        desk.say("9.9")
        desk.wait(1)

        assert (desk.reply().raw_thinking, desk.reply().raw) == ("so", "9.9")

    def test_silent_reply_updates_its_heartbeat(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"))
        beats: list[float] = []
        store = open_store(path, pytest.fail)
        for _ in range(20):
            desk.wait(0.5)
            ((beat,),) = store.database.connection.execute("SELECT beat FROM writers").fetchall()
            beats.append(beat)
        store.close()

        assert len(set(beats)) == 3

    def test_finished_reply_is_saved_with_all_fields(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"))
        desk.say(THOUGHT)
        desk.wait(1)
        desk.say(ANSWER)
        desk.spoken.warnings.append("it is hot")
        desk.end()
        said = desk.reply()

        assert said.raw == THOUGHT + ANSWER
        assert said.segments == (
            (Kind.THINKING, "11 is more."),
            (Kind.REFLECTION, "No."),
            (Kind.ANSWER, "9.9"),
        )
        assert (said.answer, said.ended, said.done_reason, said.error) == ("9.9", ReplyStatus.COMPLETE, "stop", "")
        assert (said.digest, said.mode, said.family, said.effort) == ("abc", "native", "reflection", "high")
        assert (said.options, said.warnings, said.origin) == ((("seed", 4),), ("it is hot",), ReplyOrigin.ASKED)
        assert said.measured == desk.spoken.metrics
        assert said.measured.corrections == 1
        assert desk.notes == []

    def test_digest_known_only_at_the_end_is_saved(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"), said=SAID._replace(digest=""))
        desk.say("x")
        desk.end()

        assert desk.reply().digest == "later"

    def test_cut_reply_saves_its_error_once(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"))
        desk.say("<thinking>\n11 is <refl")
        desk.spoken.warnings += ["it is hot", "the runner died"]
        desk.end(ReplyStatus.INCOMPLETE, "the runner died")
        said = desk.reply()

        assert (said.ended, said.error, said.warnings) == (ReplyStatus.INCOMPLETE, "the runner died", ("it is hot",))
        assert said.segments == ((Kind.THINKING, "11 is <refl"),)

    def test_reply_that_never_began_is_saved_with_its_question(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"))
        desk.end(ReplyStatus.FAILED, "the model is gone")

        assert (desk.reply().ended, desk.reply().error) == (ReplyStatus.FAILED, "the model is gone")
        assert desk.turns()[0].text == "q"


class TestTargets:
    def first(self, path: Path) -> Recorder:
        desk = RecorderHarness(path, RecordTarget("first"))
        desk.say(ANSWER)
        desk.end()
        return desk.keeper

    def test_a_question_follows_a_turn(self, path: Path) -> None:
        first = self.first(path)
        desk = RecorderHarness(path, RecordTarget("second", session=first.session, parent=first.reply))
        desk.say("<output>\nten\n</output>")
        desk.end()
        found = turns(path)

        assert [turn.parent for turn in found] == [None, *(turn.id for turn in found[:-1])]
        assert [message.content for message in history_of(found)] == ["first", "9.9", "second", "ten"]

    def test_another_reply_is_a_branch_of_its_question(self, path: Path) -> None:
        first = self.first(path)
        begun = RecordTarget(session=first.session, question=first.question, origin=ReplyOrigin.STEERED)
        desk = RecorderHarness(path, begun, said=SAID._replace(raw="<thinking>\nNot so"))
        desk.say(" fast.\n</thinking>\n" + ANSWER)
        desk.end()
        question, old, new = turns(path)

        assert old.parent == new.parent == question.id
        assert new.said is not None
        assert (new.said.origin, new.said.raw) == (
            ReplyOrigin.STEERED,
            f"<thinking>\nNot so fast.\n</thinking>\n{ANSWER}",
        )
        assert branch_to(turns(path), desk.keeper.reply) == (question, new)

    def test_continued_reply_streams_from_where_it_stopped(self, path: Path) -> None:
        desk = RecorderHarness(path, RecordTarget("q"))
        desk.say("<thinking>\n11 is")
        desk.end(ReplyStatus.INCOMPLETE, "cut")
        reply = desk.keeper.reply
        again = RecordTarget(session=desk.keeper.session, reply=reply, origin=ReplyOrigin.CONTINUED)
        desk = RecorderHarness(path, again, said=SAID._replace(raw="<thinking>\n11 is"))
        desk.say(" more")
        desk.wait(1)
        streaming = desk.reply()
        desk.say(".\n</thinking>\n" + ANSWER)
        desk.end()
        said = desk.reply()

        assert (streaming.ended, streaming.raw) == (ReplyStatus.STREAMING, "<thinking>\n11 is more")
        assert (said.ended, said.error, said.origin) == (ReplyStatus.COMPLETE, "", ReplyOrigin.CONTINUED)
        assert said.raw == f"<thinking>\n11 is more.\n</thinking>\n{ANSWER}"
        assert [turn.id for turn in turns(path)][-1] == reply
        assert len(turns(path)) == 2


class Worker:
    """Runs work in a thread of its own, in order."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._held = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def soon(self, work: Callable[[], None]) -> None:
        self._work.put(work)

    def release(self) -> None:
        self._held.set()

    def stop(self) -> None:
        self._held.set()
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        self._held.wait()
        while work := self._work.get():
            work()


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.stop()


def test_background_write_uses_the_state_at_submission(path: Path, worker: Worker) -> None:
    async def exchange() -> Recorder:
        reply = Reply("m", FAMILIES["reflection"])
        keeper = Recorder(lambda warn: open_store(path, warn), RecordTarget("q"), submit=worker.soon)
        keeper.begin(SAID, reply, pytest.fail)
        reply.feed(Chunk(content="<output>\n9.9"))
        keeper.end(ReplyStatus.INTERRUPTED)
        reply.feed(Chunk(content=" and more"))
        assert keeper.reply is None
        worker.release()
        await keeper.wait_until_written()
        return keeper

    keeper = asyncio.run(exchange())
    question, answer = turns(path)

    assert (question.id, answer.id) == (keeper.question, keeper.reply)
    assert answer.said is not None
    assert answer.said.answer == "9.9"
