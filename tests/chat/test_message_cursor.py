"""The cursor over messages: what it marks, and what copy, edit, regenerate and fold do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.segments import Kind
from support.chat_app import IN_ANSWER, IN_THOUGHT, QUESTION, in_a_chat, plain_stored_reply, store_exchanges
from support.osc52 import copied
from support.scripted_engine import cut

if TYPE_CHECKING:
    from reflectty.core.session import Session
    from reflectty.store import Store
    from support.chat_app import Reader

CODE = "Two:\n\n```python\nprint(1)\n```\n\nand\n\n```sh\necho 2\necho 3\n```\n"


def three(store: Store) -> Session:
    thought = (Kind.THINKING, "Let me see.")
    return store_exchanges(
        store,
        ("First?", plain_stored_reply("One.", thought)),
        ("Second?", plain_stored_reply(CODE, thought)),
        ("Third?", plain_stored_reply("Three.", thought)),
    )


def marked(reader: Reader) -> list[str]:
    """The rows whose gutter is marked."""
    transcript = reader.chat.transcript
    strips = [transcript.render_line(y) for y in range(transcript.size.height)]
    firsts = [(strip, next(iter(strip)).style) for strip in strips]
    return [strip.text.rstrip() for strip, style in firsts if style and style.reverse]


@in_a_chat(before=three)
async def test_alt_up_and_down_mark_one_message_and_esc_leaves(reader: Reader) -> None:
    assert marked(reader) == []
    await reader.press("alt+up")
    assert [row[2:] for row in marked(reader) if row[2:]] == ["thought   alt+o fold", "Let me see.", "Three."]
    await reader.press("alt+up")
    assert marked(reader) == ["▌ Third?"]
    assert reader.sees("alt+y copy", "alt+e edit", "esc leave") == ["alt+y copy", "alt+e edit", "esc leave"]
    await reader.press("escape")
    assert marked(reader) == []
    await reader.press("alt+up", "alt+down")
    assert marked(reader) == []


@pytest.mark.parametrize(
    ("ups", "key", "text"),
    [
        (0, "alt+y", "Three."),
        (1, "alt+y", "Three."),
        (2, "alt+y", "Third?"),
        (3, "alt+y", CODE),
        (3, "alt+u", "Let me see."),
        (4, "alt+y", "Second?"),
        (5, "alt+y", "One."),
        (9, "alt+y", "First?"),
    ],
)
@in_a_chat(before=three)
async def test_copying_takes_the_chosen_message(reader: Reader, ups: int, key: str, text: str) -> None:
    await reader.press(*["alt+up"] * ups, key)
    await reader.until(lambda: reader.written)
    assert copied(reader) == [text]


@in_a_chat(before=three)
async def test_of_several_blocks_of_code_one_is_chosen(reader: Reader) -> None:
    await reader.press("alt+up", "alt+up", "alt+up", "alt+k")
    await reader.shows("Copy a code block", "print(1)", "echo 2", "2 lines")
    await reader.press("up", "enter")
    await reader.until(lambda: reader.written)
    assert copied(reader) == ["print(1)\n"]


@in_a_chat(before=three)
async def test_edit_and_fold_act_on_the_chosen_message(reader: Reader) -> None:
    await reader.press("alt+up", "alt+up", "alt+up", "alt+up", "alt+up", "alt+o")
    first = reader.chat.turns.parts.replies[0]
    assert [part.is_open for part in reader.chat.turns.parts.replies] == [False, True, True]
    assert reader.chat.cursor.message is first
    await reader.press("alt+e")
    assert reader.chat.composer.text == "First?"
    assert reader.chat.cursor.message is None


@in_a_chat(cut("Once more."), before=three)
async def test_regenerate_asks_the_chosen_question_again(reader: Reader) -> None:
    await reader.press("alt+up", "alt+up", "alt+up", "alt+up", "alt+r")
    await reader.until(lambda: reader.engine.requests)
    await reader.at_rest()
    assert [message.content for message in reader.engine.requests[0].messages if message.role == "user"] == [
        "First?",
        "Second?",
    ]
    assert reader.sees("reply 2 of 2", "Once more.") == ["reply 2 of 2", "Once more."]
    assert reader.chat.cursor.message is None


@in_a_chat(IN_THOUGHT, before=three)
async def test_what_stands_above_a_coming_reply_can_be_copied(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.press("alt+y")
    await reader.until(lambda: reader.written)
    await reader.press("alt+up", "alt+u")
    await reader.until(lambda: len(reader.written) > 1)
    above, coming = copied(reader)
    assert above == "Three."
    assert "90 is more than 11." in coming
    await reader.press("escape")
    assert reader.chat.turns.current is not None
    reader.engine.release()
    await reader.at_rest()


@in_a_chat(IN_ANSWER)
async def test_a_coming_answer_is_copied_as_far_as_it_has_come(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "9.9")
    await reader.press("alt+up", "alt+y")
    await reader.until(lambda: reader.written)
    assert copied(reader)[0].startswith("**9.9**")
    reader.engine.release()
    await reader.at_rest()
