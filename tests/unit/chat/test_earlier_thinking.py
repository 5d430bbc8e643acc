"""Thinking of earlier turns: sent back in a field of its own to families that were trained with it, never as tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reflectty.chat.request import Question, request_for
from reflectty.core.known_models import keeps_thinking
from reflectty.core.messages import Message, Model
from reflectty.core.segments import Kind
from reflectty.core.session import StoredReply, Turn, history_of
from reflectty.protocols import ollama
from reflectty.protocols import openai as wire
from reflectty.reasoning.modes import AskOptions, Mode, plan

if TYPE_CHECKING:
    from reflectty.core.messages import Request

THOUGHT = (Message("user", "one?"), Message("assistant", "1", thinking="so"))


def request(name: str, keep: str = "auto", mode: Mode = Mode.AUTO, history: tuple[Message, ...] = THOUGHT) -> Request:
    model = Model(name, ("completion", "thinking"))
    question = Question("two?", history=history, ask_options=AskOptions(mode, keep_thinking=keep))
    return request_for(question, model, plan(model, question.ask_options))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("glm-4.6:cloud", True),
        ("zai-org/GLM-4.7-Flash", True),
        ("hf.co/unsloth/GLM-5-GGUF:Q4_K_M", True),
        ("command-a-reasoning", True),
        ("CohereLabs/command-a-reasoning-08-2025", True),
        ("laguna-xs", True),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B", True),
        ("glimmer", True),
        ("qwen3.6:35b", True),
        ("Qwen/Qwen3.8-Plus", True),
        ("MiniMaxAI/MiniMax-M2.1", True),
        ("glm-4.5-air", False),
        ("glm4:9b", False),
        ("qwen3:8b", False),
        ("qwen3.5:9b", False),
        ("gemma4", False),
        ("deepseek-v3.1", False),
        ("nemotron-nano-v2", False),
        ("reflection", False),
    ],
)
def test_earlier_thinking_is_sent_to_families_trained_on_it(name: str, kept: bool) -> None:
    assert keeps_thinking(name) is kept
    assert bool(request(name).messages[1].thinking) is (
        kept and plan(Model(name, ("thinking",)), AskOptions()).think is True
    )


@pytest.mark.parametrize(
    ("name", "keep", "mode", "thinking"),
    [
        ("glm-4.6", "auto", Mode.AUTO, "so"),
        ("glm-4.6", "auto", Mode.DIRECT, ""),
        ("glm-4.6", "auto", Mode.REFLECT, ""),
        ("glm-4.6", "off", Mode.AUTO, ""),
        ("qwen3", "on", Mode.AUTO, "so"),
    ],
)
def test_setting_overrides_the_family_default(name: str, keep: str, mode: Mode, thinking: str) -> None:
    assert request(name, keep, mode).messages[-2].thinking == thinking


def test_ollama_receives_thinking_in_its_own_field() -> None:
    kept, left = ollama.encode(request("glm-4.6")), ollama.encode(request("qwen3"))

    assert kept["messages"][1] == {"role": "assistant", "content": "1", "thinking": "so"}
    assert left["messages"][1] == {"role": "assistant", "content": "1"}


@pytest.mark.parametrize(
    ("maker", "fields"),
    [
        (wire.LLAMA_SERVER, {"reasoning_content": "so"}),
        (wire.SGLANG, {"reasoning_content": "so"}),
        (wire.VLLM, {"reasoning_content": "so", "reasoning": "so"}),
    ],
)
def test_other_servers_receive_thinking_in_their_own_fields(maker: str, fields: dict[str, str]) -> None:
    body = wire.encode(request("glm-4.6"), maker)
    assert body["messages"][1] == {"role": "assistant", "content": "1"} | fields


def test_template_arguments_preserve_thinking() -> None:
    arguments = wire.encode(request("glm-4.6"), wire.VLLM)["chat_template_kwargs"]

    assert arguments["clear_thinking"] is False
    assert arguments["preserve_thinking"] is True
    assert "preserve_thinking" not in wire.encode(request("qwen3"), wire.VLLM)["chat_template_kwargs"]


@pytest.mark.parametrize(
    ("name", "before", "expected"),
    [
        ("qwen3", THOUGHT, False),
        ("qwen3", (), None),
        ("glm-4.6", THOUGHT, None),
    ],
    ids=["none is sent", "no earlier answer", "it is sent"],
)
def test_llama_server_renders_no_empty_thinking_before_earlier_answers(
    name: str, before: tuple[Message, ...], expected: bool | None
) -> None:
    asked = request(name, history=before)
    for body in (wire.encode(asked, wire.LLAMA_SERVER), wire.encode_render(asked)):
        assert body["chat_template_kwargs"].get("preserve_reasoning") is expected


def turns(**said: Any) -> tuple[Turn, ...]:
    answered = StoredReply("glm-4.6:latest", answer="1", **said)
    return (Turn(1, None, 0.0, "one?"), Turn(2, 1, 0.0, said=answered))


TAGGED = ((Kind.THINKING, "11 is"), (Kind.REFLECTION, "no"), (Kind.ANSWER, "1"))


@pytest.mark.parametrize(
    ("said", "thinker", "thinking"),
    [
        ({"raw_thinking": "\nso\n"}, "glm-4.6", "so"),
        ({"raw_thinking": "so"}, "", ""),
        ({"raw_thinking": "so"}, "qwen3", ""),
        ({"segments": TAGGED}, "glm-4.6", "11 is\nno"),
        ({"segments": TAGGED, "mode": "reflect"}, "glm-4.6", ""),
    ],
    ids=["in a field", "not wanted", "of another model", "in tags", "asked for by a prompt"],
)
def test_session_history_includes_thinking_of_the_same_model(said: dict[str, Any], thinker: str, thinking: str) -> None:
    assert history_of(turns(**said), thinker) == (Message("user", "one?"), Message("assistant", "1", thinking=thinking))
