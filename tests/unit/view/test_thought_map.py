from __future__ import annotations

import pytest

from reflectty.core.segments import Kind, SecondThoughtKind
from reflectty.core.session import Readings, ReplyMetrics, ReplyStatus, StoredReply
from reflectty.reasoning.thought_reader import ThoughtMark
from reflectty.view.parts import Scene, ThinkingView
from reflectty.view.reply_part import ReplyPart
from reflectty.view.rows import text_of_row
from reflectty.view.thought_map import CELLS, MapPoint, cells_of, map_row, points_of, share_at
from support.conversations import page

PALETTE = page(80, colours=256, tty=True, look="ink").palette
CORRECTION, CHECK, ALTERNATIVE = SecondThoughtKind
PLAIN = "I add the next number to the sum of those before it. " * 20


def mark(kind: SecondThoughtKind, at: int, *, sure: bool = True) -> ThoughtMark:
    return ThoughtMark(kind, sure, 0, at)


def part(thinking: str) -> ReplyPart:
    stored = StoredReply("m", segments=((Kind.THINKING, thinking), (Kind.ANSWER, "4")), ended=ReplyStatus.COMPLETE)
    made = ReplyPart.from_stored(stored)
    made.lay_out(Scene(PALETTE, 80, 24, ThinkingView.LIVE))
    return made


def test_points_are_placed_in_the_whole_thinking() -> None:
    blocks = [
        (Kind.THINKING, 100, [mark(CHECK, 40)]),
        (Kind.REFLECTION, 20, []),
        (Kind.THINKING, 80, [mark(ALTERNATIVE, 10)]),
    ]
    points, length = points_of(blocks)

    assert [(point.at, point.kind) for point in points] == [(40, "check"), (100, "tagged"), (130, "alternative")]
    assert length == 200


@pytest.mark.parametrize(
    ("points", "kind"),
    [
        ([MapPoint(5, "alternative"), MapPoint(6, "correction")], "correction"),
        ([MapPoint(5, "correction", is_sure=False), MapPoint(6, "check")], "check"),
        ([MapPoint(5, "correction"), MapPoint(6, "tagged")], "tagged"),
    ],
)
def test_cell_shows_what_tells_most(points: list[MapPoint], kind: str) -> None:
    cell = cells_of(points, 1000, 10)[0]
    assert cell is not None
    assert cell.kind == kind


@pytest.mark.parametrize("at", [0, 599, 999, 1000])
def test_every_place_has_a_cell(at: int) -> None:
    assert sum(cell is not None for cell in cells_of([MapPoint(at, "check")], 1000)) == 1


@pytest.mark.parametrize(("length", "width", "is_shown"), [(1200, 80, True), (1199, 80, False), (5000, 15, False)])
def test_short_thoughts_and_narrow_screens_have_no_map(length: int, width: int, is_shown: bool) -> None:
    assert (map_row([MapPoint(3, "check")], length, PALETTE, width) is not None) is is_shown


def test_thought_that_never_turns_has_no_map() -> None:
    assert map_row([], 5000, PALETTE, 80) is None


def test_map_of_a_reply_shows_where_it_turned() -> None:
    thinking = f"{PLAIN}Wait, no, that is wrong. {PLAIN}Let me double-check the sum. {PLAIN}"
    shown = part(thinking)
    strip = text_of_row(shown.row(1))[2:]

    assert shown.map_at == 1
    assert len(strip) == CELLS
    assert strip.replace("─", "") == "↶?"
    assert strip.index("↶") == len(PLAIN) * CELLS // len(thinking)


def test_map_shows_where_the_thought_settled_on_its_answer() -> None:
    thinking = f"{PLAIN}Wait, no, that is wrong. {PLAIN}So it is 4. {PLAIN}Let me double-check the sum. {PLAIN}"
    shown = part(thinking)
    strip = text_of_row(shown.row(1))[2:]

    assert strip.replace("─", "") == "↶◆?"
    assert strip.index("◆") == thinking.index("4. ") * CELLS // len(thinking)
    assert shown.map_at not in shown.turning_rows
    assert len(shown.turning_rows) == 2


def test_map_is_no_stop_of_the_jumps() -> None:
    shown = part(f"Wait, no. Wait, that is wrong. {PLAIN}Let me double-check the sum. {PLAIN}")

    assert [text_of_row(shown.row(1))[2:].count(sign) for sign in "↶?"] == [1, 1]
    assert shown.map_at not in shown.turning_rows
    assert len(shown.turning_rows) == 2


def test_place_on_the_map_leads_to_the_nearest_turn() -> None:
    shown = part(f"{PLAIN}Wait, no, that is wrong. {PLAIN}{PLAIN}{PLAIN}Let me double-check the sum. {PLAIN}")
    first, second = shown.turning_rows

    assert [shown.turning_row_near(share) for share in (0.0, 0.3, 0.6, 1.0)] == [first, first, second, second]


@pytest.mark.parametrize(("column", "share"), [(0, 0.0), (2, 0.0), (32, 0.5), (62, 1.0), (90, 1.0)])
def test_column_is_a_share_of_the_thinking(column: int, share: float) -> None:
    assert share_at(column) == pytest.approx(share)


@pytest.mark.parametrize(("reads", "found"), [(True, "~2 corrections"), (False, "")])
def test_second_thoughts_can_be_switched_off(reads: bool, found: str) -> None:
    thinking = f"{PLAIN}Wait, no, that is wrong. {PLAIN}"
    measured = ReplyMetrics(thinking_tokens=9, thinking_ms=1000, readings=Readings(corrections=2))
    stored = StoredReply("m", segments=((Kind.THINKING, thinking),), ended=ReplyStatus.COMPLETE, measured=measured)
    made = ReplyPart.from_stored(stored)
    made.lay_out(Scene(PALETTE, 80, 24, ThinkingView.LIVE, reads_thoughts=reads))
    rows = [text_of_row(row) for row in made.rows]

    assert ("~" in rows[0], found in rows[0]) == (reads, True)
    assert any(row.startswith("↶") for row in rows) is reads
    assert (made.map_at >= 0) is reads


OTHER = "Alternatively, the number could be one of the others.\n"


@pytest.mark.parametrize(
    ("thinking", "signs", "text"),
    [
        (OTHER * 2 + PLAIN, ["⇄ ", "⇄ "], ""),
        (OTHER * 3 + PLAIN, ["⇄³"], "⇄³Alternatively"),
        (OTHER * 12 + PLAIN, ["⇄⁺"], ""),
        (f"{OTHER * 2}Wait, no, that is wrong.\n{OTHER * 2}{PLAIN}", ["⇄ ", "⇄ ", "↶ ", "⇄ ", "⇄ "], ""),
        (f"{OTHER * 3}Wait, no, that is wrong.\n{OTHER * 3}{PLAIN}", ["⇄³", "↶ ", "⇄³"], ""),
    ],
)
def test_three_alternatives_in_a_row_are_one_sign(thinking: str, signs: list[str], text: str) -> None:
    shown = part(thinking)
    rows = [text_of_row(row) for at, row in enumerate(shown.rows) if at != shown.map_at]

    assert [row[:2] for row in rows if row[:1] in {"⇄", "↶"}] == signs
    assert any(row.startswith(text) for row in rows)


def test_jumps_stop_at_the_first_of_folded_alternatives() -> None:
    shown = part(f"{PLAIN}\n{(OTHER + PLAIN + chr(10)) * 4}Wait, no, that is wrong.\n{PLAIN}")

    assert [text_of_row(shown.row(row))[:2] for row in shown.turning_rows] == ["⇄⁴", "↶ "]
