"""An engine that answers, cuts its replies, is busy, or goes away for a while, by script; it counts its answers."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import TYPE_CHECKING

from reflectty.core.errors import BusyError, IncompleteError, RefusedError, UnreachableError
from reflectty.core.messages import Chunk, Model
from support.scripted_engine import USAGE, ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from reflectty.core.messages import Request


class Fate(Enum):
    """The fate of one request."""

    ANSWER = auto()
    CUT = auto()
    BUSY = auto()
    LIMITED = auto()
    """A rate limit, with the time to wait."""
    FAIL = auto()
    """A failure that a second try may not meet."""
    REFUSE = auto()
    """A refusal that a second try would meet again."""
    DIE = auto()
    """The engine goes away in the middle of the reply, and stays away for the next two checks."""


class UnsteadyEngine(ScriptedEngine):
    """Does one thing per request; at the end of the script it answers with the prompt itself."""

    def __init__(self, *does: Fate, models: Iterable[str] = ("m",), seconds: float = 0.0) -> None:
        super().__init__(models=tuple(Model(name, ("completion",)) for name in models))
        self.answered: list[str] = []
        self.rest = 60.0
        """The wait that a rate limit asks for, in seconds."""
        self.most = 0
        """The highest number of requests at the same time."""
        self._does = list(does)
        self._seconds = seconds
        self._at_once = 0
        self._absent = 0

    async def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        self.sent()
        self._look()
        self._at_once += 1
        self.most = max(self.most, self._at_once)
        try:
            async for chunk in self._reply(request, self._does.pop(0) if self._does else Fate.ANSWER):
                yield chunk
        finally:
            self._at_once -= 1

    async def _reply(self, request: Request, does: Fate) -> AsyncGenerator[Chunk, None]:
        await asyncio.sleep(self._seconds)
        if does is Fate.BUSY:
            raise BusyError("the server is busy")
        if does is Fate.LIMITED:
            raise BusyError("slow down", rate_limited=True, retry_after=self.rest)
        if does is Fate.FAIL:
            raise RefusedError("the server refused: oops", transient=True)
        if does is Fate.REFUSE:
            raise RefusedError("the server refused: not this one")
        prompt = request.messages[-1].content
        yield Chunk("<output>")
        await asyncio.sleep(self._seconds)
        yield Chunk(prompt)
        if does is Fate.DIE:
            self._absent = 2
        if does is not Fate.ANSWER:
            raise IncompleteError("the connection to the server was lost")
        self.answered.append(prompt)
        yield Chunk("</output>", done=True, done_reason="stop", usage=USAGE)

    async def version(self) -> str:
        self._reach()
        if self._absent:
            self._absent -= 1
            raise UnreachableError("cannot reach it")
        return "0"

    def _look(self) -> None:
        self._reach()
        if self._absent:
            raise UnreachableError("cannot reach it")
