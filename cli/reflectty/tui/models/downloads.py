"""Runs model downloads in the background and reports their progress."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from reflectty.core.errors import ReflecttyError, UsageError
from reflectty.core.model_names import is_same_model, short_name_of
from reflectty.core.text import format_bytes, format_count, format_duration, format_percent
from reflectty.models.installed import TransferProgress
from reflectty.view.parts import to_chat_wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.models.manager import ModelLibrary

STOPPED_NOTE = "stopped: progress is kept"
INSECURE_PREFIX = "http://"
"""Prefix of a registry name that requests plain HTTP."""


class Download:
    """One pull, from its start until it is forgotten."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.transfer = TransferProgress()
        self.error: ReflecttyError | None = None
        """The error that ended it."""
        self.is_stopped = False
        """True if it was stopped, by the user or on leaving the chat."""
        self.is_canceled_by_user = False
        """True if the user stopped it."""
        self.task: asyncio.Task[None] | None = None
        """Set while it is running."""


class Downloads:
    """Running, failed and stopped pulls; calls `on_progress` after each change."""

    def __init__(self, on_progress: Callable[[], None]) -> None:
        self._on_progress = on_progress
        self._downloads: list[Download] = []

    @property
    def all(self) -> tuple[Download, ...]:
        return tuple(self._downloads)

    @property
    def active(self) -> tuple[Download, ...]:
        """The running pulls."""
        return tuple(pull for pull in self._downloads if pull.task)

    def find(self, name: str) -> Download | None:
        return next((pull for pull in self._downloads if is_same_model(pull.name, name)), None)

    async def pull(self, library: ModelLibrary, name: str) -> Download:
        """Pull a model until it is complete, fails or is stopped; a complete pull is forgotten.

        Raises:
            UsageError: the model is already being pulled.
        """
        before = self.find(name)
        if before and before.task:
            raise UsageError(f"{name} is already being pulled")
        pull = Download(name)
        self._downloads = [pull if one is before else one for one in self._downloads]
        self._downloads += [] if before else [pull]
        await self._run(library, pull)
        if not (pull.error or pull.is_stopped):
            self._downloads.remove(pull)
        self._on_progress()
        return pull

    async def _run(self, library: ModelLibrary, pull: Download) -> None:
        """Pull in a separate task, so that a cancellation stops only the pull."""
        pull.task = task = asyncio.create_task(self._fetch(library, pull))
        try:
            await task
        except ReflecttyError as error:
            pull.error = error
        except asyncio.CancelledError:
            pull.is_stopped = True
            if not task.cancelled():
                raise
        finally:
            pull.task = None

    async def _fetch(self, library: ModelLibrary, pull: Download) -> None:
        self._on_progress()
        async with aclosing(library.pull(pull.name, insecure=pull.name.startswith(INSECURE_PREFIX))) as progress:
            async for part in progress:
                pull.transfer.feed(part)
                self._on_progress()

    def stop(self, name: str) -> None:
        """Stop a pull; the server keeps what it has downloaded."""
        pull = self.find(name)
        if pull and pull.task:
            pull.is_canceled_by_user = True
            pull.task.cancel()

    def forget(self, name: str) -> None:
        """Remove a pull that has ended."""
        self._downloads = [pull for pull in self._downloads if pull.task or not is_same_model(pull.name, name)]

    async def close(self) -> tuple[str, ...]:
        """Stop all running pulls and wait for their end; return the models whose pull was interrupted."""
        tasks = [pull.task for pull in self._downloads if pull.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return tuple(
            pull.name
            for pull in self._downloads
            if (pull.task or pull.is_stopped) and not (pull.is_canceled_by_user or pull.error)
        )


def describe_error(error: ReflecttyError) -> str:
    """The error and its hint in the chat's wording."""
    return to_chat_wording(error.with_hint)


def download_facts_of(pull: Download) -> tuple[tuple[str, str], ...]:
    """The facts of a pull: the server's status, the bytes received, and each layer."""
    transfer = pull.transfer
    speed = f" · {format_bytes(transfer.speed)}/s" if transfer.speed and pull.task else ""
    came = (
        f"{format_bytes(transfer.fetched_bytes)} in {format_duration(transfer.seconds)}{speed}"
        if pull.task
        else format_bytes(transfer.fetched_bytes)
    )
    state = describe_error(pull.error) if pull.error else transfer.status if pull.task else STOPPED_NOTE
    layers = (
        (
            f"layer {number}",
            (
                f"{format_bytes(layer.completed)} of {format_bytes(layer.total)}"
                f" · {format_percent(layer.completed, layer.total)}"
            ),
        )
        for number, layer in enumerate(transfer.layers, 1)
    )
    return (("status", state), ("received", came), *layers)


def summarize_downloads(pulls: tuple[Download, ...]) -> str:
    """The text about pulls in the status line."""
    if len(pulls) != 1:
        return format_count(len(pulls), "pull") if pulls else ""
    layer = pulls[0].transfer.layer
    far = f" {format_percent(layer.completed, layer.total)}" if layer and layer.total else ""
    return f"{short_name_of(pulls[0].name.rpartition('/')[2])}{far}"
