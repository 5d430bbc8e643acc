from __future__ import annotations

from typing import Any

import pytest

from reflectty.protocols import openai as wire

NOW = 1795946613


def entry(name: str, created: int = NOW, maker: str = "acme", **more: Any) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created, "owned_by": maker, **more}


def picked(*entries: dict[str, Any]) -> tuple[str, str] | None:
    found = wire.pick_listed_model(wire.models_of({"data": list(entries)}))
    return (found[0].model.name, found[1]) if found else None


LITELLM = 1677610602


@pytest.mark.parametrize(
    ("entries", "name", "why"),
    [
        ([entry("m")], "m", "the only model served"),
        ([entry("m", maker="vllm"), entry("lora", maker="vllm", created=NOW + 1)], "m", "the first of 2 chat models listed"),
        (
            [entry("dead", LITELLM, "openai"), entry("tiny", LITELLM, "openai")],
            "dead",
            "the first of 2 chat models listed",
        ),
        ([entry("old", 1), entry("new", 3), entry("older", 2)], "new", "the most recent of 3 chat models"),
        ([entry("a", 0), entry("b", 3)], "a", "the first of 2 chat models listed"),
        ([entry("new", 9), entry("qwen3:8b", 2)], "qwen3:8b", "the only known thinking model of 2 listed"),
        (
            [entry("qwen3:4b", 2), entry("qwen3:8b", 3), entry("plain:latest", 4)],
            "qwen3:8b",
            "the most recent of 2 known thinking models",
        ),
        (
            [entry("qwen3", 9), entry("reflection:70b", 2)],
            "reflection:70b",
            "the only known reflection model of 2 listed",
        ),
        (
            [entry("text-embedding-3-small"), entry("m"), entry("tts-1")],
            "m",
            "the only chat model of 3 listed, judging by names and fields",
        ),
        (
            [entry("a", status={"value": "unloaded"}), entry("b", status={"value": "loaded"})],
            "b",
            "the only loaded model of 2 listed",
        ),
        (
            [entry("qwen3-8b", status={"value": "unloaded"}), entry("b", status={"value": "loaded"})],
            "b",
            "the only loaded model of 2 listed",
        ),
    ],
)  # fmt: skip
def test_default_model_is_chosen_for_the_stated_reason(entries: list[dict[str, Any]], name: str, why: str) -> None:
    assert picked(*entries) == (name, why)


@pytest.mark.parametrize(
    "other",
    [
        *(
            entry(name)
            for name in (
                "nomic-embed-text:latest", "text-embedding-ada-002", "BAAI/bge-m3", "intfloat/multilingual-e5-large",
                "Qwen/Qwen3-Embedding-8B", "Qwen/Qwen3-Reranker-4B", "jina-reranker-v2", "whisper-1",
                "openai/whisper-large-v3", "gpt-4o-mini-tts", "gpt-4o-transcribe", "dall-e-3", "gpt-image-1",
                "black-forest-labs/flux.1-dev", "stable-diffusion-xl", "omni-moderation-latest", "all-minilm:22m",
                "hexgrad/kokoro-82m", "llama-guard-3-8b", "sora-2", "gpt-4o-realtime-preview", "mxbai-embed-large",
            )
        ),
        entry("a", mode="embedding"), entry("a", mode="audio_transcription"), entry("a", mode="rerank"),
        entry("a", type="image"), entry("a", type="moderation"), entry("a", model_type="rerank"),
        entry("a", task="feature-extraction"), entry("a", capabilities={"completion_chat": False}),
        entry("a", capabilities=["embedding"]), entry("a", architecture={"output_modalities": ["image"]}),
    ],
)  # fmt: skip
def test_model_that_cannot_chat_is_never_chosen(other: dict[str, Any]) -> None:
    assert picked(other) is None
    chosen = picked(other, entry("m", 1))
    assert chosen is not None
    assert chosen[0] == "m"


@pytest.mark.parametrize(
    "model",
    [
        *(
            entry(name)
            for name in (
                "gpt-4o", "o3-mini", "gemma-3n-e4b-it", "Qwen/Qwen3-VL-8B", "mistral-large-latest", "org/team/Tiny-R1",
                "claude-opus-4", "deepseek-ai/DeepSeek-R1", "gemini-2.5-flash", "command-r", "phi-4-multimodal",
                "clipper-7b", "fluxion-8b",
            )
        ),
        entry("a", mode="chat"), entry("a", mode="responses"), entry("a", type="language"), entry("a", type="chat"),
        entry("a", task="image-text-to-text"), entry("a", capabilities={"completion_chat": True}),
        entry("a", capabilities=["completion", "multimodal"]), entry("a", capabilities=["vision", "tools"]),
        entry("a", architecture={"output_modalities": ["image", "text"]}), entry("a", architecture={"modality": "x"}),
    ],
)  # fmt: skip
def test_chat_model_is_chosen(model: dict[str, Any]) -> None:
    assert picked(model) == (model["id"], "the only model served")


def test_empty_list_gives_no_model() -> None:
    assert picked() is None
