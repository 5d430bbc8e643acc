from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.safety import clean
from reflectty.tui.composer.pastes import DRAFT_LIMIT, TAIL_LIMIT, Draft, PasteBuffer
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
        assert host.composer.text == "see [pasted 12,345 lines] please"
        await pilot.press("enter")
        await pilot.pause()
        assert host.sent[0].text == "see " + "line\n" * 12_345 + " please"
        assert host.sent[0].visible_text == "see [pasted 12,345 lines] please"
        await paste(host, pilot, pasted)
        assert host.composer.text == "[pasted 12,345 lines]"

    composing(tmp_path, use)


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (("backspace",), "a "),
        (("ctrl+w",), "a "),
        (("left", "backspace"), "a [pasted 30 line]"),
        (("backspace", "ctrl+z"), "a [pasted 30 lines]"),
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
        (("left", "y"), "[pasted 30 linesy]"),
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
    shown = pastes.paste("\x1b")

    assert pastes.expand(f"{shown} and").text == "\x1b and"
    assert pastes.expand(f"{shown} and a typed {shown}").text == "^[ and a typed ^["


def test_placeholder_inside_a_pasted_text_is_not_expanded() -> None:
    pastes = PasteBuffer()
    first = pastes.paste("x" * 5_000)
    second = pastes.paste(f"{first}\n" * 30)

    assert (first, second) == ("[pasted 5,000 characters]", "[pasted 30 lines]")
    assert pastes.expand(second) == Draft(f"{first}\n" * 30, ((0, 30 * 26),))


def test_pastes_of_one_size_have_a_mark_each_and_the_same_text_has_one() -> None:
    pastes = PasteBuffer()
    shown = [pastes.paste(text * 30) for text in ("a\n", "b\n", "a\n")]

    assert shown == ["[pasted 30 lines]", "[pasted 30 lines #2]", "[pasted 30 lines]"]
    assert pastes.expand(" ".join(shown)).text == " ".join(("a\n" * 30, "b\n" * 30, "a\n" * 30))


@pytest.mark.parametrize("text", ["x" * 4_000, "x\n" * 20])
def test_short_paste_is_shown_in_full(text: str) -> None:
    assert PasteBuffer().paste(text) == text
    assert PasteBuffer().paste(f"{text}y\n") != f"{text}y\n"


THOUGHT = "\n\n".join(f"Step {number}: {'so it is. ' * 6}" for number in range(300))


@pytest.mark.parametrize(
    "text",
    [
        THOUGHT,
        THOUGHT + "\n\n",
        "line\n" * 5_000,
        "word " * 20_000,
        "x" * 50_000,
        "\n" * 1_000,
        "".join(f"\x1b[{number}m" for number in range(5_000)),
    ],
)
def test_long_draft_shows_its_end_below_a_mark_and_opens_piece_by_piece(text: str) -> None:
    pastes = PasteBuffer()
    shown = pastes.show(Draft(text))

    assert len(clean(text)) > DRAFT_LIMIT.characters or text.count("\n") > DRAFT_LIMIT.lines
    assert shown.rstrip().count("\n") <= TAIL_LIMIT.lines + 1
    assert len(shown) <= 2 * TAIL_LIMIT.characters
    for _ in range(1_000):
        assert pastes.expand(shown) == Draft(text)
        mark = pastes.find_mark(shown, len(shown))
        if mark is None:
            break
        shown = shown[: mark.start()] + pastes.open(mark[0]) + shown[mark.end() :]
    assert shown == clean(text)


def test_end_of_a_long_draft_begins_with_a_paragraph() -> None:
    shown = PasteBuffer().show(Draft(THOUGHT))

    assert shown.startswith("[559 earlier lines]\nStep 280: so it is.")
    assert shown.endswith("so it is. ")


@pytest.mark.parametrize("text", ["x\n" * 200, "x" * 20_000])
def test_shorter_draft_is_shown_in_full(text: str) -> None:
    assert PasteBuffer().show(Draft(text)) == text


def test_draft_keeps_its_pastes_and_they_open() -> None:
    pasted = "row\n" * 500
    draft = Draft(f"see {pasted} please", ((4, 4 + len(pasted)),))
    pastes = PasteBuffer()
    shown = pastes.show(draft)

    assert shown == "see [pasted 500 lines] please"
    assert pastes.expand(shown) == draft
    assert pastes.open("[pasted 500 lines]").startswith("[460 earlier lines]\nrow\n")


def test_tab_opens_the_mark_at_the_cursor_and_undo_closes_it(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        await write(pilot, "a ")
        await paste(host, pilot, "x\n" * 30)
        await pilot.press("tab")
        assert host.composer.text == "a " + "x\n" * 30
        await pilot.press("ctrl+z")
        assert host.composer.text == "a [pasted 30 lines]"
        assert "tab open […]" in "".join(host.rows())

    composing(tmp_path, use)


def test_end_of_a_long_draft_is_edited_and_the_rest_is_sent_with_it(tmp_path: Path) -> None:
    async def use(host: Host, pilot: Pilot[None]) -> None:
        host.composer.editor_key = "ctrl+g"
        host.composer.hints = ("enter continue",)
        host.composer.fill(THOUGHT)
        await write(pilot, "And so on.")
        assert "enter continue · tab open […] · ctrl+g edit in full" in "".join(host.rows())
        await pilot.press("enter")
        await pilot.pause()
        assert host.sent[0].text == f"{THOUGHT}And so on."
        assert host.sent[0].pastes == ()

    composing(tmp_path, use)
