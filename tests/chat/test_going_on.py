from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.messages import Chunk, Model
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyOrigin, ReplyStatus
from reflectty.reasoning.modes import AskOptions
from reflectty.tui.sessions.panel import SessionsPanel
from reflectty.tui.status import hints_for
from support.chat_app import (
    ANSWERED,
    IN_ANSWER,
    IN_THOUGHT,
    QUESTION,
    REPLY,
    THOUGHT,
    app_over,
    chatting,
    in_a_chat,
    plain_stored_reply,
    store_exchanges,
)
from support.scripted_engine import HOLD, cut, thoughts

if TYPE_CHECKING:
    from reflectty.core.session import Session, Turn
    from reflectty.store import Store
    from reflectty.tui.app import ReflectApp
    from support.chat_app import Reader
    from support.scripted_engine import ScriptedEngine

DRAFT = (
    "Both start with 9.\n11 is more than 9, so 9.11.\n<reflection>\nThe same number of digits: 9.90.\n</reflection>"
    "\n90 is more than 11."
)
REST = cut("\nSo 9.9 it is.\n</thinking>\n<output>\nSteered.\n</output>")
ANOTHER = cut("<thinking>\nAnew.\n</thinking>\n<output>\nAnother.\n</output>")
SAID = plain_stored_reply("Yes.", (Kind.THINKING, "Let me see."))


def two_exchanges(store: Store) -> Session:
    return store_exchanges(store, ("First?", SAID), ("Second?", SAID))


def last(reader: Reader) -> Turn:
    turn: Turn = reader.stored_turns[-1]
    return turn


def asked(reader: Reader) -> list[str]:
    return [message.content for message in reader.engine.requests[-1].messages]


def tree(reader: Reader) -> dict[int, int | None]:
    return {turn.id: turn.parent for turn in reader.stored_turns}


# Branches


@in_a_chat(ANOTHER, before=two_exchanges)
async def test_edited_question_starts_a_branch(reader: Reader) -> None:
    await reader.press("alt+e")
    assert reader.chat.composer.text == "Second?"
    assert "resend as a new branch" in reader.text
    await reader.send("Second, better?")
    await reader.at_rest()
    assert tree(reader) == {1: None, 2: 1, 3: 2, 4: 3, 5: 2, 6: 5}
    assert asked(reader) == ["First?", "Yes.", "Second, better?"]
    assert reader.sees("▌ Second?", "▌ Second, better?", "question 2 of 2", "Another.") == [
        "▌ Second, better?",
        "question 2 of 2",
        "Another.",
    ]


@in_a_chat(ANOTHER, before=two_exchanges)
async def test_keys_switch_branches_and_the_viewed_branch_is_saved(reader: Reader) -> None:
    await reader.press("alt+e")
    await reader.send("Second, better?")
    await reader.at_rest()
    await reader.press("alt+left")
    assert reader.sees("▌ Second?", "question 1 of 2", "Another.") == ["▌ Second?", "question 1 of 2"]
    session = reader.chat.conversation.session
    assert session is not None
    assert reader.store.find(session.id).leaf == 4
    await reader.press("alt+left")
    reader.row("no other version in that direction ─╯")
    await reader.press("alt+right")
    assert reader.sees("▌ Second, better?", "Another.") == ["▌ Second, better?", "Another."]


@in_a_chat(before=two_exchanges)
async def test_repeated_edit_goes_back_to_earlier_questions(reader: Reader) -> None:
    await reader.press("alt+e", "alt+e")
    assert reader.chat.composer.text == "First?"
    await reader.press("escape")
    assert (reader.chat.composer.text, reader.chat.submissions.edited_question) == ("", None)
    await reader.send("/edit 2")
    assert reader.chat.composer.text == "Second?"


@in_a_chat(before=two_exchanges)
async def test_questions_to_edit_are_offered_behind_their_numbers(reader: Reader) -> None:
    await reader.press("slash", *"edit", "space")
    assert [item.text for item in reader.chat.suggestions.suggested.items] == ["2 Second?", "1 First?"]
    await reader.press(*"fir", "enter")
    assert reader.chat.composer.text == "First?"


@pytest.mark.parametrize("number", ["0", "3", "x"])
def test_question_that_is_not_there_cannot_be_edited(number: str) -> None:
    async def use(reader: Reader) -> None:
        await reader.send(f"/edit {number}")
        reader.row(f"no question '{number}' (choose 1 to 2)")

    chatting(use, before=two_exchanges)


@in_a_chat(REPLY, ANOTHER)
async def test_regenerated_reply_is_a_branch(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.press("alt+r")
    await reader.at_rest()
    assert tree(reader) == {1: None, 2: 1, 3: 1}
    assert reader.sees("9.9 is larger.", "Another.", "reply 2 of 2") == ["Another.", "reply 2 of 2"]
    await reader.press("alt+left")
    assert reader.sees("9.9 is larger.", "Another.", "reply 1 of 2") == ["9.9 is larger.", "reply 1 of 2"]


@in_a_chat(IN_THOUGHT)
async def test_branch_and_regenerate_keys_are_refused_during_a_reply(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.press("alt+r", "alt+left")
    reader.row("a reply is in progress: stop it first ─╯")
    assert "!" not in reader.text
    assert len(reader.engine.requests) == 1


# Steering


@in_a_chat(IN_THOUGHT, REST)
async def test_steering_a_streaming_reply_continues_from_the_edited_thinking(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.press("alt+s")
    await reader.until(lambda: reader.chat.composer.text)
    assert reader.chat.composer.text.rstrip() == DRAFT
    assert reader.sees("✎ paused: edit the thinking", "steer", "continue") == [
        "✎ paused: edit the thinking",
        "steer",
        "continue",
    ]
    await reader.send("Compare 9.90 with 9.11")
    await reader.at_rest()
    assert reader.engine.so_far == ["", "<thinking>\nCompare 9.90 with 9.11"]
    assert tree(reader) == {1: None, 2: 1, 3: 1}
    assert last(reader).said is not None
    assert (reader.stored_reply.origin, reader.stored_reply.ended, reader.stored_reply.answer) == (
        ReplyOrigin.STEERED,
        ReplyStatus.COMPLETE,
        "Steered.",
    )
    assert reader.stored_reply.segments[0] == (Kind.THINKING, "Compare 9.90 with 9.11\nSo 9.9 it is.")
    assert reader.sees("✎ steered", "│ Compare 9.90", "Steered.", "reply 2 of 2") == [
        "✎ steered",
        "│ Compare 9.90",
        "Steered.",
        "reply 2 of 2",
    ]
    other = reader.stored_turns[1].said
    assert (other.ended, other.raw) == (ReplyStatus.INTERRUPTED, THOUGHT)


@in_a_chat(REPLY, REST)
async def test_steering_a_complete_reply_keeps_the_original_as_a_branch(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.send("/steer")
    await reader.until(lambda: reader.chat.composer.text)
    await reader.send("Nine and nine tenths")
    await reader.at_rest()
    assert reader.engine.so_far[-1] == "<thinking>\nNine and nine tenths"
    assert (reader.stored_turns[1].said.raw, reader.stored_turns[1].said.ended) == (
        THOUGHT + ANSWERED,
        ReplyStatus.COMPLETE,
    )
    await reader.press("alt+left")
    assert reader.sees("9.9 is larger.", "Steered.") == ["9.9 is larger."]


@in_a_chat(REPLY)
async def test_escape_cancels_steering_without_changes(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.press("alt+s")
    await reader.until(lambda: reader.chat.composer.text)
    await reader.press("escape")
    assert reader.chat.composer.text == ""
    assert "stopped: edit" not in reader.text
    assert tree(reader) == {1: None, 2: 1}


@in_a_chat(IN_THOUGHT, REST, REPLY)
async def test_queued_question_is_sent_after_the_steered_reply(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.send("Second?")
    await reader.press("alt+s")
    await reader.until(lambda: reader.chat.turns.is_steering)
    await reader.send("Compare")
    await reader.at_rest()
    assert [turn.text for turn in reader.stored_turns if not turn.said] == [QUESTION, "Second?"]
    assert asked(reader)[:-1] == [QUESTION, "Steered."]


@in_a_chat(REPLY, ("And so on.\n</output>",))
async def test_edited_thinking_can_be_concluded(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.press("alt+s")
    await reader.until(lambda: reader.chat.composer.text)
    await reader.write("It is 9.9.")
    await reader.press("alt+c")
    await reader.at_rest()
    assert reader.engine.so_far[-1] == "<thinking>\nIt is 9.9.\n</thinking>\n<output>\n"
    assert (reader.stored_reply.answer, reader.stored_reply.origin) == ("And so on.", ReplyOrigin.STEERED)
    assert reader.chat.composer.text == ""


@in_a_chat(IN_THOUGHT, ("9.9, then.\n</output>",))
async def test_concluding_a_streaming_reply_keeps_it_as_one_reply(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.press("alt+c")
    await reader.until(lambda: len(reader.engine.requests) == 2)
    await reader.at_rest()
    assert reader.engine.so_far[-1] == f"<thinking>\n{DRAFT}\n</thinking>\n<output>\n"
    assert tree(reader) == {1: None, 2: 1}
    assert (reader.stored_reply.origin, reader.stored_reply.answer) == (ReplyOrigin.CONCLUDED, "9.9, then.")
    assert reader.sees("✎ concluded", "1 correction", "9.9, then.", "stopped") == [
        "✎ concluded",
        "1 correction",
        "9.9, then.",
    ]


@pytest.mark.parametrize("held", [IN_THOUGHT, IN_ANSWER], ids=["in its thinking", "in its answer"])
@in_a_chat()
async def test_continue_resumes_a_stopped_reply_where_it_ended(reader: Reader, held: tuple[str | None, ...]) -> None:
    at = held.index(HOLD)
    begun, rest = "".join(filter(None, held[:at])), held[at + 1 :]
    reader.engine.add(*held)
    reader.engine.add(*rest)
    await reader.ask_held(QUESTION, "90 is more")
    await reader.until(lambda: reader.reply.text or held is IN_THOUGHT)
    await reader.press("escape")
    await reader.at_rest()
    await reader.press("alt+g")
    await reader.until(lambda: len(reader.engine.requests) == 2)
    await reader.at_rest()
    assert reader.engine.so_far[-1] == begun
    assert tree(reader) == {1: None, 2: 1}
    assert reader.stored_reply.raw == THOUGHT + ANSWERED
    assert (reader.stored_reply.origin, reader.stored_reply.ended) == (ReplyOrigin.CONTINUED, ReplyStatus.COMPLETE)
    assert reader.sees("✎ continued", "9.9 is larger.", "stopped") == ["✎ continued", "9.9 is larger."]


@in_a_chat(REPLY)
async def test_a_complete_reply_is_not_continued(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.send("/continue")
    reader.row("the last reply is complete: nothing to continue ─╯")
    assert len(reader.engine.requests) == 1


@in_a_chat((HOLD,), REPLY)
async def test_continue_repeats_the_request_when_the_reply_is_empty(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "waiting")
    await reader.press("escape")
    await reader.at_rest()
    await reader.press("alt+g")
    await reader.until(lambda: len(reader.engine.requests) == 2)
    await reader.at_rest()
    assert reader.engine.so_far == ["", ""]
    assert reader.sees("9.9 is larger.") == ["9.9 is larger."]


GPT = Model("gpt-oss", ("completion", "thinking"), digest="sha256:4")


@in_a_chat((*thoughts("Hm, ", "let me see"), HOLD, *REPLY), REPLY, manner=AskOptions(model="gpt-oss"))
async def test_steer_is_refused_when_unsupported_and_the_queue_continues(reader: Reader) -> None:
    reader.engine.installed = (*reader.engine.installed, GPT)
    await reader.ask_held(QUESTION, "let me see")
    await reader.send("Second?")
    await reader.press("alt+s")
    await reader.shows("cannot be steered or continued")
    assert reader.engine.stopped == 0
    reader.engine.release()
    await reader.at_rest()
    assert [turn.text for turn in reader.stored_turns if not turn.said] == [QUESTION, "Second?"]
    assert reader.stored_reply.ended is ReplyStatus.COMPLETE


@pytest.mark.parametrize("command", ["/steer", "/conclude", "/continue", "/regenerate", "/edit", "/copy", "/save x.md"])
@in_a_chat()
async def test_reply_commands_are_refused_before_the_first_question(reader: Reader, command: str) -> None:
    await reader.send(command)
    assert re.search(r"─ (no|nothing) [^─]+ ─╯", reader.text)
    assert reader.engine.requests == []


@in_a_chat(REPLY, (*REST[:5], Chunk(done=True, done_reason="length")))
async def test_steered_reply_can_hit_the_token_limit(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.press("alt+s")
    await reader.until(lambda: reader.chat.composer.text)
    await reader.send("Compare")
    await reader.at_rest()
    assert (reader.stored_reply.origin, reader.stored_reply.ended) == (ReplyOrigin.STEERED, ReplyStatus.INCOMPLETE)
    assert "cut off at the token limit" in reader.text


# One thing at a time


@in_a_chat(IN_THOUGHT, ANOTHER)
async def test_sending_an_edited_question_stops_the_streaming_reply(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.press("alt+e")
    await reader.send("Which one, then?")
    await reader.until(lambda: len(reader.engine.requests) == 2)
    await reader.at_rest()
    assert reader.engine.stopped == 1
    assert [turn.said.ended if turn.said else turn.text for turn in reader.stored_turns] == [
        QUESTION,
        ReplyStatus.INTERRUPTED,
        "Which one, then?",
        ReplyStatus.COMPLETE,
    ]
    assert reader.sees("▌ Which one, then?", "question 2 of 2", "Another.") == [
        "▌ Which one, then?",
        "question 2 of 2",
        "Another.",
    ]


@pytest.mark.parametrize("keys", [("alt+r",), ("alt+left",), ("alt+g",), ("alt+e",)])
@in_a_chat(REPLY, ANOTHER, REST)
async def test_other_reply_keys_are_refused_while_steering(reader: Reader, keys: tuple[str, ...]) -> None:
    await reader.ask(QUESTION)
    await reader.press("alt+r")
    await reader.at_rest()
    await reader.press("alt+s")
    await reader.until(lambda: reader.chat.composer.text)
    await reader.press(*keys)
    reader.row("the thinking is being edited: send or cancel it first ─╯")
    assert reader.chat.composer.text == "Anew."
    await reader.press("enter")
    await reader.at_rest()
    assert reader.engine.so_far[-1] == "<thinking>\nAnew."
    assert (reader.stored_reply.origin, reader.stored_reply.ended) == (ReplyOrigin.STEERED, ReplyStatus.COMPLETE)


@in_a_chat(REPLY, REPLY)
async def test_new_session_cancels_steering(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.press("alt+s")
    await reader.until(lambda: reader.chat.composer.text)
    await reader.press("ctrl+n")
    assert (reader.chat.composer.text, reader.chat.turns.is_steering) == ("", False)
    await reader.ask("Something else?")
    assert (reader.engine.so_far[-1], reader.stored_turns[0].text) == ("", "Something else?")


@in_a_chat(IN_THOUGHT, REPLY)
async def test_session_can_be_removed_while_its_reply_streams(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    session = reader.chat.conversation.session
    assert session is not None
    await reader.press("ctrl+o")
    reader.chat.post_message(SessionsPanel.Removed(session.id))
    await reader.until(lambda: reader.chat.conversation.session is None)
    await reader.at_rest()
    assert reader.store.sessions() == ()
    assert reader.sees(f"▌ {QUESTION}", "!") == []
    await reader.press("escape")
    await reader.ask("Something else?")
    assert [turn.text for turn in reader.stored_turns if not turn.said] == ["Something else?"]


ROUND = "So the sum of the two numbers is 41 again. "
IN_A_LOOP = (*cut(f"<thinking>\n{ROUND * 30}"), HOLD, *cut("Enough.\n</thinking>\n<output>\nIt is 41.\n</output>"))


@in_a_chat(IN_A_LOOP, ("9.9, then.\n</output>",), size=(100, 30))
async def test_a_thinking_that_repeats_itself_offers_the_answer_with_its_key(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "the two numbers")
    await reader.shows("the thinking repeats itself: alt+c answers now")
    head = reader.row("· repeats itself")
    assert head.rstrip().endswith("alt+c answers now")
    assert hints_for(reader.chat)[0] == ("conclude", "answer now")
    await reader.press("alt+c")
    await reader.at_rest()
    assert reader.stored_reply.answer == "9.9, then."
    assert ("conclude", "answer now") not in hints_for(reader.chat)


def unable(engine: ScriptedEngine, store: Store, **values: Any) -> ReflectApp:
    engine.installed = tuple(model._replace(can_resume=False) for model in engine.installed)
    return app_over(engine, store, **values)


@in_a_chat(IN_A_LOOP, make=unable, size=(100, 30))
async def test_a_loop_offers_no_answer_that_cannot_be_asked_for(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "the two numbers")
    await reader.shows("the thinking repeats itself")
    assert "answers now" not in reader.text
    reader.engine.release()
    await reader.at_rest()
