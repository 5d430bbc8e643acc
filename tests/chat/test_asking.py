from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import PromptTooLongError, ReflecttyError, UnreachableError
from reflectty.core.messages import Chunk, Effort
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyStatus
from reflectty.reasoning.modes import REFLECT_PROMPT, AskOptions, Mode
from support.chat_app import (
    ANSWERED,
    IN_ANSWER,
    IN_THOUGHT,
    QUESTION,
    REPLY,
    THOUGHT,
    in_a_chat,
    three_exchanges,
)
from support.scripted_engine import HOLD, thoughts

if TYPE_CHECKING:
    from reflectty.store import Store
    from support.chat_app import Reader
    from support.scripted_engine import Script, ScriptedEngine

TOO_LONG = PromptTooLongError("the prompt has 9,000 tokens and the context 4,096", "use a larger context")
GONE = UnreachableError("no Ollama server answers at 127.0.0.1:11434", "ollama serve starts it")


def asked(reader: Reader, at: int = -1) -> list[str]:
    """The messages of a request, the question last."""
    return [message.content for message in reader.engine.requests[at].messages]


def kept(reader: Reader) -> list[str]:
    """The turns of the session: questions, and the status of each reply."""
    return [turn.said.ended if turn.said else turn.text for turn in reader.stored_turns]


@in_a_chat(REPLY)
async def test_a_question_is_shown_and_stored_before_it_is_sent(reader: Reader) -> None:
    seen: list[tuple[list[str], list[str]]] = []
    reader.engine.sent = lambda: seen.append((reader.sees(QUESTION), kept(reader)))
    await reader.ask(QUESTION)
    assert seen == [([QUESTION], [QUESTION, ReplyStatus.STREAMING])]


@in_a_chat(REPLY)
async def test_reply_is_shown_and_stored_by_segment(reader: Reader) -> None:
    await reader.ask(QUESTION)
    assert reader.row("▌ ") == f" ▌ {QUESTION}"
    assert reader.row("11 is more") == " │ 11 is more than 9, so 9.11."
    assert reader.row("digits") == " ↺ The same number of digits: 9.90."
    assert reader.row("larger.") == "   9.9 is larger."
    assert [(kind, text.strip()) for kind, text in reader.stored_reply.segments] == [
        (Kind.THINKING, "Both start with 9.\n11 is more than 9, so 9.11."),
        (Kind.REFLECTION, "The same number of digits: 9.90."),
        (Kind.THINKING, "90 is more than 11."),
        (Kind.ANSWER, "**9.9** is larger."),
    ]
    assert reader.stored_reply.raw == THOUGHT + ANSWERED
    assert reader.stored_reply.ended is ReplyStatus.COMPLETE


@in_a_chat((HOLD, *REPLY))
async def test_wait_is_shown_until_the_first_token(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "waiting for reflection")
    assert "esc stop" in reader.row("waiting")
    reader.engine.release()
    await reader.at_rest()
    assert "waiting" not in reader.text


@in_a_chat(IN_THOUGHT, size=(100, 30))
async def test_tags_split_across_chunks_do_not_start_the_answer(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.shows("thinking · ")
    head = reader.row("thinking · ")
    assert head.lstrip()[0] in "◐◓◑◒"
    assert [hint for hint in ("1 correction", "alt+s steer", "alt+c conclude", "esc stop") if hint not in head] == []


@pytest.mark.parametrize(
    "shown",
    ["waiting", "90 is more than 11.", "9.9 is"],
    ids=["before the first token", "in the thinking", "in the answer"],
)
@in_a_chat()
async def test_stopped_reply_keeps_its_partial_text(reader: Reader, shown: str) -> None:
    scripts: dict[str, Script] = {"waiting": (HOLD,), "90 is more than 11.": IN_THOUGHT, "9.9 is": IN_ANSWER}
    reader.engine.add(*scripts[shown])
    reader.engine.add(*REPLY)
    await reader.ask_held(QUESTION, shown)
    await reader.press("escape")
    await reader.at_rest()
    assert reader.engine.stopped == 1
    assert reader.text.count("stopped") == 1
    assert reader.sees("! stopped", "   stopped" if shown != "waiting" else " stopped") == [
        "   stopped" if shown != "waiting" else " stopped"
    ]
    reader.row("alt+r ask again" if shown == "waiting" else "alt+g continue")
    assert reader.stored_reply.ended is ReplyStatus.INTERRUPTED
    assert THOUGHT.startswith(reader.stored_reply.raw[: len(THOUGHT)])
    assert shown == "waiting" or len(reader.stored_reply.raw) >= len(THOUGHT)
    await reader.ask("And again?")
    assert kept(reader)[-1] == ReplyStatus.COMPLETE


@in_a_chat(IN_THOUGHT, REPLY, REPLY)
async def test_questions_sent_during_a_reply_are_queued_in_order(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.send("Second?")
    await reader.send("Third?")
    assert [reader.rows()[reader.rows().index(f" ▌ {text}") + 1] for text in ("Second?", "Third?")] == [" ▌ queued"] * 2
    assert len(reader.engine.requests) == 1
    reader.engine.release()
    await reader.at_rest()
    assert "queued" not in reader.text
    assert kept(reader) == [
        QUESTION,
        ReplyStatus.COMPLETE,
        "Second?",
        ReplyStatus.COMPLETE,
        "Third?",
        ReplyStatus.COMPLETE,
    ]
    assert asked(reader) == [QUESTION, "**9.9** is larger.", "Second?", "**9.9** is larger.", "Third?"]
    places = [at for at, row in enumerate(reader.rows()) if row.startswith(" ▌")]
    assert [reader.rows()[at] for at in places] == [f" ▌ {text}" for text in ("Second?", "Third?")]


@in_a_chat(IN_THOUGHT, REPLY)
async def test_stopping_a_reply_sends_the_queued_question(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.send("Second?")
    await reader.press("ctrl+c")
    await reader.at_rest()
    assert kept(reader) == [QUESTION, ReplyStatus.INTERRUPTED, "Second?", ReplyStatus.COMPLETE]


@in_a_chat(REPLY, REPLY)
async def test_thinking_is_stored_but_never_sent_back(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.ask("Why?")
    assert asked(reader) == [QUESTION, "**9.9** is larger.", "Why?"]
    assert "digits" in str(reader.stored_turns[1].said)


@in_a_chat((TOO_LONG,), REPLY, before=three_exchanges, size=(90, 40))
async def test_prompt_too_long_offers_to_leave_out_earlier_turns(reader: Reader) -> None:
    await reader.send("Fourth?")
    await reader.shows("Prompt too long", "Leave out the oldest 2 of 3", "Leave out all", "num_ctx", "Cancel")
    assert "9,000 tokens" in reader.text
    await reader.press("enter")
    await reader.at_rest()
    assert asked(reader, 0) == ["First?", "Yes.", "Second?", "Yes.", "Third?", "Yes.", "Fourth?"]
    assert asked(reader, 1) == ["Third?", "Yes.", "Fourth?"]
    assert kept(reader)[-2:] == ["Fourth?", ReplyStatus.COMPLETE]
    assert [turn.text for turn in reader.stored_turns if not turn.said] == ["First?", "Second?", "Third?", "Fourth?"]
    assert "reply 2 of 2" not in reader.text


@pytest.mark.parametrize(
    ("downs", "sent", "options"),
    [
        (1, ["Fourth?"], ()),
        (2, ["First?", "Yes.", "Second?", "Yes.", "Third?", "Yes.", "Fourth?"], (("num_ctx", 16384),)),
    ],
    ids=["leave out all", "a larger context"],
)
@in_a_chat((TOO_LONG,), REPLY, before=three_exchanges, size=(90, 40))
async def test_each_context_overflow_choice_changes_the_next_request(
    reader: Reader, downs: int, sent: list[str], options: tuple[tuple[str, int], ...]
) -> None:
    await reader.send("Fourth?")
    await reader.shows("Prompt too long")
    await reader.press(*["down"] * downs, "enter")
    await reader.at_rest()
    assert asked(reader) == sent
    assert reader.engine.requests[-1].options == options


@in_a_chat((TOO_LONG,), REPLY, before=three_exchanges, size=(90, 40))
async def test_question_too_long_is_stored_as_failed_when_the_dialog_is_cancelled(reader: Reader) -> None:
    await reader.send("Fourth?")
    await reader.shows("Prompt too long")
    await reader.press("escape")
    await reader.at_rest()
    assert len(reader.engine.requests) == 1
    assert kept(reader)[-2:] == ["Fourth?", ReplyStatus.FAILED]
    assert reader.sees("▌ Fourth?", "! the prompt has 9,000 tokens") == ["▌ Fourth?", "! the prompt has 9,000 tokens"]


@in_a_chat(REPLY, REPLY, REPLY)
async def test_changed_model_mode_and_effort_apply_to_the_next_request(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.send("/model mini")
    await reader.send("/mode reflect")
    await reader.send("/effort high")
    await reader.ask("Why?")
    request = reader.engine.requests[-1]
    assert (reader.engine.requests[0].model, request.model) == ("reflection", "mini")
    assert request.messages[0].content == f"{REFLECT_PROMPT}\n\nThink thoroughly and check every result a second way."
    assert (reader.stored_reply.model, reader.stored_reply.mode, reader.stored_reply.effort) == (
        "mini",
        "reflect",
        "high",
    )
    await reader.send("/model deepseek-r1")
    await reader.send("/mode native")
    await reader.ask("Once more?")
    assert reader.engine.requests[-1].think is Effort.HIGH
    assert reader.row("127.0.0.1").split()[:2] == ["deepseek-r1", "native"]


@in_a_chat(
    REPLY,
    manner=AskOptions(Mode.DIRECT, model="reflection", options=(("seed", 7),), system="Be brief.", keep_alive="5m"),
)
async def test_start_options_apply_to_the_first_request(reader: Reader) -> None:
    await reader.send("/option temperature=0.5")
    await reader.ask(QUESTION)
    request = reader.engine.requests[0]
    assert (request.options, request.keep_alive) == ((("seed", 7), ("temperature", 0.5)), "5m")
    assert request.messages[0].content == "Be brief."


@in_a_chat(("Paris", " is it.\n"))
async def test_reply_without_thinking_shows_only_the_answer(reader: Reader) -> None:
    await reader.ask("The capital of France?")
    at = reader.rows().index("   Paris is it.")
    assert reader.rows()[at - 2 : at] == [" ▌ The capital of France?", ""]
    assert reader.sees("thought", "│") == ["│"]


@in_a_chat(())
async def test_empty_reply_is_reported_as_failed(reader: Reader) -> None:
    await reader.ask(QUESTION)
    assert reader.row("!") == " ! the model returned an empty reply (ask again, or try another model) · alt+r"
    reader.row("asks again")
    assert reader.stored_reply.ended is ReplyStatus.FAILED


@in_a_chat(("<thinking>\nIs it", Chunk(done=True, done_reason="length")))
async def test_truncated_thinking_leaves_no_answer(reader: Reader) -> None:
    await reader.ask(QUESTION)
    assert reader.sees("│ Is it", "! the thinking was cut off at the token limit") == [
        "│ Is it",
        "! the thinking was cut off at the token limit",
    ]
    assert (reader.stored_reply.ended, reader.stored_reply.answer) == (ReplyStatus.INCOMPLETE, "")


@in_a_chat(
    (
        *("<thinking>\nfirst\n</thinking>\n", "<output>\none\n</output>\n"),
        *("<thinking>\nsecond\n</thinking>\n", "<output>\ntwo\n</output>\n"),
    )
)
async def test_alternating_thinking_and_answers_stay_in_order(reader: Reader) -> None:
    await reader.ask(QUESTION)
    rows = [row for row in reader.rows() if row.strip() in ("│ first", "one", "│ second", "two", "")]
    start = rows.index(" │ first")
    assert rows[start : start + 7] == [" │ first", "", "   one", "", " │ second", "", "   two"]


@in_a_chat(("It is mine to think.", HOLD, "\n</thinking>\n<output>", "\nDone.\n</output>"))
async def test_reclassified_text_is_shown_as_thinking(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "   It is mine to think.")
    reader.engine.release()
    await reader.at_rest()
    assert reader.row("It is mine") == " │ It is mine to think."
    assert reader.row("Done.") == "   Done."
    assert reader.stored_reply.answer == "Done."


@in_a_chat(thoughts("Let ", "me see."), manner=AskOptions(model="deepseek-r1"))
async def test_native_thinking_alone_is_not_an_answer(reader: Reader) -> None:
    await reader.ask(QUESTION)
    assert reader.row("! the model").startswith(" ! the model thought but gave no answer (ask again, or turn")
    assert (reader.stored_reply.ended, reader.stored_reply.answer) == (ReplyStatus.INCOMPLETE, "")


@in_a_chat((*thoughts("Let ", "me see.", "\nYes."), "**Yes**."), manner=AskOptions(model="deepseek-r1"))
async def test_native_thinking_is_drawn_like_tagged_thinking(reader: Reader) -> None:
    await reader.ask(QUESTION)
    assert [reader.row(part) for part in ("Let me", "│ Yes", "   Yes")] == [" │ Let me see.", " │ Yes.", "   Yes."]
    assert reader.stored_reply.raw_thinking == "Let me see.\nYes."


@in_a_chat(REPLY)
async def test_unreachable_server_is_reported_until_it_is_back(reader: Reader) -> None:
    reader.engine.gone = GONE
    await reader.send(QUESTION)
    await reader.shows("! no Ollama server answers at 127.0.0.1:11434 (ollama serve starts it)")
    reader.chat.poll()
    await reader.shows("127.0.0.1:11434 is not reachable", "no server")
    reader.engine.gone = None
    reader.chat.poll()
    await reader.until(lambda: "is not reachable" not in reader.rows()[-1])
    await reader.press("alt+r")
    await reader.at_rest()
    assert reader.row("larger.") == "   9.9 is larger."
    assert "no server" not in reader.text


@in_a_chat((*REPLY[:20], ReflecttyError("the connection was lost")))
async def test_lost_connection_keeps_the_partial_reply(reader: Reader) -> None:
    await reader.ask(QUESTION)
    assert reader.row("!") == " ! the connection was lost · alt+g continues"
    assert reader.stored_reply.raw == "".join(str(piece) for piece in REPLY[:20])


def assert_clean_exit(engine: ScriptedEngine, store: Store) -> None:
    """Check that the engine is closed, that no reply is still streaming, and that no question is lost."""
    session = store.latest()
    assert engine.closed
    assert len(engine.requests) == 1
    assert session is not None
    turns = store.turns(session.id)
    assert [turn.said.ended for turn in turns if turn.said][-1] in (ReplyStatus.INTERRUPTED, ReplyStatus.FAILED)
    assert turns[-1].text in ("", "Third?")


@in_a_chat((TOO_LONG,), before=three_exchanges, afterwards=assert_clean_exit)
async def test_chat_can_be_closed_during_the_context_overflow_dialog(reader: Reader) -> None:
    await reader.send("Fourth?")
    await reader.shows("Prompt too long")


@in_a_chat(IN_THOUGHT, afterwards=assert_clean_exit)
async def test_chat_can_be_closed_during_a_reply(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")


@in_a_chat(IN_THOUGHT, afterwards=assert_clean_exit)
async def test_chat_can_be_closed_with_queued_questions(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.send("Second?")
    await reader.send("Third?")


@in_a_chat(IN_THOUGHT, REPLY, REPLY)
async def test_queued_question_stays_in_its_session_when_a_new_one_starts(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.send("Second?")
    await reader.send("/new")
    await reader.until(lambda: reader.chat.conversation.session is None)
    await reader.ask("Something else?")
    first, second = sorted(reader.store.sessions(), key=lambda session: session.created)
    assert [turn.text for turn in reader.store.turns(first.id) if not turn.said] == [QUESTION, "Second?"]
    assert [turn.text for turn in reader.store.turns(second.id) if not turn.said] == ["Something else?"]
    assert asked(reader) == ["Something else?"]


@in_a_chat(("Plain one.",), ("Plain two.",))
async def test_warning_stands_under_the_first_reply_that_has_it_only(reader: Reader) -> None:
    await reader.ask(QUESTION)
    await reader.ask("And 9.8?")
    assert reader.stored_turns[1].said.warnings == reader.stored_turns[3].said.warnings != ()
    assert reader.text.count("none of its tags") == 1
    reader.chat.turns.parts.show()
    await reader.settle()
    assert reader.text.count("none of its tags") == 1
    assert reader.row("none of its tags").startswith("   reflection sent none of its tags: ")
