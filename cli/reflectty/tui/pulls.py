"""Pulls that go on beside the chat, several at once: begins and stops them, knows how each ended; draws nothing."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from reflectty.drawing.sizes import share, size
from reflectty.drawing.summary import counted, duration
from reflectty.errors import ReflecttyError, UsageError
from reflectty.library import Transfer
from reflectty.names import is_same, short
from reflectty.tui.wording import in_chat

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.library.library import Library

STOPPED = "stopped: what came is kept"
PLAIN = "http://"
"""Who names a registry like this wants it spoken to in plain http."""


class Pull:
    """One pull, from its beginning until it is forgotten."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.transfer = Transfer()
        self.error: ReflecttyError | None = None
        """What ended it before its end."""
        self.stopped = False
        """Whether it was stopped, by the reader or because the chat was left."""
        self.unwanted = False
        """Whether it was the reader who stopped it."""
        self.task: asyncio.Task[None] | None = None
        """Set while it goes on."""


class Pulls:
    """Those that go on, and those that ended before their end; `moved` is called whenever one got on."""

    def __init__(self, moved: Callable[[], None]) -> None:
        self._moved = moved
        self._pulls: list[Pull] = []

    @property
    def all(self) -> tuple[Pull, ...]:
        return tuple(self._pulls)

    @property
    def coming(self) -> tuple[Pull, ...]:
        """Those that go on."""
        return tuple(pull for pull in self._pulls if pull.task)

    def find(self, name: str) -> Pull | None:
        return next((pull for pull in self._pulls if is_same(pull.name, name)), None)

    async def pull(self, library: Library, name: str) -> Pull:
        """Pull a model until it is there, fails or is stopped; the one that is there is forgotten.

        Raises:
            UsageError: it is being pulled already.
        """
        before = self.find(name)
        if before and before.task:
            raise UsageError(f"{name} is being pulled already")
        pull = Pull(name)
        self._pulls = [pull if one is before else one for one in self._pulls]
        self._pulls += [] if before else [pull]
        await self._follow(library, pull)
        if not (pull.error or pull.stopped):
            self._pulls.remove(pull)
        self._moved()
        return pull

    async def _follow(self, library: Library, pull: Pull) -> None:
        """Pull in a task of its own, so that stopping it stops nothing else."""
        pull.task = task = asyncio.create_task(self._fetch(library, pull))
        try:
            await task
        except ReflecttyError as error:
            pull.error = error
        except asyncio.CancelledError:
            pull.stopped = True
            if not task.cancelled():
                raise
        finally:
            pull.task = None

    async def _fetch(self, library: Library, pull: Pull) -> None:
        self._moved()
        async with aclosing(library.pull(pull.name, insecure=pull.name.startswith(PLAIN))) as progress:
            async for part in progress:
                pull.transfer.feed(part)
                self._moved()

    def stop(self, name: str) -> None:
        """Stop a pull; what came is kept on the server."""
        pull = self.find(name)
        if pull and pull.task:
            pull.unwanted = True
            pull.task.cancel()

    def forget(self, name: str) -> None:
        """Speak no more of a pull that has ended."""
        self._pulls = [pull for pull in self._pulls if pull.task or not is_same(pull.name, name)]

    async def close(self) -> tuple[str, ...]:
        """Stop all that go on, and wait until they are; return the names of those that were to go on."""
        tasks = [pull.task for pull in self._pulls if pull.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return tuple(
            pull.name for pull in self._pulls if (pull.task or pull.stopped) and not (pull.unwanted or pull.error)
        )


def explained(error: ReflecttyError) -> str:
    """Return an error in the words of the chat."""
    return in_chat(f"{error} ({error.hint})" if error.hint else str(error))


def told_of(pull: Pull) -> tuple[tuple[str, str], ...]:
    """Return what is known of a pull: what the server does, what came, and each layer."""
    transfer = pull.transfer
    speed = f" · {size(transfer.speed)}/s" if transfer.speed and pull.task else ""
    came = f"{size(transfer.fetched)} in {duration(transfer.seconds)}{speed}" if pull.task else size(transfer.fetched)
    state = explained(pull.error) if pull.error else transfer.status if pull.task else STOPPED
    layers = (
        (f"layer {number}", f"{size(layer.completed)} of {size(layer.total)} · {share(layer.completed, layer.total)}")
        for number, layer in enumerate(transfer.layers, 1)
    )
    return (("now", state), ("came", came), *layers)


def in_a_word(pulls: tuple[Pull, ...]) -> str:
    """Return what the status line says of pulls."""
    if len(pulls) != 1:
        return counted(len(pulls), "pull") if pulls else ""
    layer = pulls[0].transfer.layer
    far = f" {share(layer.completed, layer.total)}" if layer and layer.total else ""
    return f"{short(pulls[0].name.rpartition('/')[2])}{far}"
