from __future__ import annotations

from typing import Any

import pytest

from reflectty.core.segments import Segment
from reflectty.core.text import format_duration
from reflectty.output.live import LONG_THOUGHT_SECONDS, STATUS_DELAY_SECONDS
from reflectty.view.thinking import SLOW_START_SECONDS
from support.live_harness import ANSWER, TALK, THINKING, Stage, reply


def test_replaced_control_characters_are_counted_in_one_line() -> None:
    rows = Stage().play([Segment(ANSWER, "a\x1b[2Jb\x07", 0)], corrections=0)
    assert rows[0] == "  a^[[2Jb^G"
    assert rows[-1] == "  2 control characters shown as text, such as ^["


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({}, "thought 2 s · 64 tokens · 1 correction · 41 tok/s"),
        ({"corrections": 2}, "thought 2 s · 64 tokens · 2 corrections · 41 tok/s"),
        ({"corrections": 0, "tokens_per_second": 0.0}, "thought 2 s · 64 tokens"),
        ({"thinking_ms": 0.0}, "thought · 64 tokens"),
        ({"corrections": 0, "thinking_tokens": 0, "answer_tokens": 1}, "answered in 5 s · 1 token"),
        ({"thinking_ms": 125_000.0}, "thought 2 min 5 s"),
        ({"thinking_tokens": 4_000}, "4,000 tokens"),
    ],
)
def test_summary_contains_known_values(values: dict[str, Any], line: str) -> None:
    if line == "thought · 64 tokens":
        line = "64 tokens · 1 correction"
    assert line in Stage().play([Segment(ANSWER, "a", 0)], **values)[-1]


def test_reply_without_figures_has_no_summary() -> None:
    nothing = {"corrections": 0, "thinking_tokens": 0, "answer_tokens": 0, "total_ms": 0.0, "tokens_per_second": 0.0}
    assert Stage().play([Segment(ANSWER, "a", 0)], **nothing) == ["  a"]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0.4 s"), (1, "1 s"), (59.6, "1 min 0 s"), (3_600, "60 min 0 s")])
def test_duration_is_formatted(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_narrow_summary_keeps_corrections_as_long_as_possible() -> None:
    assert Stage(46).play([Segment(ANSWER, "a", 0)])[-1] == "  thought 2 s · 64 tokens · 1 correction"
    assert Stage(34).play([Segment(ANSWER, "a", 0)])[-1] == "  thought 2 s · 1 correction"
    assert Stage(20).play([Segment(ANSWER, "a", 0)])[-1] == "  thought 2 s"


def test_status_is_shown_while_waiting_and_leaves_no_trace() -> None:
    stage = Stage()
    stage.live.start(reply())
    stage.live.tick(STATUS_DELAY_SECONDS - 0.1)
    assert stage.screen.rows == [""]
    stage.live.tick(2.0)
    assert stage.screen.rows == ["◐ waiting for reflection:70b · 2 s"]
    stage.live.tick(SLOW_START_SECONDS + 1.25)
    assert stage.screen.rows == ["◓ waiting for reflection:70b · 4 s · it may still be loading"]
    stage.live.show(Segment(ANSWER, "Hello", 0))
    assert stage.screen.rows == ["  Hello"]
    stage.live.tick(9.0)
    assert stage.screen.rows == ["  Hello"]


def test_a_status_longer_than_the_screen_is_cut() -> None:
    stage = Stage(20)
    stage.live.start(reply())
    stage.live.tick(5.0)
    assert stage.screen.rows == ["◑ waiting for refle"]
    stage.live.stop()
    assert stage.screen.rows == [""]


def test_hidden_thinking_shows_only_a_status() -> None:
    stage = Stage(parts=frozenset({ANSWER}))
    stage.live.start(reply())
    for event in TALK[:3]:
        stage.live.show(event)
    stage.live.tick(4.0)
    assert stage.screen.rows == ["◐ thinking 2 s · 64 tokens · 1 correction"]
    stage.live.show(Segment(ANSWER, "9.9", 3))
    assert stage.screen.rows == ["  9.9"]


def test_notes_are_placed_between_parts() -> None:
    stage = Stage()
    stage.live.note("first\nof all")
    stage.live.start(reply())
    stage.live.show(Segment(THINKING, "Hm", 0))
    stage.live.note("meanwhile")
    stage.live.show(Segment(THINKING, "m.", 0))
    stage.live.show(Segment(ANSWER, "Yes", 1))
    stage.live.note("by the way")
    stage.live.show(Segment(ANSWER, " or no", 1))
    stage.live.end(reply())
    stage.live.note("at last")
    assert stage.screen.rows == [
        "  first of all",
        "  meanwhile",
        "",
        "│ Hmm.",
        "",
        "  by the way",
        "",
        "  Yes or no",
        "",
        "  thought 2 s · 64 tokens · 1 correction · 41 tok/s",
        "  at last",
    ]


def test_consecutive_notes_are_not_apart() -> None:
    stage = Stage()
    stage.live.start(reply())
    stage.live.show(Segment(THINKING, "One\nT", 0))
    stage.live.note("a")
    stage.live.note("b")
    assert stage.screen.rows == ["│ One", "", "  a", "  b", "", "│ T"]


def test_quiet_shows_only_the_reply() -> None:
    stage = Stage(quiet=True)
    stage.live.note("x")
    stage.live.tick(5.0)
    assert stage.play([Segment(ANSWER, "Yes", 0)]) == ["  Yes"]


LONG_MS = LONG_THOUGHT_SECONDS * 1000


@pytest.mark.parametrize(
    ("values", "wishes", "hint"),
    [
        ({"thinking_ms": LONG_MS}, {}, r"  ctrl+\ answers now"),
        ({"thinking_ms": LONG_MS - 1}, {}, ""),
        ({"thinking_ms": LONG_MS}, {"has_answer_key": False}, ""),
        ({"thinking_ms": LONG_MS}, {"quiet": True}, ""),
        ({"thinking_ms": LONG_MS}, {"motion": False}, ""),
        ({"thinking_ms": LONG_MS, "resumable": False}, {}, ""),
        ({"repeats_itself": True}, {}, r"  it repeats itself: ctrl+\ answers now"),
    ],
)
def test_a_long_thinking_names_the_key_that_ends_it(values: dict[str, Any], wishes: dict[str, Any], hint: str) -> None:
    stage = Stage(**{"has_answer_key": True, **wishes})
    stage.live.start(reply(**values))
    stage.live.show(Segment(THINKING, "Hm", 0))
    stage.live.tick(30.0)

    assert [row for row in stage.screen.rows if "answers now" in row] == ([hint] if hint else [])


def test_the_named_key_stays_below_the_thinking_and_leaves_no_trace() -> None:
    stage = Stage(has_answer_key=True)
    stage.live.start(reply(thinking_ms=LONG_MS))
    stage.live.show(Segment(THINKING, "First.\nSecond", 0))
    stage.live.tick(30.0)
    stage.live.show(Segment(THINKING, " goes on.", 0))
    assert stage.screen.rows == ["│ First.", "│ Second goes on.", r"  ctrl+\ answers now"]
    stage.live.note("a note")
    assert stage.screen.rows[-1] == r"  ctrl+\ answers now"
    stage.live.show(Segment(ANSWER, "9.9", 1))
    stage.live.tick(31.0)
    stage.live.end(reply())
    assert not [row for row in stage.screen.rows if "answers now" in row]
    assert {"│ First.", "│ Second goes on."} < set(stage.screen.rows)


def test_a_thinking_that_is_not_drawn_names_the_key_beside_its_status() -> None:
    stage = Stage(parts=frozenset({ANSWER}), has_answer_key=True)
    stage.live.start(reply(thinking_ms=LONG_MS))
    stage.live.show(Segment(THINKING, "Hm", 0))
    stage.live.tick(30.0)

    assert stage.screen.rows == [r"◐ thinking 20 s · 64 tokens · 1 correction  ctrl+\ answers now"]
