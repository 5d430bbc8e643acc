from __future__ import annotations

import io

import pytest

from reflectty.core.segments import Kind
from reflectty.core.session import ProbedCorrection, ReplyMetrics, ReplyStatus, StoredReply
from reflectty.system import theme
from reflectty.system.terminal import Sink
from reflectty.view.parts import Scene, ThinkingView
from reflectty.view.reply_part import ReplyPart
from reflectty.view.rows import palette_for, text_of_row

PALETTE = palette_for(theme.TERMINAL_THEME, Sink(io.StringIO(), tty=True, color_count=256), can_redraw=True)

LONG = "No: I forgot to carry the one, so that the sum is not 35 but 45, which is one ten more than I had before."
TAGGED = (
    (Kind.THINKING, "I add 28 and 17. That is 35."),
    (Kind.REFLECTION, LONG),
    (Kind.THINKING, "So 45."),
    (Kind.REFLECTION, "I check it: 45 - 17 is 28."),
    (Kind.ANSWER, "45"),
)
FREE = (
    (
        Kind.THINKING,
        "I add 28 and 17 first. That makes 35 in all. Then I am done. Wait, that is wrong: I forgot the one. So 45.",
    ),
    (Kind.ANSWER, "45"),
)


def rows_of(segments: tuple[tuple[Kind, str], ...], *probed: ProbedCorrection, width: int = 60) -> list[str]:
    measured = ReplyMetrics(thinking_tokens=40, corrections=2, probed=probed)
    stored = StoredReply("m", segments=segments, answer="45", ended=ReplyStatus.COMPLETE, measured=measured)
    part = ReplyPart.from_stored(stored, turn=1)
    part.lay_out(Scene(PALETTE, width, 24, ThinkingView.LIVE, reads_thoughts=True))
    assert part.height == len(part.rows)
    return [text_of_row(row) for row in part.rows]


def test_row_below_each_probed_correction_tells_what_it_was_worth() -> None:
    rows = rows_of(TAGGED, ProbedCorrection(1, 4, 5), ProbedCorrection(2, 0, 5))
    ends = [at for at, row in enumerate(rows) if "had before" in row]
    assert rows[ends[0] + 1] == "│ → changed the answer in 4 of 5"
    check = next(at for at, row in enumerate(rows) if "I check it" in row)
    assert rows[check + 1] == "│ → changed the answer in none of 5"
    assert len(rows) == len(rows_of(TAGGED)) + 2


@pytest.mark.parametrize("width", [30, 60, 120])
def test_second_thought_is_found_however_its_line_wraps(width: int) -> None:
    rows = rows_of(FREE, ProbedCorrection(1, 2, 5), width=width)
    at = next(at for at, row in enumerate(rows) if "changed the answer" in row)
    assert "Wait" in rows[at - 1]


@pytest.mark.parametrize("probed", [ProbedCorrection(9, 1, 2), ProbedCorrection(0, 1, 2)])
def test_unknown_correction_changes_nothing(probed: ProbedCorrection) -> None:
    assert rows_of(TAGGED, probed) == rows_of(TAGGED)


def test_probe_without_a_result_says_so() -> None:
    assert "│ → probed: nothing to compare" in rows_of(TAGGED, ProbedCorrection(2, 0, 0))


def test_corrections_that_begin_alike_are_told_apart() -> None:
    twice = ((Kind.REFLECTION, "No."), (Kind.THINKING, "So 45."), (Kind.REFLECTION, "No."), (Kind.ANSWER, "45"))
    rows = rows_of(twice, ProbedCorrection(2, 1, 5))
    assert rows[-4:] == ["↺ No.", "│ → changed the answer in 1 of 5", "", "  45"]
    stored = StoredReply("m", segments=twice, answer="45", ended=ReplyStatus.COMPLETE)
    part = ReplyPart.from_stored(stored, turn=1)
    part.lay_out(Scene(PALETTE, 60, 24, ThinkingView.LIVE, reads_thoughts=True))
    assert [part.correction_near(row) for row in part.turning_rows] == [1, 2]
    assert part.correction_near(-1) == part.correction_near(0) == part.correction_near(99) == 0
