from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from reflectty.chat import recorder
from reflectty.core.errors import StoreError
from reflectty.core.session import ReplyStatus
from support.chat_app import QUESTION, REPLY, in_a_chat
from support.command import PATIENCE
from support.scripted_engine import cut

if TYPE_CHECKING:
    from reflectty.store import Store
    from support.chat_app import Reader

OTHER = "<thinking>\nAnew.\n</thinking>\n<output>\nAnother.\n</output>"
WRITES = (
    "create_session",
    "add_question",
    "add_reply",
    "checkpoint",
    "restart",
    "finish",
    "set_leaf",
    "rename",
    "remove",
    "fork",
)
FULL = "the disk is full"
MEMORY = "this session is now in memory only"


class FailingStore:
    """A store whose writes fail from one write on; its contents can still be read."""

    def __init__(self, store: Store, writes: int) -> None:
        self._store = store
        self._left = writes

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            self._left -= 1
            if self._left < 0:
                raise StoreError(FULL, "make room")
        return getattr(self._store, name)


def failing_after(writes: int) -> Any:
    return lambda store: cast("Store", FailingStore(store, writes))


@pytest.fixture(autouse=True)
def _never_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch off checkpoints during a reply: the writes are counted."""
    monkeypatch.setattr(recorder, "CHECKPOINT_SECONDS", PATIENCE)


@pytest.mark.parametrize("writes", range(9))
def test_failing_store_loses_no_question_and_no_answer(writes: int) -> None:
    @in_a_chat(REPLY, REPLY, REPLY, opened=failing_after(writes), size=(100, 60))
    async def chat(reader: Reader) -> None:
        for question in (QUESTION, "Second?", "Third?"):
            await reader.ask(question)
        kept = [turn.said.ended if turn.said else turn.text for turn in reader.stored_turns]
        assert kept == [QUESTION, ReplyStatus.COMPLETE, "Second?", ReplyStatus.COMPLETE, "Third?", ReplyStatus.COMPLETE]
        assert [row for row in reader.rows() if row.startswith(" !")] == [f" ! {FULL}: {MEMORY}"]
        assert [row for row in reader.rows() if row.startswith(" ▌")] == [
            f" ▌ {question}" for question in (QUESTION, "Second?", "Third?")
        ]
        assert reader.text.count("9.9 is larger.") == 3
        sent = [message.content for message in reader.engine.requests[-1].messages]
        assert sent == [QUESTION, "**9.9** is larger.", "Second?", "**9.9** is larger.", "Third?"]

    chat()


@in_a_chat(REPLY, cut(OTHER), REPLY, opened=failing_after(6), size=(100, 60))
async def test_branch_is_shown_even_when_it_cannot_be_saved(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.press("alt+r")
    await reader.at_rest()
    await reader.press("alt+left")
    assert reader.sees("9.9 is larger.", "Another.", f"! {FULL}") == ["9.9 is larger.", f"! {FULL}"]
    await reader.ask("Why?")
    assert [message.content for message in reader.engine.requests[-1].messages] == [
        QUESTION,
        "**9.9** is larger.",
        "Why?",
    ]
    assert reader.stored_reply.ended is ReplyStatus.COMPLETE


@in_a_chat(REPLY, REPLY, opened=failing_after(4), size=(100, 60))
async def test_title_that_cannot_be_saved_is_reported(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.send("/title Nines")
    assert reader.row("!") == f" ! {FULL} (make room)"
    assert "Nines" not in reader.rows()[0]
    await reader.ask("Why?")
    assert reader.stored_reply.ended is ReplyStatus.COMPLETE


@in_a_chat(REPLY, cut(OTHER), opened=failing_after(4), size=(100, 60))
async def test_edited_question_is_asked_even_when_it_cannot_be_saved(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.press("alt+e")
    await reader.send("Which one?")
    await reader.at_rest()
    assert reader.sees("▌ Which one?", "Another.", MEMORY) == ["▌ Which one?", "Another.", MEMORY]
    assert [turn.parent for turn in reader.stored_turns] == [None, 1, None, 3]


@pytest.mark.parametrize("writes", range(3, 8))
def test_failing_store_loses_no_reply_of_a_comparison(writes: int) -> None:
    @in_a_chat(REPLY, cut("It is 9.11."), REPLY, opened=failing_after(writes), size=(100, 30))
    async def chat(reader: Reader) -> None:
        await reader.ask(QUESTION)
        await reader.send("/compare cot,reflect")
        await reader.shows("answers", "back")
        await reader.press("escape")
        await reader.shows(MEMORY if writes < 7 else "reply 1 of 3")
        question, *replies = reader.stored_turns

        assert {turn.parent for turn in replies} == {question.id}
        assert [turn.said.answer for turn in replies].count("It is 9.11.") == 1
        assert len(replies) == 3
        assert {turn.said.ended for turn in replies} == {ReplyStatus.COMPLETE}

    chat()
