from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from reflectty.core.segments import Kind
from reflectty.core.session import ReplyStatus, StoredReply
from reflectty.store import Store, open_store
from reflectty.store.liveness import RUNNING, SILENCE_SECONDS, Writer, current_writer, is_gone, writer_of
from reflectty.store.open import StoreEnvironment
from reflectty.store.read import WRITER_GONE
from support.stored_sessions import COMPLETE

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "<thinking>half a <reflection>needle</reflection></thinking><output>an ans"
SEGMENTS = ((Kind.THINKING, "half a"), (Kind.REFLECTION, "needle"), (Kind.ANSWER, "an ans"))


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def streaming(path: Path, clock: Clock) -> tuple[Store, str, int]:
    store = open_store(path, pytest.fail, StoreEnvironment(clock=clock))
    session = store.create_session("left").id
    reply = store.add_reply(session, store.add_question(session, None, "?").id, StoredReply("m", family="reflection"))
    store.checkpoint(reply.id, TEXT[:20], "")
    store.checkpoint(reply.id, TEXT[20:], "")
    return store, session, reply.id


def seen(store: Store, session: str) -> StoredReply:
    said = store.turns(session)[1].said
    assert said
    return said


def dead_program() -> int:
    program = subprocess.Popen([sys.executable, "-c", ""])
    program.wait()
    return program.pid


def test_reply_being_written_is_left_alone(path: Path, clock: Clock) -> None:
    store, session, reply = streaming(path, clock)
    clock.now += SILENCE_SECONDS - 1
    other = open_store(path, pytest.fail, StoreEnvironment(clock=clock))
    assert (seen(other, session).ended, seen(other, session).segments) == (ReplyStatus.STREAMING, SEGMENTS)
    store.checkpoint(reply, "", "")
    clock.now += SILENCE_SECONDS - 1
    assert seen(other, session).ended is ReplyStatus.STREAMING
    for each in (store, other):
        each.close()


@pytest.mark.parametrize("hours", [1, -1])
def test_silent_writer_is_gone_in_either_clock_direction(path: Path, clock: Clock, hours: int) -> None:
    store, session, _ = streaming(path, clock)
    clock.now += 3600 * hours
    said = seen(store, session)
    assert (said.ended, said.error, said.segments) == (ReplyStatus.INTERRUPTED, WRITER_GONE, SEGMENTS)
    assert (said.raw, said.answer, said.measured.corrections) == (TEXT, "an ans", 1)
    store.close()


def test_reply_of_a_dead_process_is_interrupted_and_searchable(path: Path, clock: Clock) -> None:
    store, session, _ = streaming(path, clock)
    store.database.connection.execute("UPDATE writers SET pid = ?", (dead_program(),))
    assert seen(store, session).ended is ReplyStatus.INTERRUPTED
    assert store.search("needle") == ()
    store.close()
    store = open_store(path, pytest.fail, StoreEnvironment(clock=clock))
    said = seen(store, session)
    assert (said.ended, said.error, said.segments, said.raw) == (ReplyStatus.INTERRUPTED, WRITER_GONE, SEGMENTS, TEXT)
    assert [found.part for found in store.search("needle")] == ["reflection"]
    for table in ("writers", "pieces"):
        assert store.database.connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608 - names of ours
    store.close()


def test_process_that_slept_continues_its_reply(path: Path, clock: Clock) -> None:
    store, session, reply = streaming(path, clock)
    clock.now += 3600
    other = open_store(path, pytest.fail, StoreEnvironment(clock=clock))
    assert seen(other, session).ended is ReplyStatus.INTERRUPTED
    store.checkpoint(reply, "wer", "")
    said = seen(other, session)
    assert (said.ended, said.raw, said.error) == (ReplyStatus.STREAMING, f"{TEXT}wer", "")
    assert other.search("needle") == ()
    store.finish(reply, COMPLETE)
    assert seen(other, session) == COMPLETE
    for each in (store, other):
        each.close()


def test_process_that_slept_can_finish_an_abandoned_reply(path: Path, clock: Clock) -> None:
    store, session, reply = streaming(path, clock)
    clock.now += 3600
    open_store(path, pytest.fail, StoreEnvironment(clock=clock)).close()
    store.finish(reply, COMPLETE)
    assert seen(store, session) == COMPLETE
    assert store.search("needle") == ()
    store.close()


def test_unknown_family_is_parsed_by_its_tags(path: Path, clock: Clock) -> None:
    store, session, reply = streaming(path, clock)
    store.database.connection.execute("UPDATE turns SET family = 'telepathy' WHERE id = ?", (reply,))
    assert (Kind.REFLECTION, "needle") in seen(store, session).segments
    store.close()


def test_current_process_is_alive() -> None:
    this = current_writer()
    assert this.pid == os.getpid()
    assert not is_gone(this, 0.0, SILENCE_SECONDS)
    assert is_gone(this, 0.0, SILENCE_SECONDS + 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a process what is asked for here")
def test_process_is_identified_by_more_than_its_pid() -> None:
    this = current_writer()
    assert this.boot
    assert is_gone(this._replace(started="1"), 0.0, 0.0)
    assert is_gone(this._replace(pid=dead_program()), 0.0, 0.0)
    # A writer on another machine is judged by its silence only.
    for elsewhere in (Writer(dead_program(), "another boot", "1"), Writer(dead_program(), "", "")):
        assert not is_gone(elsewhere, 0.0, SILENCE_SECONDS)
        assert is_gone(elsewhere, 0.0, SILENCE_SECONDS + 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a process what is asked for here")
def test_zombie_process_is_gone() -> None:
    program = subprocess.Popen(["sleep", "9999"])
    alive = writer_of(program.pid)
    assert not is_gone(alive, 0.0, 0.0)
    program.kill()
    os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(alive, 0.0, 0.0)
    program.wait()


def test_dead_process_is_gone_at_once_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    this = current_writer()
    assert this == (os.getpid(), os.uname().nodename, RUNNING)
    assert not is_gone(this, 0.0, 0.0)
    assert is_gone(this._replace(pid=dead_program()), 0.0, 0.0)
    # Older versions recorded no machine; another machine has another name.
    for boot in ("", "another machine"):
        writer = Writer(dead_program(), boot, "")
        assert not is_gone(writer, 0.0, SILENCE_SECONDS)
        assert is_gone(writer, 0.0, SILENCE_SECONDS + 1)


@pytest.mark.parametrize(("pid", "exists"), [(1, True), (1 << 80, False), ("?", False)])
def test_process_of_another_user_exists(monkeypatch: pytest.MonkeyPatch, pid: int, *, exists: bool) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert bool(writer_of(pid).started) is exists
