"""Servers that listen but never answer some requests: the length of the wait, and the messages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reflectty.batch.runner import BatchOptions
from reflectty.core.errors import StalledError
from support.batch_work import Batch
from support.unsteady_engine import Fate, UnsteadyEngine

if TYPE_CHECKING:
    from reflectty.core.messages import Model

FIRST = 300.0
"""Seconds after which a connection gives up."""


class Silent(UnsteadyEngine):
    """Never answers some calls."""

    def __init__(self, *does: Fate, of: tuple[str, ...] = ("version",), after: float = FIRST) -> None:
        super().__init__(*does)
        self._of = of
        self._after = after

    async def _say_nothing(self, call: str) -> None:
        if call in self._of:
            await asyncio.sleep(self._after)
            if self._after == FIRST:
                raise StalledError("it sent nothing for 300 s")

    async def version(self) -> str:
        await self._say_nothing("version")
        return await super().version()

    async def models(self) -> tuple[Model, ...]:
        await self._say_nothing("models")
        return await super().models()

    async def show(self, model: str) -> Model:
        await self._say_nothing("show")
        return await super().show(model)


def test_server_without_a_version_counts_as_reachable() -> None:
    batch = Batch([Silent(Fate.CUT)], 2, BatchOptions(jobs=1, delay=0.0))

    assert batch.answers == {0: "q0", 1: "q1"}
    assert batch.notes == []
    assert batch.seconds == 5


def test_fully_silent_server_is_unreachable() -> None:
    batch = Batch([Silent(Fate.CUT, of=("version", "models"))], 1, BatchOptions(jobs=1, delay=0.0, patience=60.0))

    assert batch.notes == ["s0 no longer responds: retrying until it does"]
    assert str(batch.error) == "no server has responded for 60 s"


@pytest.mark.parametrize("model", ["m", ""])
@pytest.mark.parametrize(("after", "ended"), [(20.0, ""), (FIRST, "it sent nothing for 300 s")])
def test_single_silent_server_is_noted_and_waited_for(model: str, after: float, ended: str) -> None:
    batch = Batch([Silent(of=("show",), after=after)], 1, model=model)

    assert batch.notes[0] == "s0 has not responded for 10 s: still waiting (--timeout sets the limit)"
    assert str(batch.error or "") == ended
    assert batch.answers == ({} if ended else {0: "q0"})


def test_single_server_that_answers_in_time_gives_no_note() -> None:
    assert Batch([Silent(of=("show",), after=9.0)], 1).notes == []


@pytest.mark.parametrize("model", ["m", ""])
def test_silent_server_does_not_delay_the_others(model: str) -> None:
    batch = Batch([Silent(of=("show", "models", "version")), UnsteadyEngine()], 2, BatchOptions(jobs=1), model)

    assert batch.answers == {0: "q0", 1: "q1"}
    assert "s0 is not responding yet: starting without it (no response within 10 s)" in batch.notes
    assert batch.seconds <= 30


def test_model_version_that_arrives_late_is_not_compared() -> None:
    batch = Batch([UnsteadyEngine(), Silent(of=("models",))], 2, BatchOptions(jobs=1))

    assert batch.answers == {0: "q0", 1: "q1"}
    assert batch.notes == []
    assert batch.seconds <= 10
