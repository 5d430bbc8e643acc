"""A recorder that begins again adds another reply to the same question, and one of them is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.chat.recorder import RecordTarget
from reflectty.core.session import ReplyStatus
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from reflectty.store import open_store
from support.recorder_harness import SAID, RecorderHarness, turns

if TYPE_CHECKING:
    from pathlib import Path

LATE = pytest.mark.parametrize("late", [True, False], ids=["deferred", "at once"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def begin_again(desk: RecorderHarness) -> None:
    desk.spoken = Reply("m", FAMILIES["reflection"], mode="native")
    desk.keeper.begin(SAID, desk.spoken, desk.notes.append)


def answer(desk: RecorderHarness, text: str, *, seconds: float = 0.0) -> None:
    desk.say(f"<output>\n{text}")
    desk.wait(seconds)
    desk.say("\n</output>")
    desk.end()


def leaf_of(path: Path) -> int | None:
    store = open_store(path, pytest.fail)
    leaf = store.sessions()[0].leaf
    store.close()
    return leaf


@LATE
@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_replies_are_branches_of_one_question(path: Path, late: bool, seconds: float) -> None:
    desk = RecorderHarness(path, RecordTarget("q"), late=late)
    answer(desk, "41", seconds=seconds)
    begin_again(desk)
    answer(desk, "42", seconds=seconds)
    question, *replies = turns(path)

    assert [turn.said.answer for turn in replies if turn.said] == ["41", "42"]
    assert {turn.parent for turn in replies} == {question.id}
    assert {number: turn.id for number, turn in desk.keeper.finished.items()} == {1: replies[0].id, 2: replies[1].id}
    assert leaf_of(path) == replies[1].id
    assert desk.notes == []


@LATE
def test_chosen_reply_ends_the_branch(path: Path, late: bool) -> None:
    desk = RecorderHarness(path, RecordTarget("q"), late=late)
    answer(desk, "41")
    begin_again(desk)
    answer(desk, "42")
    desk.keeper.choose(1)
    first = turns(path)[1]

    assert leaf_of(path) == first.id
    assert desk.keeper.turn
    assert (desk.keeper.turn.id, desk.keeper.written) == (first.id, first.said)


@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_empty_reply_among_others_is_not_kept(path: Path, seconds: float) -> None:
    desk = RecorderHarness(path, RecordTarget("q"), late=True)
    answer(desk, "41")
    begin_again(desk)
    desk.wait(seconds)
    desk.keeper.end(ReplyStatus.FAILED, "gone")
    desk.keeper.choose(2)

    assert [turn.said.answer for turn in turns(path) if turn.said] == ["41"]
    assert desk.notes == []


@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_reply_after_an_empty_one_has_a_question(path: Path, seconds: float) -> None:
    desk = RecorderHarness(path, RecordTarget("q"), late=True)
    desk.wait(seconds)
    desk.keeper.end(ReplyStatus.FAILED, "gone")
    begin_again(desk)
    answer(desk, "42")

    assert [turn.text or (turn.said and turn.said.answer) for turn in turns(path)] == ["q", "42"]
    assert desk.keeper.session
    assert desk.notes == []
