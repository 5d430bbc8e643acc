from __future__ import annotations

import pytest

from reflectty.batch.scheduler import MAX_CONCURRENCY, RETRY_AFTER_LINES, ConcurrencyTuner


class Serving:
    """A server with slots that takes a second for a line; lines without a slot wait."""

    def __init__(self, slots: int, most: int = MAX_CONCURRENCY) -> None:
        self.slots = slots
        self.now = 0.0
        self.pace = ConcurrencyTuner(1, self.now, most)
        self.tried = [1]
        self.settled: set[int] = set()

    def batch(self, lines: int) -> None:
        """Process lines, always as many at once as the tuner allows."""
        while lines > 0:
            at_once = min(self.pace.slots, lines)
            for start in range(0, at_once, self.slots):
                self.now += 1.0
                for _ in range(min(self.slots, at_once - start)):
                    self.pace.record_line(72, self.now, is_saturated=at_once == self.pace.slots)
                    if self.pace.is_settled:
                        self.settled.add(self.pace.slots)
                    if self.tried[-1] != self.pace.slots:
                        self.tried.append(self.pace.slots)
            lines -= at_once


@pytest.mark.parametrize(
    ("slots", "found", "tried"),
    [
        (1, 1, [1, 4, 2]),
        (2, 4, [1, 4, 16, 8]),
        (4, 4, [1, 4, 16, 8]),
        (8, 16, [1, 4, 16, 64, 32]),
        (16, 16, [1, 4, 16, 64, 32]),
        (64, 64, [1, 4, 16, 64]),
        (500, 64, [1, 4, 16, 64]),
    ],
)
def test_concurrency_grows_while_it_is_faster(slots: int, found: int, tried: list[int]) -> None:
    serving = Serving(slots)
    serving.batch(300)

    assert [*dict.fromkeys(serving.tried)] == tried
    assert found in serving.settled


def test_concurrency_never_exceeds_the_maximum() -> None:
    serving = Serving(500, most=6)
    serving.batch(100)

    assert serving.tried == [1, 4, 6]
    assert serving.pace.is_settled


def test_settled_concurrency_is_retried_later() -> None:
    serving = Serving(1)
    serving.batch(30)
    assert serving.settled == {1}
    serving.slots = 64
    serving.batch(RETRY_AFTER_LINES + 200)

    assert serving.pace.slots == MAX_CONCURRENCY


def test_unsaturated_lines_do_not_change_the_concurrency() -> None:
    pace = ConcurrencyTuner(4, 0.0)
    for second in range(40):
        pace.record_line(9, second, is_saturated=False)

    assert (pace.slots, pace.is_settled) == (4, False)


def test_halving_is_permanent_and_stops_at_one() -> None:
    pace = ConcurrencyTuner(16, 0.0)
    pace.halve(1.0)
    for second in range(500):
        pace.record_line(9, second, is_saturated=True)

    assert pace.slots == 8
    for _ in range(5):
        pace.halve(600.0)
    assert pace.slots == 1
