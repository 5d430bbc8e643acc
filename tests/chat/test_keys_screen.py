from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.tui.actions import ACTIONS
from reflectty.tui.actions.action import Action
from reflectty.tui.keys import format_key
from reflectty.tui.screens.keys import KeysScreen, has_words, split_columns
from support.list_app import Host, using

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.pilot import Pilot


async def listed(pilot: Pilot[None], actions: Sequence[Action] = ACTIONS, *, unicode: bool = True) -> Host:
    """Show the list of keys."""
    host = pilot.app
    assert isinstance(host, Host)
    await host.push_screen(KeysScreen(actions, unicode=unicode), host.given.append)
    await pilot.pause()
    return host


def groups() -> set[str]:
    return {action.group for action in ACTIONS}


@pytest.mark.parametrize(("size", "columns"), [((110, 60), 2), ((300, 60), 2), ((99, 120), 1), ((60, 160), 1)], ids=str)
def test_every_action_is_listed_with_its_first_key_and_command(size: tuple[int, int], columns: int) -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await listed(pilot)
        told = "\n".join(host.rows())
        for action in ACTIONS:
            first = action.label.split()[0]
            assert first in told
            assert not action.keys or format_key(action.keys[0]) in told
            assert action.slash in told
        headings = [row for row in host.rows() if set(row.split()) <= groups() and row.strip()]
        assert max(len(row.split()) for row in headings) <= columns
        first_row = next(row for row in host.rows() if row.split()[:1] == [ACTIONS[0].group])
        assert len(first_row.split()) == columns

    using(Host(), use, size)


@pytest.mark.parametrize("size", [(40, 10), (30, 6)], ids=str)
def test_a_small_screen_scrolls_to_the_last_action(size: tuple[int, int]) -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await listed(pilot)
        last = format_key(ACTIONS[-1].keys[0])
        assert not any(last in row for row in host.rows())
        await pilot.press("down", *["pagedown"] * 40)
        await pilot.pause()
        assert any(last in row for row in host.rows())
        await pilot.press(*["pageup"] * 40)
        await pilot.pause()
        assert any(ACTIONS[0].group in row for row in host.rows())
        await pilot.press("down")
        await pilot.pause()
        assert not any(row.strip() == ACTIONS[0].group for row in host.rows())

    using(Host(), use, size)


def test_labels_are_not_truncated_at_forty_columns() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await listed(pilot)
        told = " ".join(" ".join(host.rows()).split())
        for action in ACTIONS:
            assert all(word in told for word in action.label.split())

    using(Host(), use, (40, 300))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("copy", {"copy_answer", "copy_thinking", "copy_code", "interrupt"}),
        ("/bye", {"quit"}),
        ("alt+n", {"next_correction"}),
        ("/theme", {"theme"}),
        ("COPY code", {"copy_code"}),
        ("xyzzy", set()),
    ],
)
def test_filter_matches_label_key_and_command(words: str, expected: set[str]) -> None:
    assert {action.name for action in ACTIONS if has_words(action, words)} == expected


def test_typing_filters_the_list_and_reports_no_matches() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await listed(pilot)
        await pilot.press(*"correction")
        await pilot.pause()
        assert host.row("Next correction")
        assert not any("Choose a model" in row for row in host.rows())
        await pilot.press(*"xx")
        await pilot.pause()
        assert host.row("No matches.")

    using(Host(), use)


def test_escape_f1_and_enter_close_the_list() -> None:
    async def use(pilot: Pilot[None]) -> None:
        for key in ("escape", "f1", "enter"):
            host = await listed(pilot)
            await pilot.press(key)
            await pilot.pause()
            assert host.given == [None], key
            assert host.row("what was said before"), key
            host.given.clear()

    using(Host(), use)


def test_column_count_follows_the_screen_width() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await listed(pilot)
        assert len(next(row for row in host.rows() if row.split()[:1] == ["Ask"]).split()) == 2
        await pilot.resize_terminal(60, 40)
        await pilot.pause()
        assert next(row for row in host.rows() if row.split()[:1] == ["Ask"]).split() == ["Ask"]

    using(Host(), use, (120, 40))


def test_custom_key_is_shown() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await listed(pilot, [Action("steer", ("ctrl+t",), "Change the thinking", "Reply", "/steer")])
        assert host.row("ctrl+t").split() == ["ctrl+t", "Change", "the", "thinking", "/steer"]

    using(Host(), use)


@pytest.mark.parametrize(
    ("takes", "expected"),
    [("TEXT", ["/title", "TEXT", "Give", "a", "title"]), ("X" * 20, ["/title", "Give", "a", "title", "X" * 20])],
)
def test_command_is_shown_when_an_action_has_no_key(takes: str, expected: list[str]) -> None:
    async def use(pilot: Pilot[None]) -> None:
        rename = Action("rename", (), "Give a title", "Session", "/title", takes)
        host = await listed(pilot, [rename, Action("send", ("ctrl+shift+f12",), "Send", "Session")])
        assert host.row("/title").split() == expected

    using(Host(), use, (90, 20))


@pytest.mark.slow
def test_columns_are_balanced_by_whole_groups() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await listed(pilot)
        rows = [row for row in host.rows() if row.strip()]
        left, right = (sum(bool(row[at : at + 40].strip()) for row in rows) for at in (0, 60))
        assert abs(left - right) <= 8

    using(Host(), use, (120, 70))
    assert split_columns([]) == ([], [])
