"""Puts what is finished back into the order in which it was given out; holds a bounded number, writes nothing."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

T = TypeVar("T")
SIZE: Final = 1024
"""So many that are finished wait for one that is not."""


class Window(Generic[T]):
    """Numbers count from 0 without a gap; each is put in once."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._next = 0
        self._held: dict[int, T] = {}

    def has_room(self, number: int) -> bool:
        """Whether this one may be given out: the window must be able to hold it when it is finished."""
        return number < self._next + self._size

    def put(self, number: int, value: T) -> list[T]:
        """Take what is finished; return what has its turn now, in order."""
        self._held[number] = value
        ready: list[T] = []
        while self._next in self._held:
            ready.append(self._held.pop(self._next))
            self._next += 1
        return ready

    def rest(self) -> list[T]:
        """Return what is held, in order, now that nothing more will come; gaps are passed over."""
        held = [self._held[number] for number in sorted(self._held)]
        self._held.clear()
        return held
