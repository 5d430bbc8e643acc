from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.segments import Kind, Reclassification, Segment
from reflectty.output.live_region import MAX_LIVE_ROWS
from reflectty.view.answer import MAX_OPEN_LENGTH
from support.hostile_texts import hostile_texts, is_let_through, text_of
from support.live_harness import ANSWER, OURS, REFLECTION, TALK, THINKING, Stage, cut, reply
from support.properties import examples

if TYPE_CHECKING:
    from reflectty.core.segments import Event


def test_reply_is_drawn_with_a_gutter() -> None:
    assert Stage(40).play(cut(TALK, 3)) == [
        "│ Both start with 9, so I compare the",
        "│ decimals.",
        "│",
        "│ 1. 11 is more than 9.",
        "│ 2. So 9.11 is larger.",
        "↺ I must compare the same number of",
        "│ digits: 9.9 is 9.90.",
        "│ 90 against 11: 9.9 is larger.",
        "",
        "  9.9 is larger.",
        "",
        "  • 9.90 has `90`",
        "  • 9.11 has `11`",
        "",
        "    print(9.9 > 9.11)  # True",
        "",
        "  a   b",
        "  ─   ─",
        "  1   2",
        "",
        "  你好\uff0c世界。 Café 👍 done",
        "",
        "  thought 2 s · 1 correction",
    ]


@examples(20)
@given(st.sampled_from([9, 20, 40, 80, 300]), st.integers(1, 60), st.booleans())
def test_screen_is_the_same_for_any_split_of_the_reply(width: int, size: int, motion: bool) -> None:
    assert Stage(width).play(cut(TALK, size)) == Stage(width, motion=motion).play(TALK)


@examples(60)
@given(
    st.text("ab \n\t-*`#>|1.~你👍é", max_size=200),
    st.sampled_from([20, 40]),
    st.integers(1, 30),
    st.sampled_from(list(Kind)),
)
def test_any_text_is_drawn_the_same_for_any_split(text: str, width: int, size: int, kind: Kind) -> None:
    events = [Segment(kind, text, 0)]
    assert Stage(width).play(cut(events, size)) == Stage(width, motion=False).play(events)


@pytest.mark.parametrize("width", [pytest.param(20, marks=pytest.mark.slow), 80])
def test_only_the_last_rows_are_redrawn(width: int) -> None:
    stage = Stage(width)
    long = "1. " + "word " * 3_000
    answer = "```py\n" + "x = 1\n" * 300 + "```\n\n" + "long paragraph " * 300 + "\n\n" + "- item\n" * 100
    stage.play(cut([Segment(THINKING, long, 0), Segment(ANSWER, answer, 1)], 40))
    ups = [int(up or 1) for up in OURS.findall(stage.screen.getvalue())]
    assert max(ups) < MAX_LIVE_ROWS
    assert re.sub(r"[\n\r]", "", OURS.sub("", stage.screen.getvalue())).isprintable()


@pytest.mark.parametrize("motion", [True, False])
@hostile_texts
def test_hostile_text_never_reaches_the_terminal(hostile: tuple[dict[str, Any], ...], motion: bool) -> None:
    for case in hostile:
        written = played(text_of(case, at_most=1), Stage(60, colours=256 if motion else 0, motion=motion))
        assert not is_let_through(case, written), case["id"]
        assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", written), case["id"]


def played(text: str, stage: Stage) -> str:
    """The output for a reply with a text in every possible place, without cursor movement."""
    texts = [Segment(kind, text, number) for number, kind in enumerate((*Kind, ANSWER))]
    fenced = Segment(ANSWER, f"```py\n{text}\n```\n\n| {text} |\n|---|\n", 9)
    stage.live.note(text)
    stage.live.start(reply(model=text))
    stage.live.tick(4.0)
    for event in cut([*texts, fenced], 4):
        stage.live.show(event)
    stage.live.show(Reclassification((9,)))
    stage.live.end(reply(model=text))
    return OURS.sub("", stage.screen.getvalue()) if stage.terminal.can_redraw else stage.screen.getvalue()


def test_corrections_can_be_shown_without_thinking() -> None:
    rows = Stage(parts=frozenset({REFLECTION, ANSWER})).play([*TALK[:3], Segment(ANSWER, "9.9", 3)])
    assert rows[:3] == ["↺ I must compare the same number of digits: 9.9 is 9.90.", "", "  9.9"]


def test_long_open_block_shows_only_its_end_until_complete() -> None:
    stage = Stage()
    stage.live.start(reply())
    text = "".join(f"line {number}\n" for number in range(30))
    stage.live.show(Segment(ANSWER, text, 0))
    assert stage.screen.rows == ["  ⋯ 23 more above", *(f"  line {number}" for number in range(23, 30))]
    stage.now += 1
    stage.live.show(Segment(ANSWER, "\n", 0))
    assert stage.screen.rows == [f"  line {number}" for number in range(30)]


def test_lines_of_open_code_are_printed_as_they_come() -> None:
    stage = Stage()
    stage.live.start(reply())
    code = "".join(f"line {number}\n" for number in range(30))
    stage.live.show(Segment(ANSWER, f"```\n{code}", 0))
    lines = [f"    line {number}" for number in range(30)]
    assert stage.screen.rows == lines
    stage.now += 1
    stage.live.show(Segment(ANSWER, "``", 0))
    assert stage.screen.rows == lines
    stage.live.show(Segment(ANSWER, "`\n", 0))
    assert stage.screen.rows == lines


def test_an_open_block_is_drawn_at_most_twenty_times_a_second() -> None:
    stage = Stage()
    stage.live.start(reply())
    stage.now = 1.0
    for word in ("one ", "two ", "three "):
        stage.live.show(Segment(ANSWER, word, 0))
    assert stage.screen.rows == ["  one"]
    stage.now += 0.06
    stage.live.tick(1.0)
    assert stage.screen.rows == ["  one two three"]


def test_the_beginning_of_an_answer_is_drawn_at_once() -> None:
    stage = Stage()
    stage.now = 1.0
    for event in (Segment(THINKING, "Hm", 0), Segment(ANSWER, "Yes", 1)):
        stage.live.show(event)
    assert stage.screen.rows == ["│ Hm", "", "  Yes"]


@pytest.mark.slow
def test_endless_block_becomes_plain_text_and_loses_nothing() -> None:
    words = [f"word{number}" for number in range(MAX_OPEN_LENGTH // 6)]
    rows = Stage(100).play(cut([Segment(ANSWER, "**" + " ".join(words) + "**\n\n- last", 0)], 50_000), corrections=0)
    assert " ".join(rows).split()[: len(words) + 3] == [
        "**word0",
        *words[1:-1],
        f"{words[-1]}**",
        "-",
        "last",
        "thought",
    ]


def test_answer_reclassified_as_thinking_is_redrawn() -> None:
    stage = Stage()
    events: list[Event] = [
        Segment(ANSWER, "Let me *think*", 0, certain=False),
        Reclassification((0,)),
        Segment(ANSWER, "Yes", 1),
    ]
    assert stage.play(events)[:3] == ["│ Let me *think*", "", "  Yes"]


def test_finished_answer_rows_reclassified_as_thinking_are_noted() -> None:
    stage = Stage()
    events: list[Event] = [
        Segment(ANSWER, "One.\n\nTwo", 0, certain=False),
        Reclassification((0,)),
        Segment(ANSWER, "Yes", 1),
    ]
    assert stage.play(events)[:7] == ["  One.", "", "  Two", "", "  (the text above was thinking)", "", "  Yes"]


def test_reclassification_leaves_a_later_answer_alone() -> None:
    events: list[Event] = [
        Segment(ANSWER, "One.\n\nTwo", 0, certain=False),
        Segment(ANSWER, "*Yes*", 1),
        Reclassification((0,)),
    ]
    rows = Stage().play(events, corrections=0)
    assert rows[:7] == ["  One.", "", "  Two", "", "  Yes", "", "  (the text above was thinking)"]


def test_answers_are_apart_and_each_list_starts_with_its_own_number() -> None:
    events = [
        Segment(ANSWER, "1. a", 0),
        Segment(ANSWER, "b", 1),
        Segment(THINKING, "c", 2),
        Segment(ANSWER, "1. d", 3),
    ]
    assert Stage().play(events, corrections=0)[:7] == ["  1. a", "", "  b", "", "│ c", "", "  1. d"]


def test_thinking_reclassified_as_answer_is_noted_and_repeated() -> None:
    stage = Stage()
    events: list[Event] = [
        Segment(ANSWER, "Models write:", 0),
        Segment(THINKING, "before they reason", 1),
        Reclassification((1,), None),
        Segment(ANSWER, "\n\n<think>\n\nbefore they reason", 0),
    ]
    rows = stage.play(events)
    assert rows[:5] == [
        "  Models write:",
        "",
        "│ before they reason",
        "",
        "  (the text above was part of the answer, not thinking)",
    ]
    assert [row for row in rows[5:] if row][:2] == ["  <think>", "  before they reason"]


def test_open_text_stays_when_the_reply_is_stopped() -> None:
    for events, shown in (
        ([Segment(THINKING, "Hm", 0)], ["│ Hm"]),
        ([Segment(ANSWER, "**Yes", 0)], ["  **Yes"]),
        ([Segment(ANSWER, "```\na\n", 0)], ["    a"]),
    ):
        stage = Stage()
        stage.live.start(reply())
        for event in events:
            stage.live.show(event)
        stage.live.stop()
        stage.live.stop()
        assert stage.screen.rows == shown
        assert (stage.screen.screen.cursor.x, stage.screen.screen.cursor.y) == (0, len(shown))


def test_output_contains_only_known_control_sequences() -> None:
    stage = Stage()
    stage.play(cut(TALK, 2))
    assert re.fullmatch(r"[^\x1b]*", OURS.sub("", stage.screen.getvalue()), re.DOTALL)
