from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.tui.sessions.list import SessionList, SessionRow, date_heading_of
from reflectty.tui.sessions.panel import SessionsPanel
from support.list_app import DAY, NOW, SESSIONS, PanelHost, opened, session, using

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row

LARGER, MIRROR, REGEX, BIRTHDAY, OLD = SESSIONS


@pytest.mark.parametrize(
    ("updated", "expected"),
    [
        (NOW, "today"),
        (NOW + DAY, "today"),
        (NOW - DAY, "yesterday"),
        (NOW - 2 * DAY, "last week"),
        (NOW - 7 * DAY, "last week"),
        (NOW - 8 * DAY, "November"),
        (NOW - 90 * DAY, "August"),
        (NOW - 400 * DAY, "October 2025"),
        (float("nan"), "unknown date"),
        (1e300, "unknown date"),
        (-1e300, "unknown date"),
    ],
)
def test_session_is_grouped_by_its_last_use(updated: float, expected: str) -> None:
    assert date_heading_of(updated, NOW) == expected


def test_sessions_are_listed_by_date_newest_first() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        told = [row[2:36].strip() for row in host.rows()]
        assert [row for row in told[3:20] if row] == [
            "today",
            "› Which is larger, 9.11 or 9.9?",
            "Mirrored declaration",
            "yesterday",
            "Why does my regex backtrack?",
            "last week",
            "Birthday paradox, n = 23",
            "August",
            "Rust lifetimes, again",
        ]

    host = PanelHost(SESSIONS)
    using(host, use)


def test_open_selected_and_running_sessions_are_marked() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host.panel.current, host.panel.running = MIRROR.id, frozenset({REGEX.id})
        await opened(pilot)
        await pilot.press("up")
        assert host.row("Which")[2:8] == " › Whi"
        assert host.row("Mirrored")[2:8] == "▌  Mir"
        assert host.row("regex")[:35].rstrip().endswith(" ◐")
        assert host.style("Mirrored").bold
        assert host.style("Which").bold
        assert not host.style("Birthday").bold

    host = PanelHost(SESSIONS)
    using(host, use)


def test_open_session_is_selected_at_first() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host.panel.current = REGEX.id
        await opened(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert host.asked == [SessionsPanel.Opened(REGEX.id, None)]

    host = PanelHost(SESSIONS)
    using(host, use)


def test_arrow_and_page_keys_select_the_session_that_enter_opens() -> None:
    cases = (
        ("", LARGER),
        ("up", LARGER),
        ("down", MIRROR),
        ("down down", REGEX),
        ("down down down up", REGEX),
        ("down down down down down down", OLD),
        ("pagedown", OLD),
        ("pagedown pageup", LARGER),
    )

    async def use(pilot: Pilot[None]) -> None:
        for keys, expected in cases:
            await opened(pilot)
            await pilot.press("pageup", *keys.split(), "enter")
            assert host.asked == [SessionsPanel.Opened(expected.id, None)], keys
            host.asked.clear()

    host = PanelHost(SESSIONS)
    using(host, use)


def test_a_click_opens_a_session() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        row = next(at for at, text in enumerate(host.rows()) if "Birthday" in text)
        await pilot.click(offset=(8, row))
        await pilot.pause()
        assert host.asked == [SessionsPanel.Opened(BIRTHDAY.id, None)]

    host = PanelHost(SESSIONS)
    using(host, use)


def test_each_page_of_sessions_is_loaded_once_when_scrolling() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        assert host.offsets == [0]
        await pilot.press(*["pagedown"] * 12)
        await pilot.pause()
        assert host.offsets == [0, 50, 100, 120]
        assert "Session 119" in host.row("Session 119")

    host = PanelHost([session(f"s{at}", f"Session {at}") for at in range(120)])
    using(host, use)


def test_no_page_is_requested_while_one_is_pending_or_after_the_last() -> None:
    shelf = SessionList(lambda: NOW)
    assert shelf.restart() == 0
    assert shelf.next_offset() is None
    shelf.add(SESSIONS[:3])
    assert shelf.next_offset() == 3
    assert shelf.next_offset() is None
    shelf.add(())
    assert shelf.next_offset() is None


def test_session_delivered_twice_is_listed_once() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        host.panel.add_sessions((OLD, session("older", "The first of all", 100)))
        await pilot.pause()
        told = "\n".join(host.rows())
        assert told.count("Rust lifetimes") == 1
        assert told.count("August") == 1
        assert "The first of all" in told

    host = PanelHost(SESSIONS)
    using(host, use)


def test_only_visible_sessions_of_ten_thousand_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    rows = SessionRow.rows

    def noted(self: SessionRow, painter: RowPainter) -> list[Row]:
        drawn.append(self.session.id)
        return rows(self, painter)

    monkeypatch.setattr(SessionRow, "rows", noted)

    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        drawn.clear()
        await pilot.press("pagedown", "pagedown", "down", "down", "down")
        await pilot.pause()
        assert 0 < len(drawn) <= 10 * 30
        assert len(set(drawn)) < 100

    using(PanelHost([session(f"s{at}", f"Session {at}", at / 500) for at in range(10_000)], page=10_000), use)
