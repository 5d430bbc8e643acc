"""Runs a batch of lines on engines, on a clock of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.batch.progress import BatchProgress
from reflectty.batch.prompts import PromptLine
from reflectty.batch.runner import BatchOptions, BatchRunner, Callbacks
from reflectty.batch.scheduler import Scheduler
from reflectty.batch.server import Server, check_servers
from reflectty.chat.request import Question
from reflectty.core.errors import OutputError, ReflecttyError, UsageError
from reflectty.reasoning.modes import AskOptions, Mode
from support.event_loops import TimelessLoop

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from reflectty.batch.records import Outcome
    from support.scripted_engine import ScriptedEngine

QUICK = BatchOptions(jobs=2, delay=0.0)
WISH = AskOptions(Mode.NATIVE)


class Batch:
    """A batch of lines that ran on engines, and its outcome."""

    def __init__(
        self,
        engines: Sequence[ScriptedEngine],
        lines: Sequence[PromptLine] | int,
        terms: BatchOptions = QUICK,
        model: str = "m",
    ) -> None:
        self.items = (
            [PromptLine(at + 1, "0" * 16, f"q{at}") for at in range(lines)] if isinstance(lines, int) else lines
        )
        self.delivered: list[tuple[int, Outcome]] = []
        self.notes: list[str] = []
        self.told: list[str] = []
        self.tally = BatchProgress(len(self.items))
        self.fails: ReflecttyError | None = None
        self.error: ReflecttyError | None = None
        self.seconds = 0.0
        """The duration, on a clock that only moves when all wait."""
        try:
            with asyncio.Runner(loop_factory=TimelessLoop) as runner:
                runner.run(self._run(engines, terms, model))
                self.seconds = runner.get_loop().time()
        except ReflecttyError as error:
            self.error = error

    async def _run(self, engines: Sequence[ScriptedEngine], terms: BatchOptions, model: str) -> None:
        note = self.notes.append
        servers = [Server(f"s{at}", engine, note=note, first_time=lambda _: False) for at, engine in enumerate(engines)]
        roster = Scheduler(len(servers), terms.jobs or 1)
        chosen = await check_servers(servers, roster, model, note)
        hooks = Callbacks(
            lambda item: self._question(item, chosen), lambda _: True, self._deliver, note, self.told.append
        )
        await BatchRunner(servers, roster, terms, hooks, self.tally).run(self._items())

    def _question(self, item: PromptLine, model: str) -> Question:
        if not item.prompt:
            raise UsageError("the line has no prompt")
        return Question(item.prompt, WISH._replace(model=item.model or model))

    async def _items(self) -> AsyncGenerator[PromptLine, None]:
        for item in self.items:
            yield item

    def _deliver(self, number: int, item: PromptLine, outcome: Outcome) -> None:
        assert item.line == number + 1
        if item.prompt == "unwritable":
            raise OutputError("the disk is full")
        self.delivered.append((number, outcome))

    @property
    def answers(self) -> dict[int, str]:
        return {number: outcome.reply.answer for number, outcome in self.delivered if outcome.reply}

    @property
    def errors(self) -> dict[int, ReflecttyError]:
        return {number: outcome.error for number, outcome in self.delivered if outcome.error}
