"""What a correction is worth, probed in the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.segments import Kind
from reflectty.core.session import ProbedCorrection, ReplyOrigin
from support.chat_app import QUESTION, REPLY, in_a_chat, plain_stored_reply, store_exchanges
from support.scripted_engine import HOLD, cut

if TYPE_CHECKING:
    from reflectty.core.session import Session
    from reflectty.store import Store
    from support.chat_app import Reader

THOUGHT = (
    (Kind.THINKING, "11 is more than 9, so 9.11."),
    (Kind.REFLECTION, "The same number of digits: 9.90."),
    (Kind.THINKING, "So 9.9."),
)
CHECKED = (*THOUGHT, (Kind.REFLECTION, "I check it once more."), (Kind.THINKING, "Yes."))
RIGHT = cut("\nSo 9.9.\n</thinking>\n<output>\n9.9 is larger.\n</output>")
WRONG = cut("\nSo 9.11.\n</thinking>\n<output>\n9.11 is larger.\n</output>")
HELD = (*cut("\nSo"), HOLD)
BEFORE = "<thinking>\n11 is more than 9, so 9.11."
BEHIND = f"{BEFORE}\n<reflection>\nThe same number of digits: 9.90.\n</reflection>"
WORTH = "→ changed the answer in 5 of 5"


def one_correction(store: Store) -> Session:
    return store_exchanges(store, (QUESTION, plain_stored_reply("9.9 is larger.", *THOUGHT)))


def two_corrections(store: Store) -> Session:
    return store_exchanges(store, (QUESTION, plain_stored_reply("9.9 is larger.", *CHECKED)))


def none(store: Store) -> Session:
    return store_exchanges(store, (QUESTION, plain_stored_reply("9.9.", (Kind.THINKING, "So 9.9."))))


async def probed(reader: Reader) -> None:
    """Wait until nothing is probed any more."""
    await reader.until(lambda: reader.engine.requests and not reader.chat.prober.is_running)
    await reader.settle()


def origins(reader: Reader) -> list[str]:
    return [str(turn.said.origin) for turn in reader.stored_turns if turn.said]


@in_a_chat(*[RIGHT, WRONG] * 5, before=one_correction, size=(100, 30))
async def test_probed_correction_shows_its_worth_and_keeps_the_continuations(reader: Reader) -> None:
    reader.engine.slots = 1
    await reader.press("alt+w")
    await reader.shows("Probe “The same number of digits: 9.90.”? 10 continuations of about")
    await reader.press("y")
    await probed(reader)

    assert reader.engine.so_far == [BEHIND, BEFORE] * 5
    assert WORTH in reader.text
    assert reader.rows().index(reader.row(WORTH)) == reader.rows().index(reader.row("The same number")) + 1
    assert "reply 1 of 11" in reader.text
    assert origins(reader) == ["asked", *["probed"] * 10]
    stored = reader.stored_turns
    assert stored[1].said.measured.probed == (ProbedCorrection(1, 5, 5),)
    (session,) = reader.store.sessions()
    assert reader.chat.conversation.leaf == session.leaf == stored[1].id
    assert {turn.parent for turn in stored[1:]} == {stored[0].id}

    await reader.press("alt+right")
    assert reader.sees("✎ probed", "reply 2 of 11") == ["✎ probed", "reply 2 of 11"]
    await reader.press("alt+left")
    assert WORTH in reader.text


@in_a_chat(RIGHT, WRONG, HELD, before=one_correction, size=(100, 30))
async def test_escape_stops_and_keeps_what_has_ended(reader: Reader) -> None:
    reader.engine.slots = 1
    await reader.press("alt+w")
    await reader.press("y")
    await reader.until(lambda: reader.engine.held)
    await reader.settle()
    assert reader.sees("probing 2 of 10", "stop probing") == ["probing 2 of 10", "stop probing"]
    await reader.press("escape")
    await probed(reader)

    assert reader.engine.stopped == 1
    assert origins(reader) == ["asked", "probed", "probed"]
    assert reader.stored_turns[1].said.measured.probed == ()
    assert "probing" not in reader.rows()[-1]


@in_a_chat(*[RIGHT, RIGHT] * 5, before=two_corrections, size=(100, 30))
async def test_one_of_several_corrections_is_chosen_or_the_one_that_was_gone_to(reader: Reader) -> None:
    reader.engine.slots = 1
    await reader.press("alt+w")
    await reader.shows("Probe a correction", "I check it once more.")
    await reader.press("escape")
    await reader.press("alt+n", "alt+n", "alt+w")
    await reader.shows("Probe “I check it once more.”?")
    await reader.press("y")
    await probed(reader)
    assert "→ changed the answer in none of 5" in reader.text
    assert reader.stored_turns[1].said.measured.probed == (ProbedCorrection(2, 0, 5),)


@in_a_chat(HELD, before=none, size=(100, 30))
async def test_what_cannot_be_probed_is_refused(reader: Reader) -> None:
    await reader.send("/probe")
    assert "the reply has no correction to probe" in reader.text
    await reader.ask_held("And?", "So")
    await reader.send("/probe")
    assert "a reply is in progress" in reader.text


@in_a_chat(RIGHT, HELD, before=one_correction, size=(100, 30))
async def test_new_session_stops_a_probe_and_keeps_what_has_ended(reader: Reader) -> None:
    reader.engine.slots = 1
    session = reader.chat.conversation.session
    assert session
    await reader.press("alt+w")
    await reader.press("y")
    await reader.until(lambda: reader.engine.held)
    await reader.send("/new")
    await probed(reader)
    assert reader.chat.conversation.session is None
    kept = [turn.said.origin for turn in reader.store.turns(session.id) if turn.said]
    assert kept == [ReplyOrigin.ASKED, ReplyOrigin.PROBED]


@in_a_chat(RIGHT, WRONG, (*RIGHT[:2], HOLD, *RIGHT[2:]), *[WRONG, RIGHT] * 3, WRONG, before=one_correction)
async def test_result_is_shown_although_the_screen_was_filled_anew_meanwhile(reader: Reader) -> None:
    reader.engine.slots = 1
    await reader.press("alt+w")
    await reader.press("y")
    await reader.until(lambda: reader.engine.held)
    reader.chat.turns.parts.show(same_session=True)
    reader.engine.release()
    await probed(reader)
    assert WORTH in reader.text


@in_a_chat(RIGHT, WRONG, HELD, REPLY, before=one_correction, size=(100, 30))
async def test_question_is_asked_while_a_correction_is_probed(reader: Reader) -> None:
    reader.engine.slots = 1
    await reader.press("alt+w")
    await reader.press("y")
    await reader.until(lambda: reader.engine.held)
    await reader.ask("And 9.12?")
    assert reader.chat.prober.is_running
    await reader.press("escape")
    await probed(reader)
    assert origins(reader) == ["asked", "asked", "probed", "probed"]
    assert [turn.text for turn in reader.chat.conversation.path if turn.said is None] == [QUESTION, "And 9.12?"]
    assert "And 9.12?" in reader.text
