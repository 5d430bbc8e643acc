from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import termios
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reflectty import assets, theme
from reflectty.errors import StoppedError
from reflectty.render.answer import TOO_LONG
from reflectty.render.live import LOADING_SECONDS, PATIENCE_SECONDS, LiveRenderer
from reflectty.render.summary import duration
from reflectty.render.tail import ROWS
from reflectty.stream import Kind, Reclassified, Segment
from reflectty.terminal import TRUECOLOUR, Sink, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reflectty.reply import Reply
    from reflectty.stream import Event

THINKING, REFLECTION, ANSWER = Kind
INK = theme.load("ink", (assets.folder("themes"),)).theme
HOSTILE = [
    json.loads(line) for line in (Path(__file__).parent / "cases" / "hostile.jsonl").read_text("utf-8").splitlines()
]
OURS = re.compile(r"\x1b\[(?:(\d+)A|A|[JK]|[\d;]*m)")
TALK = [
    Segment(
        THINKING, "Both start with 9, so I compare the decimals.\n\n1. 11 is more than 9.\n2. So 9.11 is larger.", 0
    ),
    Segment(REFLECTION, "I must compare the same number of digits: 9.9 is 9.90.", 1),
    Segment(THINKING, "\n90 against 11: 9.9 is larger.\n", 2),
    Segment(
        ANSWER,
        "**9.9** is larger.\n\n- 9.90 has `90`\n- 9.11 has `11`\n\n```python\nprint(9.9 > 9.11)  # True\n```\n"
        "\n| a | b |\n|---|---|\n| 1 | 2 |\n\n你好\uff0c世界。 Café 👍 done\n",
        3,
    ),
]


@dataclass
class FakeReply:
    """What a renderer asks of a reply."""

    model: str = "reflection:70b"
    corrections: int = 1
    tokens: dict[Kind, int] = field(default_factory=lambda: {THINKING: 40, REFLECTION: 24, ANSWER: 120})
    thinking_ms: float = 2_400.0
    total_ms: float = 5_000.0
    tokens_per_second: float = 41.2


def reply(**values: Any) -> Reply:
    return cast("Reply", FakeReply(**values))


class Screen(io.StringIO):
    """A terminal: takes what is written and shows what a reader would see, scrolled rows included."""

    def __init__(self, width: int = 80, height: int = 24) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(width, height, history=100_000)
        self.stream = pyte.Stream(self.screen)

    def write(self, text: str) -> int:
        self.stream.feed(text.replace("\n", "\r\n"))
        return super().write(text)

    @property
    def rows(self) -> list[str]:
        scrolled = ["".join(row[at].data for at in range(self.screen.columns)) for row in self.screen.history.top]
        return "\n".join(row.rstrip() for row in (*scrolled, *self.screen.display)).rstrip("\n").split("\n")


class Stage:
    """A renderer on one screen that is both stdout and stderr, and a clock that only tests move."""

    def __init__(self, width: int = 80, colours: int = 256, look: theme.Theme = theme.TERMINAL, **wishes: Any) -> None:
        self.screen = Screen(width)
        self.now = 0.0
        sink = Sink(self.screen, tty=True, colours=colours, unicode=wishes.pop("unicode", True))
        self.terminal = Terminal(
            None, stdin_tty=False, out=sink, err=sink, width=width, motion=wishes.pop("motion", True)
        )
        self.live = LiveRenderer(self.terminal, look, clock=lambda: self.now, **wishes)

    def play(self, events: Iterable[Event], **values: Any) -> list[str]:
        self.live.start(reply(**values))
        for event in events:
            self.now += 0.06
            self.live.show(event)
        self.live.end(reply(**values))
        self.live.stop()
        return self.screen.rows


def cut(events: Iterable[Segment], size: int) -> list[Segment]:
    """Cut segments as a server would send them."""
    return [
        event._replace(text=event.text[at : at + size]) for event in events for at in range(0, len(event.text), size)
    ]


def test_a_reply_is_drawn_with_a_gutter_that_tells_who_speaks() -> None:
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
        "  • 9.90 has 90",
        "  • 9.11 has 11",
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


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([9, 20, 40, 80, 300]), st.integers(1, 60), st.booleans())
def test_the_screen_is_the_same_however_the_reply_is_cut(width: int, size: int, motion: bool) -> None:
    assert Stage(width).play(cut(TALK, size)) == Stage(width, motion=motion).play(TALK)


@settings(max_examples=60, deadline=None)
@given(
    st.text("ab \n\t-*`#>|1.~你👍é", max_size=200),
    st.sampled_from([20, 40]),
    st.integers(1, 30),
    st.sampled_from(list(Kind)),
)
def test_any_text_is_drawn_the_same_however_it_is_cut(text: str, width: int, size: int, kind: Kind) -> None:
    events = [Segment(kind, text, 0)]
    assert Stage(width).play(cut(events, size)) == Stage(width, motion=False).play(events)


@pytest.mark.parametrize("width", [20, 80])
def test_only_the_last_rows_are_ever_drawn_again(width: int) -> None:
    stage = Stage(width)
    long = "1. " + "word " * 3_000
    answer = "```py\n" + "x = 1\n" * 300 + "```\n\n" + "long paragraph " * 300 + "\n\n" + "- item\n" * 100
    stage.play(cut([Segment(THINKING, long, 0), Segment(ANSWER, answer, 1)], 40))
    ups = [int(up or 1) for up in OURS.findall(stage.screen.getvalue())]
    assert max(ups) < ROWS
    assert re.sub(r"[\n\r]", "", OURS.sub("", stage.screen.getvalue())).isprintable()


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case["id"])
def test_hostile_text_never_reaches_the_terminal(case: dict[str, str]) -> None:
    texts = [Segment(kind, case["text"], number) for number, kind in enumerate((*Kind, ANSWER))]
    fenced = Segment(ANSWER, f"```py\n{case['text']}\n```\n\n| {case['text']} |\n|---|\n", 9)
    for stage in (Stage(60), Stage(60, colours=0, motion=False)):
        stage.live.note(case["text"])
        stage.live.start(reply(model=case["text"]))
        stage.live.tick(4.0)
        for event in cut([*texts, fenced], 4):
            stage.live.show(event)
        stage.live.show(Reclassified((9,)))
        stage.live.end(reply(model=case["text"]))
        written = OURS.sub("", stage.screen.getvalue()) if stage.terminal.motion else stage.screen.getvalue()
        assert case["expect"] == "keep" or case.get("needle", "\ud800") not in written
        assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", written)


def test_controls_that_were_replaced_are_counted_in_one_line() -> None:
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
        ({"corrections": 0, "tokens": dict.fromkeys(Kind, 1) | {THINKING: 0, REFLECTION: 0}}, "answered 5 s · 1 token"),
        ({"thinking_ms": 125_000.0}, "thought 2 min 5 s"),
        ({"tokens": dict.fromkeys(Kind, 2_000)}, "4,000 tokens"),
    ],
)
def test_the_summary_says_what_is_known(values: dict[str, Any], line: str) -> None:
    if line == "thought · 64 tokens":
        line = "64 tokens · 1 correction"
    assert line in Stage().play([Segment(ANSWER, "a", 0)], **values)[-1]


def test_a_reply_of_which_nothing_is_known_has_no_summary() -> None:
    nothing = {"corrections": 0, "tokens": dict.fromkeys(Kind, 0), "total_ms": 0.0, "tokens_per_second": 0.0}
    assert Stage().play([Segment(ANSWER, "a", 0)], **nothing) == ["  a"]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0.4 s"), (1, "1 s"), (59.6, "1 min 0 s"), (3_600, "60 min 0 s")])
def test_a_time_is_said_as_people_say_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_narrow_summary_keeps_the_corrections_longest() -> None:
    assert Stage(46).play([Segment(ANSWER, "a", 0)])[-1] == "  thought 2 s · 64 tokens · 1 correction"
    assert Stage(34).play([Segment(ANSWER, "a", 0)])[-1] == "  thought 2 s · 1 correction"
    assert Stage(20).play([Segment(ANSWER, "a", 0)])[-1] == "  thought 2 s"


def test_a_status_says_that_nothing_has_come_and_leaves_no_trace() -> None:
    stage = Stage()
    stage.live.start(reply())
    stage.live.tick(PATIENCE_SECONDS - 0.1)
    assert stage.screen.rows == [""]
    stage.live.tick(2.0)
    assert stage.screen.rows == ["◐ waiting for reflection:70b · 2 s"]
    stage.live.tick(LOADING_SECONDS + 1.25)
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


def test_thinking_that_is_not_wanted_shows_only_that_it_goes_on() -> None:
    stage = Stage(parts=frozenset({ANSWER}))
    stage.live.start(reply())
    for event in TALK[:3]:
        stage.live.show(event)
    stage.live.tick(4.0)
    assert stage.screen.rows == ["◐ thinking · 4 s · 1 correction"]
    stage.live.show(Segment(ANSWER, "9.9", 3))
    assert stage.screen.rows == ["  9.9"]


def test_only_the_corrections_can_be_shown() -> None:
    rows = Stage(parts=frozenset({REFLECTION, ANSWER})).play([*TALK[:3], Segment(ANSWER, "9.9", 3)])
    assert rows[:3] == ["↺ I must compare the same number of digits: 9.9 is 9.90.", "", "  9.9"]


def test_without_motion_rows_are_printed_when_they_are_complete_and_the_cursor_is_not_moved() -> None:
    stage = Stage(motion=False)
    stage.live.start(reply())
    stage.live.tick(9.0)
    stage.live.show(Segment(THINKING, "One.\nTwo", 0))
    assert stage.screen.rows == ["│ One."]
    stage.play(TALK[3:])
    assert not re.search(r"\x1b\[\d*[A-K]|\r", stage.screen.getvalue())


def test_colours_that_are_forced_on_a_pipe_come_without_motion() -> None:
    out = io.StringIO()
    live = apart(Sink(out, colours=256), Sink(None), thinking=False)
    for event in cut(TALK, 5):
        live.show(event)
    live.end(reply())
    assert "\x1b[1m9.9\x1b[0m is larger." in out.getvalue()
    assert not re.search(r"\x1b\[\d*[A-K]|\r", out.getvalue())


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


@pytest.mark.parametrize(("colours", "code"), [(16, "1;33m"), (256, "38;5;215m"), (TRUECOLOUR, "38;2;240;179;91m")])
def test_colours_are_those_that_the_terminal_has(colours: int, code: str) -> None:
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


def test_code_stands_on_a_panel_that_fills_the_row() -> None:
    stage = Stage(40, TRUECOLOUR, INK)
    stage.play([Segment(ANSWER, "```python\nx = 1\n\ny = 2\n```\n", 0)], corrections=0)
    for number in range(3):
        row = stage.screen.screen.buffer[number]
        assert [row[at].bg for at in (1, 2, 38, 39)] == ["default", "171a23", "171a23", "default"]


def test_the_panel_is_no_wider_than_prose_unless_the_code_is() -> None:
    stage = Stage(300, TRUECOLOUR, INK)
    stage.play([Segment(ANSWER, f"```\nx\n```\n\n```\n{'y' * 150}\n```\n", 0)], corrections=0)
    ends = [max(at for at in range(300) if stage.screen.screen.buffer[row][at].bg == "171a23") for row in (0, 2)]
    assert ends == [99, 153]


def test_a_fence_gets_its_colours_once_when_it_is_closed() -> None:
    stage = Stage(80, TRUECOLOUR, INK)
    stage.play(cut([Segment(ANSWER, "```python\ndef f():\n    return 1\n```\n", 0)], 1))
    keyword = "\x1b[1;38;2;143;182;255;48;2;23;26;35mdef"
    assert stage.screen.getvalue().count(keyword) == 1


def test_of_a_long_open_block_only_the_end_is_shown_until_it_is_complete() -> None:
    stage = Stage()
    stage.live.start(reply())
    code = "".join(f"line {number}\n" for number in range(30))
    stage.live.show(Segment(ANSWER, f"```\n{code}", 0))
    assert stage.screen.rows == ["  ⋯ 23 more above", *(f"    line {number}" for number in range(23, 30))]
    stage.now += 1
    stage.live.show(Segment(ANSWER, "```\n", 0))
    assert stage.screen.rows == [f"    line {number}" for number in range(30)]


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


def test_an_endless_block_becomes_plain_text_and_nothing_of_it_is_lost() -> None:
    words = [f"word{number}" for number in range(TOO_LONG // 6)]
    rows = Stage(100).play(cut([Segment(ANSWER, "**" + " ".join(words) + "**\n\n- last", 0)], 10_000), corrections=0)
    assert " ".join(rows).split()[: len(words) + 3] == [
        "**word0",
        *words[1:-1],
        f"{words[-1]}**",
        "-",
        "last",
        "thought",
    ]


def test_notes_stand_between_parts_and_above_what_may_still_change() -> None:
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


def test_quiet_is_only_the_reply() -> None:
    stage = Stage(quiet=True)
    stage.live.note("x")
    stage.live.tick(5.0)
    assert stage.play([Segment(ANSWER, "Yes", 0)]) == ["  Yes"]


def test_an_answer_that_turns_out_to_be_thinking_is_drawn_again_as_thinking() -> None:
    stage = Stage()
    events: list[Event] = [
        Segment(ANSWER, "Let me *think*", 0, certain=False),
        Reclassified((0,)),
        Segment(ANSWER, "Yes", 1),
    ]
    assert stage.play(events)[:3] == ["│ Let me *think*", "", "  Yes"]


def test_an_answer_that_is_final_on_the_screen_is_said_to_have_been_thinking() -> None:
    stage = Stage()
    events: list[Event] = [
        Segment(ANSWER, "One.\n\nTwo", 0, certain=False),
        Reclassified((0,)),
        Segment(ANSWER, "Yes", 1),
    ]
    assert stage.play(events)[:7] == ["  One.", "", "  Two", "", "  (the text above was thinking)", "", "  Yes"]


def test_what_is_open_stays_when_the_reply_is_stopped() -> None:
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


def apart(out: Sink, err: Sink, **wishes: Any) -> LiveRenderer:
    live = LiveRenderer(Terminal(None, stdin_tty=False, out=out, err=err, motion=True), theme.TERMINAL, **wishes)
    live.start(reply())
    return live


def test_with_a_pipe_for_stdout_only_thinking_and_summary_are_drawn() -> None:
    out, err = io.StringIO(), Screen()
    live = apart(Sink(out), Sink(err, tty=True, colours=16), answer=False)
    for event in cut(TALK, 5):
        live.show(event)
        live.tick(9.0)
    live.end(reply())
    assert out.getvalue() == ""
    assert err.rows[-3:] == [
        "│ 90 against 11: 9.9 is larger.",
        "",
        "  thought 2 s · 64 tokens · 1 correction · 41 tok/s",
    ]


def test_with_a_file_for_stderr_only_the_answer_is_drawn_and_notes_are_plain() -> None:
    out, err = Screen(), io.StringIO()
    live = apart(Sink(out, tty=True, colours=16), Sink(err), thinking=False)
    for event in TALK:
        live.show(event)
    live.note("careful\x1b[2J")
    live.end(reply())
    assert out.rows[0] == "  9.9 is larger."
    assert err.getvalue() == "reflect: careful^[[2J\n"


class Gone(io.StringIO):
    """A stream whose reader has left."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_a_reader_of_stdout_who_left_is_an_error_and_one_of_stderr_is_not() -> None:
    live = apart(Sink(Gone(), tty=True), Sink(Screen(), tty=True))
    with pytest.raises(StoppedError):
        live.show(Segment(ANSWER, "Yes\n\n", 0))
    live.stop()
    live = apart(Sink(Screen(), tty=True), Sink(Gone(), tty=True))
    live.tick(9.0)
    for event in TALK:
        live.show(event)
    live.end(reply())
    live.stop()


@pytest.fixture(name="terminal")
def _terminal() -> Iterable[tuple[Sink, Callable[[int], None], Callable[[], str]]]:
    control, own = pty.openpty()
    with os.fdopen(own, "w", encoding="utf-8") as file:

        def resize(columns: int) -> None:
            fcntl.ioctl(control, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

        yield Sink(file, tty=True), resize, lambda: os.read(control, 65_536).decode()
    os.close(control)


def test_the_width_is_that_of_the_moment(terminal: Any) -> None:
    sink, resize, read = terminal
    live = apart(sink, sink)
    for columns in (80, 30, 50):
        resize(columns)
        live.show(Segment(THINKING, "word " * 40 + "\n", 0))
        rows = [row for row in OURS.sub("", read()).replace("\r", "\n").split("\n") if row.startswith("│ word")]
        assert columns - 8 < max(map(len, rows)) < columns
    live.stop()


def test_prose_is_at_most_a_hundred_columns_wide_and_code_is_not() -> None:
    stage = Stage(300)
    wide = "x" * 250
    rows = stage.play([Segment(ANSWER, f"{'word ' * 60}\n\n```\n{wide}\n```\n", 0)])
    assert max(len(row) for row in rows if "word" in row) <= 100
    assert f"    {wide}" in rows


def test_the_terminal_is_asked_for_nothing_but_its_own_rows() -> None:
    stage = Stage()
    stage.play(cut(TALK, 2))
    assert re.fullmatch(r"[^\x1b]*", OURS.sub("", stage.screen.getvalue()), re.DOTALL)
