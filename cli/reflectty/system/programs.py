"""Runs a program with a time limit and captures its output."""

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
_KILL_SECONDS: Final = 1.0
"""For what was killed to be gone; a program that left its group may keep the output open."""


class ProgramOutput(NamedTuple):
    """What a program said."""

    text: str = ""
    hung: bool = False


class _OutputCollector(asyncio.SubprocessProtocol):
    """Collects the beginning of what a program writes; knows when it has ended and closed its output."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.gone = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - the protocol's
        self.data += data[: MOST_BYTES - len(self.data)]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        self.gone.set()


async def run_program(command: Sequence[str], patience: float = PATIENCE_SECONDS) -> ProgramOutput:
    """Return what a program writes to stdout; what hangs is killed, with all that it started."""
    try:
        transport, listener = await _start(command)
    except (OSError, ValueError):
        return ProgramOutput()
    try:
        async with asyncio.timeout(patience):
            await listener.gone.wait()
    except TimeoutError:
        return ProgramOutput(hung=True)
    finally:
        await _end(transport, listener)
    return ProgramOutput(listener.data.decode(errors="replace"))


async def _start(command: Sequence[str]) -> tuple[asyncio.SubprocessTransport, _OutputCollector]:
    """Start a program in a group of its own.

    Raises:
        OSError: it cannot be started.
        ValueError: its name or an argument holds a NUL.
    """
    devnull, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    starting = asyncio.ensure_future(
        asyncio.get_running_loop().subprocess_exec(
            _OutputCollector, *command, stdin=devnull, stdout=pipe, stderr=devnull, start_new_session=True
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # asyncio (Python 3.11) would end the program alone, and wait as long as what it started holds the output open.
        with suppress(OSError, ValueError):
            await _end(*await starting)
        raise


async def _end(transport: asyncio.SubprocessTransport, listener: _OutputCollector) -> None:
    """End a program that has not ended, with all that it started."""
    if not listener.gone.is_set():
        with suppress(OSError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(_KILL_SECONDS):
                await listener.gone.wait()
    transport.close()
