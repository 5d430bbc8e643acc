"""A session that was found by its words opens where they stand, and the composer leaves the panel its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.segments import Kind
from reflectty.tui.sessions.panel import SessionsPanel
from reflectty.view.parts import ThinkingView
from support.chat_app import REPLY, in_a_chat, plain_stored_reply, store_exchanges

if TYPE_CHECKING:
    from reflectty.store import Store
    from support.chat_app import Reader

LONG = "\n\n".join(f"Paragraph {number} of a long answer." for number in range(40))


def two_talks(store: Store) -> None:
    """Two sessions, of which none is opened."""
    thought = (
        Kind.THINKING,
        "\n".join(f"Step {number}." for number in range(60)) + "\nThe heron waits.\n" + "More.\n" * 60,
    )
    store_exchanges(store, ("Which bird?", plain_stored_reply(LONG, thought)), ("And then?", plain_stored_reply(LONG)))
    store_exchanges(store, ("Which fish?", plain_stored_reply("A HERON eats it.")))


def marked(reader: Reader) -> list[str]:
    """The texts that the transcript shows in reverse."""
    strips = reader.app.screen._compositor.render_strips()  # noqa: SLF001 - there is no public view of the drawn rows
    return [segment.text for strip in strips for segment in strip if segment.style and segment.style.reverse]


@pytest.mark.parametrize("view", [ThinkingView.LIVE, ThinkingView.FOLDED, ThinkingView.OFF])
@in_a_chat(before=two_talks, size=(100, 30))
async def test_found_words_are_marked_and_in_view(reader: Reader, view: ThinkingView) -> None:
    await reader.send(f"/thinking {view}")
    await reader.send("/search heron")
    await reader.shows("A HERON eats it", "The heron waits")
    await reader.press("down", "enter")
    await reader.settle()
    assert reader.sees("The heron waits.", "Step 59.")
    assert "heron" in marked(reader)
    await reader.press("escape")
    assert "heron" not in marked(reader)


@in_a_chat(before=two_talks, size=(100, 30))
async def test_session_opened_without_a_search_has_no_marks(reader: Reader) -> None:
    await reader.send("/search heron")
    await reader.shows("A HERON eats it")
    await reader.press("enter")
    await reader.settle()
    assert "HERON" in marked(reader)
    await reader.press("ctrl+o", "enter")
    await reader.settle()
    assert "HERON" not in marked(reader)


@in_a_chat(REPLY, before=two_talks, size=(100, 30))
async def test_composer_claims_no_keys_while_the_panel_has_them(reader: Reader) -> None:
    assert reader.sees("enter send")
    await reader.press("ctrl+o")
    assert not reader.sees("enter send")
    assert reader.sees("enter open", "esc close")
    await reader.press("escape")
    assert reader.sees("enter send")
    await reader.press("ctrl+o", "enter")
    await reader.settle()
    assert not reader.chat.query_one(SessionsPanel).display
    assert reader.sees("enter send")
