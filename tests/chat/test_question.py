from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events

from reflectty.tui.screens.dialogs import Choice, ChoiceItem, Confirm, LinePrompt
from reflectty.tui.widgets.field import MAX_LENGTH, Field
from support.hostile_texts import EVERY
from support.list_app import Host, close_screen, controls, show_screen, using
from support.screen_recorder import sweeps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.pilot import Pilot

    from support.screen_recorder import Case

MODELS = (
    ChoiceItem("mini:latest", "mini:latest", "1.1 GB · reflects", is_current=True),
    ChoiceItem("reflection:70b", "reflection:70b", "40 GB · thinks"),
    ChoiceItem("qwen3:8b", "qwen3:8b", "5.2 GB · thinks, tools"),
    ChoiceItem("gpt-oss:20b", "gpt-oss:20b", "13 GB · thinks (low, medium, high)"),
    ChoiceItem("deepseek-r1:14b", "deepseek-r1:14b", "9 GB · thinks"),
    ChoiceItem("phi4-mini", "phi4-mini", "2.5 GB"),
)


def test_line_prompt_starts_with_the_current_value() -> None:
    cases: tuple[tuple[str, list[str | None]], ...] = (
        ("enter", ["old"]),
        ("ctrl+u a space b enter", ["a b"]),
        ("space enter", ["old"]),
        ("ctrl+u enter", [""]),
        ("escape", [None]),
    )

    async def use(pilot: Pilot[None]) -> None:
        for keys, expected in cases:
            host = await show_screen(pilot, LinePrompt("Title", "old"))
            await pilot.press(*keys.split())
            assert host.given == expected, keys
            await close_screen(host)

    using(Host(), use)


def test_only_y_confirms() -> None:
    cases: tuple[tuple[str, list[bool]], ...] = (
        ("y", [True]),
        ("n", [False]),
        ("escape", [False]),
        ("enter", [False]),
        ("x", []),
    )

    async def use(pilot: Pilot[None]) -> None:
        for key, expected in cases:
            host = await show_screen(pilot, Confirm("Remove “this”?", "remove it", "keep it"))
            assert host.row("y remove it · n keep it"), key
            await pilot.press(key)
            assert host.given == expected, key
            await close_screen(host)

    using(Host(), use, (40, 10))


@sweeps
def test_dialogs_show_no_control_characters(cases: Sequence[Case]) -> None:
    async def use(pilot: Pilot[None]) -> None:
        for at in range(0, len(texts), 8):
            batch = texts[at : at + 8]
            offers = [ChoiceItem(text, text, text) for text in batch]
            whole = " ".join(text[:200] for text in batch)
            for screen in (
                Choice(whole, offers),
                LinePrompt(whole, whole, placeholder=whole),
                Confirm(whole, whole, whole),
            ):
                host = await show_screen(pilot, screen)
                assert controls(host.rows()) == set(), batch
                await pilot.press("escape")

    texts = [case["text"][:5000] for case in cases]
    using(Host(), use, (60, 70))


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case["id"])
def test_field_value_has_no_control_characters(case: dict[str, str]) -> None:
    safe = Field().validate_value(case["text"])
    assert controls([safe]) == set()
    assert Field().validate_value(safe) == safe


def test_dialogs_do_not_parse_markup() -> None:
    async def use(pilot: Pilot[None]) -> None:
        for markup in ("[bold]x[/bold]", "[@click=app.quit]x[/]", "[/]", "[red"):
            for screen in (
                Choice(markup, MODELS),
                LinePrompt(markup),
                Confirm(markup),
                Choice("", [ChoiceItem("", markup)]),
            ):
                host = await show_screen(pilot, screen)
                assert host.row(markup), (markup, screen)
                await close_screen(host)

    using(Host(), use)


def test_huge_paste_into_a_field_is_truncated() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await show_screen(pilot, LinePrompt("Title"))
        field = host.screen.query_one(Field)
        field.post_message(events.Paste("x" * 1_000_000))
        await pilot.pause()
        assert len(field.value) == MAX_LENGTH

    using(Host(), use)


def test_multi_code_point_emoji_can_be_typed() -> None:
    async def use(pilot: Pilot[None]) -> None:
        host = await show_screen(pilot, LinePrompt("Title"))
        field = host.screen.query_one(Field)
        for piece in "👩\N{ZERO WIDTH JOINER}🚀":
            field.insert_text_at_cursor(piece)
        assert field.value == "👩\N{ZERO WIDTH JOINER}🚀"

    using(Host(), use)
