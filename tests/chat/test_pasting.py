from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.safety import clean
from reflectty.tui.composer.draft import PasteBuffer
from support.composer_app import composing, paste, write

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from support.composer_app import Host


def test_long_paste_is_shown_as_a_placeholder_and_sent_in_full(tmp_path: Path) -> None:
    pasted = "line\r\n" * 12_345

    async def use(host: Host, pilot: Pilot[None]) -> None:
        await write(pilot, "see ")
        await paste(host, pilot, pasted)
        await write(pilot, " please")
        assert host.composer.text == "see [paste 1: 12,345 lines] please"
        await pilot.press("enter")
        await pilot.pause()
        assert host.sent[0].text == "see " + "line\n" * 12_345 + " please"
        assert host.sent[0].visible_text == "see [paste 1: 12,345 lines] please"
        await paste(host, pilot, pasted)
        assert host.composer.text == "[paste 2: 12,345 lines]"

    composing(tmp_path, use)


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (("backspace",), "a "),
        (("ctrl+w",), "a "),
        (("left", "backspace"), "a [paste 1: 30 line]"),
        (("backspace", "ctrl+z"), "a [paste 1: 30 lines]"),
        (("home", "right", "right", "delete"), "a "),
    ],
)
def test_placeholder_is_deleted_whole_unless_the_cursor_is_inside(
    keys: tuple[str, ...], left: str, tmp_path: Path
) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> str:
        await write(pilot, "a ")
        await paste(host, pilot, "x\n" * 30)
        await pilot.press(*keys)
        return host.composer.text

    assert composing(tmp_path, use) == left


@pytest.mark.parametrize(
    ("keys", "sent"),
    [
        ((), "x\n" * 30),
        (("backspace", "ctrl+z"), "x\n" * 30),
        (("left", "y"), "[paste 1: 30 linesy]"),
    ],
)
def test_placeholder_expands_only_while_it_is_intact(keys: tuple[str, ...], sent: str, tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> str:
        await paste(host, pilot, "x\n" * 30)
        await pilot.press(*keys, "enter")
        await pilot.pause()
        return host.sent[0].text

    assert composing(tmp_path, use) == sent


HOSTILE = "a\x1b[31mred\x07\x9b2J\u202e\ttab\x0bv\u2028"


def test_short_paste_is_shown_escaped_and_sent_unchanged(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        await paste(host, pilot, HOSTILE)
        assert host.composer.text == clean(HOSTILE)
        await pilot.press("enter")
        await pilot.pause()
        assert host.sent[0].text == HOSTILE

    composing(tmp_path, use)


@pytest.mark.parametrize("way", ["load_text", "insert", "fill", "recall", "clipboard"])
def test_no_input_method_shows_control_characters(way: str, tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        composer = host.composer
        if way == "recall":
            composer.earlier_questions = (HOSTILE,)
            await pilot.press("up")
        elif way == "clipboard":
            host._clipboard = HOSTILE  # noqa: SLF001 - Textual writes it to the terminal too
            await pilot.press("ctrl+v")
        else:
            getattr(composer, way)(HOSTILE)
        await pilot.pause()
        assert composer.text == clean(HOSTILE)
        assert "red" in "".join(host.rows())
        assert all(clean(row) == row for row in host.rows())

    composing(tmp_path, use)


def test_file_mentioned_in_a_long_paste_is_not_attached(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("text")

    async def use(host: Host, pilot: Pilot[None]) -> object:
        await paste(host, pilot, "@secret\n" * 30)
        await pilot.press("enter")
        await pilot.pause()
        return host.sent[0].mentioned_files

    assert composing(tmp_path, use) == ()


def test_escaped_paste_is_restored_only_when_unambiguous() -> None:
    pastes = PasteBuffer()
    shown = pastes.insert("\x1b")

    assert pastes.expand(f"{shown} and") == "\x1b and"
    assert pastes.expand(f"{shown} and a typed {shown}") == "^[ and a typed ^["


def test_placeholder_inside_a_pasted_text_is_not_expanded() -> None:
    pastes = PasteBuffer()
    first = pastes.insert("x" * 5_000)
    second = pastes.insert(f"{first}\n" * 30)

    assert (first, second) == ("[paste 1: 5,000 characters]", "[paste 2: 30 lines]")
    assert pastes.expand(second) == f"{first}\n" * 30


@pytest.mark.parametrize("text", ["x" * 4_000, "x\n" * 20])
def test_short_paste_is_shown_in_full(text: str) -> None:
    assert PasteBuffer().insert(text) == text
    assert PasteBuffer().insert(f"{text}y\n") != f"{text}y\n"
