from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.tui.fuzzy import match
from reflectty.tui.screens.dialogs import Choice, ChoiceItem, filter_items
from reflectty.tui.widgets.field import Field
from support.list_app import Host, close_screen, show_screen, using

if TYPE_CHECKING:
    from textual.pilot import Pilot

MODELS = (
    ChoiceItem("mini:latest", "mini:latest", "1.1 GB · reflects", is_current=True),
    ChoiceItem("reflection:70b", "reflection:70b", "40 GB · thinks"),
    ChoiceItem("qwen3:8b", "qwen3:8b", "5.2 GB · thinks, tools"),
    ChoiceItem("gpt-oss:20b", "gpt-oss:20b", "13 GB · thinks (low, medium, high)"),
    ChoiceItem("deepseek-r1:14b", "deepseek-r1:14b", "9 GB · thinks"),
    ChoiceItem("phi4-mini", "phi4-mini", "2.5 GB"),
)
THEMES = tuple(ChoiceItem(name, name, is_current=name == "ink") for name in ("ink", "paper", "terminal"))
OVERFLOW = (
    ChoiceItem("cut", "Leave out the oldest 4 turns", "They stay in the session; the model does not see them. " * 2),
    ChoiceItem("back", "Back to the question", "Nothing is sent."),
)


def test_keys_choose_an_item_or_cancel() -> None:
    cases: tuple[tuple[str, list[str | None]], ...] = (
        ("enter", ["mini:latest"]),
        ("down enter", ["reflection:70b"]),
        ("up enter", ["mini:latest"]),
        ("pagedown enter", ["phi4-mini"]),
        ("pagedown pageup enter", ["mini:latest"]),
        ("escape", [None]),
        ("down escape", [None]),
        ("d e e p enter", ["deepseek-r1:14b"]),
        ("m i n i enter", ["mini:latest"]),
        ("r 7 0 enter", ["reflection:70b"]),
        ("t o o l s enter", ["qwen3:8b"]),
        ("x x x enter", []),
        ("x x x escape", [None]),
        ("d backspace down enter", ["reflection:70b"]),
    )

    async def use(pilot: Pilot[None]) -> None:
        for keys, expected in cases:
            host = await show_screen(pilot, Choice("Choose a model", MODELS))
            await pilot.press(*keys.split())
            assert host.given == expected, keys
            await close_screen(host)

    using(Host(), use)


def test_click_chooses_an_item() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await show_screen(pilot, Choice("Choose a model", MODELS))
        row = next(at for at, text in enumerate(host.rows()) if "qwen3" in text)
        await pilot.click(offset=(6, row))
        await pilot.pause()
        assert host.given == ["qwen3:8b"]

    using(Host(), use)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ["alpha", "beta", "gamma alpha"]),
        (" ", ["alpha", "beta", "gamma alpha"]),
        ("AL", ["alpha", "gamma alpha"]),
        ("alp", ["alpha", "gamma alpha"]),
        ("ga", ["gamma alpha"]),
        ("g a", ["gamma alpha", "beta"]),
        ("aa", ["gamma alpha", "alpha"]),
        ("greek", ["beta"]),
        ("zz", []),
    ],
)
def test_typing_filters_the_list_and_ranks_the_best_matches_first(typed: str, expected: list[str]) -> None:
    offers = (
        ChoiceItem("alpha", "alpha"),
        ChoiceItem("beta", "beta", "a Greek letter"),
        ChoiceItem("gamma alpha", "gamma alpha"),
    )
    assert [offer.value for offer, _ in filter_items(offers, typed)] == expected


@pytest.mark.parametrize(
    ("typed", "name", "places"),
    [
        ("abc", "a-b-abc", (4, 5, 6)),
        ("ac", "abcac", (0, 2)),
        ("", "abc", ()),
        ("ABC", "xaBc", (1, 2, 3)),
        ("a", "bcd", None),
        ("ba", "ab", None),
        ("i", "xİ", (1,)),
        ("wi", "İwi", (1, 2)),
    ],
)
def test_match_takes_letters_in_order_and_as_close_as_possible(
    typed: str, name: str, places: tuple[int, ...] | None
) -> None:
    found = match(typed, name)
    assert (found and found.positions) == places


def test_long_name_full_of_near_matches_is_matched_quickly() -> None:
    assert match("a" * 500 + "b", "a" * 200_000) is None
    found = match("a" * 500, "a" * 200_000)
    assert found is not None
    assert found.positions == tuple(range(500))


def test_current_and_selected_items_have_their_own_markers() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await show_screen(pilot, Choice("Choose a model", MODELS))
        await pilot.press("down")
        await pilot.pause()
        assert host.row("mini:latest")[2:6] == "▌  m"
        assert host.row("reflection")[2:6] == " › r"
        assert host.style("reflection").bold
        assert not host.style("qwen3").bold

    using(Host(), use)


def test_chat_stays_visible_behind_the_theme_preview() -> None:
    seen: list[str] = []

    async def use(pilot: Pilot[None]) -> None:
        host = await show_screen(pilot, Choice("Choose a theme", THEMES, preview=seen.append))
        assert host.row("what was said before")
        assert seen == []
        await pilot.press("down", "down", "down", "up")
        await pilot.press("escape")
        await pilot.pause()
        assert seen == ["paper", "terminal", "paper"]
        assert host.given == [None]

    using(Host(), use)


def test_preview_follows_the_filter_text() -> None:
    seen: list[str] = []

    async def use(pilot: Pilot[None]) -> None:
        await show_screen(pilot, Choice("Choose a model", MODELS, preview=seen.append))
        await pilot.press("q")
        await pilot.pause()
        assert seen == ["qwen3:8b"]

    using(Host(), use)


def test_previewed_theme_changes_the_list_and_the_chat_behind_it() -> None:
    async def use(pilot: Pilot[None]) -> None:
        def show(name: str) -> None:
            host.shown_theme = name
            host.refresh_css()

        host = await show_screen(pilot, Choice("Choose a theme", THEMES, preview=show))
        before = {text: host.style(text).color for text in ("terminal", "said before")}
        await pilot.press("down")
        await pilot.pause()
        after = {text: host.style(text).color for text in ("terminal", "said before")}
        assert all(before[text] != after[text] for text in before)

    using(Host(), use)


@pytest.mark.parametrize("size", [(40, 10), (300, 60), (20, 6), (100, 30)], ids=str)
def test_details_wrap_and_the_dialog_works_at_any_size(size: tuple[int, int]) -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await show_screen(pilot, Choice("4,310 tokens do not fit into 4,096.", OVERFLOW))
        told = " ".join(" ".join(host.rows()).split())
        assert "Leave out" in told
        if size[1] > 10:
            assert told.count("the model does not see them") == 2 or size[0] < 100
        await pilot.press("down")
        await pilot.pause()
        assert any("›" in row for row in host.rows())
        await pilot.press("enter")
        await pilot.pause()
        assert host.given == ["back"]

    using(Host(), use, size)


@pytest.mark.parametrize("size", [(40, 10), (80, 30), (20, 6), (300, 80)], ids=str)
def test_selected_item_of_a_long_list_is_always_in_view(size: tuple[int, int]) -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await show_screen(
            pilot, Choice("Choose", [ChoiceItem(f"{at}", f"Thing {at}", "a detail " * 3) for at in range(90)])
        )
        for key in [*["down"] * 12, "pagedown", *["pagedown"] * 30, "up", "pageup"]:
            await pilot.press(key)
            await pilot.pause()
            assert any("›" in row for row in host.rows())
        assert any("what was said before" in row for row in host.rows()) is (size[1] > 10)

    using(Host(), use, size)


def test_short_list_has_no_filter_field() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await show_screen(pilot, Choice("Choose a theme", THEMES))
        assert not host.screen.query(Field)
        await pilot.press("x", "down", "enter")
        await pilot.pause()
        assert host.given == ["paper"]

    using(Host(), use)


def test_choice_is_ascii_without_utf_8() -> None:
    async def use(pilot: Pilot[None]) -> None:
        offers = [ChoiceItem(f"{at}", f"Label {at}", "detail", at == 1) for at in range(40)]
        host = await show_screen(pilot, Choice("Choose", offers, unicode=False))
        assert all(row.isascii() for row in host.rows())

    using(Host(), use)
