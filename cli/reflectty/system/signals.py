"""Runs a coroutine that signals cancel, so that its `finally` blocks run before the process exits."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from reflectty.core.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from types import FrameType
    from typing import Any

T = TypeVar("T")
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def run_interruptible(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; the first signal cancels it, the second exits at once.

    Raises:
        StoppedError: a signal arrived; the exit code is 128 and the signal's number.
    """
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        caught: list[int] = []
        task: asyncio.Task[T] | None = None

        def stop(number: int, _frame: FrameType | None) -> None:
            if caught:
                os._exit(128 + number)
            caught.append(number)
            if task is not None:
                loop.call_soon_threadsafe(task.cancel)

        async def main() -> T:
            nonlocal task
            task = asyncio.current_task()
            return await coroutine

        with _handle_signals_with(stop):
            try:
                return runner.run(main())
            except asyncio.CancelledError:
                if caught:
                    raise StoppedError(128 + caught[0]) from None
                raise


@contextmanager
def call_on_answer_signal(request: Callable[[], None], *, quit_key: bool) -> Iterator[None]:
    r"""Call `request` on SIGUSR1 and, with `quit_key`, on the first SIGQUIT; the second one ends the process as usual.

    A key would have to be read from the terminal in a mode in which what users type ahead for their shell is lost;
    ctrl+\\ is a signal in the usual mode.
    """

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGQUIT:
            signal.signal(number, signal.SIG_DFL)
        request()

    numbers = (signal.SIGUSR1, *((signal.SIGQUIT,) if quit_key else ()))
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _handle_signals_with(stop: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle signals with `stop`, except those ignored under `nohup` and in background jobs; restore them on exit.

    Uses Python's own handlers, not the loop's: they run even while a write to a full pipe blocks.
    """
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    heeded = [number for number in numbers if before[number] is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])
