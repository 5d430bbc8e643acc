from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import RefusedError, UnreachableError
from reflectty.core.messages import RunningModel
from reflectty.tui.status import poll_server
from reflectty.tui.widgets.status import StatusFacts
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from reflectty.core.errors import ReflecttyError

BEFORE = StatusFacts("reflection:latest", context=2048, gpu=0.5)
LOADED = RunningModel("reflection", 400, 300, 8192)
TWIN = RunningModel("reflection-twin:latest", 400, 100, 4096)


def seen(engine: ScriptedEngine, answered: str = "") -> tuple[bool | None, int, float | None]:
    found = asyncio.run(poll_server(engine, BEFORE, answered))
    return found.is_reachable, found.context, found.gpu


@pytest.mark.parametrize(
    ("loaded", "answered", "expected"),
    [
        ((), "", (True, 2048, None)),
        ((LOADED,), "", (True, 8192, 0.75)),
        ((TWIN, LOADED), "reflection", (True, 8192, 0.75)),
        ((TWIN,), "", (True, 2048, None)),
        ((TWIN,), "other", (True, 2048, None)),
        # Of several models with the same weights, a server lists the one that was requested first.
        ((TWIN,), "reflection", (True, 4096, 0.25)),
        ((TWIN, RunningModel("other", 1)), "reflection", (True, 2048, None)),
    ],
)
def test_status_finds_the_answering_model_among_the_loaded_ones(
    loaded: tuple[RunningModel, ...], answered: str, expected: tuple[bool, int, float | None]
) -> None:
    engine = ScriptedEngine()
    engine.loaded = loaded
    assert seen(engine, answered) == expected


@pytest.mark.parametrize(
    ("error", "there"), [(UnreachableError("cannot reach it"), False), (RefusedError("not for you"), True)]
)
def test_server_that_refuses_the_status_request_is_reachable(error: ReflecttyError, *, there: bool) -> None:
    engine = ScriptedEngine()
    engine.gone = error
    assert seen(engine) == (there, 2048, None)
