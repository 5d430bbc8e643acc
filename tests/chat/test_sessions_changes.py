from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.tui.sessions.inline import InlineRename
from reflectty.tui.sessions.panel import SessionsPanel
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.list import Listing
from support.list_app import SESSIONS, PanelHost, opened, search_result, searched, session, until, using

if TYPE_CHECKING:
    from textual.pilot import Pilot


LARGER, MIRROR, REGEX, BIRTHDAY, OLD = SESSIONS


@pytest.mark.parametrize("asks", ["delete", "ctrl+x"])
@pytest.mark.parametrize("answer", ["y", "n", "enter", "escape", "delete", "ctrl+x", "down", "x", "Y"])
def test_session_is_removed_only_after_y(asks: str, answer: str) -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press("down", asks)
        await pilot.pause()
        assert "remove? y/n" in host.row("Mirrored")
        await pilot.press(answer)
        await pilot.pause()
        removed = [SessionsPanel.Removed(MIRROR.id)] if answer == "y" else []
        assert host.asked == removed
        assert any("Mirrored" in row for row in host.rows()) is (answer != "y")
        assert not any("remove?" in row for row in host.rows())
        assert isinstance(host.focused, Field)
        assert host.focused.value == ""

    host = PanelHost(SESSIONS)
    using(host, use)


def test_neighbouring_session_is_selected_after_a_removal() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press("pagedown", "ctrl+x", "y")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert host.asked == [SessionsPanel.Removed(OLD.id), SessionsPanel.Opened(BIRTHDAY.id, None)]
        assert not any("August" in row for row in host.rows())

    host = PanelHost(SESSIONS)
    using(host, use)


def test_removing_a_search_hit_removes_all_hits_of_its_session() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, search_result(LARGER), search_result(LARGER, part="answer"), search_result(REGEX))
        await pilot.press("ctrl+x", "y")
        await pilot.pause()
        assert host.asked == [SessionsPanel.Removed(LARGER.id)]
        assert not any("Which" in row for row in host.rows())
        assert host.row("regex")

    using(PanelHost(SESSIONS), use)


def test_remove_confirmation_is_dropped_when_the_list_reloads() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press("ctrl+x")
        host.panel.reload()
        await pilot.pause()
        await pilot.press("y")
        await until(pilot, lambda: host.asked)
        assert host.asked == [SessionsPanel.Searched("y")]

    host = PanelHost(SESSIONS)
    using(host, use)


def test_session_is_renamed_in_place() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press("down", "ctrl+r")
        await pilot.pause()
        assert "Mirrored declaration" in host.row("Mirrored")
        await pilot.press("ctrl+u", *"Backwards", "enter")
        await pilot.pause()
        assert host.asked == [SessionsPanel.Renamed(MIRROR.id, "Backwards")]
        assert host.row("Backwards")[3] == "›"
        assert not any("Mirrored" in row for row in host.rows())
        assert isinstance(host.focused, Field)
        assert not isinstance(host.focused, InlineRename)

    host = PanelHost(SESSIONS)
    using(host, use)


@pytest.mark.parametrize("keys", ["x escape", "enter", "ctrl+u enter", "ctrl+u space enter"])
def test_unchanged_or_blank_title_is_not_saved(keys: str) -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press("ctrl+r", *keys.split())
        await pilot.pause()
        assert host.asked == []
        assert "Which is larger, 9.11 or 9" in host.row("Which")
        assert not host.query_one(InlineRename).display

    host = PanelHost(SESSIONS)
    using(host, use)


def test_rename_field_closes_when_the_list_scrolls() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press("ctrl+r")
        host.query_one(Listing).scroll_to(y=5, animate=False)
        await pilot.pause()
        assert not host.query_one(InlineRename).display

    host = PanelHost([session(f"s{at}", f"Session {at}") for at in range(60)])
    using(host, use)
