"""Runs a program with a time limit and captures its output."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from functools import partial
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

    data: bytes = b""
    hung: bool = False
    is_cut: bool = False
    """True if there was more than the most that is kept."""

    @property
    def text(self) -> str:
        return self.data.decode(errors="replace")


class _OutputCollector(asyncio.SubprocessProtocol):
    """Collects the beginning of a program's output; `gone` is set once it has exited and closed its output."""

    def __init__(self, most_bytes: int) -> None:
        self.data = bytearray()
        self.is_cut = False
        self.gone = asyncio.Event()
        self._most_bytes = most_bytes

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002 - required by the protocol
        room = self._most_bytes - len(self.data)
        self.is_cut = self.is_cut or len(data) > room
        self.data += data[:room]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - required by the protocol
        self.gone.set()


async def run_program(
    command: Sequence[str], patience: float = PATIENCE_SECONDS, most_bytes: int = MOST_BYTES
) -> ProgramOutput:
    """Capture the first bytes of a program's stdout; kills it with all its child processes after `patience` seconds."""
    try:
        transport, listener = await _start(command, most_bytes)
    except (OSError, ValueError):
        return ProgramOutput()
    try:
        async with asyncio.timeout(patience):
            await listener.gone.wait()
    except TimeoutError:
        return ProgramOutput(hung=True)
    finally:
        await _end(transport, listener)
    return ProgramOutput(bytes(listener.data), is_cut=listener.is_cut)


async def _start(command: Sequence[str], most_bytes: int) -> tuple[asyncio.SubprocessTransport, _OutputCollector]:
    """Start a program in a process group of its own.

    Raises:
        OSError: it cannot be started.
        ValueError: its name or an argument contains a NUL.
    """
    devnull, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    starting = asyncio.ensure_future(
        asyncio.get_running_loop().subprocess_exec(
            partial(_OutputCollector, most_bytes),
            *command,
            stdin=devnull,
            stdout=pipe,
            stderr=devnull,
            start_new_session=True,
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
