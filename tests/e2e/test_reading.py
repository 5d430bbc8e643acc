"""A reply is read from end to end: the thinking as thinking and the answer as the answer, on a pipe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.fake_server import FakeServer
from support.openai_command import OpenAICommand
from support.openai_replies import chat_reply, model_list, props
from support.scripted_servers import answering_server

if TYPE_CHECKING:
    from support.command import Reflect

PARIS = "Paris is the capital of France."
OPENS_THINKING = (
    "{% for m in messages %}{{ '<think>' + m.thinking + '</think>' }}{% endfor %}{{ '<|im_start|>a\\n<think>\\n' }}"
)
THINKER: dict[str, Any] = {"template": OPENS_THINKING, "capabilities": ["completion", "thinking"]}
GEMMA = "{% if enable_thinking %}{{ '<|think|>' }}{% endif %}{{ '<|channel>thought\\n' + t + '<channel|>' }}"
HARMONY: dict[str, Any] = {"template": "{{ .Prompt }}", "capabilities": ["completion"]}
ANALYSIS = "<|channel|>analysis<|message|>I'm thinking<|end|><|start|>assistant"
LITERAL = "Models write:\n\n<think>\n\nbefore they reason. That is all."
NAMED = "The closing tag is </think> and that is all."


@pytest.mark.parametrize("mode", ["auto", "direct", "reflect"])
class TestTemplateThatOpensThinking:
    def test_untagged_reply_is_the_answer_in_every_mode(self, reflect: Reflect, mode: str) -> None:
        with answering_server("Paris is the ", "capital of France.", **THINKER) as server:
            result = reflect.at(server.host)("-m", "qwen3.5", "--mode", mode, "--json", "q")
        value = json.loads(result.out)

        assert (result.code, value["answer"], value["thinking"]) == (0, PARIS, "")
        assert [part["kind"] for part in value["segments"]] == ["answer"]
        assert value["warnings"] == []

    def test_truncated_untagged_reply_is_the_answer(self, reflect: Reflect, mode: str) -> None:
        with answering_server("Paris is the", reason="length", **THINKER) as server:
            result = reflect.at(server.host)("-m", "qwen3.5", "--mode", mode, "q")

        assert (result.code, result.out) == (5, "Paris is the\n")
        assert "the answer was cut off at the token limit" in result.err

    def test_thinking_field_holds_all_of_the_thinking(self, reflect: Reflect, mode: str) -> None:
        with answering_server(PARIS, thinking=("The user asks.",), **THINKER) as server:
            result = reflect.at(server.host)("-m", "r1", "--mode", mode, "--json", "q")
        value = json.loads(result.out)

        assert (value["answer"], value["thinking"]) == (PARIS, "The user asks.")


@pytest.mark.parametrize("name", ["CohereLabs/command-a-reasoning-08-2025", "LGAI-EXAONE/EXAONE-Deep-7.8B"])
def test_reasoning_field_leaves_only_the_answer_in_the_content(reflect: Reflect, name: str) -> None:
    with FakeServer(
        {"/v1/models": model_list(name), "/v1/chat/completions": chat_reply([PARIS], ["The user asks"])}
    ) as server:
        result = OpenAICommand(reflect, server.host)("-m", name, "--json", "q")
    value = json.loads(result.out)

    assert (result.code, value["answer"], value["thinking"]) == (0, PARIS, "The user asks")


@pytest.mark.parametrize("name", ["qwen3-coder:30b", "deepseek-coder:6.7b", "nemotron-mini:4b", "kimi-k2:1t"])
def test_model_without_thinking_is_not_asked_in_native_mode(reflect: Reflect, name: str) -> None:
    with answering_server(PARIS, template="{{ .Prompt }}", capabilities=["completion", "tools"]) as server:
        result = reflect.at(server.host)("-m", name, "--json", "q")
    value = json.loads(result.out)

    assert (value["mode"], value["answer"]) == ("reflect", PARIS)
    assert not any("repair" in text for text in value["warnings"])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (f"{ANALYSIS}<|channel|>commentary to=assistant<|channel|>final<|message|>Hello, world!", "Hello, world!"),
        (f"{ANALYSIS}<|channel|>final to=user<|message|>Hello<|return|>", "Hello"),
        (f'{ANALYSIS}<|channel|>final {{"answer": "hi"}}<|return|>', '{"answer": "hi"}'),
        (f"{ANALYSIS}<|channel|>final Hello", "Hello"),
        ("analysisThe user greets.assistantfinalHello, world!", "Hello, world!"),
    ],
)
def test_harmony_final_answer_is_found_despite_broken_headers(reflect: Reflect, text: str, answer: str) -> None:
    with answering_server(*text, **HARMONY) as server:
        result = reflect.at(server.host)("-m", "m", "--mode", "native", "--family", "harmony", "--final", "q")

    assert (result.code, result.out, result.err) == (0, f"{answer}\n", "")


@pytest.mark.parametrize("thinking", [(), ("hm",)], ids=["alone", "with a field"])
@pytest.mark.parametrize("mode", ["auto", "native", "direct", "reflect"])
@pytest.mark.parametrize("text", [LITERAL, NAMED], ids=["opener", "closer"])
def test_tag_mentioned_in_an_answer_stays_in_the_answer(
    reflect: Reflect, text: str, mode: str, thinking: tuple[str, ...]
) -> None:
    capabilities = ["completion", "thinking"] if thinking else ["completion"]
    with answering_server(*text, thinking=thinking, template="{{ .Prompt }}", capabilities=capabilities) as server:
        asked = reflect.at(server.host)
        final = asked("-m", "m", "--mode", mode, "--final", "q")
        plain = asked("-m", "m", "--mode", mode, "q")

    assert (final.code, final.out) == (plain.code, plain.out) == (0, f"{text}\n")


def test_jsonl_reports_blocks_that_are_withdrawn(reflect: Reflect) -> None:
    with answering_server(*LITERAL, template="{{ .Prompt }}", capabilities=["completion"]) as server:
        result = reflect.at(server.host)("-m", "m", "--mode", "direct", "--jsonl", "q")
    events = [json.loads(line) for line in result.out.splitlines()]
    blocks: dict[int, str] = {}
    for event in events:
        if event.get("event") == "reclassified":
            assert event["kind"] is None
            blocks = {number: text for number, text in blocks.items() if number not in event["blocks"]}
        elif event.get("event") == "segment":
            blocks[event["block"]] = blocks.get(event["block"], "") + event["text"]

    assert blocks == {0: LITERAL}


def test_direct_mode_turns_off_unlisted_thinking_on_llama_server(reflect: Reflect) -> None:
    chat = "/v1/chat/completions"
    routes = {
        "/v1/models": model_list("gemma", maker="llamacpp"),
        "/props?model=gemma": props(GEMMA),
        chat: chat_reply([PARIS]),
    }
    with FakeServer(routes) as server:
        result = OpenAICommand(reflect, server.host)("-m", "gemma", "--mode", "direct", "--final", "q")
        body = server.asked(chat)[0].json

    assert (result.code, result.out) == (0, f"{PARIS}\n")
    assert body["chat_template_kwargs"]["enable_thinking"] is False
