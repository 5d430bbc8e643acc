from __future__ import annotations

from typing import TYPE_CHECKING

from support.chat_app import REPLY, THOUGHT, in_a_chat, three_exchanges
from support.scripted_engine import HOLD, cut

if TYPE_CHECKING:
    from support.chat_app import Reader

HELD = (*cut(THOUGHT), HOLD, *cut("</thinking>\n<output>\n9.9\n</output>"))


@in_a_chat(REPLY, REPLY)
async def test_up_recalls_what_was_asked_in_this_run_commands_included(reader: Reader) -> None:
    await reader.ask("First?")
    await reader.ask("Second?")
    await reader.send("/mode direct")
    seen = []
    for _ in range(3):
        await reader.press("up")
        seen.append(reader.chat.composer.text)
    assert seen == ["/mode direct", "Second?", "First?"]
    await reader.press("down", "down", "down")
    assert reader.chat.composer.text == ""


@in_a_chat(REPLY, before=three_exchanges)
async def test_up_goes_on_to_the_questions_of_earlier_runs(reader: Reader) -> None:
    await reader.ask("Second?")
    seen = []
    for _ in range(3):
        await reader.press("up")
        seen.append(reader.chat.composer.text)
    assert seen == ["Second?", "Third?", "First?"]


@in_a_chat(HELD, REPLY)
async def test_up_takes_a_queued_question_back_to_be_edited(reader: Reader) -> None:
    await reader.ask_held("First?", "9.11")
    await reader.send("Second?")
    await reader.send("Third?")
    assert "esc withdraw" in reader.text
    await reader.press("up")
    assert reader.chat.composer.text == "Third?"
    assert [waiting.text for waiting in reader.chat.turns.queue] == ["Second?"]
    await reader.press("1", "enter")
    assert [waiting.text for waiting in reader.chat.turns.queue] == ["Second?", "Third?1"]


@in_a_chat(HELD)
async def test_escape_empties_the_queue_and_then_stops_the_reply(reader: Reader) -> None:
    await reader.ask_held("First?", "9.11")
    await reader.send("Second?")
    await reader.send("Third?")
    for left, shown in (("Second?", "Third?"), ("", "Second?")):
        await reader.press("escape")
        assert "".join(waiting.text for waiting in reader.chat.turns.queue) == left
        assert reader.chat.composer.text == shown
    assert "queued" not in reader.text
    assert reader.chat.turns.current is not None
    await reader.press("escape")
    await reader.at_rest()
    assert len(reader.engine.requests) == 1
    assert [turn.text for turn in reader.stored_turns if turn.said is None] == ["First?"]


@in_a_chat(HELD)
async def test_withdrawn_question_never_replaces_what_is_being_written(reader: Reader) -> None:
    await reader.ask_held("First?", "9.11")
    await reader.send("Second?")
    await reader.press("d", "escape")
    assert reader.chat.composer.text == "d"
    assert reader.chat.turns.queue == []
    await reader.press("backspace", "up")
    assert reader.chat.composer.text == "Second?"
