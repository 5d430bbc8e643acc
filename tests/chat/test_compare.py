"""A question of the chat is asked in several ways, side by side, and each reply is a branch of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.errors import IncompleteError
from reflectty.core.session import ReplyStatus
from reflectty.tui.screens.compare import CompareScreen
from support.chat_app import IN_THOUGHT, QUESTION, REPLY, in_a_chat, plain_stored_reply, store_exchanges
from support.scripted_engine import HOLD, cut

if TYPE_CHECKING:
    from reflectty.core.session import Session
    from reflectty.store import Store
    from support.chat_app import Reader
    from support.scripted_engine import ScriptedEngine

COT = cut("11 is more than 9. The answer is 9.11.")


def asked(store: Store) -> Session:
    return store_exchanges(store, (QUESTION, plain_stored_reply("First answer.")))


def asked_twice(store: Store) -> Session:
    said = plain_stored_reply("Yes.")
    return store_exchanges(store, ("First?", said), ("Second?", said))


async def compare(reader: Reader, arms: str = "cot,reflect") -> CompareScreen:
    await reader.send(f"/compare {arms}")
    await reader.until(lambda: isinstance(reader.app.screen, CompareScreen))
    await reader.settle()
    assert isinstance(reader.app.screen, CompareScreen)
    return reader.app.screen


async def leave(reader: Reader, key: str = "escape") -> None:
    await reader.press(key)
    await reader.until(lambda: not reader.chat.comparison.is_open)
    await reader.settle()


@in_a_chat(COT, REPLY, before=asked, size=(90, 24))
async def test_arms_stand_beside_each_other(reader: Reader) -> None:
    await compare(reader)
    await reader.shows("answers", "back")
    rows = reader.rows()

    assert rows[0].strip() == QUESTION
    assert rows[2].split() == ["cot", "reflect"]
    assert "The answer is 9.11." in reader.text
    assert "↺ The same number of digits: 9.90." in reader.text
    assert reader.row("cot      66 tokens")
    assert "1 correction" in reader.row("reflect  66 tokens")
    assert reader.row("answers differ: 9.11 (cot); 9.9 is larger (reflect)")


@in_a_chat((*cut("One"), HOLD), IN_THOUGHT, before=asked, size=(90, 24))
async def test_arms_are_drawn_while_they_stream(reader: Reader) -> None:
    await compare(reader)
    await reader.shows("One", "90 is more than 11.", "esc stop")
    assert not reader.sees("66 tokens")


@in_a_chat(COT, REPLY, before=asked, size=(90, 24))
async def test_replies_are_branches_named_by_their_arms_and_the_old_one_stays_on_the_screen(reader: Reader) -> None:
    await compare(reader)
    await reader.shows("answers")
    await leave(reader)
    question, first, *others = reader.stored_turns

    assert [(turn.parent, turn.label) for turn in others] == [(question.id, "cot"), (question.id, "reflect")]
    assert {turn.said.ended for turn in others} == {ReplyStatus.COMPLETE}
    assert reader.chat.conversation.leaf == first.id
    await reader.shows("First answer.", "reply 1 of 3")


@in_a_chat(COT, REPLY, before=asked, size=(90, 24))
async def test_chosen_reply_is_kept_on_the_screen(reader: Reader) -> None:
    await compare(reader)
    await reader.shows("answers")
    await reader.press("right")
    await leave(reader, "enter")

    await reader.shows("9.9 is larger.", "reply 3 of 3")
    assert not reader.sees("First answer.")
    session = reader.store.latest()
    assert session
    assert session.leaf == reader.stored_turns[3].id


@in_a_chat((*cut("One, two"), HOLD), IN_THOUGHT, before=asked, size=(90, 24))
async def test_leaving_stops_what_runs_and_keeps_what_has_come(reader: Reader) -> None:
    await compare(reader)
    await reader.shows("One, two", "90 is more")
    await leave(reader)

    assert reader.engine.stopped == 2
    assert [turn.said.ended for turn in reader.stored_turns[2:]] == [ReplyStatus.INTERRUPTED] * 2
    assert reader.stored_turns[2].said.answer == "One, two"


@in_a_chat(("One", IncompleteError("the connection was lost")), REPLY, before=asked, size=(90, 24))
async def test_arm_that_fails_shows_its_error_in_its_column(reader: Reader) -> None:
    await compare(reader)
    await reader.shows("! the connection was lost", "no complete answer", "answers are not compared")


@in_a_chat(COT, REPLY, before=asked, size=(50, 24))
async def test_narrow_screen_shows_one_column_at_a_time(reader: Reader) -> None:
    await compare(reader)
    await reader.shows("The answer is 9.11.")
    assert not reader.sees("The same number of digits")
    await reader.press("right")
    await reader.shows("The same number of digits")
    assert not reader.sees("The answer is 9.11.")


@in_a_chat((*cut("".join(f"{number}. point\n" for number in range(60))), HOLD), ("short",), before=asked, size=(90, 20))
async def test_column_follows_its_end_until_it_is_scrolled(reader: Reader) -> None:
    await compare(reader)
    await reader.shows("59. point")
    await reader.press("home")
    await reader.shows(" 0. point", "more lines below")
    await reader.press("end")
    await reader.shows("59. point")


@in_a_chat(COT, REPLY, before=asked_twice, size=(90, 24))
async def test_chosen_question_is_asked_without_what_follows_it(reader: Reader) -> None:
    await reader.press("alt+up", "alt+up", "alt+up", "alt+up")
    await reader.press("alt+a")
    await reader.until(lambda: isinstance(reader.app.screen, CompareScreen))
    await reader.shows("answers")
    await leave(reader)

    assert len(reader.engine.requests[0].messages) == 1
    assert "First?" in reader.engine.requests[0].messages[-1].content
    assert len(reader.stored_turns) == 6
    await reader.shows("Second?")


@in_a_chat(before=asked)
async def test_what_cannot_be_compared_is_a_note(reader: Reader) -> None:
    for typed, note in (("cot", "nothing to compare cot with"), ("fast,cot", "no arm 'fast'"), ("cot@gone,cot", "")):
        await reader.send(f"/compare {typed}")
        await reader.shows(note)
        if note:
            assert reader.app.screen is reader.chat


@in_a_chat()
async def test_comparison_needs_a_question(reader: Reader) -> None:
    await reader.send("/compare cot,reflect")
    await reader.shows("no question yet")


@in_a_chat(IN_THOUGHT)
async def test_running_reply_is_not_compared(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.send("/compare cot,reflect")
    await reader.shows("a reply is in progress")


def left_while_comparing(_: ScriptedEngine, store: Store) -> None:
    session = store.latest()
    assert session
    said = [turn.said for turn in store.turns(session.id)[2:] if turn.said]
    assert [reply.ended for reply in said] == [ReplyStatus.INTERRUPTED] * 2
    assert said[0].answer == "One, two"


@in_a_chat((*cut("One, two"), HOLD), IN_THOUGHT, before=asked, size=(90, 24), afterwards=left_while_comparing)
async def test_chat_that_is_left_keeps_what_has_come(reader: Reader) -> None:
    await compare(reader)
    await reader.shows("One, two", "90 is more")
    reader.app.exit()


@in_a_chat(("41",), COT, ("42",), before=asked, size=(90, 24))
async def test_review_follows_the_answer_that_it_reviews(reader: Reader) -> None:
    await compare(reader, "revise,cot")
    await reader.shows("asked to review its answer", "answers differ: 42 (revise); 9.11 (cot)")
    await leave(reader, "enter")

    await reader.shows("Review your answer", "42")
    assert [message.role for message in reader.engine.requests[2].messages] == ["user", "assistant", "user"]


@in_a_chat(COT, REPLY, before=asked, size=(90, 24), unicode=False, colours=0)
async def test_screen_without_unicode_has_ascii_alone(reader: Reader) -> None:
    await compare(reader)
    await reader.shows("answers", "left right column")
    assert reader.text.replace("▐", "").isascii()


@in_a_chat(("\x1b]0;title\x07**x**",), ("\x1b[31mred",), before=asked, size=(90, 24))
async def test_control_characters_are_shown_as_text(reader: Reader) -> None:
    await compare(reader, "cot,reflect")
    await reader.shows("answers", "^[")
    assert "\x1b" not in reader.text


@in_a_chat(
    (*cut("<thinking>\nHm"), HOLD, " and on", " and on"), ("9.11", HOLD), ("<output>\n9.9\n</output>",), before=asked
)
async def test_thinking_of_the_chosen_arm_is_ended_by_a_key(reader: Reader) -> None:
    await compare(reader, "think,cot")
    await reader.shows("│ Hm", "9.11", "alt+c answer now")
    await reader.press("alt+c")
    reader.engine.release()
    reader.engine.release()
    await reader.shows("ended on request", "9.9")
    assert len(reader.engine.requests) == 3
