"""Which model somebody who has none is told to pull: by what the machine holds, the same wherever it is said."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reflectty.devices import Place
from reflectty.engines import open_engine
from reflectty.fitting import ELSEWHERE, Device, Machine
from reflectty.library.first import around_here, first_offer, to_pull
from reflectty.library.fit import Around
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from reflectty.chat import Engine

GIB = 1 << 30


def machine(gpu: int = 0, memory: int = 64) -> Machine:
    gpus = (Device("a GPU", gpu * GIB, gpu * GIB),) if gpu else ()
    return Machine(gpus, memory * GIB, memory * GIB)


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (machine(gpu=80), "reflection:70b"),
        (machine(gpu=24), "gpt-oss:20b"),
        (machine(memory=8), "qwen3:0.6b"),
        # Where nothing is small enough, the smallest does the least harm.
        (machine(memory=1), "qwen3:0.6b"),
        (ELSEWHERE, "qwen3:4b"),
    ],
)
def test_the_first_model_is_one_that_fits(found: Machine, name: str) -> None:
    assert first_offer(Around(found)).name == name


@pytest.mark.parametrize(
    ("engine", "advice"),
    [
        (open_engine("192.0.2.1:11434"), "pull one that thinks: reflect models pull qwen3:4b (2.5 GB)"),
        (ScriptedEngine(), "pull one that thinks: reflect models pull qwen3:4b (2.5 GB)"),
        (open_engine("192.0.2.1", engine="openai"), "the server names none: it has those that it was started with"),
    ],
    ids=["elsewhere", "unknown", "another kind of server"],
)
def test_it_is_advised_where_the_server_fetches_models(engine: Engine, advice: str) -> None:
    assert asyncio.run(to_pull(engine)) == advice


def test_of_this_shell_no_more_is_taken_than_what_decides_how_a_server_loads() -> None:
    environment = {"OLLAMA_CONTEXT_LENGTH": "4096", "CUDA_VISIBLE_DEVICES": "0", "HOME": "/root"}
    place = Place(path="", root=Path("/nonexistent"), system="linux")
    here = asyncio.run(around_here(environment=environment, place=place))
    there = asyncio.run(around_here(local=False, environment=environment, place=place))

    assert set(here.environment) == {"OLLAMA_CONTEXT_LENGTH", "CUDA_VISIBLE_DEVICES"}
    assert there == Around(ELSEWHERE)
