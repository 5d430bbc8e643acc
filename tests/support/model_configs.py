"""Published configurations as `model_info` of /api/show has them, and small ones of the rarer kinds."""

from __future__ import annotations

from typing import Any


def info(architecture: str, **keys: Any) -> dict[str, Any]:
    """`model_info`: two underscores in a name are the dot of its key."""
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
    attention__sliding_window=4096,
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
    attention__shared_kv_layers=15,
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
    full_attention_interval=4,
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
RWKV6 = info(
    "rwkv6", block_count=24, embedding_length=2048, context_length=1048576, attention__head_count=0, wkv__head_size=64
)
FALCON_H1 = info(
    "falcon-h1",
    block_count=36,
    embedding_length=2048,
    context_length=131072,
    attention__head_count=8,
    attention__head_count_kv=2,
    attention__key_length=128,
    attention__value_length=128,
    ssm__conv_kernel=4,
    ssm__inner_size=3072,
    ssm__state_size=256,
    ssm__group_count=1,
)
SMALLTHINKER = info(
    "smallthinker",
    block_count=32,
    embedding_length=1536,
    context_length=32768,
    attention__head_count=12,
    attention__head_count_kv=2,
    attention__key_length=128,
    attention__value_length=128,
    attention__sliding_window=4096,
)
NEMOTRON_H = info(
    "nemotron_h",
    block_count=4,
    embedding_length=64,
    attention__head_count=4,
    attention__head_count_kv=[0, 0, 2, 0],
    attention__key_length=16,
    attention__value_length=16,
    feed_forward_length=[0, 256, 0, 256],
    ssm__conv_kernel=4,
    ssm__inner_size=128,
    ssm__state_size=16,
    ssm__group_count=2,
)
QWEN35 = info(
    "qwen35",
    block_count=5,
    embedding_length=64,
    attention__head_count=4,
    attention__head_count_kv=2,
    attention__key_length=16,
    attention__value_length=16,
    attention__recurrent_layers=[True, False, True, True, False],
    nextn_predict_layers=1,
    ssm__conv_kernel=4,
    ssm__inner_size=128,
    ssm__state_size=16,
)
GEMMA3_EVERY_THIRD = {**GEMMA3_270M, "gemma3.attention.sliding_window_pattern": 3}
