from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.tui.sessions.list import SessionList, SessionRow
from reflectty.tui.sessions.panel import SessionsPanel
from support.list_app import NOW, SESSIONS, PanelHost, opened, session, until, using

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row

LARGER, MIRROR, REGEX, BIRTHDAY, OLD = SESSIONS


def test_sessions_are_listed_by_date_newest_first() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        told = [row[2:39].strip() for row in host.rows()]
        assert [row for row in told[3:] if row] == [
            "today",
            "› Which is larger, 9.11 or 9.9?",
            "12:00 · 3 questions · qwen3:8b",
            "Mirrored declaration",
            "11:45 · 0 questions",
            "yesterday",
            "Why does my regex backtrack?",
            "12:00 · 0 questions",
            "Saturday",
            "Birthday paradox, n = 23",
            "12:00 · 0 questions",
            "August",
            "Rust lifetimes, again",
            "20 Aug · 0 questions",
            "enter open · esc close",
            "ctrl+r rename · ctrl+x remove",
        ]

    host = PanelHost([LARGER._replace(model="qwen3:8b", questions=3), *SESSIONS[1:]])
    using(host, use)


def test_wide_panel_has_a_session_on_one_row() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        row = host.row("Which")[:71]
        assert " ".join(row.split()) == "› Which is larger, 9.… hf.co/unsloth/qwe… 3 questions 12:00"
        assert "11:45" in host.row("Mirrored")

    host = PanelHost([LARGER._replace(model="hf.co/unsloth/qwen3:8b", questions=3), *SESSIONS[1:]])
    using(host, use, (200, 30))


@pytest.mark.parametrize(
    ("keys", "hints"),
    [
        ("", "enter open · esc close ctrl+r rename · ctrl+x remove"),
        ("ctrl+r", "enter rename · esc cancel"),
        ("ctrl+r escape", "enter open · esc close ctrl+r rename · ctrl+x remove"),
        ("ctrl+x", "y remove · n keep"),
        ("ctrl+x n", "enter open · esc close ctrl+r rename · ctrl+x remove"),
        ("ctrl+x y", "esc close"),
        ("x", "enter open · esc clear ctrl+r rename · ctrl+x remove"),
        ("x escape", "enter open · esc close ctrl+r rename · ctrl+x remove"),
    ],
)
def test_hints_name_the_keys_that_do_something_now(keys: str, hints: str) -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press(*keys.split())
        await pilot.pause()
        told = [row[2:39].strip() for row in host.rows()[-3:]]
        assert " ".join(told).strip() == hints

    host = PanelHost(SESSIONS[:1])
    using(host, use)


def test_open_selected_and_running_sessions_are_marked() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host.panel.current, host.panel.running = MIRROR.id, frozenset({REGEX.id})
        await opened(pilot)
        await pilot.press("up")
        assert host.row("Which")[2:8] == " › Whi"
        assert host.row("Mirrored")[2:8] == "▌  Mir"
        assert host.row("regex")[:39].rstrip().endswith(" ◐")
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


def test_open_session_is_selected_however_far_down_it_is() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host.panel.current = "s119"
        await opened(pilot)
        await until(pilot, lambda: "Session 119" in host.row("›"))
        assert host.offsets[:3] == [0, 50, 100]
        await pilot.press("pageup")
        assert "Session 119" not in host.row("›")
        # The cursor begins there each time that the panel opens.
        host.panel.slide_out()
        await opened(pilot)
        await until(pilot, lambda: "Session 119" in host.row("›"))

    host = PanelHost([session(f"s{at}", f"Session {at}") for at in range(120)])
    using(host, use)


def test_search_for_the_open_session_ends_with_the_last_page_or_a_key() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host.panel.current = "elsewhere"
        await opened(pilot)
        await until(pilot, lambda: host.offsets == [0, 50, 100, 120])
        assert "Session 0" in host.row("›")

    host = PanelHost([session(f"s{at}", f"Session {at}") for at in range(120)])
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
