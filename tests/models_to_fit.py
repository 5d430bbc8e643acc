"""Published configurations as `model_info` of /api/show has them, and the cache that each keeps, worked out by hand."""

from __future__ import annotations

from typing import Any, NamedTuple


class Known(NamedTuple):
    """A model, a way to load it, and the bytes of its cache."""

    info: dict[str, Any]
    context: int
    cache: int
    cache_type: str = "f16"
    parallel: int = 1


def info(architecture: str, **keys: Any) -> dict[str, Any]:
    """Return `model_info`: two underscores in a name are the dot of its key."""
    named = {f"{architecture}.{name.replace('__', '.')}": value for name, value in keys.items()}
    return {"general.architecture": architecture, **named}


LLAMA_8B = info(
    "llama",
    block_count=32,
    embedding_length=4096,
    feed_forward_length=14336,
    context_length=131072,
    vocab_size=128256,
    attention__head_count=32,
    attention__head_count_kv=8,
)
LLAMA_70B = info(
    "llama",
    block_count=80,
    embedding_length=8192,
    feed_forward_length=28672,
    context_length=131072,
    vocab_size=128256,
    attention__head_count=64,
    attention__head_count_kv=8,
)
QWEN3_8B = info(
    "qwen3",
    block_count=36,
    embedding_length=4096,
    feed_forward_length=12288,
    context_length=40960,
    attention__head_count=32,
    attention__head_count_kv=8,
    attention__key_length=128,
    attention__value_length=128,
)
QWEN3_30B = info(
    "qwen3moe",
    block_count=48,
    embedding_length=2048,
    expert_feed_forward_length=768,
    expert_count=128,
    expert_used_count=8,
    context_length=262144,
    attention__head_count=32,
    attention__head_count_kv=4,
    attention__key_length=128,
    attention__value_length=128,
)
MIXTRAL = info(
    "llama",
    block_count=32,
    embedding_length=4096,
    feed_forward_length=14336,
    expert_count=8,
    expert_used_count=2,
    context_length=32768,
    attention__head_count=32,
    attention__head_count_kv=8,
)
GEMMA3_270M = info(
    "gemma3",
    block_count=18,
    embedding_length=640,
    feed_forward_length=2048,
    context_length=32768,
    attention__head_count=4,
    attention__head_count_kv=1,
    attention__key_length=256,
    attention__value_length=256,
    attention__sliding_window=512,
)
GEMMA3_27B = info(
    "gemma3",
    block_count=62,
    embedding_length=5376,
    feed_forward_length=21504,
    context_length=131072,
    attention__head_count=32,
    attention__head_count_kv=16,
    attention__key_length=128,
    attention__value_length=128,
    attention__sliding_window=1024,
)
GEMMA2_9B = info(
    "gemma2",
    block_count=42,
    embedding_length=3584,
    feed_forward_length=14336,
    context_length=8192,
    attention__head_count=16,
    attention__head_count_kv=8,
    attention__key_length=256,
    attention__value_length=256,
)
GEMMA3N = info(
    "gemma3n",
    block_count=35,
    embedding_length=2048,
    context_length=32768,
    attention__head_count=8,
    attention__head_count_kv=2,
    attention__key_length=256,
    attention__value_length=256,
    attention__sliding_window=512,
)
GPT_OSS_20B = info(
    "gptoss",
    block_count=24,
    embedding_length=2880,
    expert_count=32,
    expert_used_count=4,
    expert_feed_forward_length=2880,
    context_length=131072,
    attention__head_count=64,
    attention__head_count_kv=8,
    attention__key_length=64,
    attention__value_length=64,
    attention__sliding_window=128,
)
LLAMA4_SCOUT = info(
    "llama4",
    block_count=48,
    embedding_length=5120,
    context_length=10485760,
    attention__head_count=40,
    attention__head_count_kv=8,
    attention__key_length=128,
    attention__value_length=128,
)
DEEPSEEK_R1 = info(
    "deepseek2",
    block_count=61,
    embedding_length=7168,
    context_length=163840,
    attention__head_count=128,
    attention__head_count_kv=1,
    attention__key_length=576,
    attention__value_length=512,
    attention__key_length_mla=192,
    attention__value_length_mla=128,
)
DEEPSEEK_V2_LITE = info(
    "deepseek2",
    block_count=27,
    embedding_length=2048,
    context_length=163840,
    attention__head_count=16,
    attention__head_count_kv=16,
    attention__key_length=192,
    attention__value_length=128,
)
QWEN3_NEXT = info(
    "qwen3next",
    block_count=48,
    embedding_length=2048,
    context_length=262144,
    attention__head_count=16,
    attention__head_count_kv=2,
    attention__key_length=256,
    attention__value_length=256,
    ssm__conv_kernel=4,
    ssm__inner_size=4096,
    ssm__state_size=128,
    ssm__group_count=16,
)
LFM2 = info(
    "lfm2",
    block_count=16,
    embedding_length=2048,
    context_length=128000,
    attention__head_count=32,
    attention__head_count_kv=[0, 0, 8, 0, 0, 8, 0, 0, 8, 0, 8, 0, 8, 0, 8, 0],
    shortconv__l_cache=3,
)
MAMBA = info(
    "mamba",
    block_count=48,
    embedding_length=1536,
    context_length=1048576,
    attention__head_count=0,
    ssm__conv_kernel=4,
    ssm__inner_size=3072,
    ssm__state_size=16,
)
HALF = 2
"""The bytes of a number as f16."""

KNOWN = {
    # layers x heads x numbers x (a key and a value) x bytes x tokens
    "llama3.1:8b": Known(LLAMA_8B, 8192, 32 * 8 * 128 * 2 * HALF * 8192),
    "llama3.1:70b": Known(LLAMA_70B, 8192, 80 * 8 * 128 * 2 * HALF * 8192),
    "qwen3:8b": Known(QWEN3_8B, 40960, 36 * 8 * 128 * 2 * HALF * 40960),
    "qwen3:30b": Known(QWEN3_30B, 4096, 48 * 4 * 128 * 2 * HALF * 4096),
    "mixtral:8x7b": Known(MIXTRAL, 4096, 32 * 8 * 128 * 2 * HALF * 4096),
    # 512 tokens are fewer than a window of 512 and a batch; 2,048 are more, and so are 8,192, with a batch of 1,024.
    "gemma3:270m at 512": Known(GEMMA3_270M, 512, 18 * 512 * 1024),
    "gemma3:270m at 2,048": Known(GEMMA3_270M, 2048, (3 * 2048 + 15 * 1024) * 1024),
    "gemma3:270m at 8,192": Known(GEMMA3_270M, 8192, (3 * 8192 + 15 * 1536) * 1024),
    "gemma3:27b": Known(GEMMA3_27B, 8192, (10 * 8192 + 52 * 2048) * 16 * 128 * 2 * HALF),
    "gemma2:9b": Known(GEMMA2_9B, 8192, (21 * 8192 + 21 * 5120) * 8 * 256 * 2 * HALF),
    # The last 15 of 35 layers use the caches of others.
    "gemma3n:e4b": Known(GEMMA3N, 4096, (4 * 4096 + 16 * 1024) * 2 * 256 * 2 * HALF),
    # A window of 128 and a batch of 1,024 are filled up to 1,280.
    "gpt-oss:20b": Known(GPT_OSS_20B, 8192, (12 * 8192 + 12 * 1280) * 8 * 64 * 2 * HALF),
    "llama4:scout": Known(LLAMA4_SCOUT, 32768, (12 * 32768 + 36 * 9216) * 8 * 128 * 2 * HALF),
    # One compressed row for a token, no values.
    "deepseek-r1:671b": Known(DEEPSEEK_R1, 4096, 61 * 576 * HALF * 4096),
    # Made before that was known: keys of 192 and values of 128 for each of 16 heads.
    "deepseek-v2:16b": Known(DEEPSEEK_V2_LITE, 4096, 27 * 16 * (192 + 128) * HALF * 4096),
    # One layer in four attends; the others keep a state in f32.
    "qwen3-next:80b": Known(
        QWEN3_NEXT,
        4096,
        12 * 2 * 256 * 2 * HALF * 4096 + 36 * (3 * (4096 + 2 * 16 * 128) + 128 * 4096) * 4,
    ),
    "lfm2:1.2b": Known(LFM2, 4096, 6 * 8 * 64 * 2 * HALF * 4096 + 10 * 2048 * 2 * 4),
    "mamba:790m": Known(MAMBA, 4096, 48 * (3 * 3072 + 16 * 3072) * 4),
    # 1,024 numbers are 32 blocks, of 34 or 18 bytes.
    "llama3.1:8b in q8_0": Known(LLAMA_8B, 8192, 32 * 2 * 32 * 34 * 8192, "q8_0"),
    "llama3.1:8b in q4_0": Known(LLAMA_8B, 8192, 32 * 2 * 32 * 18 * 8192, "q4_0"),
    "llama3.1:8b four times": Known(LLAMA_8B, 2048, 4 * 32 * 8 * 128 * 2 * HALF * 2048, parallel=4),
    # A context is filled up to a multiple of 256.
    "llama3.1:8b at 1,000": Known(LLAMA_8B, 1000, 32 * 8 * 128 * 2 * HALF * 1024),
}
