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
def test_a_session_stands_under_when_it_was_last_used(updated: float, expected: str) -> None:
    assert date_heading_of(updated, NOW) == expected


def test_sessions_are_listed_by_day_the_latest_first() -> None:
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


def test_the_open_session_the_chosen_and_one_at_work_are_marked_by_signs() -> None:
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


def test_the_session_that_is_open_is_the_chosen_one_at_first() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host.panel.current = REGEX.id
        await opened(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert host.asked == [SessionsPanel.Opened(REGEX.id, None)]

    host = PanelHost(SESSIONS)
    using(host, use)


def test_the_arrows_and_page_keys_choose_what_enter_opens() -> None:
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


def test_a_page_of_sessions_is_asked_for_when_the_end_comes_near_and_only_once() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        assert host.offsets == [0]
        await pilot.press(*["pagedown"] * 12)
        await pilot.pause()
        assert host.offsets == [0, 50, 100, 120]
        assert "Session 119" in host.row("Session 119")

    host = PanelHost([session(f"s{at}", f"Session {at}") for at in range(120)])
    using(host, use)


def test_nothing_is_asked_for_while_sessions_are_waited_for_or_after_the_last() -> None:
    shelf = SessionList(lambda: NOW)
    assert shelf.restart() == 0
    assert shelf.next_offset() is None
    shelf.add(SESSIONS[:3])
    assert shelf.next_offset() == 3
    assert shelf.next_offset() is None
    shelf.add(())
    assert shelf.next_offset() is None


def test_a_session_that_comes_twice_is_listed_once() -> None:
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


def test_of_ten_thousand_sessions_only_those_in_view_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    row = SessionRow.row

    def noted(self: SessionRow, at: int, pen: RowPainter) -> Row:
        drawn.append(self.session.id)
        return row(self, at, pen)

    monkeypatch.setattr(SessionRow, "row", noted)

    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        drawn.clear()
        await pilot.press("pagedown", "pagedown", "down", "down", "down")
        await pilot.pause()
        assert 0 < len(drawn) <= 10 * 30
        assert len(set(drawn)) < 100

    using(PanelHost([session(f"s{at}", f"Session {at}", at / 500) for at in range(10_000)], page=10_000), use)
