from __future__ import annotations

import random
import re
import select
import signal
import time
from typing import TYPE_CHECKING

import pytest

from reflectty.core.session import ReplyStatus
from reflectty.store import open_store
from reflectty.store.open import StoreEnvironment
from reflectty.store.schema import MIGRATIONS
from support.store_programs import PATIENCE, health, outcome, start
from support.store_writers import complete, piece, second_version

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from reflectty.core.session import Turn

AT_ONCE = 4
slow = pytest.mark.slow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.db"


@pytest.mark.parametrize(("writers", "turns"), [(4, 30), pytest.param(16, 50, marks=slow)])
def test_concurrent_writers_lose_nothing(path: Path, writers: int, turns: int) -> None:
    outcomes = [outcome(program) for program in [start("turns", path, turns) for _ in range(writers)]]
    assert [(found.code, found.errors) for found in outcomes] == [(0, "")] * writers
    store = open_store(path, pytest.fail)
    for found in outcomes:
        session = re.fullmatch(r"done (\w+)\n", found.lines[-1])
        assert session, found.lines
        texts = [turn.said.answer if turn.said else turn.text for turn in store.turns(session[1])]
        assert texts == [f"{kind} {number}" for number in range(turns // 2) for kind in ("question", "answer")]
    store.close()
    assert health(path) == ()


@pytest.mark.parametrize(("run", "programs"), [(0, 6), *(pytest.param(run, 12, marks=slow) for run in range(1, 11))])
def test_programs_may_create_the_store_concurrently(path: Path, run: int, programs: int) -> None:
    outcomes = [outcome(program) for program in [start("turns", path, 2) for _ in range(programs)]]
    assert [(found.code, len(found.lines), found.errors) for found in outcomes] == [(0, 1, "")] * programs, run
    store = open_store(path, pytest.fail)
    assert len(store.sessions()) == programs
    store.close()
    assert health(path) == ()


def kill(programs: list[subprocess.Popen[str]], delays: list[float]) -> list[str]:
    """Kill programs in the middle of their work; return the lines they had printed."""
    for program in programs:
        # The lines stay unread until the program is dead.
        assert program.stdout
        assert select.select([program.stdout], [], [], PATIENCE)[0]
    began = time.monotonic()
    for program, delay in zip(programs, sorted(delays), strict=True):
        time.sleep(max(0.0, began + delay - time.monotonic()))
        program.send_signal(signal.SIGKILL)
    outcomes = [outcome(program) for program in programs]
    assert {(found.code, found.errors) for found in outcomes} == {(-signal.SIGKILL, "")}
    return [line for found in outcomes for line in found.lines]


@pytest.mark.parametrize(("kills", "in_the_middle"), [(8, 1), pytest.param(100, 50, marks=slow)])
def test_killed_programs_lose_nothing_saved(path: Path, kills: int, in_the_middle: int) -> None:
    chance = random.Random(9)  # noqa: S311 - random moments, not secrets
    streaming = 0
    for _ in range(kills // AT_ONCE):
        programs = [start("stream", path) for _ in range(AT_ONCE)]
        lines = kill(programs, [chance.uniform(0.0, 0.15) for _ in programs])
        assert health(path) == ()
        store = open_store(path, pytest.fail)
        turns = {turn.id: turn for session in store.sessions(AT_ONCE) for turn in store.turns(session.id)}
        store.close()
        for line in lines:
            check_kept(turns, line.split())
        streaming += sum(
            turn.said is not None and turn.said.ended is ReplyStatus.INTERRUPTED for turn in turns.values()
        )
    # Unless some kills hit a reply in the middle, the test proves nothing.
    assert streaming >= in_the_middle


def check_kept(turns: dict[int, Turn], words: list[str]) -> None:
    if words[0] == "asked":
        assert turns[int(words[2])].text == "and then?"
        return
    turn = int(words[1])
    said = turns[turn].said
    assert said
    assert said.ended in {ReplyStatus.INTERRUPTED, ReplyStatus.COMPLETE}
    kept = 5 if words[0] == "finished" else int(words[2])
    assert said.raw.startswith("".join(piece(turn, number) for number in range(kept)))
    if words[0] == "finished":
        assert said.ended is ReplyStatus.COMPLETE
        assert said.segments == complete(said.raw).segments


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=slow)])
def test_a_killed_migration_leaves_the_old_file(path: Path, kills: int) -> None:
    chance = random.Random(4)  # noqa: S311 - random moments, not secrets
    store = open_store(path, pytest.fail)
    session = store.create_session("old").id
    for number in range(60):
        store.add_question(session, None, f"question {number}")
    before = store.turns(session)
    store.close()
    for _ in range(kills):
        # The migration takes at least 0.12 s, and does not end by itself.
        assert kill([start("migrate", path)], [chance.uniform(0.0, 0.15)]) == ["starting\n"]
        assert health(path) == ()
        store = open_store(path, pytest.fail)
        assert store.turns(session) == before
        store.close()
    store = open_store(path, pytest.fail, StoreEnvironment(migrations=(*MIGRATIONS, second_version)))
    assert store.turns(session) == before
    assert set(store.database.connection.execute("SELECT mood FROM turns")) == {("calm",)}
    store.close()
