"""Measures at how many lines at once a server is fastest, from when they end; asks nobody and schedules nothing."""

from __future__ import annotations

from typing import Final

MOST: Final = 64
"""So many lines are asked of one server at once at most, where nobody says how many."""
WORTH: Final = 1.2
"""By what factor more tokens must come each second before more at once are taken to be faster."""
LEAP: Final = 4
"""By what factor more are tried at once: a batch of a hundred lines has no time for small steps."""
AGAIN: Final = 64
"""After so many lines at the least it is tried anew whether more are faster by now."""


class Pace:
    """Tries more lines at once while that is faster, goes back where it is not, and tries again later.

    A number at once is measured by the tokens that come until as many lines have ended as are asked at once.
    """

    def __init__(self, slots: int, now: float, most: int = MOST, *, settled: bool = False) -> None:
        self.slots = slots
        """How many lines to ask at once now."""
        self.settled = settled
        """Whether more were tried, and were not faster."""
        self._most = self._limit = most
        self._best = (0, 0.0)
        """The number that was fastest, and the tokens that came each second."""
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._since, self._lines, self._tokens = now, 0, 0

    def ended(self, tokens: int, now: float, *, full: bool) -> None:
        """Note a line that was answered.

        Args:
            tokens: how many it wrote.
            now: in seconds.
            full: whether others wait, so that as many are being answered as may be: else nothing is measured.
        """
        if not full and not self.settled:
            self._begin(now)
            return
        self._lines += 1
        self._tokens += max(1, tokens)
        if self.settled:
            self._think_again(now)
        elif self._lines >= self.slots:
            self._judge(now)

    def _think_again(self, now: float) -> None:
        if self._lines >= max(AGAIN, 4 * self.slots):
            self.settled, self._best, self._limit = False, (0, 0.0), self._most
            self._begin(now)

    def _judge(self, now: float) -> None:
        rate = self._tokens / max(now - self._since, 1e-9)
        number, fastest = self._best
        if rate >= WORTH * fastest:
            self._best = (self.slots, rate)
            self._go(min(LEAP * self.slots, self._limit), now)
            return
        self._limit = self.slots - 1
        self._go(2 * number if 2 * number <= self._limit else number, now)

    def _go(self, slots: int, now: float) -> None:
        self.settled = slots == self._best[0]
        self.slots = slots
        self._begin(now)

    def less(self, now: float) -> None:
        """Ask half as many at once, and no more than that from here on: the server could not take them."""
        self.slots = self._most = max(1, self.slots // 2)
        self.settled = True
        self._begin(now)
