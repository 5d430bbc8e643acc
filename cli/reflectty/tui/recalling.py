"""Walks through earlier questions as a shell does, losing no draft; shows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Recall:
    """Where in the earlier questions one stands, and what was written over each of them on the way."""

    def __init__(self) -> None:
        self._at = 0
        self._written: dict[int, str] = {}

    def step(self, by: int, written: str, earlier: Sequence[str], show: Callable[[str], str]) -> str | None:
        """Return what to show `by` questions further back, or None where there is none.

        Args:
            by: 1 for the one before, -1 for the one after, which in the end is the draft.
            written: what is shown now; it is there again on the way back.
            earlier: the questions, the latest first.
            show: makes a question that was not shown yet ready to be shown.
        """
        to = self._at + by
        if not 0 <= to <= len(earlier):
            return None
        self._written[self._at] = written
        self._at = to
        return self._written[to] if to in self._written else show(earlier[to - 1])
