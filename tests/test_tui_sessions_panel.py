from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events

from corpus import cases
from lists import DAY, NOW, SESSIONS, PanelHost, controls, found, opened, session, using
from reflectty.session import Found
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.listing import Listing
from reflectty.tui.widgets.on_row import NewTitle, Removal
from reflectty.tui.widgets.passage import passage
from reflectty.tui.widgets.session_entries import Listed, when
from reflectty.tui.widgets.sessions import SessionsPanel

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from reflectty.drawing.paint import Row
    from reflectty.tui.widgets.listing import Pen

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
        (float("nan"), "some time"),
        (1e300, "some time"),
        (-1e300, "some time"),
    ],
)
def test_a_session_stands_under_when_it_was_last_used(updated: float, expected: str) -> None:
    assert when(updated, NOW) == expected


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


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", LARGER),
        ("up", LARGER),
        ("down", MIRROR),
        ("down down", REGEX),
        ("down down down up", REGEX),
        ("down down down down down down", OLD),
        ("pagedown", OLD),
        ("pagedown pageup", LARGER),
    ],
)
def test_the_arrows_and_page_keys_choose_what_enter_opens(keys: str, expected: object) -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press(*keys.split(), "enter")
        await pilot.pause()
        assert [getattr(event, "session_id", None) for event in host.asked] == [getattr(expected, "id", "")]

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


def test_a_session_that_comes_twice_is_listed_once() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        host.panel.add((OLD, session("older", "The first of all", 100)))
        await pilot.pause()
        told = "\n".join(host.rows())
        assert told.count("Rust lifetimes") == 1
        assert told.count("August") == 1
        assert "The first of all" in told

    host = PanelHost(SESSIONS)
    using(host, use)


def test_of_ten_thousand_sessions_only_those_in_view_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    row = Listed.row

    def noted(self: Listed, at: int, pen: Pen) -> Row:
        drawn.append(self.session.id)
        return row(self, at, pen)

    monkeypatch.setattr(Listed, "row", noted)

    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        drawn.clear()
        await pilot.press("pagedown", "pagedown", "down", "down", "down")
        await pilot.pause()
        assert 0 < len(drawn) <= 10 * 30
        assert len(set(drawn)) < 100

    using(PanelHost([session(f"s{at}", f"Session {at}", at / 500) for at in range(10_000)], page=10_000), use)


def test_what_is_typed_is_searched_once_the_typing_rests() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press(*"number")
        await pilot.pause(0.3)
        assert host.asked == [SessionsPanel.Searched("number")]

    host = PanelHost(SESSIONS)
    using(host, use)


async def searched(pilot: Pilot[None], *results: Found) -> PanelHost:
    """Type words, wait for the search, and show what it found."""
    host = pilot.app
    assert isinstance(host, PanelHost)
    await opened(pilot)
    await pilot.press(*"number")
    await pilot.pause(0.3)
    host.panel.show_found(results)
    await pilot.pause()
    host.asked.clear()
    return host


def test_a_result_shows_the_session_the_part_and_the_passage_with_the_match_bold() -> None:
    async def use(pilot: Pilot[None]) -> None:
        result = found(REGEX, "it tries every ", "number", " of repeats that there can be", "reflection")
        host = await searched(pilot, found(LARGER), result)
        at = next(at for at, row in enumerate(host.rows()) if "regex" in row)
        told = [row[2:36].strip() for row in host.rows()[at : at + 3]]
        assert told[0] == "Why does my regex backtrack?"
        assert told[1].startswith("correction  ")
        assert "number" in f"{told[1]} {told[2]}"
        assert host.style("number", 2).bold
        assert not host.style("repeats").bold

    using(PanelHost(SESSIONS), use)


def test_enter_opens_a_result_at_its_turn() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, found(LARGER), found(REGEX))
        await pilot.press("down", "enter")
        await pilot.pause()
        assert host.asked == [SessionsPanel.Opened(REGEX.id, 7)]

    using(PanelHost(SESSIONS), use)


def test_a_match_far_into_a_passage_is_still_in_view() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, found(LARGER, "a long way to go before " * 12, "number", " and after " * 12))
        assert host.style("number", 2).bold

    using(PanelHost(SESSIONS), use)


def test_what_was_found_for_other_words_is_not_shown() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, found(LARGER))
        host.panel.show_found([found(OLD)], "numb")
        await pilot.pause()
        assert not any("Rust" in row for row in host.rows())
        host.panel.show_found([found(OLD)], "number")
        await pilot.pause()
        assert host.row("Rust")

    using(PanelHost(SESSIONS), use)


def test_a_search_without_results_says_so_and_so_does_an_empty_store() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot)
        assert host.row("Nothing found.")
        await pilot.press("escape")
        await pilot.pause()
        assert host.row("Nothing is kept yet.")
        await pilot.press("enter", "ctrl+x", "ctrl+r", "down", "pageup")
        await pilot.pause()
        assert host.asked == []

    using(PanelHost([]), use)


def test_escape_clears_the_search_and_then_closes() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, found(OLD))
        await pilot.press("escape")
        await pilot.pause()
        assert host.row("Mirrored")
        assert host.asked == []
        await pilot.press("escape")
        await pilot.pause()
        assert [type(event) for event in host.asked] == [SessionsPanel.Closed]
        assert not host.panel.display

    using(PanelHost(SESSIONS), use)


@pytest.mark.parametrize("asks", ["delete", "ctrl+x"])
@pytest.mark.parametrize("answer", ["y", "n", "enter", "escape", "delete", "ctrl+x", "down", "x", "Y"])
def test_a_session_is_removed_after_a_yes_alone(asks: str, answer: str) -> None:
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


def test_after_a_removal_the_next_session_is_chosen() -> None:
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


def test_a_result_can_be_removed_with_all_others_of_its_session() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, found(LARGER), found(LARGER, part="answer"), found(REGEX))
        await pilot.press("ctrl+x", "y")
        await pilot.pause()
        assert host.asked == [SessionsPanel.Removed(LARGER.id)]
        assert not any("Which" in row for row in host.rows())
        assert host.row("regex")

    using(PanelHost(SESSIONS), use)


def test_the_question_is_dropped_when_the_list_comes_anew() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press("ctrl+x")
        host.panel.reload()
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause(0.3)
        assert host.asked == [SessionsPanel.Searched("y")]

    host = PanelHost(SESSIONS)
    using(host, use)


def test_delete_deletes_a_character_where_there_is_one() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, found(LARGER))
        await pilot.press("home", "delete")
        assert isinstance(host.focused, Field)
        assert host.focused.value == "umber"
        assert not host.query_one(Removal).display

    using(PanelHost(SESSIONS), use)


def test_a_session_is_renamed_where_it_stands() -> None:
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
        assert not isinstance(host.focused, NewTitle)

    host = PanelHost(SESSIONS)
    using(host, use)


@pytest.mark.parametrize("keys", ["x escape", "enter", "ctrl+u enter", "ctrl+u space enter"])
def test_a_title_stays_that_was_not_changed(keys: str) -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press("ctrl+r", *keys.split())
        await pilot.pause()
        assert host.asked == []
        assert "Which is larger, 9.11 or 9" in host.row("Which")
        assert not host.query_one(NewTitle).display

    host = PanelHost(SESSIONS)
    using(host, use)


def test_the_field_for_a_title_leaves_when_the_list_moves_under_it() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press("ctrl+r")
        host.query_one(Listing).scroll_to(y=5, animate=False)
        await pilot.pause()
        assert not host.query_one(NewTitle).display

    host = PanelHost([session(f"s{at}", f"Session {at}") for at in range(60)])
    using(host, use)


@pytest.mark.parametrize(
    ("columns", "expected"), [(100, 36), (60, 36), (59, 59), (40, 40), (300, 36)], ids=lambda value: str(value)
)
def test_the_panel_takes_the_whole_width_where_it_is_narrow(columns: int, expected: int) -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        assert host.panel.region.size == (expected, 20)
        await pilot.resize_terminal(80, 20)
        await pilot.pause()
        assert host.panel.region.size == (36, 20)

    host = PanelHost(SESSIONS)
    using(host, use, (columns, 20))


@pytest.mark.parametrize("size", [(40, 10), (20, 5), (8, 3), (300, 80)], ids=str)
def test_the_panel_can_be_used_at_any_size(size: tuple[int, int]) -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await searched(pilot, found(LARGER, "before " * 9), found(REGEX))
        await pilot.press("down", "ctrl+r", "escape", "ctrl+x", "n", "enter")
        await pilot.pause()
        assert host.asked == [SessionsPanel.Opened(REGEX.id, 7)]
        assert all(len(row) <= size[0] for row in host.rows())

    using(PanelHost(SESSIONS), use, size)


def test_at_forty_by_ten_the_chosen_session_is_always_in_view() -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        for _ in range(20):
            await pilot.press("down")
            await pilot.pause()
            assert any("›" in row for row in host.rows())

    host = PanelHost([session(f"s{at}", f"Session {at}", at) for at in range(20)])
    using(host, use, (40, 10))


def test_where_there_is_no_utf_8_every_sign_is_ascii() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host.panel.current, host.panel.running = LARGER.id, frozenset({MIRROR.id})
        await opened(pilot)
        await pilot.press("down")
        await pilot.pause()
        assert all(row.isascii() for row in host.rows())
        assert host.row("Which")[2] == ">"
        assert host.row("Mirrored")[3] == "-"
        assert host.row("Mirrored")[:36].rstrip().endswith(" *")
        assert host.row("search every thought")[2] == "/"

    many = [session(f"s{at}", f"Session {at}" * 9, 3) for at in range(60)]
    host = PanelHost([*SESSIONS[:2], *many], unicode=False)
    using(host, use)


@pytest.mark.parametrize("title", ["[bold]loud[/bold]", "[@click=app.quit]x[/]", "[/]", "[red", "$r-text"])
def test_a_title_is_never_taken_for_markup(title: str) -> None:
    async def use(pilot: Pilot[None]) -> None:
        await opened(pilot)
        assert title in host.row(title)
        host.panel.show_found(())
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert title in host.row(title)

    host = PanelHost([session("odd", title)])
    using(host, use)


def test_no_control_character_of_a_title_or_passage_reaches_the_screen() -> None:
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
        host.panel.show_found([found(of, first, second, part="answer") for of, first, second in halves])
        await pilot.pause()
        passages = await paged(pilot)
        assert any("^[" in row for row in titles)
        assert any("^[" in row for row in passages)
        assert controls(titles + passages) == set()

    host = PanelHost([session(case["id"], case["text"]) for case in cases("hostile.jsonl")], page=1000)
    using(host, use, (100, 50))


@pytest.mark.parametrize("case", cases("hostile.jsonl"), ids=lambda case: case["id"])
def test_a_passage_in_pieces_is_as_safe_as_a_whole_one(case: dict[str, str]) -> None:
    text = case["text"]
    whole = passage([(text, False)]).text
    assert passage([(char, True) for char in text]).text == whole


def test_what_is_pasted_into_the_search_is_shown_not_obeyed() -> None:
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
