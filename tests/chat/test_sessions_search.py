from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reflectty.tui.sessions.inline import DEBOUNCE_SECONDS, InlineConfirm, SearchLine
from reflectty.tui.sessions.list import MAX_HITS
from reflectty.tui.sessions.panel import SessionsPanel
from reflectty.tui.widgets.field import Field
from support.list_app import SESSIONS, PanelHost, opened, search_result, searched, using

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from textual.pilot import Pilot


LARGER, MIRROR, REGEX, BIRTHDAY, OLD = SESSIONS


@dataclass
class ManualTimer:
    """A timer that fires when a test says so."""

    seconds: float
    then: Callable[[], None]
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True


def test_search_is_debounced(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[ManualTimer] = []

    def rest(_: SearchLine, seconds: float, then: Callable[[], None]) -> ManualTimer:
        waits.append(ManualTimer(seconds, then))
        return waits[-1]

    monkeypatch.setattr(SearchLine, "set_timer", rest)

    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press(*"number")
        assert [(wait.seconds, wait.stopped) for wait in waits] == [
            *[(DEBOUNCE_SECONDS, True)] * 5,
            (DEBOUNCE_SECONDS, False),
        ]
        assert host.asked == []
        waits[-1].then()
        await pilot.pause()
        assert host.asked == [SessionsPanel.Searched("number")]

    host = PanelHost(SESSIONS)
    using(host, use)


def test_search_hit_shows_session_part_and_passage_with_the_match_bold() -> None:
    async def use(pilot: Pilot[None]) -> None:
        result = search_result(REGEX, "it tries every ", "number", " of repeats that there can be", "reflection")
        host = await searched(pilot, search_result(LARGER), result)
        at = next(at for at, row in enumerate(host.rows()) if "regex" in row)
        told = [row[2:39].strip() for row in host.rows()[at : at + 4]]
        assert told[:2] == ["Why does my regex backtrack?", "yesterday 12:00 · 0 questions"]
        assert told[2].startswith("correction  ")
        assert "number" in f"{told[2]} {told[3]}"
        assert host.style("number", 2).bold
        assert not host.style("repeats").bold

    using(PanelHost(SESSIONS), use)


def test_enter_opens_a_search_hit_at_its_turn() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, search_result(LARGER), search_result(REGEX))
        await pilot.press("down", "enter")
        await pilot.pause()
        assert host.asked == [SessionsPanel.Opened(REGEX.id, 7, "number")]

    using(PanelHost(SESSIONS), use)


def test_hits_of_a_session_stand_together_below_its_title() -> None:
    async def use(pilot: Pilot[None]) -> None:
        many = [search_result(LARGER, part=part) for part in ("question", "thinking", "answer")]
        host = await searched(
            pilot, search_result(MIRROR, "", "Mirrored", " declaration", "title"), *many, search_result(MIRROR), *many
        )
        told = [row[2:39].strip() for row in host.rows()[3:]]
        assert [row for row in told if row and "question" not in row[-9:]] == [
            "› Mirrored declaration",
            "thinking  number",
            "Which is larger, 9.11 or 9.9?",
            "question  number",
            "thinking  number",
            "answer  number",
            "question  number",
            f"… {2 * len(many) - MAX_HITS} more in this session",
            "enter open · esc clear",
            "ctrl+r rename · ctrl+x remove",
        ]
        await pilot.press("down", "down", "down", "enter")
        await pilot.pause()
        assert host.asked == [SessionsPanel.Opened(LARGER.id, 7, "number")]

    using(PanelHost(SESSIONS), use)


def test_match_deep_in_a_passage_is_visible() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(
            pilot, search_result(LARGER, "a long way to go before " * 12, "number", " and after " * 12)
        )
        assert host.style("number", 2).bold

    using(PanelHost(SESSIONS), use)


def test_hits_of_an_outdated_query_are_ignored() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, search_result(LARGER))
        host.panel.show_hits([search_result(OLD)], "numb")
        await pilot.pause()
        assert not any("Rust" in row for row in host.rows())
        host.panel.show_hits([search_result(OLD)], "number")
        await pilot.pause()
        assert host.row("Rust")

    using(PanelHost(SESSIONS), use)


def test_empty_results_and_an_empty_store_are_reported() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot)
        assert host.row("No matches.")
        await pilot.press("escape")
        await pilot.pause()
        assert host.row("No sessions yet.")
        await pilot.press("enter", "ctrl+x", "ctrl+r", "down", "pageup")
        await pilot.pause()
        assert host.asked == []

    using(PanelHost([]), use)


def test_escape_clears_the_search_and_then_closes() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, search_result(OLD))
        await pilot.press("escape")
        await pilot.pause()
        assert host.row("Mirrored")
        assert host.asked == []
        await pilot.press("escape")
        await pilot.pause()
        assert [type(event) for event in host.asked] == [SessionsPanel.Closed]
        assert not host.panel.display

    using(PanelHost(SESSIONS), use)


def test_delete_key_edits_the_search_text_before_it_removes_a_session() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, search_result(LARGER))
        await pilot.press("home", "delete")
        assert isinstance(host.focused, Field)
        assert host.focused.value == "umber"
        assert not host.query_one(InlineConfirm).display

    using(PanelHost(SESSIONS), use)
