from __future__ import annotations

import io
from dataclasses import dataclass

import pytest

from reflectty.batch.progress import BatchProgress
from reflectty.batch.progress_line import BatchProgressLine
from reflectty.system.terminal import Sink, Terminal
from reflectty.system.theme import TERMINAL_THEME
from support.live_harness import Screen


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def halfway(total: int | None = 40, away: tuple[str, ...] = ()) -> BatchProgress:
    """A tally after 20 seconds: earlier calls answered ten lines, this one eight, and two failed."""
    clock = Clock()
    tally = BatchProgress(total, clock)
    tally.answered_before, tally.unreachable_servers = 10, away
    for number in range(10):
        tally.count(failed=number > 7, tokens=30)
    clock.now = 20.0
    return tally


def drawn(tally: BatchProgress, width: int) -> str:
    screen = Screen(width)
    sink = Sink(screen, tty=True, color_count=0, unicode=True)
    terminal = Terminal(
        None, stdin_tty=False, out=Sink(io.StringIO(), tty=False), err=sink, width=width, can_redraw=True
    )
    BatchProgressLine(terminal, TERMINAL_THEME, tally).tick(0.0)
    return screen.rows[0]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (120, "▰▰▰▰▰▰▱▱▱▱▱▱ · 20 of 40 · 2 failed · 10 from before · 15 tok/s · 40 s left · waiting for s1, s2"),
        (90, "▰▰▰▰▰▰▱▱▱▱▱▱ · 20 of 40 · 2 failed · 15 tok/s · 40 s left · waiting for s1, s2"),
        (60, "20 of 40 · 2 failed · 40 s left · waiting for s1, s2"),
        (30, "20 of 40 · 2 failed"),
        (15, "20 of 40"),
    ],
)
def test_the_line_drops_the_least_important_parts_when_narrow(width: int, line: str) -> None:
    assert drawn(halfway(away=("s1", "s2")), width) == line


@pytest.mark.parametrize(
    ("tally", "line"),
    [
        (BatchProgress(5, Clock()), "▱▱▱▱▱▱▱▱▱▱▱▱ · 0 of 5"),
        (BatchProgress(None, Clock()), "0 done"),
        (halfway(None), "20 done · 2 failed · 10 from before · 15 tok/s"),
        (halfway(18), "▰▰▰▰▰▰▰▰▰▰▰▰ · 20 of 18 · 2 failed · 10 from before · 15 tok/s · 0 s left"),
    ],
)
def test_unknown_figures_are_left_out(tally: BatchProgress, line: str) -> None:
    assert drawn(tally, 120) == line


def test_a_long_server_name_is_truncated() -> None:
    assert drawn(halfway(away=("s" * 60,)), 120).endswith(f"waiting for {'s' * 39}…")


def test_counts_by_arm_are_shown_without_the_control_characters_of_a_name() -> None:
    tally = halfway()
    tally.details = "cot@\x1b]0;mine\x07\u202e 1/2"
    line = drawn(tally, 120)
    assert "cot@^[]0;mine^G" in line
    assert "\u202e" not in line


def test_the_line_is_erased_when_it_stops() -> None:
    screen = Screen()
    sink = Sink(screen, tty=True, color_count=0, unicode=True)
    terminal = Terminal(None, stdin_tty=False, out=sink, err=sink, width=80, can_redraw=True)
    line = BatchProgressLine(terminal, TERMINAL_THEME, halfway())
    line.stop()
    line.tick(0.0)
    line.stop()

    assert screen.rows == [""]
