"""Plans for models by their chat templates, as servers report them: short templates with texts of our own."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from reflectty.core.messages import Model
from reflectty.protocols import openai as wire
from reflectty.reasoning.modes import AskOptions, Mode, own_family_of, plan


class Case(NamedTuple):
    """A template, and the right plan for it in mode auto."""

    name: str
    template: str
    mode: Mode
    family: str
    switch: bool | None = None
    """The switch that a llama-server receives in mode direct."""

    @property
    def thinks(self) -> bool:
        """Whether Ollama lists the capability: the pair stands in the template, or the model is gpt-oss."""
        return ("<think>" in self.template and "</think>" in self.template) or self.name.startswith("gpt-oss")


def jinja(text: str) -> str:
    return "{% for m in messages %}{{ m.content }}{% endfor %}" + text


CASES = (
    Case("Qwen3.5-4B", jinja("{{ '<think>' + r + '</think>' }}{{ '<|im_start|>assistant\\n<think>\\n' }}"), Mode.NATIVE, "native", switch=False),
    Case("R1-Distill", jinja("{{ c.split('</think>')[-1] }}{{ '<|Assistant|><think>\\n' }}"), Mode.NATIVE, "native", switch=False),
    Case("QwQ-32B", jinja("{{ '</think>' }}{%- if add_generation_prompt %}{{ 'a\\n<think>\\n' }}{%- endif %}"), Mode.NATIVE, "native", switch=False),
    Case("GLM-4.7", jinja("{{ '<think>' + r + '</think>' }}{{ '<|assistant|>' }}{{ '</think>' if off else '<think>' }}"), Mode.NATIVE, "native", switch=False),
    Case("gpt-oss-120b", jinja("{{ '<|start|>assistant<|channel|>analysis<|message|>' + m.thinking + '<|end|>' }}"), Mode.NATIVE, "native", switch=False),
    Case("gemma-4-31B-it", jinja("{% if enable_thinking %}{{ '<|think|>' }}{% endif %}{{ '<|channel>thought\\n' + t + '<channel|>' }}"), Mode.NATIVE, "gemma4", switch=False),
    Case("command-r7b", jinja("<|START_THINKING|>{{ plan }}<|END_THINKING|><|START_RESPONSE|>{{ r }}<|END_RESPONSE|>"), Mode.NATIVE, "cohere", switch=False),
    Case("Cohere2MoE", jinja("<|START_TEXT|>{{ r }}<|END_TEXT|>{% if reasoning %}<|START_THINKING|>{% endif %}"), Mode.NATIVE, "cohere", switch=False),
    Case("Kimi-K3", jinja("{% if thinking %}{{ open_tag('think') }}{% endif %}{{ open_tag('response') }}"), Mode.NATIVE, "kimi_k3", switch=False),
    Case("Apertus-8B", jinja("{% if enable_thinking %}{% endif %}{% set inner = '<|inner_prefix|>' %}"), Mode.NATIVE, "apertus", switch=False),
    Case("Apriel-1.6", jinja("after the marker [BEGIN FINAL RESPONSE].{{ 'Here are my reasoning steps:\\n' }}"), Mode.NATIVE, "apriel"),
    Case("Apriel-1.5", jinja("{{ 'as follows: [BEGIN FINAL RESPONSE] ... [END FINAL RESPONSE].' }}"), Mode.NATIVE, "apriel"),
    Case("muse-glimmer", jinja("{{ '<|start|>assistant to=self<|message|>' + r + '<|eom|>' }}{{ '<|start|>assistant' }}"), Mode.NATIVE, "glimmer", switch=False),
    Case("Hy3", jinja("{% set begin = '<think{}>'.format(token) %}{{ begin }}"), Mode.NATIVE, "hy", switch=False),
    Case("Ministral-3", jinja("{{ '[THINK]' + t + '[/THINK]' }}"), Mode.NATIVE, "magistral"),
    Case("Seed-OSS", jinja("{{ '<seed:think>' + r + '</seed:think>' }}"), Mode.NATIVE, "seed_oss", switch=False),
    Case("Solar-Open", jinja("{{ '<|think|>' + r + '<|end|>' }}<|begin|>assistant<|content|>"), Mode.NATIVE, "solar_open", switch=False),
    Case("Solar-Open-2", jinja("{{ '<|begin|>assistant<|think:start|>' }}"), Mode.NATIVE, "solar_open2"),
    Case("K2-Horizon", jinja("{{ '<ifm|think>\\n' }}"), Mode.NATIVE, "k2_horizon"),
    Case("LongCat", jinja("{{ '<longcat_think>\\n' }}"), Mode.NATIVE, "longcat"),
    Case("Inkling", jinja("{{ '<|message_model|><|content_thinking|>' + r + '<|end_message|>' }}"), Mode.NATIVE, "inkling"),
    Case("Qwen3-Coder", jinja("{{ '<|im_start|>assistant\\n' }}"), Mode.REFLECT, "any"),
    Case("Kimi-K2-Instruct", jinja("{{ '<|im_assistant|>' }}"), Mode.REFLECT, "any"),
    Case("LFM2-8B-A1B", jinja("{{ '<|im_start|>assistant\\n' }}"), Mode.REFLECT, "any"),
    Case("Llama-3.3-70B", jinja("{{ '<|start_header_id|>assistant' }}"), Mode.REFLECT, "any"),
)  # fmt: skip
UNTOLD = (
    Case("MiMo-VL-7B", jinja(""), Mode.NATIVE, "think"),
    Case("MiniMax-M1", jinja(""), Mode.NATIVE, "think"),
)
NAMED = [
    pytest.param(form.format(case.name), case, id=form.format(case.name))
    for case in CASES
    for form in ("hf.co/unsloth/{}-GGUF", "hf.co/bartowski/maker_{}-GGUF", "mine-{}")
] + [pytest.param(f"hf.co/unsloth/{case.name}-GGUF", case, id=case.name) for case in UNTOLD]


def on_ollama(name: str, case: Case) -> Model:
    return Model(name, ("completion", *(("thinking",) if case.thinks else ())), template=case.template)


def on_llama_server(name: str, case: Case) -> Model:
    (listed,) = wire.models_of({"data": [{"id": name, "owned_by": wire.LLAMA_SERVER}]})
    return wire.model_of(listed, name, {"chat_template": case.template}, wire.ignored_options_of(wire.LLAMA_SERVER))


@pytest.mark.parametrize(("name", "case"), NAMED)
def test_template_determines_the_plan_regardless_of_the_name(name: str, case: Case) -> None:
    chosen = plan(on_ollama(name, case), AskOptions())

    assert (chosen.mode, chosen.family.name, chosen.prefilled) == (case.mode, case.family, False)
    assert chosen.think is (True if case.thinks else None)


@pytest.mark.parametrize(("name", "case"), NAMED)
def test_tags_are_not_expected_from_a_model_that_may_skip_thinking(name: str, case: Case) -> None:
    alarm = case.mode is Mode.REFLECT or case.family == "think"

    assert plan(on_ollama(name, case), AskOptions()).expects_tags is alarm


@pytest.mark.parametrize(("name", "case"), NAMED)
@pytest.mark.parametrize("mode", [Mode.DIRECT, Mode.REFLECT])
def test_llama_cpp_replies_never_start_inside_thinking(name: str, case: Case, mode: Mode) -> None:
    chosen = plan(on_ollama(name, case), AskOptions(mode))

    assert (chosen.mode, chosen.prefilled, chosen.think) == (mode, False, False if case.thinks else None)


@pytest.mark.parametrize(("name", "case"), NAMED)
def test_llama_server_gets_the_same_plan_and_the_thinking_switch(name: str, case: Case) -> None:
    model = on_llama_server(name, case)
    chosen = plan(model, AskOptions())
    direct = plan(model, AskOptions(Mode.DIRECT))

    assert (chosen.mode, chosen.family.name, chosen.prefilled) == (case.mode, case.family, False)
    assert (direct.mode, direct.prefilled, direct.think) == (Mode.DIRECT, False, case.switch)


@pytest.mark.parametrize(
    ("template", "capabilities", "mode", "prefilled"),
    [
        # Ollama renders Go templates itself: tags that they open are not removed from the content.
        ("{{ .Prompt }}<think>\n", ("completion",), Mode.NATIVE, True),
        ("{{ .Prompt }}<think>\n", ("completion",), Mode.DIRECT, True),
        ("{{ .Prompt }}<think>\n", ("completion",), Mode.REFLECT, True),
        ("{{ .Prompt }}<think>\n", ("completion", "thinking"), Mode.NATIVE, False),
        ("{{ .Prompt }}<think>\n", ("completion", "thinking"), Mode.DIRECT, False),
        ("{{ .Prompt }}<think>\n", ("completion", "thinking"), Mode.REFLECT, False),
    ],
)
def test_reply_starts_inside_thinking_only_if_the_server_does_not_parse_it(
    template: str, capabilities: tuple[str, ...], mode: Mode, prefilled: bool
) -> None:
    assert plan(Model("m", capabilities, template=template), AskOptions(mode)).prefilled is prefilled


@pytest.mark.parametrize(
    ("name", "capabilities", "family"),
    [
        ("qwen3-coder:30b", ("completion", "tools"), None),
        ("deepseek-r1:8b", ("completion",), None),
        ("gpt-oss:20b", ("completion",), None),
        ("granite3.3:8b", ("completion", "tools"), None),
        ("deepseek-r1:8b", ("completion", "thinking"), "native"),
        ("deepseek-r1:8b", (), "think"),
        # No server parses other tags, whatever capabilities it lists.
        ("reflection:70b", ("completion",), "reflection"),
        ("openthinker:7b", ("completion",), "openthinker"),
        ("magistral", ("completion", "tools"), "magistral"),
    ],
)
def test_listed_capabilities_override_the_name(name: str, capabilities: tuple[str, ...], family: str | None) -> None:
    found = own_family_of(Model(name, capabilities))

    assert family == (found.name if found else None)


def test_direct_mode_does_not_expect_prefilled_thinking() -> None:
    model = Model("CohereLabs/command-a-reasoning-08-2025", unsupported_options=wire.ignored_options_of(wire.VLLM))

    assert (plan(model, AskOptions()).prefilled, plan(model, AskOptions(Mode.DIRECT)).prefilled) == (True, False)
