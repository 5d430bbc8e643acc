from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.chat_app import chatting
from support.composer_app import composing, write

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from support.chat_app import Reader
    from support.composer_app import Host


def test_suggestions_follow_the_text(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> list[list[str]]:
        seen = []
        for key in ("slash", "n", "x", "backspace", "backspace", "backspace"):
            await pilot.press(key)
            seen.append(host.offered)
        return seen

    commands = ["/model NAME", "/mode", "/new"]
    assert composing(tmp_path, use) == [commands, ["/new"], [], ["/new"], commands, []]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("tab",), "/model "),
        (("enter",), "/model "),
        (("down", "tab"), "/mode "),
        (("up", "tab"), "/new"),
        (("down", "down", "down", "tab"), "/model "),
        (("tab", "down", "tab"), "/model qwen3:8b"),
    ],
)
def test_tab_or_enter_accepts_the_selected_suggestion(keys: tuple[str, ...], text: str, tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> tuple[str, object]:
        await pilot.press("slash", *keys)
        await pilot.pause()
        return host.composer.text, host.sent

    assert composing(tmp_path, use) == (text, [])


@pytest.mark.parametrize(
    ("written", "sent"),
    [("/mod", []), ("/model qw", ["/model qwen3:8b"]), ("/ne", ["/new"]), ("/model zzz", ["/model zzz"])],
)
def test_enter_runs_a_command_whose_last_word_is_chosen(written: str, sent: list[str], tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> list[str]:
        await write(pilot, written)
        await pilot.press("enter")
        await pilot.pause()
        return [message.visible_text for message in host.sent]

    assert composing(tmp_path, use) == sent


def test_enter_sends_a_complete_command(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> list[str]:
        await write(pilot, "/new")
        await pilot.press("enter")
        await pilot.pause()
        return [sent.visible_text for sent in host.sent]

    assert composing(tmp_path, use) == ["/new"]


def test_escape_closes_the_suggestions_and_tab_reopens_them(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("slash", "escape")
        assert (host.offered, host.pressed) == ([], [])
        await pilot.press("n")
        assert host.offered == []
        await pilot.press("tab")
        assert host.offered == ["/new"]
        await pilot.press("escape", "escape")
        assert host.pressed == ["escape"]

    composing(tmp_path, use)


def test_recalled_question_opens_no_suggestions(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> list[str]:
        host.composer.earlier_questions = ("/new", "older")
        await pilot.press("up", "up")
        return [host.composer.text, *host.offered]

    assert composing(tmp_path, use) == ["older"]


def test_completed_path_attaches_its_file_to_the_question(tmp_path: Path) -> None:
    (tmp_path / "my dir").mkdir()
    (tmp_path / "my dir" / "notes.txt").write_text("text")

    async def use(host: Host, pilot: Pilot[None]) -> None:
        await write(pilot, "see @m")
        await pilot.press("tab", "tab", "enter")
        await pilot.pause()
        assert host.sent[0].text == 'see @"my dir/notes.txt" '
        assert host.sent[0].mentioned_files == (tmp_path / "my dir" / "notes.txt",)

    composing(tmp_path, use)


def test_a_path_on_a_later_line_is_completed_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text")

    async def use(host: Host, pilot: Pilot[None]) -> str:
        await write(pilot, "one\ntwo @n")
        await pilot.press("tab")
        return host.composer.text

    assert composing(tmp_path, use) == "one\ntwo @notes.txt "


@pytest.mark.parametrize("width", [60, 40])
def test_suggestion_list_overlays_without_moving_the_layout(width: int, tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        before = host.query_one("#above").region
        await pilot.press("slash")
        await pilot.pause()
        rows = host.rows()
        assert [row.rstrip() for row in rows[-7:-4]] == [
            " ▌ /model NAME   choose a model",
            "   /mode         how it reflects",
            "   /new          begin a session",
        ]
        assert rows[-4].startswith("╭")
        assert host.query_one("#above").region == before
        assert host.focused is host.composer

    composing(tmp_path, use, (width, 16))


def test_list_shows_eight_rows_including_the_selected_one(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"[red]{number:02}").touch()

    async def use(host: Host, pilot: Pilot[None]) -> None:
        await pilot.press("at", *["down"] * 11)
        await pilot.pause()
        rows = [row.strip(" ▁▂▃▄▅▆▇█▐") for row in host.rows() if "[red]" in row]
        assert rows == [*(f"[red]{number:02}" for number in range(4, 11)), "▌ [red]11"]
        await pilot.press(*["up"] * 12)
        await pilot.pause()
        assert any(row.strip(" ▁▂▃▄▅▆▇█▐") == "▌ [red]29" for row in host.rows())

    composing(tmp_path, use)


def test_suggestions_are_marked_in_ascii_without_utf_8() -> None:
    async def use(reader: Reader) -> None:
        await reader.press("slash")
        await reader.shows("> /")
        assert "▌ /" not in reader.text

    chatting(use, unicode=False)
