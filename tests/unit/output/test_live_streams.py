from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import termios
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.errors import StoppedError
from reflectty.core.segments import Segment
from reflectty.output.live import LiveRenderer
from reflectty.system import theme
from reflectty.system.terminal import Sink, Terminal
from support.live_harness import ANSWER, OURS, TALK, THINKING, Screen, Stage, cut, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def test_without_motion_complete_rows_are_printed_without_cursor_movement() -> None:
    stage = Stage(motion=False)
    stage.live.start(reply())
    stage.live.tick(9.0)
    stage.live.show(Segment(THINKING, "One.\nTwo", 0))
    assert stage.screen.rows == ["│ One."]
    stage.play(TALK[3:])
    assert not re.search(r"\x1b\[\d*[A-K]|\r", stage.screen.getvalue())


def test_forced_colors_on_a_pipe_are_printed_without_motion() -> None:
    out = io.StringIO()
    live = apart(Sink(out, color_count=256), Sink(None), thinking=False)
    for event in cut(TALK, 5):
        live.show(event)
    live.end(reply())
    assert "\x1b[1m9.9\x1b[0m is larger." in out.getvalue()
    assert not re.search(r"\x1b\[\d*[A-K]|\r", out.getvalue())


def apart(out: Sink, err: Sink, **wishes: Any) -> LiveRenderer:
    live = LiveRenderer(
        Terminal(None, stdin_tty=False, out=out, err=err, can_redraw=True), theme.TERMINAL_THEME, **wishes
    )
    live.start(reply())
    return live


def test_piped_stdout_draws_only_thinking_and_summary() -> None:
    out, err = io.StringIO(), Screen()
    live = apart(Sink(out), Sink(err, tty=True, color_count=16), answer=False)
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


def test_redirected_stderr_draws_only_the_answer_and_plain_notes() -> None:
    out, err = Screen(), io.StringIO()
    live = apart(Sink(out, tty=True, color_count=16), Sink(err), thinking=False)
    for event in TALK:
        live.show(event)
    live.note("careful\x1b[2J")
    live.end(reply())
    assert out.rows[0] == "  9.9 is larger."
    assert err.getvalue() == "reflect: careful^[[2J\n"


class BrokenStream(io.StringIO):
    """A stream whose reader has closed it."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_broken_stdout_raises_and_broken_stderr_does_not() -> None:
    live = apart(Sink(BrokenStream(), tty=True), Sink(Screen(), tty=True))
    with pytest.raises(StoppedError):
        live.show(Segment(ANSWER, "Yes\n\n", 0))
    live.stop()
    live = apart(Sink(Screen(), tty=True), Sink(BrokenStream(), tty=True))
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


def test_width_follows_the_terminal(terminal: Any) -> None:
    sink, resize, read = terminal
    live = apart(sink, sink)
    for columns in (80, 30, 50):
        resize(columns)
        live.show(Segment(THINKING, "word " * 40 + "\n", 0))
        rows = [row for row in OURS.sub("", read()).replace("\r", "\n").split("\n") if row.startswith("│ word")]
        assert columns - 8 < max(map(len, rows)) < columns
    live.stop()
