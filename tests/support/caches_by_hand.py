"""Sizes of the caches of the models to fit, calculated by hand."""

from __future__ import annotations

from typing import Any, NamedTuple

from support.model_configs import (
    DEEPSEEK_R1,
    DEEPSEEK_V2_LITE,
    FALCON_H1,
    GEMMA2_9B,
    GEMMA3_27B,
    GEMMA3_270M,
    GEMMA3_EVERY_THIRD,
    GEMMA3N,
    GPT_OSS_20B,
    LFM2,
    LLAMA4_SCOUT,
    LLAMA_8B,
    LLAMA_70B,
    MAMBA,
    MIXTRAL,
    NEMOTRON_H,
    QWEN3_8B,
    QWEN3_30B,
    QWEN3_NEXT,
    QWEN35,
    RWKV6,
)


class Known(NamedTuple):
    """A model, a way to load it, and the bytes of its cache."""

    info: dict[str, Any]
    context: int
    cache: int
    cache_type: str = "f16"
    parallel: int = 1


HALF = 2
"""The size of a number as f16, in bytes."""

KNOWN = {
    # layers x heads x numbers x (a key and a value) x bytes x tokens
    "llama3.1:8b": Known(LLAMA_8B, 8192, 32 * 8 * 128 * 2 * HALF * 8192),
    "llama3.1:70b": Known(LLAMA_70B, 8192, 80 * 8 * 128 * 2 * HALF * 8192),
    "qwen3:8b": Known(QWEN3_8B, 40960, 36 * 8 * 128 * 2 * HALF * 40960),
    "qwen3:30b": Known(QWEN3_30B, 4096, 48 * 4 * 128 * 2 * HALF * 4096),
    "mixtral:8x7b": Known(MIXTRAL, 4096, 32 * 8 * 128 * 2 * HALF * 4096),
    # 512 tokens are fewer than a window of 512 plus a batch; 2,048 are more, and so are 8,192, with a batch of 1,024.
    "gemma3:270m at 512": Known(GEMMA3_270M, 512, 18 * 512 * 1024),
    "gemma3:270m at 2,048": Known(GEMMA3_270M, 2048, (3 * 2048 + 15 * 1024) * 1024),
    "gemma3:270m at 8,192": Known(GEMMA3_270M, 8192, (3 * 8192 + 15 * 1536) * 1024),
    "gemma3:27b": Known(GEMMA3_27B, 8192, (10 * 8192 + 52 * 2048) * 16 * 128 * 2 * HALF),
    "gemma2:9b": Known(GEMMA2_9B, 8192, (21 * 8192 + 21 * 5120) * 8 * 256 * 2 * HALF),
    # The last 15 of 35 layers share the caches of others.
    "gemma3n:e4b": Known(GEMMA3N, 4096, (4 * 4096 + 16 * 1024) * 2 * 256 * 2 * HALF),
    # A window of 128 plus a batch of 1,024 is padded to 1,280.
    "gpt-oss:20b": Known(GPT_OSS_20B, 8192, (12 * 8192 + 12 * 1280) * 8 * 64 * 2 * HALF),
    # The file does not say that 36 of 48 layers use a window of 8,192: this is the upper bound.
    "llama4:scout": Known(LLAMA4_SCOUT, 32768, 48 * 32768 * 8 * 128 * 2 * HALF),
    # One compressed row per token, no values.
    "deepseek-r1:671b": Known(DEEPSEEK_R1, 4096, 61 * 576 * HALF * 4096),
    # From a file without those fields: keys of 192 and values of 128 for each of 16 heads.
    "deepseek-v2:16b": Known(DEEPSEEK_V2_LITE, 4096, 27 * 16 * (192 + 128) * HALF * 4096),
    # One layer in four attends; the states of the others, 0.1 GB beside 50 GB of weights, are not counted.
    "qwen3-next:80b": Known(QWEN3_NEXT, 4096, 12 * 2 * 256 * 2 * HALF * 4096),
    "lfm2:1.2b": Known(LFM2, 4096, 6 * 8 * 64 * 2 * HALF * 4096),
    "mamba:790m": Known(MAMBA, 4096, 0),
    "rwkv6:1.6b": Known(RWKV6, 4096, 0),
    "falcon-h1:1.5b": Known(FALCON_H1, 4096, 36 * 2 * 128 * 2 * HALF * 4096),
    # The first layer keeps a state, the third attends, and two only compute.
    "nemotron-h": Known(NEMOTRON_H, 4096, 2 * 16 * 2 * HALF * 4096),
    # The second and the fifth of five layers attend.
    "qwen3.5": Known(QWEN35, 4096, 2 * 2 * 16 * 2 * HALF * 4096),
    "gemma3 every third": Known(GEMMA3_EVERY_THIRD, 2048, (6 * 2048 + 12 * 1024) * 1024),
    # 1,024 numbers are 32 blocks, of 34 or 18 bytes.
    "llama3.1:8b in q8_0": Known(LLAMA_8B, 8192, 32 * 2 * 32 * 34 * 8192, "q8_0"),
    "llama3.1:8b in q4_0": Known(LLAMA_8B, 8192, 32 * 2 * 32 * 18 * 8192, "q4_0"),
    "llama3.1:8b four times": Known(LLAMA_8B, 2048, 4 * 32 * 8 * 128 * 2 * HALF * 2048, parallel=4),
    # A context is padded to a multiple of 256.
    "llama3.1:8b at 1,000": Known(LLAMA_8B, 1000, 32 * 8 * 128 * 2 * HALF * 1024),
}
