"""Budgets on a real Ollama and a real llama-server: the thinking ends there and the answer follows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reflectty.reasoning.governor import CLOSING_SENTENCE
from support.json_replies import read
from support.openai_command import OpenAICommand
from support.real_llama import ENDLESS, KEY, NAME, serve
from support.reference_replies import QUESTION

if TYPE_CHECKING:
    from support.command import Reflect
    from support.real_llama import LlamaServer
    from support.real_ollama import Server

pytestmark = pytest.mark.server
BUDGET = ("--budget", "16")


@pytest.mark.parametrize("name", ["mini", "mini-native", "fewshot"])
def test_ollama_answers_behind_the_budget(reflect: Reflect, ollama: Server, name: str) -> None:
    command = reflect.at(ollama.host)
    reply = read(command("-m", name, "--mode", "native", "--json", *BUDGET, QUESTION))

    assert reply["governed"] == {"by": "budget", "at": 16}
    assert (reply["complete"], reply["error"]) == (True, None)
    assert reply["thinking"].endswith(CLOSING_SENTENCE)
    assert "9" in reply["answer"]
    assert not any(part in reply["answer"] for part in ("<", "thinking", CLOSING_SENTENCE))


def test_budget_behind_the_thinking_changes_nothing(reflect: Reflect, ollama: Server) -> None:
    command = reflect.at(ollama.host)
    free, capped = (
        read(command("-m", "mini", "--mode", "native", "--json", "-o", "seed=1", *more, QUESTION))
        for more in ((), ("--budget", "4000"))
    )

    assert capped["governed"] is None
    assert capped["segments"] == free["segments"]


def test_answer_behind_the_budget_fits_a_schema(reflect: Reflect, ollama: Server) -> None:
    schema = json.dumps({"type": "object", "properties": {"larger": {"enum": ["9.11", "9.9"]}}, "required": ["larger"]})
    command = reflect.at(ollama.host)
    reply = read(command("-m", "mini-native", "--mode", "native", "--json", "--schema", schema, *BUDGET, QUESTION))

    assert reply["governed"]["by"] == "budget"
    assert json.loads(reply["answer"])["larger"] in {"9.11", "9.9"}


def test_most_of_the_prompt_is_cached_when_the_answer_is_asked_for(reflect: Reflect, ollama: Server) -> None:
    """The cut costs the reading of what was just written, as `prompt_tokens` without the cached ones shows."""
    command = reflect.at(ollama.host)
    material = "\n".join(f"Line {number} says nothing." for number in range(60))
    reply = read(command("-m", "mini", "--mode", "native", "--json", *BUDGET, QUESTION, stdin=material.encode()))
    usage = reply["usage"]

    assert reply["governed"]["by"] == "budget"
    assert usage["prompt_tokens"] > 400
    assert usage["cached_tokens"] == 0 or usage["cached_tokens"] > 400


def test_llama_server_answers_behind_the_budget(reflect: Reflect, llama: LlamaServer) -> None:
    command = OpenAICommand(reflect, llama.host, REFLECTTY_API_KEY=KEY)
    reply = read(command("-m", NAME, "--mode", "native", "--json", *BUDGET, QUESTION))

    assert reply["governed"] == {"by": "budget", "at": 16}
    assert reply["complete"]
    assert "9" in reply["answer"]


def test_llama_server_keeps_the_budget_of_a_model_that_thinks_natively(reflect: Reflect) -> None:
    with serve(template="opened", special=False) as server:
        command = OpenAICommand(reflect, server.host, REFLECTTY_API_KEY=KEY)
        reply = read(command("-m", NAME, "--mode", "native", "--json", *BUDGET, QUESTION))

    assert reply["governed"] == {"by": "budget", "at": 16}
    assert CLOSING_SENTENCE in reply["thinking"]
    assert reply["answer"]


def test_endless_thought_ends_at_the_seconds(reflect: Reflect, ollama: Server) -> None:
    command = reflect.at(ollama.host)
    reply = read(command("-m", "mini", "--mode", "native", "--json", "--budget", "1s", ENDLESS))

    assert reply["governed"]["by"] in {"budget", "loop"}
    assert reply["thinking"].endswith(CLOSING_SENTENCE)
