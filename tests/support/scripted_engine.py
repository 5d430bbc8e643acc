"""An engine that plays scripted replies piece by piece and records its requests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import ModelMissingError, ReflecttyError
from reflectty.core.messages import Capacity, Chunk, Engine, Model, RunningModel, Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from reflectty.core.messages import Request

HOLD: Final = None
"""Send nothing more until the test releases the reply."""
Step = str | Chunk | float | ReflecttyError | None
"""A piece of the reply, seconds to wait, an error to raise, or HOLD."""
Script = tuple[Step, ...]

USAGE = Usage(24, 66, 2_000.0, 500.0, 500.0, 1_000.0)
MODELS = (
    Model("reflection", ("completion",), digest="sha256:1"),
    Model("mini", ("completion",), digest="sha256:2"),
    Model(
        "deepseek-r1", ("completion", "thinking", "vision"), "{{ .Prompt }}<think>{{ .Thinking }}", digest="sha256:3"
    ),
)


def cut(text: str, size: int = 4) -> Script:
    """The pieces of a text, as a server sends it."""
    return tuple(text[at : at + size] for at in range(0, len(text), size))


def thoughts(*texts: str) -> Script:
    """The pieces of a native thinking."""
    return tuple(Chunk(thinking=text) for text in texts)


class ScriptedEngine(Engine):
    """Plays one script per request, in order; a script without an end of its own ends normally."""

    def __init__(self, *scripts: Iterable[Step], models: tuple[Model, ...] = MODELS) -> None:
        self.warning = ""
        self.requests: list[Request] = []
        self.so_far: list[str] = []
        """The beginning that each reply continues; empty for a fresh reply."""
        self.installed = models
        self.loaded: tuple[RunningModel, ...] = ()
        self.slots = 0
        """How many requests it answers at once, by its own report; 0 if it reports none."""
        self.gone: ReflecttyError | None = None
        """The error that every request raises while the server is gone."""
        self.sent: Callable[[], None] = _nothing
        """Called when a request arrives."""
        self.stopped = 0
        """Number of replies that were closed before their end."""
        self.closed = False
        self.held = False
        """Whether a reply waits to be released."""
        self._scripts = [tuple(script) for script in scripts]
        self._released = asyncio.Semaphore(0)

    def release(self) -> None:
        """Release a reply that is held."""
        self._released.release()

    def add(self, *script: Step) -> None:
        """Add a script for a later request."""
        self._scripts.append(script)

    async def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        async for chunk in self._play(request, ""):
            yield chunk

    async def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        async for chunk in self._play(request, so_far):
            yield chunk

    async def _play(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        self._reach()
        self.requests.append(request)
        self.so_far.append(so_far)
        self.sent()
        over = False
        try:
            for step in self._scripts.pop(0):
                chunk = await self._step(step)
                if chunk is not None:
                    over = chunk.done
                    yield chunk
            if not over:
                over = True
                yield Chunk(done=True, done_reason="stop", usage=USAGE)
        except GeneratorExit:
            self.stopped += not over
            raise
        except asyncio.CancelledError:
            self.stopped += 1
            raise

    async def _step(self, step: Step) -> Chunk | None:
        if isinstance(step, ReflecttyError):
            raise step
        if isinstance(step, str):
            await asyncio.sleep(0)
            return Chunk(step)
        if isinstance(step, Chunk):
            return step
        if step is None:
            await self._hold()
        else:
            await asyncio.sleep(step)
        return None

    async def _hold(self) -> None:
        self.held = True
        try:
            await self._released.acquire()
        finally:
            self.held = False

    def _reach(self) -> None:
        if self.gone:
            raise self.gone

    async def show(self, model: str) -> Model:
        self._reach()
        found = next((one for one in self.installed if one.name == model), None)
        if found is None:
            raise ModelMissingError(f"{model} is not installed", f"pull it: ollama pull {model}")
        return found._replace(digest="")

    async def models(self) -> tuple[Model, ...]:
        self._reach()
        return self.installed

    async def running_models(self) -> tuple[RunningModel, ...]:
        self._reach()
        return self.loaded

    async def version(self) -> str:
        self._reach()
        return "0.32.15"

    async def capacity(self, model: str) -> Capacity | None:  # noqa: ARG002 - the same for all models
        return Capacity(self.slots) if self.slots else None

    async def aclose(self) -> None:
        self.closed = True


def _nothing() -> None:
    """Do nothing."""
