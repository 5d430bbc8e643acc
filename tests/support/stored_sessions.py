"""Stored replies for the tests: one with every field, a plain one, and a store full of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from reflectty.core.messages import Usage
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyMetrics, ReplyOrigin, ReplyStatus, StoredReply
from reflectty.store import open_store

if TYPE_CHECKING:
    from reflectty.store import Store

SAID = StoredReply(
    model="reflection",
    digest="sha256:1",
    mode="native",
    family="reflection",
    prefilled=True,
    effort="high",
    options=(("temperature", 0.5), ("seed", 7), ("stop", ("a", "b")), ("penalize", True), ("name", "x")),
    segments=(
        (Kind.THINKING, "two and two"),
        (Kind.REFLECTION, "no, three"),
        (Kind.THINKING, ""),
        (Kind.ANSWER, "four\n"),
    ),
    answer="four",
    raw="two and two<reflection>no, three</reflection></thinking>four\n",
    raw_thinking="field",
    ended=ReplyStatus.INCOMPLETE,
    done_reason="length",
    origin=ReplyOrigin.STEERED,
    error="the token limit was reached",
    warnings=("one", "two"),
    measured=ReplyMetrics(3, 1, 1, 12.5, 3.25, 40.0, 55.5, Usage(9, 4, 1.0, 2.0, 3.0, 4.0)),
)
COMPLETE = StoredReply("mini", segments=((Kind.ANSWER, "yes"),), answer="yes", raw="yes", ended=ReplyStatus.COMPLETE)


def filled(path: Path) -> str:
    """Store a session that fills many pages; return its id."""
    if path.exists() or path.is_symlink():
        store = open_store(path, pytest.fail)
        session = fill(store)
        store.close()
        return session
    session, file = _filled()
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    path.write_bytes(file)
    path.chmod(0o600)
    return session


@cache
def _filled() -> tuple[str, bytes]:
    """Fill a file once; return the id of its session and its bytes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sessions.db"
        store = open_store(path, pytest.fail)
        session = fill(store)
        store.close()
        return session, path.read_bytes()


def fill(store: Store, questions: int = 60) -> str:
    session = store.create_session("filled").id
    for number in range(questions):
        question = store.add_question(session, None, f"question {number} " + "long " * 200)
        store.finish(store.add_reply(session, question.id, SAID).id, SAID)
    return session
