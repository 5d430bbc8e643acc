"""Drives the whole chat without a terminal, over the engine for OpenAI-compatible servers and scripted HTTP."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from reflectty.engines import open_engine
from reflectty.reasoning.modes import AskOptions
from reflectty.store import open_store
from support.app_pilot import piloted
from support.chat_app import Reader, app_over, empty_home
from support.fake_server import Answer
from support.model_server import ModelServer
from support.openai_replies import STREAM
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from support.fake_server import FakeServer, ReceivedRequest
    from support.scripted_engine import ScriptedEngine

REPLIES = ("/v1/chat/completions", "/v1/completions")


class Requests(NamedTuple):
    """The requests to a server, in the place of a scripted engine."""

    server: FakeServer

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests for replies, without those that only look at the prompt."""
        asked = [one for one in self.server.requests if one.path in REPLIES]
        return [one for one in asked if not one.json.get("return_prompt_text")]


class Held:
    """A reply that stops between two parts until it is released, or its client has gone."""

    def __init__(self) -> None:
        self._go = threading.Event()

    def go(self) -> None:
        self._go.set()

    def between(self, reply: Answer, at: int) -> Answer:
        """The same reply, stopped before the step with that index."""
        pieces = cast("list[Any]", reply.steps)

        def steps() -> Iterator[Any]:
            yield from pieces[:at]
            self._go.wait(PATIENCE)
            yield from pieces[at:]

        return Answer(steps, content_type=STREAM)


def at_a_server(
    server: FakeServer, model: str, use: Callable[[Reader], Awaitable[None]], size: tuple[int, int] = (110, 34)
) -> None:
    """Run the chat in an empty home over a running server, and drive it."""

    async def run(home: Path) -> None:
        engine, store = open_engine(server.host, engine="openai"), open_store(None, pytest.fail)
        try:
            app = app_over(engine, store, manner=AskOptions(model=model))
            async with piloted(app, size, notifications=True) as pilot:
                asked = cast("ScriptedEngine", Requests(server))
                reader = Reader(app, pilot, asked, ModelServer(), home)
                await reader.until(lambda: reader.chat.turns.engine is engine)
                await reader.settle()
                await use(reader)
        finally:
            store.close()

    with empty_home() as home:
        asyncio.run(run(home))
