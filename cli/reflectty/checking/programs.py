"""What other programs and slow disks know, asked so that nobody waits for them for long; draws no conclusions."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
PATIENCE_SECONDS = 2.0


def output(command: Sequence[str]) -> str:
    """Run a program and return what it prints; nothing where it fails, hangs, or is not there."""
    try:
        done = subprocess.run(  # noqa: S603 - a program that was found on PATH
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")


async def aside(work: Callable[[], T]) -> T:
    """Return what some work that may block comes to.

    It is done in a thread that nobody waits for: a disk that is gone may never answer.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)  # type: ignore[arg-type] - what the work returned
        else:
            future.set_exception(error)

    def do() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it, whatever it is
            failure = error
        # The loop may be over by now.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=do, daemon=True).start()
    return await future
