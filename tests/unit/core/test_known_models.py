from __future__ import annotations

import pytest

from reflectty.core.known_models import NAME_PATTERNS, is_undeclared_thinker
from reflectty.reasoning.families import FAMILIES, family_of_model

NAMES = {
    "think": (
        "deepseek-r1:8b", "deepseek-v3.1", "deepcoder", "qwen3:8b", "qwen3.5:4b", "Qwen/Qwen3-30B-A3B-Thinking-2507",
        "lfm2.5-thinking", "nemotron-3-nano", "nvidia/NVIDIA-Nemotron-Nano-9B-v2", "nvidia/Llama-3_3-Nemotron-Super-49B-v1",
        "hf.co/bartowski/nvidia_NVIDIA-Nemotron-3-Nano-30B-A3B-GGUF", "laguna-xs.2", "kimi-k2-thinking", "kimi-k2.5",
        "olmo-3:7b-think", "microsoft/Phi-4-reasoning-plus", "phi4-mini-reasoning", "glm-4.6", "glm-5.2", "zai-org/GLM-Z1-9B",
        "zai-org/GLM-4.1V-9B-Thinking", "MiniMaxAI/MiniMax-M1-80k", "hf.co/bartowski/XiaomiMiMo_MiMo-VL-7B-RL-GGUF",
        "step-3.5-flash", "stepfun-ai/Step3", "spark2.5", "LGAI-EXAONE/K-EXAONE-236B", "Intern-S1", "openthinker3:7b",
        "deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "hf.co/bartowski/Qwen_Qwen3-8B-GGUF", "inclusionAI/Ring-1T", "Holo2-8B",
        "Hermes-4-14B", "MiniCPM5-1B", "Reka-Edge", "granite-4.2-8b", "ornith", "poolside-v1", "kolibri1", "GigaChat-3.5-10B",
    ),
    "magistral": ("magistral", "mistral-small-4", "mistral-medium-3.5", "mistralai/Ministral-3-14B-Reasoning-2512"),
    "granite32": ("granite3.2", "hf.co/bartowski/ibm-granite_granite-3.2-8b-instruct-GGUF"),
    "granite33": ("ibm-granite/granite-3.3-8b-instruct", "granite3.3:2b"),
    "gemma4": ("gemma4", "hf.co/bartowski/google_gemma-4-31B-it-GGUF"),
    "kimi_k3": ("kimi-k3", "hf.co/bartowski/moonshotai_Kimi-K3-GGUF"),
    "hy": ("tencent/Hy3", "hy4"),
    "think_answer": ("hunyuan-a13b", "tencent/Hunyuan-4B-Instruct"),
    "harmony": ("gpt-oss:20b", "openai-gpt-oss-120b"),
    "glimmer": ("muse-glimmer", "glimmer", "muse-spark"),
    "inkling": ("inkling",),
    "k2_horizon": ("LLM360/K2-Horizon",),
    "plamo3": ("pfnet/plamo-3-nict-31b",),
    "apriel": ("ServiceNow-AI/Apriel-1.5-15b-Thinker", "hf.co/bartowski/ServiceNow-AI_Apriel-1.6-15b-Thinker-GGUF"),
    "longcat": ("meituan-longcat/LongCat-Flash-Thinking",),
    "ernie45": ("baidu/ERNIE-4.5-21B-A3B-Thinking",),
    "apertus": ("swiss-ai/Apertus-8B-Instruct",),
    "seed_oss": ("hf.co/bartowski/ByteDance-Seed_Seed-OSS-36B-Instruct-GGUF",),
    "solar_open": ("upstage-Solar-Open-100B",),
    "solar_open2": ("upstage/Solar-Open-2-100B",),
    "cohere": ("CohereLabs/command-a-reasoning-08-2025", "cohere-north"),
    "exaone_deep": ("LGAI-EXAONE/EXAONE-Deep-7.8B",),
    None: (
        "lfm2", "qwen3-coder:30b", "qwen3-coder-next", "qwen3-embedding", "deepseek-ocr", "deepseek-coder:6.7b",
        "deepseek-coder-v2", "deepseek-v2", "deepseek-llm", "nemotron", "nemotron-mini:4b", "granite3.2-vision",
        "kimi-k2:1t", "moonshotai/Kimi-K2-Instruct", "olmo-3:7b-instruct", "Qwen/Qwen3-30B-A3B-Instruct-2507",
        "nvidia/Llama-3.1-Nemotron-70B-Instruct", "deepseek-v3", "glm-4:9b", "glm4:9b", "phi4", "gemma3:4b",
        "mistral-small3.2", "longcat-flash-chat", "ernie-4.5-21b", "LFM2-8B-A1B", "llama3.1:8b", "starling-lm", "northwind",
    ),
}  # fmt: skip
"""Names that makers and Ollama's library give to models, by the family of their thinking."""


@pytest.mark.parametrize(("name", "family"), [(name, family) for family, names in NAMES.items() for name in names])
def test_family_is_recognized_anywhere_in_a_model_name(name: str, family: str | None) -> None:
    found = family_of_model(name)

    assert family == (found.name if found else None)


def test_every_name_pattern_belongs_to_a_known_family() -> None:
    assert {known.family for known in NAME_PATTERNS} <= set(FAMILIES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("hf.co/x/MiMo-VL-7B-GGUF", True), ("minimax-m1", True), ("deepcoder:14b", True), ("qwen3-coder", False)],
)
def test_undeclared_thinkers_are_known_by_name(name: str, expected: bool) -> None:
    assert is_undeclared_thinker(name) is expected
