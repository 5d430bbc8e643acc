"""The built-in model for the tests: a folder for its process, and the system's figures on that process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.core.messages import Message, Request
from reflectty.engines.embedded.engine import KEEP_SECONDS, EmbeddedEngine
from reflectty.engines.embedded.runtime_files import EmbeddedPaths, find_paths
from reflectty.engines.embedded.server_process import SERVER_MODULE, ServerProcess
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reflectty.core.messages import OptionValue

__all__ = [
    "ENDLESS",
    "QUESTION",
    "BuiltIn",
    "Child",
    "built_in",
    "endless_request",
    "eventually",
    "request_with",
    "until",
]

QUESTION = "Which is larger, 9.11 or 9.9?"
TICKS = os.sysconf("SC_CLK_TCK")
ENDLESS = json.dumps({"type": "array", "items": {"type": "integer", "maximum": 9}, "minItems": 9000})
"""A schema that lets no reply end before the context is full, whatever the model prefers."""


def request_with(text: str = QUESTION, **options: OptionValue) -> Request:
    return Request("mini", (Message("user", text),), tuple(options.items()))


def endless_request() -> Request:
    return request_with(num_predict=-1)._replace(schema=ENDLESS)


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One user's built-in model."""

    runtime: Path
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"XDG_RUNTIME_DIR": str(self.runtime), "XDG_CACHE_HOME": str(self.cache)}

    @property
    def places(self) -> EmbeddedPaths:
        return find_paths(self.environment)

    def process(self) -> ServerProcess:
        return ServerProcess(self.places)

    def engine(self, keep: float = KEEP_SECONDS) -> EmbeddedEngine:
        return EmbeddedEngine(process=self.process(), keep=keep)

    def children(self) -> list[Child]:
        """Its live processes."""
        found = (Child(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return [one for one in found if one.is_of(self)]

    def child(self) -> Child:
        """Its only process."""
        (one,) = self.children()
        return one

    def end(self) -> None:
        for one in self.children():
            one.kill()


@dataclass(frozen=True, slots=True)
class Child:
    """A process, as the system reports it."""

    pid: int

    def is_of(self, built_in: BuiltIn) -> bool:
        try:
            words = Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return SERVER_MODULE.encode() in words and any(str(built_in.runtime).encode() in word for word in words)

    @property
    def lives(self) -> bool:
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    @property
    def seconds(self) -> float:
        """The CPU seconds that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def sockets(self) -> set[str]:
        """The inodes of its sockets."""
        opened = [str(entry.readlink()) for entry in Path(f"/proc/{self.pid}/fd").iterdir()]
        return {name[len("socket:[") : -1] for name in opened if name.startswith("socket:")}

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill it and wait until it has ended."""
        if self.lives:
            os.kill(self.pid, number)
        assert until(lambda: not self.lives)


async def eventually(condition: Callable[[], bool], patience: float = PATIENCE) -> bool:
    """Wait until a condition holds, while other tasks run."""
    end = time.monotonic() + patience
    while not condition() and time.monotonic() < end:  # noqa: ASYNC110 - the condition is in another process
        await asyncio.sleep(0.02)
    return condition()


@contextmanager
def built_in(cache: Path) -> Iterator[BuiltIn]:
    """Make a folder for a process, and stop the process left in it."""
    # pytest's folder names are too long for the path of a socket.
    runtime = Path(tempfile.mkdtemp(prefix="reflectty-"))
    one = BuiltIn(runtime, cache)
    try:
        yield one
    finally:
        one.end()
        shutil.rmtree(runtime)
