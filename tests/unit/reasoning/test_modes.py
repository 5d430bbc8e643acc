from __future__ import annotations

import pytest

from reflectty.core.errors import UsageError
from reflectty.core.messages import Effort, Model
from reflectty.reasoning.families import FAMILIES, family_named, family_of_model
from reflectty.reasoning.modes import (
    NEUTRAL_PROMPT,
    REFLECT_PROMPT,
    AskOptions,
    Mode,
    abilities_of,
    family_in_template,
    mode_reason_of,
    opens_thinking,
    pick_model,
    plan,
)

CARD = (
    "Reason through the query inside <thinking> tags, and then provide your final response inside <output> tags."
    " Correct yourself inside <reflection> tags."
)
PLAIN = Model("llama3.1:8b", ("completion", "tools"), template="{{ .System }}{{ .Prompt }}")
NATIVE = Model("qwen3:8b", ("completion", "thinking"), template="<think>{{ .Thinking }}</think>")
TAUGHT = Model("reflection:70b", ("completion",), template="{{ .Prompt }}", system=CARD)
PREFILLED = Model(
    "mine", ("completion",), template="{{ .Prompt }}<thinking>\nhow\n</thinking>\n<output>\n{{ end }}<thinking>\n"
)


@pytest.mark.parametrize(
    ("model", "mode", "chosen", "family", "think", "expects_tags"),
    [
        (NATIVE, Mode.AUTO, Mode.NATIVE, "native", True, False),
        (NATIVE, Mode.DIRECT, Mode.DIRECT, "native", False, False),
        (NATIVE, Mode.REFLECT, Mode.REFLECT, "native", False, False),
        (TAUGHT, Mode.AUTO, Mode.NATIVE, "reflection", None, True),
        (TAUGHT, Mode.DIRECT, Mode.DIRECT, "reflection", None, False),
        (PREFILLED, Mode.AUTO, Mode.NATIVE, "reflection", None, True),
        (PLAIN, Mode.AUTO, Mode.REFLECT, "any", None, True),
        (TAUGHT, Mode.REFLECT, Mode.REFLECT, "any", None, True),
        (PLAIN, Mode.NATIVE, Mode.NATIVE, "any", None, False),
        (PLAIN, Mode.DIRECT, Mode.DIRECT, "any", None, False),
    ],
)
def test_mode_and_family_are_chosen_for_each_model(  # noqa: PLR0913, PLR0917 - a row of the table
    model: Model, mode: Mode, chosen: Mode, family: str, think: bool | None, expects_tags: bool
) -> None:
    made = plan(model, AskOptions(mode=mode))

    assert (chosen, family, think, expects_tags) == (made.mode, made.family.name, made.think, made.expects_tags)


def test_think_is_sent_only_to_models_that_have_the_capability() -> None:
    assert all(plan(model, AskOptions(mode)).think is None for model in (PLAIN, TAUGHT, PREFILLED) for mode in Mode)


def test_an_effort_is_sent_to_a_model_that_thinks() -> None:
    assert plan(NATIVE, AskOptions(effort=Effort.HIGH)).think == "high"


def test_effort_changes_the_reflection_prompt() -> None:
    assert plan(PLAIN, AskOptions(effort=Effort.HIGH)).system != plan(PLAIN, AskOptions()).system


def test_effort_without_an_effect_is_noted() -> None:
    assert plan(TAUGHT, AskOptions(effort=Effort.HIGH)).notes


def test_reflection_prompt_follows_those_of_user_and_model() -> None:
    model = Model("m", system="You are Mo.")

    assert plan(model, AskOptions(system="Be brief.")).system.startswith(
        "You are Mo.\n\nBe brief.\n\n" + REFLECT_PROMPT[:20]
    )


def test_the_users_system_prompt_does_not_replace_the_models_own() -> None:
    assert f"{CARD}\n\nBe brief." == plan(TAUGHT, AskOptions(system="Be brief.")).system


def test_model_keeps_its_own_system_prompt() -> None:
    assert "" == plan(TAUGHT, AskOptions()).system == plan(PLAIN, AskOptions(mode=Mode.DIRECT)).system


def test_direct_mode_replaces_a_system_prompt_that_teaches_the_tags() -> None:
    assert plan(TAUGHT, AskOptions(mode=Mode.DIRECT)).system == NEUTRAL_PROMPT


def test_requested_family_is_used_in_every_mode() -> None:
    for mode in Mode:
        assert plan(NATIVE, AskOptions(mode=mode, family=FAMILIES["harmony"])).family is FAMILIES["harmony"]


def test_unknown_family_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        family_named("nope")

    assert "harmony" in caught.value.hint


@pytest.mark.parametrize(
    ("template", "family", "expected"),
    [
        ("{{ .Prompt }}<thinking>\n", "reflection", True),
        ("{{ if .X }}<think>{{ end }}{{ .Prompt }}", "think", False),
        ("{{ .Prompt }}<|im_start|>assistant\n<think>\n{{ end }}{{- end -}}\n", "think", True),
        ("{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}", "think", True),
        ("{{- '<think>\\n' + content + '</think>' }}", "think", False),
        ("<thought>\n", "exaone_deep", True),
        ("", "exaone_deep", True),
        ("{{ .Prompt }}", "exaone_deep", False),
        ("", "think", False),
    ],
)
def test_a_template_that_ends_in_the_opener_prefills(template: str, family: str, expected: bool) -> None:
    assert expected is opens_thinking(Model("m", template=template), FAMILIES[family])


@pytest.mark.parametrize(
    ("text", "family"),
    [
        (CARD, "reflection"),
        ("<think>x</think>", "think"),
        ("think in <think>, answer in <answer>", "think_answer"),
        ("reason in <reasoning>, answer in <answer>", "reasoning_answer"),
        ("[THINK] [/THINK]", "magistral"),
        ("<|inner_prefix|>", "apertus"),
        ("{{ .Prompt }}", None),
    ],
)
def test_family_is_recognized_in_template_or_system_prompt(text: str, family: str | None) -> None:
    found = (family_in_template(Model("m", template=text)), family_in_template(Model("m", system=text)))

    assert (family, family) == tuple(each.name if each else None for each in found)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("reflection:70b", "reflection"),
        ("hf.co/mradermacher/Reflection-Llama-3.1-8B-GGUF:Q4_K_M", "reflection"),
        ("gardner/llama-3.2-3b-reflection", "reflection"),
        ("deepseek-r1:8b", "think"),
        ("gpt-oss:20b", "harmony"),
        ("openthinker:7b", "openthinker"),
        ("openthinker3:7b", "think"),
        ("magistral", "magistral"),
        ("llama3.1:8b", None),
    ],
)
def test_family_is_recognized_by_name(name: str, family: str | None) -> None:
    found = family_of_model(name)

    assert family == (found.name if found else None)


def test_best_model_reflects_then_thinks_then_is_newest() -> None:
    old = Model("old", modified_at="2025-01-01")
    new = Model("new", modified_at="2026-01-01")
    embedding = Model("embed", ("embedding",), modified_at="2026-05-01")

    assert pick_model((TAUGHT, NATIVE, old, new)) is TAUGHT
    assert pick_model((old, NATIVE, new)) is NATIVE
    assert pick_model((old, new, embedding)) is new
    assert pick_model((embedding,)) is None


@pytest.mark.parametrize(
    ("model", "able", "why"),
    [
        (PLAIN, ("tools",), "a prompt asks it to reflect"),
        (NATIVE, ("thinking",), "separates its thinking"),
        (TAUGHT, ("reflection", "thinking"), "has the tags"),
        (PREFILLED, ("reflection", "thinking"), "has the tags"),
        (Model("reflection"), ("reflection", "thinking"), "its name"),
        (Model("deepseek-r1:8b"), ("thinking",), "its name"),
        (Model("deepseek-r1:8b", ("completion", "vision")), ("vision",), "a prompt asks it to reflect"),
        (Model("mimo-vl:7b", ("completion", "vision")), ("thinking", "vision"), "its name"),
        (Model("gpt-oss:20b"), ("thinking",), "its name"),
        (Model("embed", ("embedding",)), ("embedding",), "a prompt asks it to reflect"),
    ],
)
def test_abilities_and_reason_for_the_automatic_mode(model: Model, able: tuple[str, ...], why: str) -> None:
    assert abilities_of(model) == able
    assert why in mode_reason_of(model)
    assert (plan(model, AskOptions()).mode is Mode.REFLECT) is ("a prompt asks" in mode_reason_of(model))
