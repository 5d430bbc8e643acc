from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.models.installed import ProgressUpdate, TransferProgress
from reflectty.output.live_region import REDRAW_SECONDS, TransferProgressLine
from reflectty.system.terminal import Sink, Terminal
from reflectty.system.theme import TERMINAL_THEME

OURS = re.compile(r"\x1b\[[\d;]*m")
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def part(digest: str, total: int, completed: int) -> ProgressUpdate:
    return ProgressUpdate(f"pulling {digest[7:19]}", digest, total, completed)


def fed(*parts: tuple[float, ProgressUpdate]) -> TransferProgress:
    """A transfer with progress reports at those times."""
    clock = Clock()
    transfer = TransferProgress(clock)
    for at, progress in parts:
        clock.now = 100.0 + at
        transfer.feed(progress)
    return transfer


def test_pull_that_has_not_begun_has_no_figures() -> None:
    transfer = fed((0.1, ProgressUpdate("pulling manifest")))
    assert (transfer.status, transfer.layers, transfer.layer) == ("pulling manifest", (), None)
    assert (transfer.fetched_bytes, transfer.new_bytes, transfer.speed, transfer.seconds_left) == (0, 0, 0.0, None)


def test_speed_and_time_left_count_only_this_pull() -> None:
    transfer = fed((0.0, part(ONE, 1000, 600)), (2.0, part(ONE, 1000, 800)))
    assert (transfer.fetched_bytes, transfer.new_bytes) == (200, 1000)
    assert transfer.speed == 100.0
    assert transfer.seconds_left == 2.0
    assert transfer.seconds == 2.0


def test_speed_is_measured_over_the_last_seconds() -> None:
    slow = [(float(at), part(ONE, 10_000, at)) for at in range(60)]
    fast = [(60.0 + at, part(ONE, 10_000, 59 + 100 * at)) for at in range(20)]
    assert fed(*slow, *fast).speed == pytest.approx(100.0)


def test_speed_is_unknown_at_first() -> None:
    assert fed((0.0, part(ONE, 1000, 0)), (0.1, part(ONE, 1000, 500))).speed == 0.0


def test_existing_layer_is_not_counted_as_fetched() -> None:
    transfer = fed((0.0, part(ONE, 1000, 1000)), (1.0, part(TWO, 50, 0)), (2.0, part(TWO, 50, 50)))
    assert (transfer.fetched_bytes, transfer.new_bytes) == (50, 50)
    assert [layer.total for layer in transfer.layers] == [1000, 50]
    assert transfer.seconds_left is None


@given(st.lists(st.tuples(st.sampled_from([ONE, TWO, ""]), st.integers(0, 10**15), st.integers(0, 10**15))))
def test_figures_are_never_negative(parts: list[tuple[str, int, int]]) -> None:
    transfer = fed(*((at / 3, part(*one)) for at, one in enumerate(parts)))
    assert transfer.fetched_bytes >= 0
    assert transfer.seconds_left is None or transfer.seconds_left >= 0
    line, _ = drawn(width=40)
    line.show(transfer)
    line.stop()


def drawn(width: int = 80, *, tty: bool = True, clock: Clock | None = None) -> tuple[TransferProgressLine, io.StringIO]:
    out = io.StringIO()
    terminal = Terminal(
        None, stdin_tty=False, out=Sink(io.StringIO(), tty), err=Sink(out, tty), width=width, can_redraw=tty
    )
    return TransferProgressLine(terminal, TERMINAL_THEME, "pulling reflection:70b", clock or Clock()), out


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (120, "pulling reflection:70b  ▰▰▰▰▰▰▰▰▰▱▱▱ · 80 % · 80 MB of 100 MB · 10 MB/s · 2 s left"),
        (80, "pulling reflection:70b  80 % · 80 MB of 100 MB · 10 MB/s · 2 s left"),
        (60, "pulling reflection:70b  80 % · 80 MB of 100 MB · 2 s left"),
        (45, "pulling reflection:70b  80 % · 2 s left"),
        (32, "pulling reflection:70b  80 %"),
        (12, "pulling r"),
    ],
)
def test_line_shows_as_much_as_fits(width: int, expected: str) -> None:
    line, out = drawn(width)
    line.show(fed((0.0, part(ONE, 10**8, 6 * 10**7)), (2.0, part(ONE, 10**8, 8 * 10**7))))
    assert OURS.sub("", out.getvalue()) == expected


@pytest.mark.parametrize("status", ["verifying sha256 digest", "writing manifest"])
def test_other_statuses_are_shown_as_received(status: str) -> None:
    line, out = drawn()
    line.show(fed((0.0, part(ONE, 10, 10)), (1.0, ProgressUpdate(status))))
    assert OURS.sub("", out.getvalue()) == f"pulling reflection:70b  {status}"


def test_status_is_escaped_on_a_terminal() -> None:
    line, out = drawn()
    line.show(fed((0.0, ProgressUpdate("\x1b]0;x\x07\u202eevil"))))
    assert OURS.sub("", out.getvalue()) == "pulling reflection:70b  ^[]0;x^G<U+202E>evil"


def test_line_is_throttled_and_erased_at_the_end() -> None:
    clock = Clock()
    line, out = drawn(clock=clock)
    lengths = []
    for number in range(100):
        clock.now = 100.0 + number / 100
        line.show(fed((0.0, part(ONE, 100, 0)), (1.0, part(ONE, 100, number))))
        lengths.append(len(out.getvalue()))
    assert len(set(lengths)) <= 1 / REDRAW_SECONDS + 1
    line.stop()
    line.stop()
    assert out.getvalue().endswith("\r\x1b[K")


def test_nothing_is_drawn_without_a_terminal() -> None:
    line, out = drawn(tty=False)
    line.show(fed((0.0, part(ONE, 100, 50))))
    line.stop()
    assert out.getvalue() == ""
