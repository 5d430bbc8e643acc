"""Starts the built-in model's server process, or attaches to a running one, and sends it HTTP requests."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import httpx

from reflectty.core.errors import IncompleteError, UnreachableError, reason_of
from reflectty.engines.embedded import runtime_files
from reflectty.engines.embedded.install import join_weight_parts
from reflectty.engines.embedded.protocol import AGAIN_HINT
from reflectty.engines.embedded.runtime_files import make_private
from reflectty.engines.http_client import LocalTransport
from reflectty.protocols.ollama import shorten

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from reflectty.engines.embedded.runtime_files import EmbeddedPaths

PAUSE: Final = 0.03
"""Seconds between two checks of a process that is not ready."""
LOADING_SECONDS: Final = 120.0
"""Seconds for a process to become ready: it reads 260 MB."""
ENDING_SECONDS: Final = 5.0
"""Seconds to wait for a process to end: it checks its expiry twice a second."""
LOADING_STATUS: Final = 503
"""Status of llama.cpp while the model is being loaded."""
SERVER_MODULE: Final = "reflectty.engines.embedded.server_main"
LOG_END: Final = 16384
ERROR: Final = re.compile(r"[\d.]+ E (.*)")
"""An error in llama.cpp's log: the time, a letter and the message."""
KILLED: Final = "it was killed while loading, possibly out of memory"


class ProcessLease:
    """Keeps the process alive while it is open, and sets how long the process stays after that."""

    def __init__(self, file: int, keep: float) -> None:
        self._file = file
        self._keep = keep
        self._open = True
        set_expiry(file, keep)

    def close(self) -> None:
        if self._open:
            self._open = False
            set_expiry(self._file, self._keep)
            os.close(self._file)


def set_expiry(file: int | Path, seconds: float) -> None:
    """Set the process to expire after so many seconds; the modification time of its use lock is when it may end."""
    until = time.time() + seconds
    os.utime(file, (until, until))


class ServerProcess(httpx.AsyncBaseTransport):
    """The process of the built-in model, as a transport for one client's requests.

    Args:
        paths: the model's files.
        join_weights: creates the file of the weights if it is missing.
        loading: seconds for the process to become ready.
    """

    def __init__(
        self,
        paths: EmbeddedPaths,
        join_weights: Callable[[Path], Awaitable[None]] = join_weight_parts,
        loading: float = LOADING_SECONDS,
    ) -> None:
        self.paths = paths
        self._join = join_weights
        self._loading = loading
        self._http = LocalTransport(str(paths.socket))

    @property
    def is_alive(self) -> bool:
        """Whether the process is running or being started."""
        return runtime_files.is_locked(self.paths.life_lock)

    @property
    def expires_at(self) -> float:
        """When it may end, in seconds since 1970."""
        try:
            return self.paths.use_lock.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    async def lease(self, keep: float) -> ProcessLease:
        """Keep the process alive until the lease is closed, and `keep` seconds longer.

        Raises:
            UnreachableError: the process's folder cannot be used.
        """
        while True:
            file = self._try_lock(self.paths.use_lock, shared=True)
            if file is not None:
                return ProcessLease(file, keep)
            await asyncio.sleep(PAUSE)

    async def stop(self) -> None:
        """End the process and wait for it; one that is in use ends later."""
        until = time.monotonic() + ENDING_SECONDS
        while self.is_alive and time.monotonic() < until:
            try:
                set_expiry(self.paths.use_lock, 0)
            except FileNotFoundError:
                return
            await asyncio.sleep(PAUSE)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the response, its body unread; starts the process if needed and waits for it.

        Raises:
            UnreachableError: the process cannot be started, or is not ready in time.
            IncompleteError: the process ended before it answered.
            StoreError: the weights cannot be written.
        """
        started, until = False, time.monotonic() + self._loading
        while True:
            try:
                response = await self._try_request(request)
            except IncompleteError:
                # A killed process still accepts connections for a moment.
                if started:
                    raise
                response = None
            if response is None and (life := self._try_lock(self.paths.life_lock)) is not None:
                if started:
                    os.close(life)
                    raise self._failure_error_of(KILLED)
                await self._start(life)
                started = True
            elif response is not None and response.status_code != LOADING_STATUS:
                return response
            if response is not None:
                await response.aclose()
            if time.monotonic() > until:
                raise self._failure_error_of(f"it is not ready after {self._loading:g} s")
            await asyncio.sleep(PAUSE)

    async def _try_request(self, request: httpx.Request) -> httpx.Response | None:
        """The process's response; None if no process is listening."""
        try:
            return await self._http.handle_async_request(request)
        except httpx.ConnectError:
            return None
        except httpx.HTTPError as error:
            raise IncompleteError("the built-in model exited before it answered", AGAIN_HINT) from error

    def _try_lock(self, path: Path, *, shared: bool = False) -> int | None:
        """Take a lock; None if it is held, or its folder is just being removed by a process that ends."""
        make_private(self.paths.folder)
        try:
            return runtime_files.open_locked(path, shared=shared)
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"the built-in model cannot use {self.paths.folder}: {reason_of(error)}"
            raise UnreachableError(message, "set XDG_RUNTIME_DIR to another folder") from error

    async def _start(self, life: int) -> None:
        """Start the process and pass it the life lock; does not wait until it is ready."""
        try:
            await self._join(self.paths.weights)
            arguments = {name: str(value) for name, value in self.paths._asdict().items()} | {"life": life}
            with self.paths.log.open("wb") as log:
                parent = subprocess.Popen(  # noqa: ASYNC220, S603 - our own program, which exits at once
                    (sys.executable, "-P", "-m", SERVER_MODULE, json.dumps(arguments)),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    pass_fds=(life,),
                    start_new_session=True,
                )
            if await asyncio.to_thread(parent.wait):
                raise self._failure_error_of("it could not be started")
        except OSError as error:
            raise UnreachableError(f"the built-in model cannot be started: {error}", "run `reflect doctor`") from error
        finally:
            os.close(life)

    def _failure_error_of(self, otherwise: str) -> UnreachableError:
        reason = self._logged_error() or otherwise
        hint = f"it needs 600 MB of memory; if that is free, remove {self.paths.weights} to rebuild the weights"
        return UnreachableError(f"the built-in model cannot be used: {reason}", hint)

    def _logged_error(self) -> str:
        """The first error in the process's log, as later ones follow from it; else the last line, if any."""
        try:
            text = self.paths.log.read_bytes()[-LOG_END:].decode(errors="replace")
        except OSError:
            return ""
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        errors = (match[1] for line in lines if (match := ERROR.match(line)))
        return shorten(next(errors, lines[-1]))
