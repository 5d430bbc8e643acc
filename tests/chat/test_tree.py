"""The tree of a session in the chat: branches are opened, forked, labeled, folded, filtered and deleted there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from reflectty.core.segments import Kind
from reflectty.core.session import ReplyMetrics, ReplyOrigin
from reflectty.tui.tree.screen import TreeRow, TreeScreen
from support.chat_app import IN_THOUGHT, REPLY, in_a_chat, plain_stored_reply, store_exchanges
from support.list_app import controls

if TYPE_CHECKING:
    from reflectty.core.session import Session
    from reflectty.store import Store
    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row
    from support.chat_app import Reader

FIGURES = ReplyMetrics(thinking_tokens=64, corrections=2, thinking_ms=12_000.0)


def forked(store: Store) -> Session:
    """A question with three replies, of which the second goes on and is viewed, and an edited question."""
    session = store_exchanges(store, ("Nine?", plain_stored_reply("First answer.")))
    first = store.turns(session.id)[0].id
    steered = plain_stored_reply("Second answer.", (Kind.THINKING, "Hm."), origin=ReplyOrigin.STEERED, measured=FIGURES)
    second = store.add_reply(session.id, first, steered)
    store.finish(second.id, steered)
    third = store.add_reply(session.id, first, plain_stored_reply("Third answer."))
    store.finish(third.id, plain_stored_reply("Third answer."))
    for text, answer in (("Ten?", "Ten it is."), ("Eleven?", "Eleven it is.")):
        question = store.add_question(session.id, second.id, text)
        store.finish(
            store.add_reply(session.id, question.id, plain_stored_reply(answer)).id, plain_stored_reply(answer)
        )
    return store.find(session.id)


def tree_rows(reader: Reader) -> list[str]:
    """The rows of the tree without the marks of the list and the times."""
    rows = [row[2:].replace("just now", "").rstrip(" ·") for row in reader.rows()[3:-2]]
    return [re.sub(" +thought", "  thought", row) for row in rows if row]


async def open_tree(reader: Reader) -> TreeScreen:
    await reader.press("ctrl+t")
    await reader.until(lambda: isinstance(reader.app.screen, TreeScreen))
    await reader.settle()
    assert isinstance(reader.app.screen, TreeScreen)
    return reader.app.screen


@in_a_chat(before=forked, size=(110, 20))
async def test_tree_shows_every_version_and_marks_the_branch_on_the_screen(reader: Reader) -> None:
    await open_tree(reader)
    assert tree_rows(reader) == [
        "▌  Nine?",
        "   ├   1 of 3 · First answer.",
        "   ├   regenerated, 3 of 3 · Third answer.",
        "▌    ✎ steered, 2 of 3 · Second answer.  thought 12 s · 64 tokens · 2 corrections",
        "   ├ 1 of 2 · Ten?",
        "   │   Ten it is.",
        "▌  edited, 2 of 2 · Eleven?",
        "▌›   Eleven it is.",
    ]


@in_a_chat(before=forked, size=(90, 20))
async def test_chosen_branch_is_opened_and_remembered(reader: Reader) -> None:
    await open_tree(reader)
    await reader.press("up", "up", "enter")
    await reader.shows("Ten it is.")
    assert not reader.sees("Eleven")
    session = reader.store.latest()
    assert session
    assert session.leaf == reader.chat.conversation.leaf == reader.stored_turns[5].id
    # A turn on the branch that is shown keeps that branch.
    await open_tree(reader)
    await reader.press(*["pageup"], "enter")
    assert reader.sees("Nine?", "Ten it is.")
    assert reader.chat.conversation.leaf == session.leaf


@in_a_chat(before=forked, size=(90, 20))
async def test_branch_becomes_a_session_of_its_own(reader: Reader) -> None:
    await open_tree(reader)
    await reader.press("up", "up", "up", "ctrl+f")
    await reader.until(lambda: len(reader.store.sessions()) == 2)
    await reader.settle()
    assert reader.rows()[0] == " reflect   Nine? (fork)"
    assert [turn.text or turn.said.answer for turn in reader.stored_turns] == ["Nine?", "Second answer.", "Ten?"]


@in_a_chat(before=forked, size=(90, 20))
async def test_label_is_stored_and_shown(reader: Reader) -> None:
    await open_tree(reader)
    await reader.press("ctrl+l")
    await reader.press(*"good one", "enter")
    assert "[good one] Eleven it is." in reader.text
    assert reader.stored_turns[-1].label == "good one"
    await reader.press("ctrl+l", *["backspace"] * 8, "enter")
    assert "[" not in reader.text
    assert reader.stored_turns[-1].label == ""


@in_a_chat(before=forked, size=(90, 20))
async def test_turns_are_folded_and_unfolded(reader: Reader) -> None:
    await open_tree(reader)
    await reader.press("left", "left")
    assert reader.row("Eleven?").endswith("1 turn below · just now")
    await reader.press("left", "left")
    assert reader.row("Second answer").rstrip().endswith("4 turns below · just now")
    assert not reader.sees("Ten?", "Eleven?")
    await reader.press("right")
    assert reader.sees("Ten?", "Eleven?") == ["Ten?", "Eleven?"]


@pytest.mark.parametrize(
    ("typed", "seen"),
    [("eleven", ["edited, 2 of 2 · Eleven?", "Eleven it is."]), ("steered", ["Second answer."]), ("no such", [])],
)
@in_a_chat(before=forked, size=(90, 20))
async def test_typing_filters_the_tree(reader: Reader, typed: str, seen: list[str]) -> None:
    await open_tree(reader)
    await reader.press(*typed)
    rows = [row for row in tree_rows(reader) if "matches" not in row]
    assert len(rows) == len(seen)
    assert all(text in row for text, row in zip(seen, rows, strict=True))
    assert ("No matches." in reader.text) is (not seen)
    await reader.press("escape")
    assert "Nine?" in reader.text


@in_a_chat(before=forked, size=(90, 20))
async def test_branch_is_deleted_after_a_question_that_says_what_goes(reader: Reader) -> None:
    await open_tree(reader)
    await reader.press("up", "up", "up", "ctrl+x")
    assert reader.sees("Delete this question and 1 turn below it?", "y delete")
    await reader.press("n")
    assert [turn.id for turn in reader.stored_turns] == list(range(1, 9))
    await reader.press("ctrl+x", "y")
    assert [turn.id for turn in reader.stored_turns] == [1, 2, 3, 4, 7, 8]
    await reader.press("pagedown", "ctrl+x")
    assert reader.sees("Delete this reply? This is the branch on the screen.")
    await reader.press("y", "escape")
    assert reader.sees("Eleven?")
    assert not reader.sees("Eleven it is.")


@in_a_chat(REPLY, before=forked, size=(90, 20))
async def test_deleting_the_first_question_deletes_the_session(reader: Reader) -> None:
    await open_tree(reader)
    await reader.press("pageup", "ctrl+x")
    assert reader.sees("Delete the whole session? It has no other branch: all 8 turns go.")
    await reader.press("y")
    await reader.shows("enter send")
    assert reader.store.sessions() == ()
    await reader.ask("Afresh?")
    assert len(reader.store.sessions()) == 1


@in_a_chat(IN_THOUGHT, before=forked, size=(90, 20))
async def test_branches_stay_while_a_reply_is_running(reader: Reader) -> None:
    await reader.ask_held("Twelve?", "90 is more")
    await open_tree(reader)
    await reader.press("ctrl+x", "y")
    assert reader.sees("! a reply is in progress: stop it first")
    assert len(reader.stored_turns) == 10
    await reader.press("pageup", "down", "enter")
    await reader.shows("a reply is in progress: stop it first")
    reader.engine.release()
    await reader.at_rest()


@in_a_chat()
async def test_tree_without_a_session_is_explained(reader: Reader) -> None:
    await reader.send("/tree")
    assert reader.sees("no session yet: ask a question first")


def many(store: Store) -> Session:
    session = store.create_session("Many").id
    parent = None
    for number in range(500):
        question = store.add_question(session, parent, f"Question {number}\x1b[31m" + "x" * 500)
        parent = store.add_reply(session, question.id, plain_stored_reply(f"Answer {number}\x9b")).id
        store.finish(parent, plain_stored_reply(f"Answer {number}\x9b"))
    return store.find(session)


@in_a_chat(before=many, size=(90, 20))
async def test_only_visible_rows_of_a_thousand_turns_are_drawn(reader: Reader) -> None:
    drawn: set[int] = set()
    rows = TreeRow.rows

    def noted(row: TreeRow, painter: RowPainter) -> list[Row]:
        drawn.add(row.node.turn.id)
        return rows(row, painter)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TreeRow, "rows", noted)
        await open_tree(reader)
    assert reader.sees("Question 499", "Answer 499")
    assert 0 < len(drawn) < 60
    assert not controls(reader.rows())
