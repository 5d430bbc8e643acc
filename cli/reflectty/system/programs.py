"""Runs a program with a time limit and captures its output."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE_SECONDS: Final = 5.0
"""A suspended driver takes up to two seconds to wake."""
MOST_BYTES: Final = 1 << 20
_KILL_SECONDS: Final = 1.0
"""For a killed process to end; a program that left its group may keep the output open."""


class ProgramOutput(NamedTuple):
    """The output of a program."""

    text: str = ""
    hung: bool = False


class _OutputCollector(asyncio.SubprocessProtocol):
    """Collects the beginning of a program's output; `gone` is set once it has exited and closed its output."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.gone = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - required by the protocol
        self.data += data[: MOST_BYTES - len(self.data)]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - required by the protocol
        self.gone.set()


async def run_program(command: Sequence[str], patience: float = PATIENCE_SECONDS) -> ProgramOutput:
    """Capture a program's stdout; kills it with all its child processes after `patience` seconds."""
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
    """Start a program in a process group of its own.

    Raises:
        OSError: it cannot be started.
        ValueError: its name or an argument contains a NUL.
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
        # asyncio (Python 3.11) would kill the program alone, and wait until its child processes close the output.
        with suppress(OSError, ValueError):
            await _end(*await starting)
        raise


async def _end(transport: asyncio.SubprocessTransport, listener: _OutputCollector) -> None:
    """Kill a running program, with all its child processes."""
    if not listener.gone.is_set():
        with suppress(OSError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(_KILL_SECONDS):
                await listener.gone.wait()
    transport.close()
