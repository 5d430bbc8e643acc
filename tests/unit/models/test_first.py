"""The model recommended for a first pull: by the machine's memory, the same in every place."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reflectty.engines import open_engine
from reflectty.models.fit import REMOTE_MACHINE, Gpu, Machine, ServerHardware
from reflectty.models.hardware import ProbeEnvironment, detect_hardware
from reflectty.models.recommendation import pull_hint_for, recommend_model
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from reflectty.core.messages import Engine

GIB = 1 << 30


def machine(gpu: int = 0, memory: int = 64) -> Machine:
    gpus = (Gpu("a GPU", gpu * GIB, gpu * GIB),) if gpu else ()
    return Machine(gpus, memory * GIB, memory * GIB)


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (machine(gpu=80), "reflection:70b"),
        (machine(gpu=24), "gpt-oss:20b"),
        (machine(memory=8), "qwen3:0.6b"),
        # Where nothing is small enough, the smallest does the least harm.
        (machine(memory=1), "qwen3:0.6b"),
        (REMOTE_MACHINE, "qwen3:4b"),
    ],
)
def test_recommended_model_suits_the_machine(found: Machine, name: str) -> None:
    assert recommend_model(ServerHardware(found)).name == name


@pytest.mark.parametrize(
    ("engine", "advice"),
    [
        (open_engine("192.0.2.1:11434"), "pull one that thinks: reflect models pull qwen3:4b (2.5 GB)"),
        (ScriptedEngine(), "pull one that thinks: reflect models pull qwen3:4b (2.5 GB)"),
        (
            open_engine("192.0.2.1", engine="openai"),
            "the server lists none: it serves the models that it was started with",
        ),
    ],
    ids=["elsewhere", "unknown", "another kind of server"],
)
def test_pull_is_suggested_if_the_server_can_pull(engine: Engine, advice: str) -> None:
    assert asyncio.run(pull_hint_for(engine)) == advice


def test_only_variables_that_affect_loading_are_taken() -> None:
    environment = {"OLLAMA_CONTEXT_LENGTH": "4096", "CUDA_VISIBLE_DEVICES": "0", "HOME": "/root"}
    place = ProbeEnvironment(path="", root=Path("/nonexistent"), system="linux")
    here = asyncio.run(detect_hardware(environment=environment, probe=place))
    there = asyncio.run(detect_hardware(local=False, environment=environment, probe=place))

    assert set(here.environment) == {"OLLAMA_CONTEXT_LENGTH", "CUDA_VISIBLE_DEVICES"}
    assert there == ServerHardware(REMOTE_MACHINE)
