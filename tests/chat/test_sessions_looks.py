from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events

from reflectty.tui.sessions.list import snippet_view_of
from reflectty.tui.sessions.panel import SessionsPanel
from reflectty.tui.widgets.field import Field
from support.hostile_texts import EVERY
from support.list_app import SESSIONS, PanelHost, controls, opened, search_result, searched, session, using
from support.screen_recorder import sweeps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.pilot import Pilot

    from support.screen_recorder import Case

LARGER, MIRROR, REGEX, BIRTHDAY, OLD = SESSIONS


@pytest.mark.parametrize(
    ("columns", "expected"), [(100, 40), (60, 36), (59, 59), (40, 40), (120, 48), (300, 72)], ids=str
)
def test_panel_takes_the_full_width_of_a_narrow_screen(columns: int, expected: int) -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        assert host.panel.region.size == (expected, 20)
        await pilot.resize_terminal(80, 20)
        await pilot.pause()
        assert host.panel.region.size == (36, 20)

    host = PanelHost(SESSIONS)
    using(host, use, (columns, 20))


@pytest.mark.parametrize("size", [(40, 10), (20, 5), (8, 3), (300, 80)], ids=str)
def test_panel_works_at_any_size(size: tuple[int, int]) -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, search_result(LARGER, "before " * 9), search_result(REGEX))
        await pilot.press("down", "ctrl+r", "escape", "ctrl+x", "n", "enter")
        await pilot.pause()
        assert host.asked == [SessionsPanel.Opened(REGEX.id, 7, "number")]
        assert all(len(row) <= size[0] for row in host.rows())

    using(PanelHost(SESSIONS), use, size)


def test_selected_session_is_always_in_view_at_forty_by_ten() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        for _ in range(20):
            await pilot.press("down")
            await pilot.pause()
            assert any("›" in row for row in host.rows())

    host = PanelHost([session(f"s{at}", f"Session {at}", at) for at in range(20)])
    using(host, use, (40, 10))


def test_panel_is_ascii_without_utf_8() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host.panel.current, host.panel.running = LARGER.id, frozenset({MIRROR.id})
        await opened(pilot)
        await pilot.press("down")
        await pilot.pause()
        assert all(row.isascii() for row in host.rows())
        assert host.row("Which")[2] == ">"
        assert host.row("Mirrored")[3] == "-"
        assert host.row("Mirrored")[:39].rstrip().endswith(" *")
        assert host.row("Search sessions")[2] == "/"

    many = [session(f"s{at}", f"Session {at}" * 9, 3) for at in range(60)]
    host = PanelHost([*SESSIONS[:2], *many], unicode=False)
    using(host, use)


def test_title_is_not_parsed_as_markup() -> None:
    titles = ("[bold]loud[/bold]", "[@click=app.quit]x[/]", "[/]", "[red", "$r-text")

    async def use(pilot: Pilot[None]) -> None:
        for title in titles:
            host.sessions = [session("odd", title)]
            await opened(pilot)
            assert title in host.row(title)
            host.panel.show_hits(())
            await pilot.press("ctrl+r")
            assert title in host.row(title)
            await pilot.press("escape")

    host = PanelHost(())
    using(host, use)


@sweeps
def test_titles_and_passages_show_no_control_characters(cases: Sequence[Case]) -> None:
    async def paged(pilot: Pilot[None]) -> list[str]:
        rows: list[str] = []
        for _ in range(20):
            rows += host.rows()
            await pilot.press("pagedown")
            await pilot.pause()
        return rows

    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        titles = await paged(pilot)
        await pilot.press(*"x", "ctrl+r", "escape")
        halves = [(of, of.title[: len(of.title) // 2], of.title[len(of.title) // 2 :]) for of in host.sessions]
        host.panel.show_hits([search_result(of, first, second, part="answer") for of, first, second in halves])
        await pilot.pause()
        passages = await paged(pilot)
        assert any("^[" in row for row in titles)
        assert any("^[" in row for row in passages)
        assert controls(titles + passages) == set()

    host = PanelHost([session(case["id"], case["text"]) for case in cases], page=1000)
    using(host, use, (100, 50))


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case["id"])
def test_passage_in_pieces_is_cleaned_like_a_whole_one(case: dict[str, str]) -> None:
    text = case["text"]
    whole = snippet_view_of([(text, False)]).text
    assert snippet_view_of([(char, True) for char in text]).text == whole


def test_pasted_control_characters_in_the_search_are_escaped() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        field = host.query_one("SearchLine Field", Field)
        field.post_message(events.Paste("a\x1b[2Jb"))
        await pilot.pause()
        assert field.value == "a^[[2Jb"
        assert field.cursor_at_end
        await pilot.press("c")
        assert field.value == "a^[[2Jbc"

    host = PanelHost(SESSIONS)
    using(host, use)
