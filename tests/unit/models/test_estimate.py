from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.messages import RunningModel
from reflectty.models.estimate import LoadOptions, compare_with_running, estimate_from_size, estimate_memory, with_load
from support.caches_by_hand import KNOWN, Known
from support.model_configs import (
    DEEPSEEK_R1,
    GEMMA3_27B,
    GEMMA3_270M,
    GPT_OSS_20B,
    LFM2,
    LLAMA_8B,
    LLAMA_70B,
    MAMBA,
    MIXTRAL,
    QWEN3_8B,
    QWEN3_30B,
    QWEN3_NEXT,
    SMALLTHINKER,
    info,
)

MODELS = [LLAMA_8B, QWEN3_8B, GEMMA3_270M, GPT_OSS_20B, DEEPSEEK_R1, QWEN3_NEXT, LFM2, MAMBA]
CONTEXTS = st.integers(1, 1 << 20)
TYPES = st.sampled_from(["f16", "q8_0", "q4_0"])
MIB = 1 << 20


@pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN.keys())
def test_cache_of_published_models_matches_manual_calculation(known: Known) -> None:
    made = estimate_memory(known.info, 1, LoadOptions(known.context, known.cache_type, known.parallel))

    assert made.cache == known.cache
    assert not made.coarse
    assert made.notes == ()


@pytest.mark.parametrize(
    ("context", "reserved"), [(512, 18.77), (2048, 20.77), (8192, 54.54), (32768, 102.54)], ids=str
)
def test_buffers_are_close_to_those_of_a_real_server(context: int, reserved: float) -> None:
    made = estimate_memory({**GEMMA3_270M, "tokenizer.ggml.tokens": ["x"] * 262144}, 1, LoadOptions(context))

    # Beside them the server keeps a row of logits, 1 MiB.
    assert made.buffers / MIB == pytest.approx(reserved + 1, rel=0.04)


def test_total_is_weights_cache_and_buffers() -> None:
    made = estimate_memory(LLAMA_8B, 4_920_753_328, LoadOptions(8192))

    assert made.total == made.weights + made.cache + made.buffers
    assert made.weights == 4_920_753_328
    assert 6.0e9 < made.total < 6.5e9


def test_context_is_limited_to_that_of_the_model() -> None:
    made = estimate_memory(QWEN3_8B, 1, LoadOptions(1_000_000))

    assert made.load.context == 40960


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"llama.block_count": None}, "the number of layers"),
        ({"llama.block_count": 10**15}, "the number of layers"),
        ({"llama.block_count": "many"}, "the number of layers"),
        ({"llama.attention.head_count_kv": []}, "how the layers differ"),
        ({"llama.attention.head_count": None}, "the number of attention heads"),
        ({"general.architecture": None}, "the number of layers"),
        ({"general.architecture": ["llama"]}, "the number of layers"),
    ],
)
def test_missing_metadata_is_noted_and_makes_the_estimate_coarse(changed: dict[str, Any], note: str) -> None:
    made = estimate_memory({**LLAMA_8B, **changed}, 4_920_753_328, LoadOptions(8192))

    assert made.coarse
    assert note in made.notes[0]
    assert made.cache == estimate_from_size(4_920_753_328, LoadOptions(8192)).cache


@pytest.mark.parametrize(
    ("keys", "is_noted"),
    [
        ({"attention__sliding_window": 512, "attention__sliding_window_pattern": []}, True),
        ({"attention__sliding_window": 512}, True),
        ({"attention__sliding_window": 512, "context_length": 8192}, True),
        ({"attention__sliding_window": 8192, "context_length": 8192}, False),
    ],
)
def test_windows_of_unknown_layers_are_noted_and_counted_in_full(keys: dict[str, Any], *, is_noted: bool) -> None:
    made = estimate_memory(
        info("gemma4", block_count=4, embedding_length=64, attention__head_count=4, attention__head_count_kv=1, **keys),
        1,
    )

    assert not made.coarse
    assert made.cache == 4 * 16 * 2 * 2 * 4096
    assert any("may be smaller" in text for text in made.notes) == is_noted
    assert estimate_memory(SMALLTHINKER, 1, LoadOptions(8192)).cache == 32 * 2 * 128 * 2 * 2 * 8192


def test_arrays_give_the_cache_of_each_layer() -> None:
    made = estimate_memory(
        info(
            "gemma4",
            block_count=6,
            embedding_length=64,
            attention__head_count=4,
            attention__head_count_kv=[1, 1, 2, 1, 1, 2],
            attention__key_length=32,
            attention__value_length=32,
            attention__key_length_swa=16,
            attention__value_length_swa=16,
            attention__sliding_window=256,
            attention__sliding_window_pattern=[True, True, False, True, True, False],
            attention__shared_kv_layers=2,
        ),
        1,
    )

    # Of the first four layers, three keep 256 + 512 tokens and one all 4,096; the last two keep nothing.
    assert made.cache == 3 * (1 * 16 * 2 * 2) * 768 + 1 * (2 * 32 * 2 * 2) * 4096


@pytest.mark.parametrize(
    ("model", "size"),
    [
        (LLAMA_8B, 4.9e9),
        (LLAMA_70B, 43e9),
        (QWEN3_8B, 5.2e9),
        (QWEN3_30B, 19e9),
        (MIXTRAL, 26e9),
        (GEMMA3_270M, 0.3e9),
        (GEMMA3_27B, 17e9),
        (GPT_OSS_20B, 14e9),
        (DEEPSEEK_R1, 404e9),
    ],
    ids=["8b", "70b", "qwen3:8b", "qwen3:30b", "mixtral", "270m", "27b", "gpt-oss", "r1"],
)
@pytest.mark.parametrize("context", [2048, 8192, 32768])
def test_coarse_cache_is_at_least_that_of_common_models(model: dict[str, Any], size: float, context: int) -> None:
    assert (
        estimate_from_size(int(size), LoadOptions(context)).cache
        >= estimate_memory(model, int(size), LoadOptions(context)).cache
    )


@given(st.sampled_from(MODELS), CONTEXTS, CONTEXTS, TYPES, st.integers(1, 8))
def test_larger_context_never_needs_less(model: dict[str, Any], one: int, other: int, kind: str, parallel: int) -> None:
    less, more = (
        estimate_memory(model, 10**9, LoadOptions(context, kind, parallel))
        for context in (min(one, other), max(one, other))
    )

    assert less.cache <= more.cache
    assert less.buffers <= more.buffers


@given(st.sampled_from(MODELS), CONTEXTS, TYPES)
def test_more_conversations_or_bits_never_need_less(model: dict[str, Any], context: int, kind: str) -> None:
    one, two = (estimate_memory(model, 10**9, LoadOptions(context, kind, parallel)) for parallel in (1, 2))
    best = estimate_memory(model, 10**9, LoadOptions(context, "f16"))

    assert one.total <= two.total
    assert one.cache <= best.cache


@given(
    st.dictionaries(
        st.sampled_from([*GEMMA3_270M, *LFM2, *QWEN3_NEXT, "tokenizer.ggml.tokens"]),
        st.sampled_from([None, True, -1, 0, 1, 3, 10**17, 10**30, 0.5, float("nan"), float("inf"), "8", "\x1b[2J", {}])
        | st.lists(st.sampled_from([0, 1, 8, 10**17, None, True, "x"]), max_size=9),
        max_size=9,
    ),
    st.sampled_from(["gemma3", "lfm2", "qwen3next", "gemma4", "mamba", "\x1b[31m"]),
    st.integers(-(10**20), 10**20),
    st.integers(-(10**20), 10**20),
)
def test_any_metadata_gives_an_estimate(keys: dict[str, Any], architecture: str, size: int, context: int) -> None:
    for base in (GEMMA3_270M, LFM2, QWEN3_NEXT):
        made = estimate_memory(
            {**base, **keys, "general.architecture": architecture}, size, LoadOptions(context, "what", size)
        )

        assert min(made.weights, made.cache, made.buffers) >= 0


def test_changed_load_options_give_a_new_estimate() -> None:
    made = estimate_memory(LLAMA_8B, 10**9, LoadOptions(4096), "Q4_K_M")
    other = with_load(made, LoadOptions(8192, "q8_0", 2))

    assert other == estimate_memory(LLAMA_8B, 10**9, LoadOptions(8192, "q8_0", 2), "Q4_K_M")


class TestAfterLoading:
    def test_estimate_is_compared_at_the_context_of_the_loaded_model(self) -> None:
        made = estimate_memory(LLAMA_8B, 4_920_753_328, LoadOptions(4096))
        running = RunningModel("m", size=6_500_000_000, size_vram=5_200_000_000, context_length=8192)
        found = compare_with_running(made, running)

        assert found is not None
        assert found.estimate.load.context == 8192
        assert found.difference == 6_500_000_000 - found.estimate.total
        assert found.uncounted == 0
        assert found.gpu_share == pytest.approx(0.8)
        assert found.cpu_share == pytest.approx(0.2)

    def test_no_comparison_is_made_without_a_reported_size(self) -> None:
        assert compare_with_running(estimate_memory(LLAMA_8B, 1), RunningModel("m")) is None

    def test_missing_context_is_assumed_to_be_the_requested_one(self) -> None:
        found = compare_with_running(estimate_memory(LLAMA_8B, 1, LoadOptions(2048)), RunningModel("m", size=10))

        assert found is not None
        assert found.estimate.load.context == 2048

    @pytest.mark.parametrize(
        ("context", "said"), [(512, 275_188_284), (2048, 285_149_756), (8192, 328_424_488), (32768, 378_756_136)]
    )
    def test_server_that_counts_one_of_two_caches_is_recognized(self, context: int, said: int) -> None:
        found = compare_with_running(
            estimate_memory(GEMMA3_270M, 253_113_211, LoadOptions(context)),
            RunningModel("plain", size=said, context_length=context),
        )

        assert found is not None
        assert found.uncounted == 3 * context * 1024
        assert abs(found.difference) < 0.03 * said

    def test_server_that_counts_both_caches_is_recognized(self) -> None:
        made = estimate_memory(GEMMA3_270M, 253_113_211, LoadOptions(32768))
        found = compare_with_running(made, RunningModel("plain", size=made.total, context_length=32768))

        assert found is not None
        assert (found.uncounted, found.difference) == (0, 0)
