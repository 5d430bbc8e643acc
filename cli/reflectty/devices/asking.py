"""Runs a program that tells about a device and returns what it said; never waits for long, never fails."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE_SECONDS: Final = 5.0
"""A driver that sleeps takes up to two to wake."""
MOST_BYTES: Final = 1 << 20
_LAST_SECONDS: Final = 1.0
"""For what was killed to be gone; a program that left its group may keep the output open."""


class Told(NamedTuple):
    """What a program said."""

    text: str = ""
    hung: bool = False


class _Listener(asyncio.SubprocessProtocol):
    """Collects the beginning of what a program writes; knows when it has ended and closed its output."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.gone = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - the protocol's
        self.data += data[: MOST_BYTES - len(self.data)]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        self.gone.set()


async def told(command: Sequence[str], patience: float = PATIENCE_SECONDS) -> Told:
    """Return what a program writes to stdout; what hangs is killed, with all that it started."""
    devnull, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    try:
        transport, listener = await asyncio.get_running_loop().subprocess_exec(
            _Listener, *command, stdin=devnull, stdout=pipe, stderr=devnull, start_new_session=True
        )
    except (OSError, ValueError):
        return Told()
    try:
        async with asyncio.timeout(patience):
            await listener.gone.wait()
    except TimeoutError:
        return Told(hung=True)
    finally:
        if not listener.gone.is_set():
            await _end(transport, listener)
        transport.close()
    return Told(listener.data.decode(errors="replace"))


async def _end(transport: asyncio.SubprocessTransport, listener: _Listener) -> None:
    with suppress(OSError):
        os.killpg(transport.get_pid(), signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_SECONDS):
            await listener.gone.wait()
