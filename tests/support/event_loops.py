"""Event loops whose clock a test moves, so that no test depends on the speed of the machine."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context


class ClockedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be moved forward."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        super().__init__(selector)
        self.ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


class SleeplessLoop(ClockedLoop):
    """An event loop whose sleeps take no time but are recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def call_later(  # type: ignore[override] # any callback with any arguments
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self.slept.append(delay)
        return super().call_later(0, callback, *args, context=context)


class TimelessLoop(ClockedLoop):
    """An event loop whose clock jumps forward when every task waits; for work without threads."""

    def __init__(self) -> None:
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self.ahead


class _Skipping(selectors.DefaultSelector):
    def __init__(self, loop: TimelessLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout else timeout)
        if timeout and not ready:
            self._loop.ahead += timeout
        return ready
