"""Holds what the checks look at and what they learn, and runs blocking work in a thread."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

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
    """A value that can come from several places, and where it came from."""

    value: str
    source: str
    """`--host`, the name of a variable, `config.toml`, or nothing for the default."""


class DoctorContext(NamedTuple):
    """Everything that the checks look at; tests give their own."""

    settings: Settings
    host: SourcedValue
    model: SourcedValue
    connect: Callable[[], Engine]
    """Makes the engine for the host."""
    terminal: Terminal
    environment: Mapping[str, str]
    config_path: Path
    store_path: Path
    setting_errors: tuple[UsageError, ...] = ()
    """What in the file or the environment cannot be used, and keeps every question from being asked."""
    setting_warnings: tuple[UsageError, ...] = ()
    """What else cannot be used: a theme, which is done without, or keys, without which the chat does not open."""
    may_ask: bool = True
    """Whether the model may be asked anything."""
    clipboards: tuple[str, ...] = ()
    """The ways to a clipboard that there are, best first."""
    probe_environment: ProbeEnvironment = THIS_MACHINE
    """Where programs and what tells of devices are."""
    is_built_in_installed: Callable[[], bool] = is_installed
    """Whether the built-in model is installed."""
    find_neighbor: Callable[[], Awaitable[str]] = find_other_server_hint
    """Tells how to ask a llama-server that answers on this machine; nothing where none does."""
    ask_terminal: Callable[[bytes, re.Pattern[bytes]], bytes] | None = None
    """Sends the terminal a question and returns what it says up to its last answer; None where there is none to ask."""

    def display_path(self, path: Path) -> str:
        """Return a path as people write it, with `~` for the home."""
        home = self.environment.get("HOME", "").rstrip("/")
        inside = bool(home) and path.is_relative_to(home)
        return f"~/{path.relative_to(home)}" if inside else str(path)


@dataclass(slots=True)
class DoctorState:
    """What was learnt so far, for the checks that come after."""

    engine: Engine | None = None
    address: Address | None = None
    is_reached: bool = False
    """Whether the server answered."""
    installed: tuple[Model, ...] = ()
    model: Model | None = None
    plan: Plan | None = None
    reply: Reply | None = None
    """What the model said to the question."""
    running: RunningModel | None = None
    """The model as it is loaded."""
    machine: Machine = REMOTE_MACHINE
    """The machine that the server runs on, as far as it is this one."""
    blocking_error: ReflecttyError | None = None
    """What keeps a question from being answered: the first that was met."""

    def note_blocking_error(self, error: ReflecttyError) -> None:
        """Note what keeps a question from being answered."""
        self.blocking_error = self.blocking_error or error


T = TypeVar("T")


async def run_in_thread(work: Callable[[], T]) -> T:
    """Return what some work that may block comes to.

    It is done in a thread that nobody waits for at the end: a disk that is gone may never answer.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def do() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it, whatever it is
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=do, daemon=True).start()
    return await asyncio.wrap_future(future)
