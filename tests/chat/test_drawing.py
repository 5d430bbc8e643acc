from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from textual._compositor import Compositor
from textual.geometry import Region
from textual.scrollbar import ScrollBar

from support.chat_app import IN_ANSWER, QUESTION, in_a_chat, three_exchanges
from support.scripted_engine import HOLD

if TYPE_CHECKING:
    from textual.strip import Strip

    from support.chat_app import Reader

LINES = tuple(f"{at}. step number {at}\n" for at in range(1, 61))
REGIONS = (
    Region(0, 0, 80, 30),
    Region(1, 4, 70, 1),
    Region(1, 7, 78, 3),
    Region(0, 20, 5, 9),
    Region(79, 2, 1, 25),
    Region(30, 28, 50, 2),
)


def updates(reader: Reader, regions: set[Region]) -> tuple[str, str]:
    """What the chat sends to the terminal for changed regions, and what Textual would send."""
    compositor, console = reader.chat._compositor, reader.app.console  # noqa: SLF001 - there is no public view of it
    sent = []
    for kind in (type(compositor), Compositor):
        compositor._dirty_regions = set(regions)  # noqa: SLF001
        update = kind.render_partial_update(compositor)
        sent.append(update.render_segments(console) if update else "")
    return sent[0], sent[1]


@pytest.mark.parametrize("shown", ["", "/", "ctrl+o", "alt+t", "@"])
@in_a_chat(IN_ANSWER, before=three_exchanges)
async def test_changed_regions_are_sent_as_textual_sends_them(reader: Reader, shown: str) -> None:
    await reader.ask_held(QUESTION, "9.9 is")
    if shown in "/@":
        await reader.write(shown)
    else:
        await reader.press(shown)
    assert type(reader.chat._compositor) is not Compositor  # noqa: SLF001
    for count in (1, 2, 3):
        for regions in combinations(REGIONS, count):
            ours, textuals = updates(reader, set(regions))
            assert ours == textuals, regions
    reader.engine.release()


def looks(strips: list[Strip]) -> list[tuple[object, ...]]:
    """What is visible of one-column strips, and what a click on them does; of a blank only its ground is visible."""
    seen: list[tuple[object, ...]] = []
    for text, style, _ in (segment for strip in strips for segment in strip):
        assert style
        ground, ink = (style.color, style.bgcolor) if style.reverse else (style.bgcolor, style.color)
        seen.append((text, ground, ink if text.strip() else None, style.meta["@mouse.down"]))
    return seen


@pytest.mark.parametrize("position", [0, 1, 7.25, 30, 61])
@in_a_chat((*LINES, HOLD), size=(80, 24))
async def test_scrollbar_looks_like_that_of_textual(reader: Reader, position: float) -> None:
    await reader.ask_held(QUESTION, "60. step")
    reader.chat.transcript.scroll_to(y=position, animate=False)
    await reader.settle()
    bar = reader.chat.transcript.vertical_scrollbar
    whole = bar.size.region
    assert looks(bar.render_lines(whole)) == looks(ScrollBar.render_lines(bar, whole))
    assert len(set(looks(bar.render_lines(whole)))) > 1
    reader.engine.release()


@in_a_chat(("Mine.\n\nTo think.\n\nOver.", HOLD, "\n</thinking>\n<output>\nDone", HOLD, ".\n</output>"), size=(80, 40))
async def test_rows_above_are_redrawn_when_text_turns_out_to_be_thinking(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "   Over.")
    assert reader.sees("   Mine.", "   To think.") == ["   Mine.", "   To think."]
    reader.engine.release()
    await reader.shows("   Done")
    assert reader.sees(" │ Mine.", " │ To think.", "   Mine.") == [" │ Mine.", " │ To think."]
    reader.engine.release()


@in_a_chat((*LINES, HOLD, *LINES, "\n```python\nx = 1\n```\n"), size=(80, 24))
async def test_nothing_on_the_screen_is_out_of_date(reader: Reader) -> None:
    async def assert_up_to_date() -> None:
        # The last row is the status line, which counts the seconds and the tokens of the reply.
        drawn = reader.rows()[:-1]
        reader.app.refresh_css()
        await reader.settle()
        assert reader.rows()[:-1] == drawn

    await reader.ask_held(QUESTION, "60. step")
    await assert_up_to_date()
    await reader.press("pageup")
    await assert_up_to_date()
    reader.engine.release()
    await reader.at_rest()
    await assert_up_to_date()
    await reader.press("ctrl+end")
    await assert_up_to_date()


BLOCKS = {
    "code": ("```python\n", "x{0} = {0}\n"),
    "code that holds code": ("```markdown\n", "word {0}\n"),
    "paragraph": ("First\n", "word {0}\n"),
    "list item": ("- first\n", "  word {0}\n"),
    "table": ("| a | b |\n|---|---|\n", "| word {0:3} | b |\n"),
}


@pytest.mark.parametrize("name", BLOCKS)
@in_a_chat(size=(80, 24))
async def test_reader_of_an_open_block_keeps_the_lines(reader: Reader, name: str) -> None:
    head, line = BLOCKS[name]
    lines = [line.format(at) for at in range(300)]
    reader.engine.add(head, *lines[:100], HOLD, *lines[100:], HOLD, "\n\n")
    await reader.ask_held(QUESTION, line.format(99).strip(" |b\n"))
    await reader.press("pageup")
    assert "more above" not in reader.text
    read = [row for row in reader.rows()[2:-6] if row.strip()]
    assert len(read) > 10
    below = reader.row("lines below")
    reader.engine.release()
    await reader.until(lambda: reader.row("lines below") != below)
    assert [row for row in reader.rows()[2:-6] if row.strip()] == read
    reader.engine.release()
    await reader.at_rest()
    assert [row for row in reader.rows()[2:-6] if row.strip()] == read
