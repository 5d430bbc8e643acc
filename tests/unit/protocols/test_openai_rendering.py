"""A prompt rendered by a vLLM, read the same however its bytes are cut."""

from __future__ import annotations

import pytest

from reflectty.protocols import openai as wire
from reflectty.protocols.decoding import LINE_LIMIT
from reflectty.reasoning.families import find_opener
from support.vllm import preview_reply

PROMPT = "<|im_start|>user\nQué?<|im_end|>\n<|im_start|>assistant\n"
STREAM = b"".join(step for step in preview_reply(PROMPT, ["<think>", "\n", "Bóth"]).steps if isinstance(step, bytes))  # type: ignore[union-attr] # a list here


@pytest.mark.parametrize("size", [1, 2, 7, 64, len(STREAM)])
def test_any_split_gives_the_same_probe(size: int) -> None:
    glimpse = wire.PromptProbe()
    for at in range(0, len(STREAM), size):
        assert list(glimpse.feed(STREAM[at : at + size])) == []
    list(glimpse.close())

    assert (glimpse.prompt, glimpse.first_tokens) == (PROMPT, "<think>\nBóth")
    assert glimpse.over
    assert glimpse.done


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"data: nonsense\n\n",
        b"data: [1]\n\n",
        b'data: {"choices": 1}\n\n',
        b'data: {"choices": [{"logprobs": {"content": [1, {"token": 2}]}}], "prompt_text": null}\n\n',
        b"<html>",
        b'data: {"error": {"message": "no"}}\n\n',
    ],
)
def test_invalid_data_gives_no_prompt(data: bytes) -> None:
    glimpse = wire.PromptProbe()
    list(glimpse.feed(data))
    list(glimpse.close())

    assert glimpse.prompt == ""


def test_endless_prompt_ends_the_probe() -> None:
    glimpse = wire.PromptProbe()
    list(glimpse.feed(b'data: {"prompt_text": "' + b"x" * LINE_LIMIT))

    assert glimpse.done
    assert glimpse.prompt == ""


@pytest.mark.parametrize(
    ("prompt", "said", "expected"),
    [
        ("Q: <think>\n", "so", "<think>"),
        ("Q: ", "\n<thinking>so", "<thinking>"),
        ("Q: <think></think>", "so", ""),
        ("Q: ", "so <think>", ""),
        ("Q: <|channel>thought\n", "", ""),
        ("", "", ""),
    ],
)
def test_opener_is_found_at_the_end_of_a_prompt_or_the_start_of_a_reply(prompt: str, said: str, expected: str) -> None:
    assert find_opener(prompt, said) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"count": 3, "max_model_len": 8, "tokens": [1, 2, 3]}, ([1, 2, 3], 3, 8)),
        ({"tokens": [1]}, ([1], 1, 0)),
        ({"tokens": "x", "count": "y"}, ([], 0, 0)),
        ({}, ([], 0, 0)),
    ],
)
def test_tokens_are_counted_if_reported(body: dict[str, object], expected: tuple[list[object], int, int]) -> None:
    assert wire.tokens_of(body) == expected
