from __future__ import annotations

import contextlib
import signal
import threading
from itertools import count
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import StoreError
from reflectty.core.session import StoredReply
from reflectty.store import Store, open_store
from support.store_programs import health, outcome, start
from support.stored_sessions import COMPLETE, SAID

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reflectty.core.session import Turn


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.db"


STEPS: dict[str, Callable[[Store, str, int], object]] = {
    "begin": lambda store, _session, _turn: store.create_session("another"),
    "ask": lambda store, session, turn: store.add_question(session, turn, "again?"),
    "reply": lambda store, session, turn: store.add_reply(session, turn, SAID),
    "checkpoint": lambda store, _session, turn: store.checkpoint(turn, "more", ""),
    "finish": lambda store, _session, turn: store.finish(turn, COMPLETE),
    "restart": lambda store, _session, turn: store.restart(turn, SAID),
    "rename": lambda store, session, _turn: store.rename(session, "renamed"),
    "remove": lambda store, session, _turn: store.remove(session),
    "fork": lambda store, session, _turn: store.fork(session),
}


def everything(store: Store) -> tuple[object, ...]:
    """All stored values, without random ids."""
    sessions = store.sessions()
    return tuple((session.title, session.leaf, store.turns(session.id)) for session in sessions)


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_step_that_fails_at_any_point_changes_nothing(
    path: Path, step: Callable[[Store, str, int], object], *, lasting: bool
) -> None:
    store = open_store(path, pytest.fail)
    session = store.create_session("here").id
    turn = store.add_reply(
        session, store.add_question(session, None, "?").id, StoredReply("m", family="reflection", raw="so far")
    ).id
    before = everything(store)
    moment = 1
    while failed_at(store, moment, lambda: step(store, session, turn), lasting=lasting):
        assert everything(store) == before
        moment += 1
    assert moment > 5
    assert everything(store) != before
    store.close()
    assert health(path) == ()


def failed_at(store: Store, moment: int, step: Callable[[], object], *, lasting: bool) -> bool:
    """Let SQLite fail at a moment, counted in small steps; false when the step ends before it."""
    moments = count(1)
    connection = store.database.connection
    connection.set_progress_handler(lambda: (now := next(moments)) == moment or (lasting and now > moment), 7)
    try:
        step()
    except StoreError as error:
        assert "interrupted" in str(error)  # noqa: PT017 - the step may succeed
        return True
    finally:
        connection.set_progress_handler(None, 0)
    return False


def ask_on(store: Store, session: str, kept: list[Turn]) -> None:
    while len(kept) < 1000:
        kept.append(store.add_question(session, kept[-1].id if kept else None, "a long " * 300))


def test_full_disk_raises_and_loses_nothing_saved(path: Path) -> None:
    store = open_store(path, pytest.fail)
    session = store.create_session("full").id
    pages = store.database.connection.execute("PRAGMA page_count").fetchone()[0]
    store.database.connection.execute(f"PRAGMA max_page_count = {pages + 40}")
    kept: list[Turn] = []
    with pytest.raises(StoreError, match="the disk is full") as raised:
        ask_on(store, session, kept)
    assert raised.value.hint
    assert len(kept) > 10
    assert store.turns(session) == tuple(kept)
    refuge = store.fall_back_to_memory(session)
    assert refuge.add_question(session, kept[-1].id, "one more").id == kept[-1].id + 1
    store.database.connection.execute("PRAGMA max_page_count = 100000")
    kept.append(store.add_question(session, kept[-1].id, "there is room again"))
    store.close()
    assert health(path) == ()
    store = open_store(path, pytest.fail)
    assert store.turns(session) == tuple(kept)
    store.close()


def test_write_failures_lose_nothing_saved(path: Path) -> None:
    found = outcome(start("limited", path))
    assert (found.code, found.errors) == (0, "")
    *asked, failed, went_on = found.lines
    assert len(asked) > 10
    assert failed.startswith("failed ")
    assert went_on == "went on\n"
    store = open_store(path, pytest.fail)
    texts = {turn.text for turn in store.turns(store.sessions()[0].id)}
    assert {line.strip() for line in asked} <= texts
    store.close()
    assert health(path) == ()


def test_locked_file_raises_after_a_timeout(path: Path) -> None:
    holder, store = open_store(path, pytest.fail), open_store(path, pytest.fail)
    store.database.connection.execute("PRAGMA busy_timeout = 50")
    holder.database.connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another program has kept it locked"):
        store.create_session("waiting")
    assert store.sessions() == ()
    holder.database.connection.execute("ROLLBACK")
    assert store.create_session("waiting").title == "waiting"
    for each in (holder, store):
        each.close()


def test_interrupted_transaction_is_rolled_back(path: Path) -> None:
    store = open_store(path, pytest.fail)

    def stop(_: object) -> None:
        store.database.connection.execute("DELETE FROM sessions")
        signal.raise_signal(signal.SIGINT)

    store.create_session("here")
    with pytest.raises(KeyboardInterrupt):
        store.database.write(stop)
    assert len(store.sessions()) == 1
    store.create_session("there")
    store.close()


def test_threads_can_write_concurrently(path: Path) -> None:
    store = open_store(path, pytest.fail)
    session = store.create_session("threads").id
    errors: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for number in range(20):
                store.add_question(session, None, f"{name}.{number}")
                store.turns(session)
        except BaseException as error:  # noqa: BLE001 - the test asserts on it later
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(store.turns(session)) == 160
    store.close()


def test_closed_store_raises_store_errors(path: Path) -> None:
    store = open_store(path, pytest.fail)
    session = store.create_session("closed").id
    store.close()
    for step in STEPS.values():
        with pytest.raises(StoreError), contextlib.suppress(KeyError):
            step(store, session, 1)
