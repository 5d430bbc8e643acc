"""Measures one streaming chat from inside: chat.py runs it in a terminal, and it writes its figures as JSON.

python tests/benchmarks/streamed.py OUT ours|markdown HOST TOKENS STORE
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from textual.app import App

from reflectty.core.messages import Message, Request
from reflectty.engines import open_engine
from reflectty.reasoning.modes import AskOptions
from reflectty.store import open_store
from reflectty.system.terminal import system_terminal
from reflectty.tui.actions import bind_actions
from reflectty.tui.app import ChatConfig, ChatProfile, ReflectApp
from reflectty.tui.controller import ChatController
from reflectty.tui.theme import ChatTheme

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from reflectty.models.manager import ModelLibrary

BEAT_SECONDS = 0.01


class Wanted(NamedTuple):
    """The arguments of a measurement."""

    out: str
    app: str
    host: str
    tokens: int
    store: str
    """The file of the sessions, whose last session is opened; may be empty."""


class Probe:
    """Measures the cost of a stream: CPU, stalls of the event loop, and the growth of the cost of a token."""

    def __init__(self, wanted: Wanted, opened: float) -> None:
        self._wanted = wanted
        self._opened = opened
        self._stalls: list[float] = []
        self._spent: list[tuple[float, float]] = []
        self._began = (time.process_time(), time.monotonic())

    async def beat(self) -> None:
        """Measure the lateness of the event loop, until canceled."""
        while True:
            start = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            now = time.monotonic()
            self._stalls.append(now - start - BEAT_SECONDS)
            self._spent.append((now, time.process_time()))

    def write(self) -> None:
        cpu, wall = time.process_time() - self._began[0], time.monotonic() - self._began[1]
        stalls = sorted(self._stalls)
        quarter = len(self._spent) // 4
        first = self._spent[quarter][1] - self._spent[0][1]
        last = self._spent[-1][1] - self._spent[-quarter - 1][1]
        figures = {
            "share": cpu / wall,
            "token_ms": cpu * 1000 / self._wanted.tokens,
            "stall_p95_ms": stalls[int(len(stalls) * 0.95)] * 1000,
            "stall_max_ms": stalls[-1] * 1000,
            "growth": last / first,
            "opened_ms": self._opened * 1000,
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        Path(self._wanted.out).write_text(json.dumps(figures), encoding="utf-8")


class Ours(ReflectApp):
    """The chat; it asks by itself and ends with the reply."""

    def __init__(self, setup: ChatConfig, wanted: Wanted) -> None:
        super().__init__(setup)
        self._wanted = wanted

    def on_ready(self) -> None:
        self.run_worker(self._measure())

    async def _measure(self) -> None:
        opened = time.process_time()
        chat = self.screen
        assert isinstance(chat, ChatController)
        await asyncio.sleep(1)
        probe = Probe(self._wanted, opened)
        beating = asyncio.create_task(probe.beat())
        chat.turns.ask("Compare the numbers, digit by digit.")
        turn = chat.turns.current
        assert turn
        await turn.ended.wait()
        beating.cancel()
        probe.write()
        self.exit()


class Peer(App[None]):
    """Textual's own widget for a stream of Markdown."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self._wanted = wanted

    def compose(self) -> ComposeResult:
        from textual.widgets import Markdown

        yield Markdown()

    def on_ready(self) -> None:
        self.run_worker(self._measure())

    async def _measure(self) -> None:
        from textual.widgets import Markdown

        stream = Markdown.get_stream(self.query_one(Markdown))
        probe = Probe(self._wanted, 0)
        beating = asyncio.create_task(probe.beat())
        async with open_engine(self._wanted.host) as engine:
            request = Request("m", (Message("user", "hi"),))
            async with aclosing(engine.chat(request)) as chunks:
                async for chunk in chunks:
                    await stream.write(chunk.content)
                    self.screen.scroll_end(animate=False)
        await stream.stop()
        beating.cancel()
        probe.write()
        self.exit()


def _open_library(host: str) -> ModelLibrary:
    # As in the chat: a start that imports it early costs more.
    from reflectty.models.manager import open_model_library

    return open_model_library(host)


def ours(wanted: Wanted) -> Ours:
    store = open_store(Path(wanted.store) if wanted.store else None, print)
    looks = ChatTheme(system_terminal(), "ink")

    setup = ChatConfig(
        theme=looks,
        actions=bind_actions(),
        ask_options=AskOptions(model="m"),
        store=store,
        open_engine=lambda: open_engine(wanted.host),
        open_library=lambda: _open_library(wanted.host),
        load_profile=lambda _: ChatProfile(AskOptions(model="m")),
        session=store.latest(),
    )
    return Ours(setup, wanted)


def main() -> None:
    out, app, host, tokens, store = sys.argv[1:]
    wanted = Wanted(out, app, host, int(tokens), store)
    (Peer(wanted) if app == "markdown" else ours(wanted)).run()


if __name__ == "__main__":
    main()
