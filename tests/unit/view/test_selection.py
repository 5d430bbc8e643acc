"""What is selected is copied as it was written, and words and lines are found across wrapped rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.segments import Kind, Segment
from reflectty.core.session import ReplyStatus, StoredReply
from reflectty.system.terminal import TRUECOLOR, Sink
from reflectty.system.theme import Colors, Theme
from reflectty.view.parts import QuestionPart, Scene
from reflectty.view.reply_part import ReplyPart
from reflectty.view.rows import palette_for, text_of_row
from reflectty.view.selection import TextPlace, copied_text, span_around

if TYPE_CHECKING:
    from reflectty.view.parts import Part
    from reflectty.view.rows import Row

PROSE = "The quick brown fox jumps over the lazy dog, and the dog sleeps on; nobody minds, least of all the fox."
LONG = "https://example.org/" + "a-very-long-path/" * 6 + "end"
CJK = "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏閏餘成歲律呂調陽雲騰致雨露結為霜" * 2
CODE = 'def newer(version, other):\n    return version > other\n\nprint("a long line, longer than the panel is wide")'
ITEMS = (
    "- first item, which is long enough to be wrapped once\n- second\n  - nested item, long enough to be wrapped once"
)
THINKING = f"1. {PROSE}\n2. Short.\n\nThen {LONG}"

SAME = {
    "a wrapped paragraph": PROSE,
    "a long address": LONG,
    "Chinese": CJK,
    "two paragraphs": f"{PROSE}\n\n{PROSE}",
    "a list": ITEMS,
    "an ordered list": "1. one\n2. two, which is long enough to be wrapped at this width",
    "a quote": f"> {PROSE}",
    "tasks": f"- [ ] {PROSE}\n- [x] done\n  - [X] nested\n\n1. [ ] numbered\n2. plain",
}


def scene(width: int, *, panel: bool = False) -> Scene:
    colors = Colors(panel="#202020", background="#101010") if panel else Colors()
    theme = Theme("test", dark=True, colors=colors)
    return Scene(palette_for(theme, Sink(None, tty=True, color_count=TRUECOLOR), can_redraw=True), width, 24)


def reply(answer: str, thinking: str = "") -> ReplyPart:
    segments = ((Kind.THINKING, thinking),) if thinking else ()
    said = StoredReply("m", segments=(*segments, (Kind.ANSWER, answer)), answer=answer, ended=ReplyStatus.COMPLETE)
    return ReplyPart.from_stored(said)


def copied(part: Part) -> str:
    return copied_text((row, 0, 1 << 30) for row in part.rows)


@pytest.mark.parametrize("width", [30, 41, 80])
@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_an_answer_is_copied_as_it_was_written(text: str, width: int) -> None:
    part = reply(text)
    part.lay_out(scene(width))
    assert copied(part) == text


@pytest.mark.parametrize("panel", [False, True])
@pytest.mark.parametrize("width", [30, 80])
@pytest.mark.parametrize("before", ["", "- "])
def test_code_is_copied_without_its_panel_and_its_wraps(before: str, width: int, panel: bool) -> None:
    indent = " " * len(before)
    fence = "\n".join(f"{indent}{line}" for line in f"```python\n{CODE}\n```".split("\n"))
    part = reply(f"{before}Like this:\n\n{fence}")
    part.lay_out(scene(width, panel=panel))
    assert copied(part) == f"{before}Like this:\n\n{CODE}"


@pytest.mark.parametrize("width", [30, 41, 80])
def test_thinking_is_copied_as_it_was_written_however_it_came(width: int) -> None:
    whole, cut = reply("Yes.", THINKING), ReplyPart("m")
    for part in (whole, cut):
        part.lay_out(scene(width))
    for at in range(0, len(THINKING), 3):
        cut.show(Segment(Kind.THINKING, THINKING[at : at + 3], 0))
    assert copied(whole) == f"{THINKING}\n\nYes."
    assert copied(cut) == THINKING


def test_a_question_is_copied_as_it_was_written() -> None:
    part = QuestionPart(f"{PROSE}\n\n    indented")
    part.lay_out(scene(40))
    assert copied(part) == part.text


def test_the_summary_is_not_copied() -> None:
    part = reply("Yes.", "Let me see.")
    part.lay_out(scene(80))
    assert "thought" in text_of_row(part.rows[0])
    assert copied(part) == "Let me see.\n\nYes."


def test_a_part_of_a_row_is_copied_alone() -> None:
    part = reply("one two three")
    part.lay_out(scene(80))
    assert copied_text([(part.rows[0], 6, 9)]) == "two"


def rows_of(text: str, width: int) -> list[Row]:
    part = reply(text)
    part.lay_out(scene(width))
    return part.rows


@pytest.mark.parametrize(
    ("text", "at", "word"),
    [
        ("The dog, asleep.", "dog", "dog"),
        ("The dog, asleep.", "asleep", "asleep"),
        ("See /etc/hosts.", "etc", "/etc/hosts"),
        ("It's --no-color?", "no", "--no-color"),
        ("It's --no-color?", "It", "It's"),
        ("(3.14)", "14", "3.14"),
        (f"See {LONG}", "very", LONG),
    ],
)
def test_a_word_is_found_across_rows(text: str, at: str, word: str) -> None:
    rows = rows_of(text, 40)
    line = next(number for number, row in enumerate(rows) if at in text_of_row(row))
    column = text_of_row(rows[line]).index(at)
    found = span_around(
        TextPlace(line, column), lambda number: rows[number] if number < len(rows) else [], whole_line=False
    )
    assert found is not None
    assert text_between(rows, *found) == word


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_line_of_the_source_is_found_from_each_of_its_rows(line: int) -> None:
    rows = rows_of(f"{PROSE}\n\nNext.", 40)
    found = span_around(TextPlace(line, 5), lambda number: rows[number] if number < len(rows) else [], whole_line=True)
    assert found is not None
    assert text_between(rows, *found) == PROSE


def test_nothing_is_found_in_the_gutter() -> None:
    rows = rows_of(PROSE, 40)
    assert (
        span_around(TextPlace(0, 0), lambda number: rows[number] if number < len(rows) else [], whole_line=False)
        is None
    )


def text_between(rows: list[Row], first: TextPlace, end: TextPlace) -> str:
    return copied_text(
        (rows[line], first.at if line == first.line else 0, end.at if line == end.line else 1 << 30)
        for line in range(first.line, end.line + 1)
    )
