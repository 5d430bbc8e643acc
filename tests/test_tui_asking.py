from __future__ import annotations

from typing import TYPE_CHECKING

from chat_app import IN_ANSWER, IN_THOUGHT, REPLY, in_a_chat
from reflectty.session import Ended
from scripted_engine import HOLD

if TYPE_CHECKING:
    from chat_app import Reader

QUESTION = "Which is larger, 9.11 or 9.9?"


@in_a_chat(REPLY)
async def test_a_question_is_shown_and_stored_before_it_is_sent(reader: Reader) -> None:
    seen: list[tuple[list[str], list[str]]] = []
    reader.engine.sent = lambda: seen.append((reader.sees(QUESTION), [turn.text for turn in reader.kept if not turn.said]))
    await reader.ask(QUESTION)
    assert seen == [([QUESTION], [QUESTION])]


@in_a_chat(IN_THOUGHT)
async def test_x(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    print(reader.text)
    await reader.press("escape")
    await reader.at_rest()
    print(reader.text)
    assert reader.said.ended is Ended.INTERRUPTED
    assert 0
