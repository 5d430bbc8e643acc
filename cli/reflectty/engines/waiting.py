"""How long the next piece of a body is waited for, by what the pieces before it were; waits for nothing itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from reflectty.chat import Timeouts

AGAIN: Final = "ask again"
ONLY_COMMENTS: Final = (
    "it only keeps the connection open: see in the server's log whether what writes replies has ended"
)
ENDING_SECONDS: Final = 2.0
"""How long to wait for what may follow the end of a reply."""

QUEUE: Final = 4
"""How many times as long as for a first byte is waited where nothing but comments comes."""


class Listener(Protocol):
    """Whoever reads a body piece by piece."""

    @property
    def over(self) -> bool:
        """Whether what matters of it has come."""
        ...

    @property
    def parts(self) -> int:
        """How much of it was worth waiting for: it grows with every such piece."""
        ...


class Wait:
    """Until when the next piece of a body is waited for."""

    def __init__(self, timeouts: Timeouts, listener: Listener | None) -> None:
        self._timeouts = timeouts
        self._listener = listener
        self._parts = 0
        self._over = False
        self._clock = asyncio.get_running_loop().time
        self.limit = timeouts.first
        self.hint = AGAIN
        self.until = self._clock() + timeouts.first
        self._longest = self._clock() + QUEUE * timeouts.first

    def heard(self) -> None:
        """Look at what the last piece was."""
        parts = self._listener.parts if self._listener else self._parts + 1
        if self._listener and self._listener.over:
            if not self._over:
                self._over, self.limit = True, min(self._timeouts.idle, ENDING_SECONDS)
                self.until = self._clock() + self.limit
        elif parts > self._parts:
            self._parts, self.limit, self.hint = parts, self._timeouts.idle, AGAIN
            self.until = self._clock() + self.limit
        else:
            self.hint = ONLY_COMMENTS
            if not parts:
                self._queue()

    def _queue(self) -> None:
        """Wait for a reply that has not begun: as long as there are signs of life, but not for ever."""
        next_sign = self._clock() + self._timeouts.idle
        self.until = min(next_sign, self._longest)
        self.limit = self._timeouts.idle if next_sign < self._longest else QUEUE * self._timeouts.first
