from __future__ import annotations

import re
from typing import Any

import pytest

from reflectty.core.segments import Kind, Segment
from reflectty.core.session import ReplyStatus, StoredReply
from reflectty.output.side_by_side import FRAME_SECONDS, SideBySide
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from reflectty.system.terminal import Sink, Terminal
from reflectty.system.theme import TERMINAL_THEME
from reflectty.view.reply_column import ReplyColumn
from support.hostile_texts import hostile_texts, is_let_through, text_of
from support.live_harness import ANSWER, OURS, TALK, Screen, cut

DONE = StoredReply("m", segments=((Kind.ANSWER, "x"),), ended=ReplyStatus.COMPLETE)


class Stage:
    """Two columns on a screen, with a clock that only tests move."""

    def __init__(self, width: int = 80, colours: int = 256) -> None:
        self.screen = Screen(width)
        self.now = 0.0
        sink = Sink(self.screen, tty=True, color_count=colours)
        terminal = Terminal(None, stdin_tty=False, out=sink, err=sink, width=width, can_redraw=True)
        self.columns = [ReplyColumn(name) for name in ("cot", "reflect")]
        for column in self.columns:
            column.begin(Reply("m", FAMILIES["none"]))
        self.drawn = SideBySide(terminal, TERMINAL_THEME, self.columns, clock=lambda: self.now)

    def show(self, column: int, text: str, kind: Kind = ANSWER) -> None:
        self.now += FRAME_SECONDS
        self.columns[column].show(Segment(kind, text, 0))
        self.drawn.draw()

    def finish(self) -> list[str]:
        for column in self.columns:
            column.end(DONE)
        self.drawn.finish()
        return self.screen.rows


def test_columns_stream_beside_each_other() -> None:
    stage = Stage()
    stage.show(0, "one ")
    stage.show(1, "uno ")
    stage.show(0, "two\n")

    (row,) = [row for row in stage.screen.rows if "one" in row]
    assert re.fullmatch(r"  one two {30,}  uno", row)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_everything_is_printed_once_at_the_end(size: int) -> None:
    stage = Stage()
    for event in [*cut(TALK, size), *cut([Segment(ANSWER, "- point\n" * 30, 3)], size)]:
        stage.now += FRAME_SECONDS
        for column in stage.columns:
            column.show(event)
        stage.drawn.draw()
    rows = stage.finish()

    assert sum("I compare the" in row for row in rows) == 1
    assert sum(row.count("print(9.9 > 9.11)") for row in rows) == 2
    assert sum("cot" in row for row in rows) == 1


def test_rows_that_do_not_fit_on_the_screen_are_not_scrolled_off_before_the_end() -> None:
    stage = Stage()
    for number in range(80):
        stage.show(0, f"{number}. line\n\n")
        stage.show(1, "a\n\n")

    assert not stage.screen.screen.history.top


def test_frames_come_no_faster_than_a_screen_shows_them() -> None:
    stage = Stage()
    stage.show(0, "one")
    before = len(stage.screen.getvalue())
    for _ in range(100):
        stage.now += FRAME_SECONDS / 200
        stage.columns[0].show(Segment(ANSWER, " more", 0))
        stage.drawn.draw()

    assert len(stage.screen.getvalue()) == before


def test_note_is_printed_above_the_columns() -> None:
    stage = Stage()
    stage.show(0, "one\n")
    stage.drawn.note("this server ignores seed")
    rows = stage.finish()

    assert rows[0] == "  this server ignores seed"
    assert rows[1].startswith("cot")
    assert sum("cot" in row for row in rows) == 1


@hostile_texts
def test_nothing_that_a_model_writes_reaches_the_terminal_as_a_command(hostile: tuple[dict[str, Any], ...]) -> None:
    for case in hostile:
        stage = Stage()
        stage.show(0, text_of(case))
        stage.show(1, text_of(case), Kind.THINKING)
        stage.drawn.note(text_of(case))
        stage.finish()
        ours = OURS.sub("", stage.screen.getvalue())

        assert "\x1b" not in ours
        assert not is_let_through(case, ours)


def test_screen_without_colors_has_no_color() -> None:
    stage = Stage(colours=0)
    for event in TALK:
        stage.columns[0].show(event)
    stage.finish()

    assert not re.search(r"\x1b\[[\d;]*(?:3[0-8]|4[0-8]|9[0-7])", stage.screen.getvalue())
