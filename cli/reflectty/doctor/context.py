"""Holds the inputs and the shared state of the checks, and runs blocking work in a thread."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from reflectty.core.named_tuple import NamedTuple
from reflectty.engines.discovery import find_other_server_hint
from reflectty.engines.embedded import is_installed
from reflectty.models.fit import REMOTE_MACHINE
from reflectty.models.hardware import THIS_MACHINE

if TYPE_CHECKING:
    import re
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from reflectty.config import Settings
    from reflectty.core.errors import ReflecttyError, UsageError
    from reflectty.core.messages import Engine, Model, RunningModel
    from reflectty.engines.hosts import Address
    from reflectty.models.fit import Machine
    from reflectty.models.hardware import ProbeEnvironment
    from reflectty.reasoning.modes import Plan
    from reflectty.reasoning.reply import Reply
    from reflectty.system.terminal import Terminal


class SourcedValue(NamedTuple):
    """A value, and the source that set it."""

    value: str
    source: str
    """`--host`, the name of a variable, `config.toml`, or empty for the default."""


class DoctorContext(NamedTuple):
    """The inputs of the checks; tests set their own."""

    settings: Settings
    host: SourcedValue
    model: SourcedValue
    connect: Callable[[], Engine]
    """Creates the engine for the host."""
    terminal: Terminal
    environment: Mapping[str, str]
    config_path: Path
    store_path: Path
    setting_errors: tuple[UsageError, ...] = ()
    """Mistakes in the config file or the environment that block every question."""
    setting_warnings: tuple[UsageError, ...] = ()
    """Other mistakes: an invalid theme is ignored, invalid keys keep the chat from opening."""
    may_ask: bool = True
    """False with --no-question."""
    clipboards: tuple[str, ...] = ()
    """The available clipboards, best first."""
    probe_environment: ProbeEnvironment = THIS_MACHINE
    """Where to look for programs and device files."""
    is_built_in_installed: Callable[[], bool] = is_installed
    find_neighbor: Callable[[], Awaitable[str]] = find_other_server_hint
    """Returns the hint for a llama-server that answers on this machine; empty if there is none."""
    ask_terminal: Callable[[bytes, re.Pattern[bytes]], bytes] | None = None
    """Sends the terminal a query and returns its output up to the last answer; None without a terminal to query."""

    def display_path(self, path: Path) -> str:
        """The path with `~` for the home folder."""
        home = self.environment.get("HOME", "").rstrip("/")
        inside = bool(home) and path.is_relative_to(home)
        return f"~/{path.relative_to(home)}" if inside else str(path)


@dataclass(slots=True)
class DoctorState:
    """Results of the checks so far, for later checks."""

    engine: Engine | None = None
    address: Address | None = None
    is_reached: bool = False
    """True if the server answered."""
    installed: tuple[Model, ...] = ()
    model: Model | None = None
    plan: Plan | None = None
    reply: Reply | None = None
    """The model's reply to the trial question."""
    running: RunningModel | None = None
    """The model as loaded."""
    machine: Machine = REMOTE_MACHINE
    """The server's machine, if it is this one."""
    blocking_error: ReflecttyError | None = None
    """The first error that blocks questions."""

    def note_blocking_error(self, error: ReflecttyError) -> None:
        """Record an error that blocks questions, unless there is an earlier one."""
        self.blocking_error = self.blocking_error or error


T = TypeVar("T")


async def run_in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a daemon thread and return its result, so that a dead disk cannot hang the exit."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def do() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - the awaiting task receives any error
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=do, daemon=True).start()
    return await asyncio.wrap_future(future)
