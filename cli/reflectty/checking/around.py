"""What the checks look at, and what they learn from each other; checks nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from reflectty.devices import HERE
from reflectty.engines.elsewhere import found_here
from reflectty.engines.embedded import installed
from reflectty.fitting import ELSEWHERE

if TYPE_CHECKING:
    import re
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from reflectty.chat import Engine, Model, Running
    from reflectty.config import Settings
    from reflectty.devices import Place
    from reflectty.engines.hosts import Address
    from reflectty.errors import ReflecttyError, UsageError
    from reflectty.fitting import Machine
    from reflectty.modes import Plan
    from reflectty.reply import Reply
    from reflectty.terminal import Terminal


class Chosen(NamedTuple):
    """A value that can come from several places, and where it came from."""

    value: str
    source: str
    """`--host`, the name of a variable, `config.toml`, or nothing for the default."""


class Around(NamedTuple):
    """Everything that the checks look at; tests give their own."""

    settings: Settings
    host: Chosen
    model: Chosen
    connect: Callable[[], Engine]
    """Makes the engine for the host."""
    terminal: Terminal
    environment: Mapping[str, str]
    config_path: Path
    store_path: Path
    mistakes: tuple[UsageError, ...] = ()
    """What in the file or the environment cannot be used, and keeps every question from being asked."""
    oddities: tuple[UsageError, ...] = ()
    """What else cannot be used: a theme, which is done without, or keys, without which the chat does not open."""
    asks: bool = True
    """Whether the model may be asked anything."""
    clipboards: tuple[str, ...] = ()
    """The ways to a clipboard that there are, best first."""
    place: Place = HERE
    """Where programs and what tells of devices are."""
    built_in: Callable[[], bool] = installed
    """Whether the built-in model is installed."""
    neighbours: Callable[[], Awaitable[str]] = found_here
    """Tells how to ask a llama-server that answers on this machine; nothing where none does."""
    answered: Callable[[bytes, re.Pattern[bytes]], bytes] | None = None
    """Sends the terminal a question and returns what it says up to its last answer; None where there is none to ask."""

    def at_home(self, path: Path) -> str:
        """Return a path as people write it, with `~` for the home."""
        home = self.environment.get("HOME", "").rstrip("/")
        inside = bool(home) and path.is_relative_to(home)
        return f"~/{path.relative_to(home)}" if inside else str(path)


@dataclass(slots=True)
class Known:
    """What was learnt so far, for the checks that come after."""

    engine: Engine | None = None
    address: Address | None = None
    reached: bool = False
    """Whether the server answered."""
    installed: tuple[Model, ...] = ()
    model: Model | None = None
    plan: Plan | None = None
    reply: Reply | None = None
    """What the model said to the question."""
    running: Running | None = None
    """The model as it is loaded."""
    machine: Machine = ELSEWHERE
    """The machine that the server runs on, as far as it is this one."""
    obstacle: ReflecttyError | None = None
    """What keeps a question from being answered: the first that was met."""

    def hindered(self, error: ReflecttyError) -> None:
        """Note what keeps a question from being answered."""
        self.obstacle = self.obstacle or error
