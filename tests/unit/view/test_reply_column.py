from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.segments import Kind, Segment
from reflectty.core.session import ReplyStatus, StoredReply
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from reflectty.system.terminal import Sink
from reflectty.system.theme import TERMINAL_THEME
from reflectty.view.parts import Scene
from reflectty.view.reply_column import JoinedRows, ReplyColumn, column_width, fits_beside
from reflectty.view.rows import PLAIN, cell_width, palette_for, text_of_row

if TYPE_CHECKING:
    from reflectty.view.rows import Row

THINKING, REFLECTION, ANSWER = Kind


def scene(width: int = 38) -> Scene:
    return Scene(palette_for(TERMINAL_THEME, Sink(None), can_redraw=False), width, 24, is_printed=True)


def texts(rows: list[Row]) -> list[str]:
    return [text_of_row(row).rstrip() for row in rows]


def begun(*events: Segment, title: str = "cot") -> ReplyColumn:
    column = ReplyColumn(title)
    column.begin(Reply("m", FAMILIES["none"]))
    for event in events:
        column.show(event)
    column.lay_out(scene())
    return column


@pytest.mark.parametrize(("width", "count", "fits"), [(79, 2, True), (73, 2, False), (119, 3, True), (79, 3, False)])
def test_columns_stand_beside_each_other_where_each_has_room(width: int, count: int, fits: bool) -> None:
    assert fits_beside(width, count) is fits
    assert column_width(width, count) * count + 2 * (count - 1) <= width


def test_column_has_a_title_a_rule_and_its_reply() -> None:
    column = begun(Segment(ANSWER, "It is 42.", 0))

    assert texts(column.all_rows())[0] == "cot"
    assert texts(column.all_rows())[1] == "─" * 38
    assert texts(column.all_rows())[-1] == "  It is 42."


def test_title_with_control_characters_is_shown_as_text() -> None:
    column = begun(title="cot@\x1b[31mred\n")

    assert "\x1b" not in text_of_row(column.all_rows()[0])
    assert len(text_of_row(column.all_rows()[0]).splitlines()) == 1


def test_last_rows_keep_the_head_and_the_summary_of_the_reply_in_sight() -> None:
    column = begun(Segment(THINKING, "".join(f"{n}. step\n" for n in range(60)), 0))
    column.tick(3.0)
    rows = texts(column.last_rows(8))

    assert rows[0] == "cot"
    assert "thinking" in rows[2]
    assert rows[3:] == [f"│ {n}. step" for n in range(55, 60)]


def test_last_rows_of_a_second_reply_are_below_its_label() -> None:
    column = begun(Segment(ANSWER, "".join(f"{n}. line\n\n" for n in range(40)), 0))
    column.end(StoredReply("m", segments=((ANSWER, "one"),), ended=ReplyStatus.COMPLETE))
    column.say("asked to review its answer")
    column.begin(Reply("m", FAMILIES["none"]))
    column.show(Segment(ANSWER, "yes", 0))

    assert texts(column.last_rows(8))[-5:] == ["  asked to review its answer", "", *texts(column.last_rows(8))[-3:]]
    assert texts(column.last_rows(8))[-1] == "  yes"


def test_second_thoughts_before_a_correction_stay_marked_when_laid_out_anew() -> None:
    thought = "9.11 is larger.\nWait, that is wrong: 9.9 is 9.90.\n"
    column = begun(Segment(THINKING, thought, 0), Segment(REFLECTION, "No.", 1), Segment(THINKING, "So 9.9.\n", 2))
    before = texts(column.all_rows())
    column.lay_out(scene())

    assert any(row.startswith("↶ Wait") for row in before)
    assert texts(column.all_rows())[3:] == before[3:]


def test_cells_are_filled_by_the_columns_of_the_screen_and_cut_if_they_are_wider() -> None:
    left: list[Row] = [[("你好", PLAIN)], [("a" * 30, PLAIN)], [("界" * 10, PLAIN)]]
    right: list[Row] = [[("x", PLAIN)]] * 3
    rows = JoinedRows().join([left, right], 9)

    assert [text_of_row(row) for row in rows] == ["你好       x", "aaaaaaaaa  x", "界界界界   x"]
    assert {cell_width(text_of_row(row)) for row in rows} == {12}


def test_shorter_column_leaves_its_cells_blank_and_no_row_ends_in_blanks() -> None:
    rows = JoinedRows().join([[[("a", PLAIN)]], [[("b", PLAIN)], [("c", PLAIN)]], []], 4)

    assert [text_of_row(row) for row in rows] == ["a     b", "      c"]


def test_cells_that_stay_in_sight_are_the_same_after_other_rows_have_moved() -> None:
    joined, cells = JoinedRows(), [[(f"{n}", PLAIN)] for n in range(4)]
    joined.join([cells[:3], cells[:3]], 3)

    assert [text_of_row(row) for row in joined.join([cells[1:], cells[:3]], 3)] == ["1    0", "2    1", "3    2"]
