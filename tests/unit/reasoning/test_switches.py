from __future__ import annotations

from typing import Any

import pytest

from reflectty.chat.request import Question, request_for
from reflectty.core.messages import Effort, Model
from reflectty.protocols import openai as wire
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.modes import AskOptions, Mode, plan
from reflectty.reasoning.switches import SWITCHES, switch_of

ELSEWHERE = ("num_ctx", "keep_alive")
"""Options that every server ignores whose templates take arguments."""


def sent(model: Model, wish: AskOptions, maker: str = wire.VLLM) -> dict[str, Any]:
    """The fields about thinking in a request to a server of this maker."""
    body = wire.encode(request_for(Question("q", wish._replace(model=model.name)), model, plan(model, wish)), maker)
    return {name: body[name] for name in ("chat_template_kwargs", "reasoning_effort") if name in body}


def served(name: str, **more: Any) -> Model:
    return Model(name, unsupported_options=ELSEWHERE, **more)


def kwargs(**arguments: Any) -> dict[str, Any]:
    return {"chat_template_kwargs": arguments}


@pytest.mark.parametrize(
    ("name", "native", "direct"),
    [
        ("CohereLabs/command-a-reasoning-08-2025", kwargs(reasoning=True, enable_thinking=True),
            kwargs(reasoning=False, enable_thinking=False)),
        ("tencent/Hy3-preview", {"reasoning_effort": "high"}, kwargs(reasoning_effort="no_think")),
        ("tencent/Hy4-preview", {"reasoning_effort": "high"}, kwargs(reasoning_effort="no_think")),
        ("tencent/Hunyuan-A13B-Instruct", kwargs(enable_thinking=True), kwargs(enable_thinking=False)),
        ("google/gemma-4-31B-it", kwargs(enable_thinking=True), kwargs(enable_thinking=False)),
        ("swiss-ai/Apertus-8B-Instruct-2509", kwargs(enable_thinking=True), kwargs(enable_thinking=False)),
        ("ibm-granite/granite-3.2-8b-instruct", kwargs(thinking=True), kwargs(thinking=False)),
        ("ibm-granite/granite-3.3-8b-instruct", kwargs(thinking=True), kwargs(thinking=False)),
        ("moonshotai/Kimi-K3", kwargs(thinking=True), kwargs(thinking=False)),
        ("MiniMaxAI/MiniMax-M3", {}, kwargs(thinking_mode="disabled")),
        ("ByteDance-Seed/Seed-OSS-36B-Instruct", {}, kwargs(thinking_budget=0)),
        ("upstage/Solar-Open-100B", {"reasoning_effort": "high"}, {"reasoning_effort": "minimal"}),
        ("mistralai/Mistral-Small-4-119B-2603", {"reasoning_effort": "high"}, {"reasoning_effort": "none"}),
        ("meta/muse-glimmer", {}, kwargs(reasoning_strength="none")),
        ("mistralai/Magistral-Small-2509", {}, {}),
        ("LGAI-EXAONE/EXAONE-Deep-7.8B", {}, {}),
    ],
)  # fmt: skip
def test_thinking_switch_uses_the_arguments_of_the_family_template(
    name: str, native: dict[str, Any], direct: dict[str, Any]
) -> None:
    model = served(name)

    assert plan(model, AskOptions()).mode is Mode.NATIVE
    assert sent(model, AskOptions()) == native
    assert sent(model, AskOptions(Mode.DIRECT)) == direct


def test_default_thinker_is_switched_off_in_reflect_mode() -> None:
    chosen = plan(served("CohereLabs/command-a-reasoning-08-2025"), AskOptions(Mode.REFLECT))

    assert dict(chosen.arguments)["reasoning"] is False
    assert not chosen.prefilled


@pytest.mark.parametrize(
    ("name", "effort", "expected"),
    [
        ("tencent/Hy3-preview", Effort.LOW, {"reasoning_effort": "low"}),
        ("tencent/Hy3-preview", Effort.MEDIUM, {"reasoning_effort": "high"}),
        ("tencent/Hy4-preview", Effort.LOW, {"reasoning_effort": "high"}),
        ("moonshotai/Kimi-K3", Effort.MEDIUM, kwargs(thinking=True, thinking_effort="high")),
        ("moonshotai/Kimi-K3", Effort.MAX, kwargs(thinking=True, thinking_effort="max")),
        ("LLM360/K2-Horizon", Effort.LOW, {"reasoning_effort": "low"}),
        ("meta/muse-glimmer", Effort.MAX, kwargs(reasoning_strength="high")),
    ],
)
def test_effort_uses_the_values_of_the_template(name: str, effort: Effort, expected: dict[str, Any]) -> None:
    assert sent(served(name), AskOptions(effort=effort)) == expected


USUAL = {"enable_thinking": True, "thinking": True}


@pytest.mark.parametrize(
    ("name", "effort", "maker", "expected"),
    [
        ("Qwen/Qwen3.8-27B", Effort.HIGH, wire.VLLM, kwargs(**USUAL, reasoning_effort="xhigh")),
        ("Qwen/Qwen3.8-27B", Effort.LOW, wire.LLAMA_SERVER, kwargs(**USUAL) | {"reasoning_effort": "low"}),
        ("Qwen/Qwen3.6-27B", Effort.HIGH, wire.VLLM, kwargs(**USUAL) | {"reasoning_effort": "high"}),
        ("deepseek-ai/DeepSeek-V4", Effort.MAX, wire.SGLANG, kwargs(**USUAL, reasoning_effort="max")),
        ("deepseek-ai/DeepSeek-V4", Effort.LOW, wire.VLLM, kwargs(**USUAL)),
        ("zai-org/GLM-5.3-Flash", Effort.MEDIUM, wire.VLLM, {"reasoning_effort": "high"}),
        ("nvidia/NVIDIA-Nemotron-3-Super-120B", Effort.LOW, wire.VLLM, kwargs(**USUAL, low_effort=True)),
        ("openai/gpt-oss-120b", Effort.MAX, wire.LLAMA_SERVER, kwargs(**USUAL) | {"reasoning_effort": "high"}),
    ],
)
def test_known_thinker_uses_its_own_effort_values(
    name: str, effort: Effort, maker: str, expected: dict[str, Any]
) -> None:
    assert sent(served(name, capabilities=("thinking",)), AskOptions(effort=effort), maker) == expected


def test_family_is_taken_from_the_template_if_the_name_is_unknown() -> None:
    hy = served("mine", capabilities=("completion",), template="{%- set think_begin_token = '<think{}>' %}")
    cohere = served("mine", capabilities=("completion",), template="{% if reasoning %}<|START_THINKING|>{% endif %}")

    assert sent(hy, AskOptions(), wire.LLAMA_SERVER) == {"reasoning_effort": "high"}
    assert sent(cohere, AskOptions(Mode.DIRECT), wire.LLAMA_SERVER) == kwargs(reasoning=False, enable_thinking=False)


def test_ollama_uses_only_its_own_field() -> None:
    chosen = plan(Model("gemma4:31b", ("completion", "thinking")), AskOptions())

    assert (chosen.think, chosen.arguments) == (True, ())
    assert (
        sent(served("gemma4:31b", capabilities=("thinking",)), AskOptions(Mode.DIRECT), wire.OLLAMA)["reasoning_effort"]
        == "none"
    )


def test_effort_without_template_support_is_noted() -> None:
    assert plan(served("google/gemma-4-31B-it"), AskOptions(effort=Effort.LOW)).notes
    assert plan(served("granite-3.3-8b", capabilities=("completion", "thinking")), AskOptions(effort=Effort.LOW)).notes
    assert not plan(served("Qwen3-8B", capabilities=("thinking",)), AskOptions(effort=Effort.LOW)).notes
    assert plan(served("moonshotai/Kimi-K3"), AskOptions(Mode.DIRECT, Effort.LOW)).notes
    assert not plan(served("moonshotai/Kimi-K3"), AskOptions(effort=Effort.LOW)).notes


def test_every_switch_belongs_to_a_known_family() -> None:
    assert {switch.family for switch in SWITCHES} <= set(FAMILIES)
    assert switch_of("llama3.1", "") is None
