from __future__ import annotations

import re

import pytest

from reflectty.core.segments import Segment
from reflectty.system import assets, theme
from reflectty.system.terminal import TRUECOLOR
from support.live_harness import ANSWER, TALK, Stage, cut, reply

INK = theme.load_theme("ink", (assets.find_asset_folder("themes"),)).theme


def test_no_color_keeps_bold_and_dim_and_a_dumb_terminal_keeps_nothing() -> None:
    stage = Stage(colours=0, look=INK)
    stage.play(TALK)
    assert {code for codes in re.findall(r"\x1b\[([\d;]*)m", stage.screen.getvalue()) for code in codes.split(";")} == {
        *("0", "1", "2")
    }
    dumb = Stage(colours=0, motion=False)
    dumb.play(TALK)
    assert "\x1b" not in dumb.screen.getvalue()
    assert "`90`" in dumb.screen.getvalue()
    assert "**9.9** is larger." in dumb.screen.getvalue()


@pytest.mark.parametrize(("colours", "code"), [(16, "1;7;33m"), (256, "38;5;215m"), (TRUECOLOR, "38;2;240;179;91m")])
def test_colors_match_the_terminal_color_depth(colours: int, code: str) -> None:
    stage = Stage(colours=colours, look=INK)
    stage.play(TALK)
    assert code in stage.screen.getvalue()


def test_without_unicode_the_gutter_is_ascii() -> None:
    stage = Stage(unicode=False)
    stage.live.start(reply())
    stage.live.tick(2.0)
    assert stage.screen.rows == ["* waiting for reflection:70b - 2 s"]
    rows = stage.play([*TALK[:3], Segment(ANSWER, "- a\n\n> b\n\n---\n\n|a|\n|-|\n|b|", 3)])
    assert "\n".join(rows).isascii()
    assert "| 1. 11 is more than 9." in rows
    assert "~ I must compare the same number of digits: 9.9 is 9.90." in rows
    assert {"  - a", "  > b"} <= set(rows)


def test_code_has_a_full_width_panel() -> None:
    stage = Stage(40, TRUECOLOR, INK)
    stage.play([Segment(ANSWER, "```python\nx = 1\n\ny = 2\n```\n", 0)], corrections=0)
    for number in range(3):
        row = stage.screen.screen.buffer[number]
        assert [row[at].bg for at in (1, 2, 38, 39)] == ["default", "171a23", "171a23", "default"]


def test_code_panel_is_as_wide_as_prose_unless_the_code_is_wider() -> None:
    stage = Stage(300, TRUECOLOR, INK)
    stage.play([Segment(ANSWER, f"```\nx\n```\n\n```\n{'y' * 150}\n```\n", 0)], corrections=0)
    ends = [max(at for at in range(300) if stage.screen.screen.buffer[row][at].bg == "171a23") for row in (0, 2)]
    assert ends == [99, 153]


def test_line_of_code_is_highlighted_as_it_comes_and_drawn_no_more_once_it_is_finished() -> None:
    keyword = "\x1b[1;38;2;143;182;255;48;2;23;26;35mdef"
    drawn = []
    for code in ("```python\ndef f():\n", "```python\ndef f():\n    return 1\n    # the end\n```\n"):
        stage = Stage(80, TRUECOLOR, INK)
        stage.play(cut([Segment(ANSWER, code, 0)], 1))
        drawn.append(stage.screen.getvalue().count(keyword))

    assert 1 <= drawn[0] <= len("def f():")
    assert drawn[1] == drawn[0]


def test_prose_is_at_most_a_hundred_columns_wide_and_code_is_not() -> None:
    stage = Stage(300)
    wide = "x" * 250
    rows = stage.play([Segment(ANSWER, f"{'word ' * 60}\n\n```\n{wide}\n```\n", 0)])
    assert max(len(row) for row in rows if "word" in row) <= 100
    assert f"    {wide}" in rows
