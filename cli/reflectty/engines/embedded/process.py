"""Finds the process of the built-in model or starts it, and speaks HTTP with it; knows nothing of what is asked."""

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

from reflectty.engines.embedded import locks
from reflectty.engines.embedded.places import make_private
from reflectty.engines.embedded.weights import join
from reflectty.engines.local import LocalTransport
from reflectty.errors import IncompleteError, UnreachableError
from reflectty.wire import shorten

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from reflectty.engines.embedded.places import Places
    from reflectty.wire import Body

PAUSE: Final = 0.03
"""Seconds between two looks at a process that is not ready."""
LOADING_SECONDS: Final = 120.0
"""How long a process may take until it answers: it reads 260 MB."""
ENDING_SECONDS: Final = 5.0
"""How long to wait for a process that is to end: it looks twice a second whether it is."""
CONNECT_SECONDS: Final = 5.0
LOADING: Final = 503
"""The status by which llama.cpp says that the model is still being loaded."""
PROGRAM: Final = "reflectty.engines.embedded.child"
LOG_END: Final = 16384
ERROR: Final = re.compile(r"[\d.]+ E (.*)")
"""How llama.cpp writes an error: the time, a letter, and what it is."""
KILLED: Final = "it was ended while it was loading, perhaps for lack of memory"
AGAIN: Final = "ask again: it is started anew"


class Hold:
    """Keeps the process from ending, as long as it is open; and tells it how long to stay after that."""

    def __init__(self, file: int, keep: float) -> None:
        self._file = file
        self._keep = keep
        self._open = True
        stay(file, keep)

    def close(self) -> None:
        if self._open:
            self._open = False
            stay(self._file, self._keep)
            os.close(self._file)


def stay(file: int | Path, seconds: float) -> None:
    """Let the process stay so many seconds from now on: the time of the file of its use is when it may end."""
    until = time.time() + seconds
    os.utime(file, (until, until))


class Process:
    """The process of the built-in model, as one client sees it.

    Args:
        places: where its files are.
        join_weights: makes the file of the weights, where it is not there.
        loading: seconds that it may take until it answers.
    """

    def __init__(
        self,
        places: Places,
        join_weights: Callable[[Path], Awaitable[None]] = join,
        loading: float = LOADING_SECONDS,
    ) -> None:
        self.places = places
        self._join = join_weights
        self._loading = loading
        self._http = LocalTransport(str(places.socket))

    @property
    def alive(self) -> bool:
        """Whether there is one, or one is being started."""
        return locks.is_held(self.places.life)

    @property
    def until(self) -> float:
        """When it may end, in seconds since 1970."""
        try:
            return self.places.use.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    async def hold(self, keep: float) -> Hold:
        """Keep it from ending until what is returned is closed, and then for so many seconds.

        Raises:
            UnreachableError: its folder cannot be used.
        """
        while True:
            file = self._try(self.places.use, shared=True)
            if file is not None:
                return Hold(file, keep)
            await asyncio.sleep(PAUSE)

    async def ended(self) -> None:
        """Let it end, and wait until it has; one that is needed ends later."""
        until = time.monotonic() + ENDING_SECONDS
        while self.alive and time.monotonic() < until:
            try:
                stay(self.places.use, 0)
            except FileNotFoundError:
                return
            await asyncio.sleep(PAUSE)

    async def answer(self, method: str, path: str, body: Body | None = None) -> httpx.Response:
        """Return its answer, the body still to come; starts it where it is not there, and waits while it loads.

        Raises:
            UnreachableError: it cannot be started, or is not ready in time.
            IncompleteError: it ended before it answered.
            StoreError: its weights cannot be written.
        """
        started, until = False, time.monotonic() + self._loading
        while True:
            try:
                response = await self._sent(method, path, body)
            except IncompleteError:
                # One that was killed takes connections for a moment more.
                if started:
                    raise
                response = None
            if response is None and (life := self._try(self.places.life)) is not None:
                if started:
                    os.close(life)
                    raise self._failed(KILLED)
                await self._start(life)
                started = True
            elif response is not None and response.status_code != LOADING:
                return response
            if response is not None:
                await response.aclose()
            if time.monotonic() > until:
                raise self._failed(f"it is not ready after {self._loading:g} s")
            await asyncio.sleep(PAUSE)

    async def _sent(self, method: str, path: str, body: Body | None) -> httpx.Response | None:
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

    def _try(self, path: Path, *, shared: bool = False) -> int | None:
        """Take a lock, or return None for the time being: the folder may just be taken away by a process that ends."""
        make_private(self.places.folder)
        try:
            return locks.take(path, shared=shared)
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"the built-in model cannot use {self.places.folder}: {error.strerror}"
            raise UnreachableError(message, "XDG_RUNTIME_DIR names another place") from error

    async def _start(self, life: int) -> None:
        """Start it and give it the lock of its life; it is not ready yet."""
        try:
            await self._join(self.places.weights)
            told = {name: str(value) for name, value in self.places._asdict().items()} | {"life": life}
            with self.places.log.open("wb") as log:
                parent = subprocess.Popen(  # noqa: ASYNC220, S603 - our own program, and it ends at once
                    (sys.executable, "-P", "-m", PROGRAM, json.dumps(told)),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    pass_fds=(life,),
                    start_new_session=True,
                )
            if await asyncio.to_thread(parent.wait):
                raise self._failed("it could not be started")
        except OSError as error:
            raise UnreachableError(f"the built-in model cannot be started: {error}", "see `reflect doctor`") from error
        finally:
            os.close(life)

    def _failed(self, otherwise: str) -> UnreachableError:
        reason = self._said() or otherwise
        hint = f"it takes 600 MB of memory; where it stays so, remove {self.places.weights}, which is joined anew"
        return UnreachableError(f"the built-in model cannot be used: {reason}", hint)

    def _said(self) -> str:
        """Return the error that it has told of first, as the others come of that; else its last line, or nothing."""
        try:
            text = self.places.log.read_bytes()[-LOG_END:].decode(errors="replace")
        except OSError:
            return ""
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        errors = (found[1] for line in lines if (found := ERROR.match(line)))
        return shorten(next(errors, lines[-1]))
