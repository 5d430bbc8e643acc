from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events

from support.composer_app import composing, write

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from reflectty.tui.composer.composer import ComposerState
    from support.composer_app import Host


def test_enter_sends_the_text_and_clears_the_composer(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        await write(pilot, "a question")
        await pilot.press("enter")
        await pilot.pause()
        assert [sent.text for sent in host.sent] == ["a question"]
        assert host.composer.text == ""

    composing(tmp_path, use)


@pytest.mark.parametrize("blank", ["", "  ", "\n \n"])
def test_a_blank_text_is_not_sent(blank: str, tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        await write(pilot, blank)
        await pilot.press("enter")
        await pilot.pause()
        assert host.sent == []
        assert host.composer.text == blank

    composing(tmp_path, use)


@pytest.mark.parametrize("key", ["ctrl+j", "alt+enter", "shift+enter"])
def test_newline_keys_break_the_line_at_the_cursor(key: str, tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        await write(pilot, "ab")
        await pilot.press("left", key, "x")
        assert host.composer.text == "a\nxb"
        assert host.sent == []

    composing(tmp_path, use)


def test_send_and_newline_keys_can_be_changed(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        host.composer.send_keys, host.composer.newline_keys = ("ctrl+g",), ("enter",)
        await pilot.press("a", "enter", "b", "ctrl+g")
        await pilot.pause()
        assert [sent.text for sent in host.sent] == ["a\nb"]

    composing(tmp_path, use)


@pytest.mark.parametrize("key", ["escape", "pageup", "pagedown", "ctrl+home", "ctrl+end", "alt+n"])
def test_transcript_and_application_keys_are_passed_on(key: str, tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        await write(pilot, "ab")
        await pilot.press("ctrl+a", key)
        assert host.pressed == [key]
        assert host.composer.text == "ab"
        assert host.composer.cursor_location == (0, 0)

    composing(tmp_path, use)


def test_alt_with_a_letter_inserts_nothing(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        host.post_message(events.Key("alt+n", "n"))
        await pilot.pause()
        assert host.composer.text == ""
        assert host.pressed == ["alt+n"]

    composing(tmp_path, use)


def test_ctrl_c_is_left_to_the_application_and_copies_nothing(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> str:
        await write(pilot, "ab")
        host.composer.select_all()
        await pilot.press("ctrl+c")
        return host.clipboard

    assert composing(tmp_path, use) == ""


def test_tab_writes_nothing_and_keeps_the_focus(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("a", "tab")
        assert (host.composer.text, host.focused) == ("a", host.composer)

    composing(tmp_path, use)


def test_ctrl_d_deletes_forward_and_quits_when_the_composer_is_empty(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("a", "b", "ctrl+a", "ctrl+d")
        await pilot.pause()
        assert (host.composer.text, host.leaves) == ("b", 0)
        await pilot.press("ctrl+d", "ctrl+d")
        await pilot.pause()
        assert (host.composer.text, host.leaves) == ("", 1)

    composing(tmp_path, use)


@pytest.mark.parametrize(
    ("size", "lines", "height"),
    [
        ((60, 40), 1, 3),
        ((60, 40), 4, 6),
        ((60, 40), 10, 12),
        ((60, 40), 30, 12),
        ((60, 20), 30, 8),
        ((60, 6), 3, 3),
    ],
)
def test_composer_grows_to_at_most_ten_rows_and_two_fifths_of_the_screen(
    size: tuple[int, int], lines: int, height: int, tmp_path: Path
) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> int:
        host.composer.fill("\n".join("x" * lines))
        await pilot.pause()
        return host.composer.outer_size.height

    assert composing(tmp_path, use, size) == height


def test_long_line_wraps_and_is_fully_visible(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        host.composer.fill("word " * 30)
        await pilot.pause()
        assert host.composer.outer_size.height == 5
        assert sum(row.count("word") for row in host.rows()) == 30

    composing(tmp_path, use)


def test_up_recalls_earlier_questions_and_down_returns_to_the_draft(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> list[str]:
        host.composer.earlier_questions = ("second", "first\nof two lines")
        await write(pilot, "draft")
        seen = []
        for key in ("home", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            seen.append(host.composer.text)
        return seen

    first, second, draft = "first\nof two lines", "second", "draft"
    assert composing(tmp_path, use) == [draft, second, first, second, draft, draft]


def test_up_moves_within_the_draft_before_it_recalls_a_question(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> list[tuple[str, object]]:
        host.composer.earlier_questions = ("earlier",)
        await write(pilot, "one\ntwo")
        seen: list[tuple[str, object]] = []
        for _ in range(3):
            await pilot.press("up")
            seen.append((host.composer.text, host.composer.cursor_location))
        return seen

    assert composing(tmp_path, use) == [("one\ntwo", (0, 3)), ("one\ntwo", (0, 0)), ("earlier", (0, 7))]


def test_edits_to_a_recalled_question_survive_moving_away_and_back(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> list[str]:
        host.composer.earlier_questions = ("second", "first")
        await pilot.press("up")
        seen = []
        for _ in range(2):
            await pilot.press("x", "home", "up")
            seen.append(host.composer.text)
            await pilot.press("down")
            seen.append(host.composer.text)
        return seen

    assert composing(tmp_path, use) == ["first", "secondx", "first", "secondxx"]


def test_sending_a_question_resets_the_history_position(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> list[str]:
        host.composer.earlier_questions = ("b", "a")
        await pilot.press("up", "up", "enter", "up")
        return [*(sent.text for sent in host.sent), host.composer.text]

    assert composing(tmp_path, use) == ["a", "a"]


@pytest.mark.parametrize(
    ("state", "classes", "title"),
    [("quiet", set(), ""), ("steering", {"-steering"}, "steer"), ("gone", {"-gone"}, "no server")],
)
def test_frame_shows_the_state_by_colour_and_title(
    state: ComposerState, classes: set[str], title: str, tmp_path: Path
) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        host.composer.state = "steering"
        host.composer.state = state
        await pilot.pause()
        assert host.composer.classes == classes
        assert str(host.composer.border_title or "") == title
        assert any(title in row for row in host.rows())

    composing(tmp_path, use)


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (60, "enter send · [b]ctrl+j[/b] new line · f1 keys"),
        (46, "enter send · [b]ctrl+j[/b] new line"),
        (16, "enter send"),
        (12, ""),
    ],
)
def test_hints_are_dropped_from_the_right_and_not_parsed_as_markup(width: int, said: str, tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> str:
        host.composer.hints = ("enter send", "[b]ctrl+j[/b] new line", "f1 keys")
        await pilot.pause()
        return host.rows()[-2].strip("╰╯─ ")

    assert composing(tmp_path, use, (width, 12)) == said


def test_markup_in_the_text_is_shown_literally(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> str:
        host.composer.fill("[bold]x[/bold] [@click=app.quit]y")
        await pilot.pause()
        return "".join(host.rows())

    assert "[bold]x[/bold] [@click=app.quit]y" in composing(tmp_path, use)


def test_empty_composer_shows_a_placeholder(tmp_path: Path) -> None:
    async def use(host: Host, _: Pilot[None]) -> str:
        return "".join(host.rows())

    assert "Ask, or / for commands" in composing(tmp_path, use)


def test_cursor_does_not_blink_when_animation_is_off(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> tuple[bool, bool]:
        before = host.composer.cursor_blink
        host.animation_level = "none"
        host.composer.on_mount()
        await pilot.pause()
        return before, host.composer.cursor_blink

    assert composing(tmp_path, use) == (True, False)


@pytest.mark.parametrize(
    ("key", "left"),
    [("ctrl+u", "new"), ("ctrl+w", "old new"), ("home", "newold text"), ("ctrl+z", "new"), ("left", "old texnewt")],
)
def test_editing_keys_come_before_letters_that_arrive_with_them(key: str, left: str, tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> str:
        host.composer.fill("old text")
        await pilot.pause()
        for name in (key, *"new"):
            host.post_message(events.Key(name, name if len(name) == 1 else None))
        await pilot.pause()
        return host.composer.text

    assert composing(tmp_path, use) == left
