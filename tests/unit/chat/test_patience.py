"""Servers that ask for a later try: the length of the wait, and the notes meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reflectty.chat.request import Question
from reflectty.chat.run import ask, ask_raw
from reflectty.chat.waits import RetryBudget
from reflectty.core.errors import BusyError, ReflecttyError
from reflectty.reasoning.modes import AskOptions
from support.event_loops import TimelessLoop
from support.fakes import FakeRenderer
from support.scripted_engine import ScriptedEngine
from support.scripted_servers import ANSWER, ANSWERED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from support.scripted_engine import Step

    Asking = Callable[[ScriptedEngine, FakeRenderer], Awaitable[object]]

QUESTION = Question("Which?", AskOptions(model="reflection"))


def limit(seconds: float, *, limited: bool = True) -> BusyError:
    return BusyError("slow down", f"ask again in {seconds:.0f} s", rate_limited=limited, retry_after=seconds)


class Outcome:
    """The outcome of a question to an engine on a clock that jumps over waits."""

    def __init__(self, *scripts: tuple[Step, ...], patience: float = 120.0, raw: bool = False) -> None:
        self.engine = ScriptedEngine(*scripts)
        self.notes: list[str] = []
        self.written = ""
        self.error: ReflecttyError | None = None
        with asyncio.Runner(loop_factory=TimelessLoop) as runner:
            try:
                runner.run(self._raw() if raw else self._ask(patience))
            except ReflecttyError as error:
                self.error = error
            self.seconds = runner.get_loop().time()

    async def _ask(self, patience: float) -> None:
        shown = FakeRenderer()
        shown.note = self.notes.append  # type: ignore[method-assign, assignment]
        reply = await ask(self.engine, QUESTION, shown, first_time=lambda _: False, patience=patience)
        self.written = reply.answer

    async def _raw(self) -> None:
        def write(text: str) -> None:
            self.written += text

        await ask_raw(self.engine, QUESTION, write, self.notes.append)


@pytest.mark.parametrize("raw", [False, True])
def test_rate_limit_is_waited_for_and_noted(raw: bool) -> None:
    outcome = Outcome((limit(40),), (limit(60),), (ANSWERED,), raw=raw)

    assert outcome.error is None
    assert outcome.written == (ANSWERED if raw else ANSWER)
    assert outcome.notes[:2] == ["rate limit reached: retrying in 40 s", "rate limit reached: retrying in 60 s"]
    assert outcome.seconds == pytest.approx(100, abs=5)
    assert len(outcome.engine.requests) == 3


def test_busy_server_is_reported_as_busy() -> None:
    outcome = Outcome((limit(12, limited=False),), (ANSWERED,))

    assert outcome.notes[0] == "the server is busy: retrying in 12 s"


@pytest.mark.parametrize(
    ("scripts", "patience", "requests"),
    [
        # Longer than the patience, at once or in all.
        (((limit(121),),), 120.0, 1),
        (((limit(80),), (limit(80),)), 120.0, 2),
        # Without a time to wait.
        (((limit(0),),), 120.0, 1),
        # A wait of one second is not repeated for two minutes.
        (((limit(1),),) * 30, 120.0, 25),
        # The caller waits for all of its questions together.
        (((limit(10),),), 0.0, 1),
        # Text that has been shown cannot be taken back.
        ((("<thinking>\n11 is m", limit(10)),), 120.0, 1),
    ],
)
def test_limits_beyond_the_patience_raise_busy_error(
    scripts: tuple[tuple[Step, ...], ...], patience: float, requests: int
) -> None:
    outcome = Outcome(*scripts, patience=patience)

    assert isinstance(outcome.error, BusyError)
    assert outcome.error.hint.startswith("ask again in ")
    assert len(outcome.engine.requests) == requests


def test_model_lookup_waits_for_the_rate_limit_too() -> None:
    answers = [limit(30), None]
    notes: list[str] = []

    async def call() -> str:
        error = answers.pop(0)
        if error:
            raise error
        return "found"

    with asyncio.Runner(loop_factory=TimelessLoop) as runner:
        assert runner.run(RetryBudget(60, notes.append).run(call)) == "found"
        assert runner.get_loop().time() == 30
    assert notes == ["rate limit reached: retrying in 30 s"]
