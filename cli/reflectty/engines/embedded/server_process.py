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

from reflectty.core.errors import IncompleteError, UnreachableError
from reflectty.engines.embedded import runtime_files
from reflectty.engines.embedded.install import join_weight_parts
from reflectty.engines.embedded.runtime_files import make_private
from reflectty.engines.http_client import LocalTransport
from reflectty.protocols.ollama import shorten

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from reflectty.engines.embedded.runtime_files import EmbeddedPaths
    from reflectty.protocols.ollama import Body

PAUSE: Final = 0.03
"""Seconds between two looks at a process that is not ready."""
LOADING_SECONDS: Final = 120.0
"""How long a process may take until it answers: it reads 260 MB."""
ENDING_SECONDS: Final = 5.0
"""How long to wait for a process that is to end: it looks twice a second whether it is."""
CONNECT_SECONDS: Final = 5.0
LOADING_STATUS: Final = 503
"""The status by which llama.cpp says that the model is still being loaded."""
SERVER_MODULE: Final = "reflectty.engines.embedded.server_main"
LOG_END: Final = 16384
ERROR: Final = re.compile(r"[\d.]+ E (.*)")
"""How llama.cpp writes an error: the time, a letter, and what it is."""
KILLED: Final = "it was ended while it was loading, perhaps for lack of memory"
AGAIN: Final = "ask again: it is started anew"


class ProcessLease:
    """Keeps the process from ending, as long as it is open; and tells it how long to stay after that."""

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
    """Let the process stay so many seconds from now on: the time of the file of its use is when it may end."""
    until = time.time() + seconds
    os.utime(file, (until, until))


class ServerProcess:
    """The process of the built-in model, as one client sees it.

    Args:
        places: where its files are.
        join_weights: makes the file of the weights, where it is not there.
        loading: seconds that it may take until it answers.
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
        """Whether there is one, or one is being started."""
        return runtime_files.is_locked(self.paths.life_lock)

    @property
    def expires_at(self) -> float:
        """When it may end, in seconds since 1970."""
        try:
            return self.paths.use_lock.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    async def lease(self, keep: float) -> ProcessLease:
        """Keep it from ending until what is returned is closed, and then for so many seconds.

        Raises:
            UnreachableError: its folder cannot be used.
        """
        while True:
            file = self._try_lock(self.paths.use_lock, shared=True)
            if file is not None:
                return ProcessLease(file, keep)
            await asyncio.sleep(PAUSE)

    async def stop(self) -> None:
        """Let it end, and wait until it has; one that is needed ends later."""
        until = time.monotonic() + ENDING_SECONDS
        while self.is_alive and time.monotonic() < until:
            try:
                set_expiry(self.paths.use_lock, 0)
            except FileNotFoundError:
                return
            await asyncio.sleep(PAUSE)

    async def request(self, method: str, path: str, body: Body | None = None) -> httpx.Response:
        """Return its answer, the body still to come; starts it where it is not there, and waits while it loads.

        Raises:
            UnreachableError: it cannot be started, or is not ready in time.
            IncompleteError: it ended before it answered.
            StoreError: its weights cannot be written.
        """
        started, until = False, time.monotonic() + self._loading
        while True:
            try:
                response = await self._try_request(method, path, body)
            except IncompleteError:
                # One that was killed takes connections for a moment more.
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

    async def _try_request(self, method: str, path: str, body: Body | None) -> httpx.Response | None:
        """Return its answer, or None where nobody listens."""
        content = b"" if body is None else json.dumps(body).encode("ascii")
        request = httpx.Request(
            method,
            f"http://localhost{path}",
            content=content,
            headers={"Content-Type": "application/json"},
            extensions={"timeout": {"connect": CONNECT_SECONDS}},
        )
        try:
            return await self._http.handle_async_request(request)
        except httpx.ConnectError:
            return None
        except httpx.HTTPError as error:
            raise IncompleteError("the built-in model ended before it answered", AGAIN) from error

    def _try_lock(self, path: Path, *, shared: bool = False) -> int | None:
        """Take a lock, or return None for the time being: the folder may just be taken away by a process that ends."""
        make_private(self.paths.folder)
        try:
            return runtime_files.open_locked(path, shared=shared)
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"the built-in model cannot use {self.paths.folder}: {error.strerror}"
            raise UnreachableError(message, "XDG_RUNTIME_DIR names another place") from error

    async def _start(self, life: int) -> None:
        """Start it and give it the lock of its life; it is not ready yet."""
        try:
            await self._join(self.paths.weights)
            told = {name: str(value) for name, value in self.paths._asdict().items()} | {"life": life}
            with self.paths.log.open("wb") as log:
                parent = subprocess.Popen(  # noqa: ASYNC220, S603 - our own program, and it ends at once
                    (sys.executable, "-P", "-m", SERVER_MODULE, json.dumps(told)),
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
            raise UnreachableError(f"the built-in model cannot be started: {error}", "see `reflect doctor`") from error
        finally:
            os.close(life)

    def _failure_error_of(self, otherwise: str) -> UnreachableError:
        reason = self._logged_error() or otherwise
        hint = f"it takes 600 MB of memory; where it stays so, remove {self.paths.weights}, which is joined anew"
        return UnreachableError(f"the built-in model cannot be used: {reason}", hint)

    def _logged_error(self) -> str:
        """Return the error that it has told of first, as the others come of that; else its last line, or nothing."""
        try:
            text = self.paths.log.read_bytes()[-LOG_END:].decode(errors="replace")
        except OSError:
            return ""
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        errors = (found[1] for line in lines if (found := ERROR.match(line)))
        return shorten(next(errors, lines[-1]))
