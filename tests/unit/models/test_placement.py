from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.models.estimate import LoadOptions, estimate_from_size, estimate_memory
from reflectty.models.fit import (
    BITS_PER_WEIGHT,
    COMMON_QUANTIZATIONS,
    MARGIN,
    REMOTE_MACHINE,
    Fit,
    Gpu,
    Machine,
    MemoryKind,
    bits_per_weight,
    default_load,
    place_on,
    without_loaded,
)
from support.model_configs import GEMMA3_270M, GPT_OSS_20B, LLAMA_8B, LLAMA_70B, MIXTRAL, QWEN3_8B

GIB, MIB = 1 << 30, 1 << 20
CARD = Gpu("RTX 4090", 24564 * MIB, 23010 * MIB)
ONE = Machine((CARD,), 64 * GIB, 50 * GIB)
TWO = Machine((CARD, CARD), 64 * GIB, 50 * GIB)
NONE = Machine((), 32 * GIB, 20 * GIB)
MAC = Machine((Gpu("M3", 24 * GIB, 24 * GIB, MemoryKind.SHARED, estimated=True),), 36 * GIB, 36 * GIB)
SMALL = estimate_memory(LLAMA_8B, 4_920_753_328, LoadOptions(8192), "Q4_K_M")
LARGE = estimate_memory(LLAMA_70B, 42_520_413_916, LoadOptions(8192), "Q4_K_M")
ROOMS = st.integers(0, 64 * GIB)


@pytest.mark.parametrize(
    ("made", "machine", "fit"),
    [
        (SMALL, ONE, Fit.WHOLE),
        (LARGE, ONE, Fit.PARTLY),
        (LARGE, TWO, Fit.PARTLY),
        (SMALL, NONE, Fit.CPU),
        (LARGE, NONE, Fit.NOT),
        (SMALL, MAC, Fit.WHOLE),
        (LARGE, MAC, Fit.NOT),
        (SMALL, REMOTE_MACHINE, Fit.UNKNOWN),
        (SMALL, Machine((CARD._replace(free=GIB),), 64 * GIB, 50 * GIB), Fit.CPU),
        (SMALL, Machine(), Fit.CPU),
        (LARGE, Machine((CARD,)), Fit.PARTLY),
    ],
)
def test_a_model_is_placed_where_there_is_room(made: Any, machine: Machine, fit: Fit) -> None:
    assert place_on(made, machine).fit is fit


def test_as_many_whole_layers_as_fit_go_to_the_gpu() -> None:
    found = place_on(LARGE, ONE)
    layer = LARGE.weights // 81 + 8 * 128 * 2 * 2 * 8192

    assert found.layers == 81
    assert found.layers_on_gpu == 1 + (CARD.free - MARGIN - found.estimate.buffers - LARGE.weights // 81) // layer
    assert found.gpu_share == pytest.approx(0.49, abs=0.01)


def test_layers_of_a_mixture_of_experts_are_not_moved_whole() -> None:
    found = place_on(estimate_memory(MIXTRAL, 26_400_000_000, LoadOptions(4096), "Q4_0"), ONE)

    assert (found.fit, found.layers_on_gpu, found.layers) == (Fit.PARTLY, 0, 0)
    assert 0.7 < found.gpu_share < 0.9


def test_smaller_batch_is_used_if_that_makes_the_model_fit() -> None:
    large, small = (estimate_memory(LLAMA_8B, 4_920_753_328, LoadOptions(8192, batch=batch)) for batch in (1024, 512))
    free = MARGIN + small.total
    found = place_on(SMALL, Machine((Gpu("card", 24 * GIB, free),)))

    assert small.total < large.total
    assert (found.fit, found.estimate.buffers) == (Fit.WHOLE, small.buffers)
    assert place_on(large, Machine((Gpu("card", 24 * GIB, free),))).fit is Fit.PARTLY


def test_model_is_split_across_gpus() -> None:
    found = place_on(LARGE, TWO)

    assert found.layers_on_gpu == 80
    assert place_on(estimate_memory(LLAMA_70B, 42_520_413_916, LoadOptions(4096)), TWO).fit is Fit.WHOLE


def test_the_longest_context_is_the_last_that_fits() -> None:
    made = estimate_memory(LLAMA_8B, 16_000_000_000, LoadOptions(4096, batch=512))
    found = place_on(made, ONE)
    longest = found.longest_context

    assert 4096 < longest < 131072
    assert place_on(estimate_memory(LLAMA_8B, 16_000_000_000, LoadOptions(longest, batch=512)), ONE).fit is Fit.WHOLE
    assert (
        place_on(estimate_memory(LLAMA_8B, 16_000_000_000, LoadOptions(longest + 256, batch=512)), ONE).fit
        is Fit.PARTLY
    )


@pytest.mark.parametrize(
    ("made", "machine", "longest"),
    [
        (SMALL, ONE, 131072),
        (estimate_memory(QWEN3_8B, 5_200_000_000), ONE, 40960),
        (estimate_memory({**QWEN3_8B, "qwen3.context_length": 1000}, 10**9), ONE, 1000),
        (estimate_memory({**QWEN3_8B, "qwen3.context_length": 100}, 10**9), ONE, 100),
        (LARGE, ONE, 0),
        (estimate_from_size(4_900_000_000), ONE, 0),
        (SMALL, REMOTE_MACHINE, 0),
    ],
)
def test_longest_context_does_not_exceed_that_of_the_model(made: Any, machine: Machine, longest: int) -> None:
    assert place_on(made, machine).longest_context == longest


def test_smaller_quantizations_that_fit_are_listed_best_first() -> None:
    machine = Machine((Gpu("card", 48 * GIB, 40 * GIB),), 64 * GIB, 50 * GIB)
    found = place_on(LARGE, machine)
    names = [smaller.name for smaller in found.smaller_quantizations]

    assert names == ["Q3_K_M", "Q2_K", "IQ2_XS"]
    assert found.smaller_quantizations[0].weights == round(42_520_413_916 * 3.9960 / 4.8944)
    assert all(smaller.total < 39 * GIB for smaller in found.smaller_quantizations)


@pytest.mark.parametrize(
    ("made", "machine"),
    [
        (SMALL, ONE),
        (LARGE, ONE),
        (estimate_memory(LLAMA_70B, 42_520_413_916, LoadOptions(8192), "unheard of"), TWO),
        (LARGE, REMOTE_MACHINE),
        (estimate_memory(GPT_OSS_20B, 65_000_000_000, LoadOptions(8192), "MXFP4"), TWO),
    ],
)
def test_no_smaller_quantization_is_listed_if_none_helps_or_it_is_unknown(made: Any, machine: Machine) -> None:
    assert place_on(made, machine).smaller_quantizations == ()


def test_machine_without_gpus_uses_its_memory() -> None:
    found = place_on(LARGE, NONE)

    assert found.missing_bytes == LARGE._replace(buffers=found.estimate.buffers).total - 20 * GIB
    assert found.smaller_quantizations == ()
    assert [each.name for each in place_on(LARGE, NONE._replace(available=28 * GIB)).smaller_quantizations] == [
        "IQ2_XS"
    ]
    assert place_on(SMALL, NONE).longest_context == 124160


def test_slowdown_depends_on_the_cpu_share() -> None:
    found = place_on(LARGE, ONE)
    share = found.cpu_share

    assert found.slowdown[0] == pytest.approx(1 - share + 4 * share)
    assert found.slowdown[1] == pytest.approx(1 - share + 11 * share)
    assert place_on(SMALL, ONE).slowdown == place_on(SMALL, MAC).slowdown == (1.0, 1.0)


def test_busy_gpu_differs_from_one_that_is_too_small() -> None:
    busy = Machine((CARD._replace(free=2 * GIB),), 64 * GIB, 50 * GIB)

    assert place_on(SMALL, busy).fits_when_emptied
    assert not place_on(LARGE, busy).fits_when_emptied
    assert not place_on(SMALL, ONE).fits_when_emptied


@pytest.mark.parametrize(
    ("size", "free"), [(0, [23010, 5000]), (4000, [23010, 9000]), (20000, [23446, 24564]), (10**6, [24564, 24564])]
)
def test_unloaded_model_frees_its_memory(size: int, free: list[int]) -> None:
    machine = Machine((CARD, CARD._replace(free=5000 * MIB)))

    assert [gpu.free // MIB for gpu in without_loaded(machine, size * MIB).gpus] == free


@pytest.mark.parametrize(
    ("machine", "context"),
    [
        (NONE, 4096),
        (ONE, 32768),
        (TWO, 262144),
        (REMOTE_MACHINE, 4096),
        (Machine((CARD._replace(total=8 * GIB),)), 4096),
    ],
)
def test_default_context_depends_on_total_gpu_memory(machine: Machine, context: int) -> None:
    assert default_load(machine) == LoadOptions(context)


@pytest.mark.parametrize(
    ("asked", "parameters", "environment", "load"),
    [
        (2048, "num_ctx   8192", {"OLLAMA_CONTEXT_LENGTH": "16384"}, LoadOptions(2048)),
        (0, 'stop  "num_ctx 7"\nnum_ctx                        8192\nnum_batch 256', {}, LoadOptions(8192, batch=256)),
        (0, "", {"OLLAMA_CONTEXT_LENGTH": " '16384' "}, LoadOptions(16384)),
        (0, "my_num_ctx 5", {}, LoadOptions(32768)),
        (0, "num_ctx many", {"OLLAMA_CONTEXT_LENGTH": "-1"}, LoadOptions(32768)),
        (0, "", {"OLLAMA_KV_CACHE_TYPE": "Q8_0", "OLLAMA_NUM_PARALLEL": "4"}, LoadOptions(32768, "q8_0", 4)),
        (0, "", {"OLLAMA_KV_CACHE_TYPE": "\x1b[2J", "OLLAMA_NUM_PARALLEL": "9" * 99}, LoadOptions(32768)),
    ],
)
def test_requested_options_override_model_parameters_and_environment(
    asked: int, parameters: str, environment: dict[str, str], load: LoadOptions
) -> None:
    assert default_load(ONE, context=asked, parameters=parameters, environment=environment) == load


@given(ROOMS, ROOMS, ROOMS, st.integers(1, 10**11), st.integers(1, 1 << 18))
def test_shares_add_up_and_layers_are_in_range(one: int, other: int, memory: int, size: int, context: int) -> None:
    machine = Machine((Gpu("a", 64 * GIB, one), Gpu("b", 64 * GIB, other)), 64 * GIB, memory)
    for made in (estimate_memory(LLAMA_8B, size, LoadOptions(context)), estimate_from_size(size, LoadOptions(context))):
        found = place_on(made, machine)

        assert found.gpu_share + found.cpu_share == pytest.approx(1)
        assert 0 <= found.layers_on_gpu <= found.layers
        assert (found.fit is Fit.WHOLE) == (found.gpu_share == 1.0)
        assert (found.fit is Fit.NOT) == (found.missing_bytes > 0)
        assert 1 <= found.slowdown[0] <= found.slowdown[1] <= 11


@given(ROOMS, ROOMS, st.sampled_from([LLAMA_8B, LLAMA_70B, GEMMA3_270M]), st.integers(1, 10**11))
def test_more_memory_never_holds_fewer_layers(one: int, other: int, model: dict[str, Any], size: int) -> None:
    less, more = (
        place_on(estimate_memory(model, size, LoadOptions(4096)), Machine((Gpu("a", 64 * GIB, room),)))
        for room in (min(one, other), max(one, other))
    )

    assert less.layers_on_gpu <= more.layers_on_gpu
    assert less.longest_context <= more.longest_context


@given(ROOMS, st.sampled_from(COMMON_QUANTIZATIONS), st.sampled_from(COMMON_QUANTIZATIONS))
def test_fewer_bits_never_hold_fewer_layers(room: int, one: str, other: str) -> None:
    found = [
        place_on(
            estimate_memory(LLAMA_70B, round(70.6e9 * BITS_PER_WEIGHT[name] / 8), LoadOptions(), name),
            Machine((Gpu("a", room, room),)),
        )
        for name in sorted((one, other), key=lambda name: BITS_PER_WEIGHT[name])
    ]

    assert found[0].estimate.total <= found[1].estimate.total
    assert found[0].layers_on_gpu >= found[1].layers_on_gpu


def test_quantizations_are_sorted_and_server_names_are_known() -> None:
    steps = [BITS_PER_WEIGHT[name] for name in COMMON_QUANTIZATIONS]

    assert steps == sorted(steps, reverse=True)
    assert bits_per_weight("q4_K_M") == bits_per_weight("Q4_K") == 4.8944
    assert bits_per_weight("unknown") == bits_per_weight("") == 0


@pytest.mark.parametrize(
    ("quantisation", "parameters", "size"),
    [("Q4_K_M", 8.03e9, 4.92e9), ("Q8_0", 8.03e9, 8.54e9), ("Q4_K_M", 70.55e9, 42.52e9), ("F16", 8.03e9, 16.07e9)],
)
def test_bits_per_weight_match_published_file_sizes(quantisation: str, parameters: float, size: float) -> None:
    assert parameters * bits_per_weight(quantisation) / 8 == pytest.approx(size, rel=0.02)


def test_large_batch_is_used_without_a_gpu_if_memory_suffices() -> None:
    assert place_on(SMALL, NONE).estimate == SMALL
    assert place_on(SMALL, NONE._replace(available=SMALL.total - 1)).estimate.buffers < SMALL.buffers
