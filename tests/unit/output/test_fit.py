from __future__ import annotations

import json
from typing import Any

import pytest

from reflectty.core.messages import RunningModel
from reflectty.models.estimate import (
    Estimate,
    LoadOptions,
    compare_with_running,
    estimate_from_size,
    estimate_memory,
)
from reflectty.models.fit import REMOTE_MACHINE, Gpu, Machine, MemoryKind, place_on
from reflectty.output.models import fit_object
from reflectty.view import memory_fit as words
from support.model_configs import LLAMA_8B, LLAMA_70B, QWEN3_8B

GIB, MIB = 1 << 30, 1 << 20
CARD = Gpu("NVIDIA GeForce RTX 4090", 24564 * MIB, 23010 * MIB)
ONE = Machine((CARD,), 64 * GIB, 50 * GIB)
SMALL = estimate_memory(LLAMA_8B, 4_920_753_328, LoadOptions(8192), "Q4_K_M")
LARGE = estimate_memory(LLAMA_70B, 42_520_413_916, LoadOptions(8192), "Q4_K_M")
UNTOLD = estimate_from_size(42_520_413_916, LoadOptions(8192), "Q4_K_M")
FREE = "NVIDIA GeForce RTX 4090, 24 GiB (24.1 of 25.8 GB free)"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (SMALL, "weights 4.9 GB · cache 1.1 GB at 8,192 tokens · about 6.3 GB with buffers"),
        (
            estimate_memory(LLAMA_8B, 4_920_753_328, LoadOptions(2048, "q8_0", 4)),
            "weights 4.9 GB · cache 570 MB at 2,048 tokens for each of 4 parallel requests · about 5.8 GB with buffers",
        ),
        (UNTOLD, "weights 43 GB · cache at most about 2.7 GB at 8,192 tokens · about 45.8 GB with buffers"),
    ],
)
def test_memory_needs_fit_on_one_line(made: Estimate, said: str) -> None:
    assert words.describe_needs(made) == said


@pytest.mark.parametrize(
    ("made", "machine", "lines"),
    [
        (SMALL, ONE, [f"fits entirely on {FREE}", "also with up to 131,072 tokens of context"]),
        (estimate_memory(QWEN3_8B, 5_200_000_000, LoadOptions(40960)), ONE, [f"fits entirely on {FREE}"]),
        (
            LARGE,
            ONE,
            [
                f"does not fit entirely on {FREE}: about 40 of 81 layers there, 51 % on the CPU",
                "about 3 to 6 times slower, judging by the memory speed of CPUs and GPUs",
                "no smaller quantization would fit: use a model with fewer parameters",
            ],
        ),
        (
            UNTOLD,
            ONE,
            [
                f"does not fit entirely on {FREE}: 48 % there, 52 % on the CPU",
                "about 3 to 6 times slower, judging by the memory speed of CPUs and GPUs",
                "no smaller quantization would fit: use a model with fewer parameters",
            ],
        ),
        (
            estimate_memory(QWEN3_8B, 16_400_000_000, LoadOptions(40960), "F16"),
            Machine((CARD._replace(total=16 * GIB, free=15 * GIB),), 64 * GIB, 50 * GIB),
            [
                "does not fit entirely on NVIDIA GeForce RTX 4090, 16 GiB (16.1 of 17.2 GB free): about 24 of 37 layers there, 35 % on the CPU",
                "about 2 to 5 times slower, judging by the memory speed of CPUs and GPUs",
                "as Q8_0 it would fit, about 14.9 GB: look for a tag that contains q8_0",
            ],
        ),
        (
            LARGE,
            Machine((CARD, CARD), 64 * GIB, 50 * GIB),
            [
                "does not fit entirely on 2 NVIDIA GeForce RTX 4090, 24 GiB each (48.3 of 51.5 GB free): about 80 of 81 layers there, 1 % on the CPU",
                "a little slower",
                "it would fit with up to 7,680 tokens of context",
                "it would fit if nothing else used the GPU",
            ],
        ),
        (
            SMALL,
            Machine((CARD._replace(free=GIB),), 64 * GIB, 50 * GIB),
            [
                "none of its 6.1 GB fits on NVIDIA GeForce RTX 4090, 24 GiB (1.1 of 25.8 GB free): all of it on the CPU, in memory (53.7 of 68.7 GB free)",
                "about 4 to 11 times slower, judging by the memory speed of CPUs and GPUs",
                "it would fit if nothing else used the GPU",
            ],
        ),
        (
            SMALL,
            Machine((), 8 * GIB, 7 * GIB),
            [
                "no GPU was found: all of it on the CPU, in memory (7.5 of 8.6 GB free)",
                "also with up to 18,432 tokens of context",
            ],
        ),
        (
            SMALL,
            Machine(notes=("nvidia-smi timed out: its information is missing",)),
            [
                "no GPU was found: all of it on the CPU",
                "nvidia-smi timed out: its information is missing",
            ],
        ),
        (
            LARGE,
            Machine((), 32 * GIB, 28 * GIB),
            [
                "does not fit: it needs about 15.4 GB more than is free in memory (30.1 of 34.4 GB free)",
                "as IQ2_XS it would fit, about 25.4 GB: look for a tag that contains IQ2_XS",
            ],
        ),
        (
            LARGE,
            Machine((Gpu("Apple M3 Pro", 24 * GIB, 24 * GIB, MemoryKind.SHARED, estimated=True),), 36 * GIB, 36 * GIB),
            [
                "does not fit: it needs about 6.8 GB more than is free on Apple M3 Pro (about 25.8 of 25.8 GB free) and in memory (38.7 of 38.7 GB free)",
                "no smaller quantization would fit: use a model with fewer parameters",
            ],
        ),
        (
            SMALL,
            REMOTE_MACHINE,
            ["the server runs elsewhere: where the model runs is known only once it is loaded"],
        ),
    ],
    ids=["whole", "longest", "partly", "untold", "smaller", "two", "busy", "cpu", "nothing", "not", "mac", "elsewhere"],
)
def test_placement_describes_location_cost_and_remedies(made: Estimate, machine: Machine, lines: list[str]) -> None:
    assert list(words.describe_placement(place_on(made, machine))) == lines


def test_unknowns_of_an_estimate_are_listed() -> None:
    unsaid = estimate_memory({**LLAMA_8B, "llama.attention.head_count_kv": []}, 1)

    assert words.describe_unknowns(SMALL) == ()
    assert words.describe_unknowns(UNTOLD) == (
        "a rough estimate, based on the size of the download and the needs of common models",
    )
    assert words.describe_unknowns(unsaid)[-1] == "the server does not report how the layers differ"


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (6_300_000_000, "estimated 6.3 GB, the server reports 6.3 GB: as estimated"),
        (7_000_000_000, "estimated 6.3 GB, the server reports 7.0 GB: 12 % more"),
        (5_000_000_000, "estimated 6.3 GB, the server reports 5.0 GB: 20 % less"),
    ],
)
def test_comparison_shows_the_difference_from_the_estimate(size: int, said: str) -> None:
    found = compare_with_running(SMALL, RunningModel("m", size=size, context_length=8192))

    assert found is not None
    assert words.describe_comparison(found) == said


def test_description_lists_needs_fit_and_details() -> None:
    running = RunningModel("m", size=43 * 10**9, context_length=8192)
    found = place_on(UNTOLD, ONE)._replace(comparison=compare_with_running(UNTOLD, running))
    said = words.describe_fit(found)

    assert [name for name, _ in said] == ["needs", "fit", "", "", "", ""]
    assert said[0][1] == words.describe_needs(found.estimate)
    assert [text for _, text in said[1:]] == [
        *words.describe_placement(found),
        *words.describe_unknowns(found.estimate),
        "estimated 45.8 GB, the server reports 43.0 GB: 6 % less",
    ]


@pytest.mark.parametrize(("on_gpu", "share"), [(0, "100 %"), (0.4, "60 %"), (1, "")])
def test_model_that_fits_but_runs_on_the_cpu_is_reported(on_gpu: float, share: str) -> None:
    running = RunningModel("m", size=10**10, size_vram=round(on_gpu * 10**10), context_length=8192)
    found = place_on(SMALL, ONE)._replace(comparison=compare_with_running(SMALL, running))
    last = words.describe_fit(found)[-1][1]

    assert last.startswith(f"yet {share} of it runs on the CPU: see `reflect doctor`" if share else "estimated")


def test_device_name_is_escaped() -> None:
    evil = Gpu("\x1b]0;x\x07\u202e", 24 * GIB, 1, driver="\x1b[2J")
    found = place_on(LARGE, Machine((evil,), 64 * GIB, 60 * GIB, notes=("\x9b31m",)))

    assert "\x1b" not in "".join(text for _, text in words.describe_fit(found))
    assert "^[]0;x^G<U+202E>" in words.describe_placement(found)[0]


def known(machine: Machine, made: Estimate = SMALL, running: RunningModel | None = None) -> dict[str, Any]:
    comparison = compare_with_running(made, running) if running else None
    found = fit_object(place_on(made, machine)._replace(comparison=comparison))
    return dict(json.loads(json.dumps(found)))


def test_json_contains_the_same_as_numbers() -> None:
    found = known(ONE, LARGE)

    assert found["fit"] == "partly"
    assert (found["layers_on_gpu"], found["layers"]) == (40, 81)
    assert found["gpu_share"] + found["cpu_share"] == pytest.approx(1)
    assert found["estimate"]["weights"] == 42_520_413_916
    assert found["estimate"]["context"] == 8192
    assert found["machine"]["gpus"][0]["name"] == CARD.name
    assert found["slower"] == [pytest.approx(1 + 3 * found["cpu_share"]), pytest.approx(1 + 10 * found["cpu_share"])]
    assert found["loaded"] is None


def test_json_has_null_for_unknown_values() -> None:
    found = known(REMOTE_MACHINE)

    assert found["fit"] == "unknown"
    assert {found[name] for name in ("gpu_share", "cpu_share", "layers_on_gpu", "missing", "longest_context")} == {None}
    assert found["machine"] == {
        "known": False,
        "gpus": [],
        "memory": {"total": None, "available": None},
        "not_known": [],
    }


def test_json_contains_the_comparison_with_the_server() -> None:
    found = known(ONE, running=RunningModel("m", size=7 * 10**9, size_vram=7 * 10**9, context_length=4096))

    assert found["loaded"]["context"] == 4096
    assert found["loaded"]["difference"] == 7 * 10**9 - found["loaded"]["estimated"]
    assert found["loaded"]["gpu_share"] == 1
