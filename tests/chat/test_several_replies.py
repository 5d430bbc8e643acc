"""Samples that vote and verified drafts in the chat: one reply is shown, the others are its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import IncompleteError, RefusedError
from reflectty.core.session import ReplyStatus, SessionSettings
from reflectty.reasoning.modes import AskOptions
from support.chat_app import QUESTION, in_a_chat
from support.scripted_engine import HOLD, cut

if TYPE_CHECKING:
    from support.chat_app import Reader
    from support.scripted_engine import Script

SAMPLES = AskOptions(model="reflection", samples=3)
VERIFY = AskOptions(model="reflection", verify=True)


def saying(answer: str, thought: str = "so") -> Script:
    return cut(f"<thinking>\n{thought}\n</thinking>\n<output>\n{answer}\n</output>")


def answers(reader: Reader) -> list[str]:
    return [turn.said.answer for turn in reader.stored_turns if turn.said]


def leaf_answer(reader: Reader) -> str:
    """The answer of the branch that the session shows."""
    last = reader.chat.conversation.last_reply
    assert last
    assert last.said
    return last.said.answer


@in_a_chat(saying("41", "first thought"), saying("42", "second thought"), saying("42"), manner=SAMPLES)
async def test_winner_takes_the_place_of_the_first_reply(reader: Reader) -> None:
    await reader.ask(QUESTION)
    assert answers(reader) == ["41", "42", "42"]
    assert leaf_answer(reader) == "42"
    assert "first thought" not in reader.text
    assert "second thought" in reader.text
    assert "41" not in reader.text.replace(QUESTION, "")
    await reader.shows("3 samples · ")
    assert "2 of 3 agree" in reader.text
    latest = reader.store.latest()
    assert latest
    assert latest.leaf == next(turn.id for turn in reader.stored_turns if turn.said and turn.said.answer == "42")


@in_a_chat(saying("42"), (HOLD, *saying("42")), manner=SAMPLES)
async def test_first_reply_is_shown_while_the_others_are_asked_for(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "sample 2 of 3: 42")
    assert "42" in reader.text
    reader.engine.release()
    await reader.at_rest()
    await reader.shows("2 of 3 samples")


@in_a_chat(saying("42"), (*saying("4")[:3], HOLD), manner=SAMPLES)
async def test_stopped_sampling_keeps_the_reply_that_is_complete(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "sample 2 of 3: 42")
    await reader.press("escape")
    await reader.at_rest()
    assert leaf_answer(reader) == "42"
    assert [turn.said.ended for turn in reader.stored_turns if turn.said] == [
        ReplyStatus.COMPLETE,
        ReplyStatus.INTERRUPTED,
    ]


@in_a_chat(saying("draft"), saying("Is it?"), saying("no"), saying("final", "last thought"), manner=VERIFY)
async def test_final_answer_takes_the_place_of_its_draft(reader: Reader) -> None:
    await reader.ask(QUESTION)
    assert answers(reader) == ["draft", "final"]
    assert leaf_answer(reader) == "final"
    assert "last thought" in reader.text
    await reader.shows("1 check · ")
    assert "the answer changed" in reader.text


@in_a_chat(saying("draft"), saying("Is it?"), saying("no"), (*saying("half of it")[:-3], HOLD), manner=VERIFY)
async def test_stopped_final_answer_leaves_the_draft(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "half")
    await reader.press("escape")
    await reader.at_rest()
    assert leaf_answer(reader) == "draft"
    assert "draft" in reader.text
    assert "half" not in reader.text
    assert "reply 1 of 2" in reader.text


@in_a_chat(saying("draft"), (RefusedError("no more today"),), manner=VERIFY)
async def test_draft_that_could_not_be_verified_says_so(reader: Reader) -> None:
    await reader.ask(QUESTION)
    assert leaf_answer(reader) == "draft"
    assert "draft" in reader.text
    assert "no more today" in reader.text


@in_a_chat((*cut("<thinking>\nand"), IncompleteError("cut off")), saying("42"), saying("42"), manner=SAMPLES)
async def test_complete_reply_takes_the_place_of_one_that_was_cut(reader: Reader) -> None:
    await reader.ask(QUESTION)
    assert leaf_answer(reader) == "42"
    assert "cut off" not in reader.row("42")


@in_a_chat(saying("41"), saying("42"), saying("42"), saying("once"))
async def test_commands_set_it_for_the_session(reader: Reader) -> None:
    await reader.send("/samples 3")
    await reader.ask(QUESTION)
    first = reader.chat.conversation.settings
    await reader.send("/verify on")
    second, options = reader.chat.conversation.settings, reader.chat.conversation.ask_options
    await reader.send("/verify off")
    await reader.ask("Once?")

    assert (first.samples, first.verify) == ("3", "off")
    assert (second.samples, second.verify) == ("1", "on")
    assert (options.samples, options.verify) == (1, True)
    assert answers(reader)[-1] == "once"


@pytest.mark.parametrize("line", ["/samples 2", "/samples many", "/verify maybe"])
@in_a_chat()
async def test_wrong_values_are_refused(reader: Reader, line: str) -> None:
    before = reader.chat.conversation.settings
    await reader.send(line)
    assert reader.chat.conversation.settings == before == SessionSettings()
