"""The context meter belongs to the branch on the screen, and replies of other chats are read again when they end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual import events

from reflectty.core.messages import RunningModel, Usage
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyMetrics, StoredReply
from reflectty.view.parts import ThinkingView
from support.chat_app import IN_THOUGHT, REPLY, in_a_chat, plain_stored_reply, store_exchanges

if TYPE_CHECKING:
    from reflectty.core.session import Session
    from reflectty.store import Store
    from support.chat_app import Reader

USED = ReplyMetrics(usage=Usage(900, 100))


def used_session(store: Store) -> Session:
    store_exchanges(store, ("Short?", plain_stored_reply("Yes.", measured=ReplyMetrics(usage=Usage(20, 22)))))
    return store_exchanges(store, ("Long?", plain_stored_reply("Yes.", measured=USED)))


@in_a_chat(REPLY, IN_THOUGHT, before=used_session, size=(100, 30))
async def test_context_meter_belongs_to_the_session_on_the_screen(reader: Reader) -> None:
    reader.engine.loaded = (RunningModel("reflection", 1, 1, 4096),)
    reader.chat.poll()
    await reader.shows("1k of 4k")
    await reader.press("ctrl+n")
    assert "ctx" not in reader.text
    await reader.chat.sessions.open("Short", None)
    assert reader.sees("42 of 4k")
    await reader.ask("And?")
    assert reader.sees("90 of 4k")
    # A question that is not answered yet counts, too.
    await reader.ask_held("word " * 2_000, "90 is more")
    assert reader.sees("~2.6k of 4k")
    reader.engine.release()
    await reader.at_rest()
    assert reader.sees(" 90 of 4k")


@in_a_chat(IN_THOUGHT, before=used_session, size=(100, 30))
async def test_context_meter_counts_a_running_reply(reader: Reader) -> None:
    await reader.chat.sessions.open("Short", None)
    await reader.ask_held("Which?", "90 is more")
    await reader.until(lambda: re.search("35 tokens.* ctx ~78", reader.text))
    reader.engine.release()
    await reader.at_rest()
    assert reader.sees("ctx 90")


@in_a_chat(before=used_session, size=(100, 30))
async def test_context_meter_counts_the_draft(reader: Reader) -> None:
    (reader.home / "a.txt").write_text("word " * 800)
    (reader.home / "b.png").write_bytes(b"\x89PNG")
    for draft, shown in {
        "word " * 80: "ctx ~1.1k",
        "see @a.txt": "ctx ~2k",
        "see @a.txt and @b.png": "ctx ~3k",
        "/attach a.txt": "ctx 1k",
        "short": "ctx 1k",
    }.items():
        await reader.write(draft)
        await reader.shows(shown)
    reader.chat.composer.post_message(events.Paste("word\n" * 800))
    await reader.shows("[pasted 800 lines]", "ctx ~2k")
    await reader.write("")
    await reader.shows("ctx 1k")


@in_a_chat(before=used_session)
async def test_context_before_an_edited_question_counts(reader: Reader) -> None:
    await reader.press("alt+e")
    await reader.until(lambda: "ctx" not in reader.text)


@in_a_chat()
async def test_first_draft_is_counted_once_it_is_long(reader: Reader) -> None:
    await reader.write("word " * 300)
    await reader.settle()
    assert "ctx" not in reader.text
    await reader.write("word " * 500)
    await reader.shows("ctx ~625")


@in_a_chat(before=used_session, size=(100, 30))
async def test_context_of_another_model_is_not_shown(reader: Reader) -> None:
    reader.engine.loaded = (RunningModel("reflection", 1, 1, 4096),)
    reader.chat.poll()
    await reader.shows("1k of 4k")
    await reader.send("/model mini")
    assert reader.sees("ctx 1k")
    assert not reader.sees("of 4k")


def other_chat_writes(store: Store) -> Session:
    session = store.create_session("Both?")
    question = store.add_question(session.id, None, "Both?")
    reply = store.add_reply(session.id, question.id, StoredReply("reflection", family="reflection", mode="native"))
    store.checkpoint(reply.id, "<thinking>\nHalf of it", "")
    return store.find(session.id)


@in_a_chat(REPLY, before=other_chat_writes)
async def test_reply_of_another_chat_is_read_again_until_it_ends(reader: Reader) -> None:
    assert reader.sees("Half of it", "still being written") == ["Half of it", "still being written"]
    reply = reader.stored_turns[1]
    reader.store.checkpoint(reply.id, " and more", "")
    reader.chat.poll()
    await reader.shows("Half of it and more", "still being written")
    whole = plain_stored_reply("Done.", (Kind.THINKING, "All of it."))
    reader.store.finish(reply.id, whole)
    following = reader.store.add_question(reader.store.sessions()[0].id, reply.id, "Next?")
    reader.chat.poll()
    await reader.shows("All of it.", "Done.")
    assert not reader.sees("still being written")
    assert reader.chat.conversation.find_turn(following.id) == following
    # The branch goes on from the whole reply.
    await reader.ask("And now?")
    assert [message.content for message in reader.engine.requests[0].messages[-3:]] == ["Both?", "Done.", "And now?"]


@in_a_chat(before=other_chat_writes)
async def test_session_removed_by_another_chat_stays_on_the_screen(reader: Reader) -> None:
    reader.store.remove(reader.store.sessions()[0].id)
    reader.chat.poll()
    await reader.settle()
    assert reader.sees("Half of it")


THOUGHT = tuple((Kind.THINKING, f"Step {number}.\n") for number in range(1, 9))


def with_versions(store: Store) -> Session:
    figures = ReplyMetrics(thinking_tokens=80, thinking_ms=3_000.0)
    said = plain_stored_reply("One.", (Kind.THINKING, "\n".join(text for _, text in THOUGHT)), measured=figures)
    session = store_exchanges(store, ("Which?", said))
    question = store.turns(session.id)[0]
    store.finish(store.add_reply(session.id, question.id, said).id, said)
    return store.find(session.id)


@in_a_chat(before=with_versions)
async def test_finished_reply_looks_different_in_every_view(reader: Reader) -> None:
    seen: dict[ThinkingView, list[str]] = {}
    for view in ThinkingView:
        await reader.send(f"/thinking {view}")
        seen[view] = [row for row in reader.rows()[4:] if row.strip()][:-4]
    for view, other in zip(ThinkingView, (*list(ThinkingView)[1:], ThinkingView.LIVE), strict=True):
        assert seen[view] != seen[other], view
    assert [row for row in seen[ThinkingView.PEEK] if "Step" in row] == [" │ Step 7.", " │ Step 8."]
    assert not any("Step" in row for row in seen[ThinkingView.FOLDED])
    assert not any("thought" in row for row in seen[ThinkingView.OFF])
    assert any("reply 2 of 2" in row for row in seen[ThinkingView.OFF])
    assert len([row for row in seen[ThinkingView.FOLDED] if "thought 3 s" in row]) == 1


@in_a_chat(before=with_versions)
async def test_opened_thinking_in_the_peek_view_is_shown_whole(reader: Reader) -> None:
    await reader.send("/thinking peek")
    await reader.press("alt+o")
    assert reader.sees("Step 1.", "Step 8.") == ["Step 1.", "Step 8."]
