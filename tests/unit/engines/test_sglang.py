"""Continuing a reply on an SGLang whose template may open the thinking itself."""

from __future__ import annotations

from typing import Any

import pytest

from reflectty.core.messages import Message, Request
from support.openai_outcome import resume
from support.sglang import CHAT, Sglang

ASKED = Request("m", (Message("user", "hi"),))
BEFORE = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
START = "<|im_start|>assistant\n"


@pytest.mark.parametrize(
    ("end", "first", "so_far", "after"),
    [
        (START, "<think>\nBoth", "<think>\nI compare", "<think>\nI compare"),
        (START, "<th", "<think>\nI compare", "<think>\nI compare"),
        (START + "<think>\n", "Both", "<think>\nI compare", "<think>\nI compare"),
        (START + "<think>", "\nBoth", "<think>\nI compare", "<think>\nI compare"),
        (START + "<think>\n", "Both", "<think>\n", "<think>\n"),
        (START + "<think>\n", "Both", "<think>\nSo.\n</think>\n\n9.9", "<think>\nSo.\n</think>\n\n9.9"),
        (START + "<think>\n", "Both", "I compare", "<think>\nI compare"),
        (START + "<think:hy3>", "\nBoth", "<think:hy3>\nI compare", "<think:hy3>\nI compare"),
        (START, "<thinking>\nBoth", "<thinking>\nI compare", "<thinking>\nI compare"),
    ],
    ids=[
        *("left to the model", "left to it, in pieces", "opened", "opened without a break", "opened, an empty draft"),
        *("opened, concluded", "opened, no opener sent", "opened by another family", "asked for by a prompt"),
    ],
)
@pytest.mark.parametrize(
    "told",
    [{}, {"tells": False}, {"detokenizes": False}],
    ids=["by the prompt", "by what the model says first", "by that behind a gateway"],
)
def test_continued_thinking_is_opened_once(told: dict[str, Any], end: str, first: str, so_far: str, after: str) -> None:
    sglang = Sglang(end=end, first=first, **told)
    with sglang.serve() as server:
        outcome = resume(server.host, so_far, ASKED)

    assert outcome.complete
    assert outcome.text == " right</think>9.9"
    assert sglang.prompts[-1] == BEFORE + after


def test_continued_answer_needs_no_prompt_probe() -> None:
    with Sglang().serve() as server:
        resume(server.host, "9.9 is", ASKED)

    assert [asked.json["stream"] for asked in server.asked(CHAT)] == [True]


def test_prompt_probe_is_rendered_like_the_reply() -> None:
    with Sglang().serve() as server:
        resume(server.host, "<think>\nso", ASKED._replace(arguments=(("thinking", True),), options=(("seed", 1),)))
        look, reply = (asked.json for asked in server.asked(CHAT))

    assert look["chat_template_kwargs"] == reply["chat_template_kwargs"] == {"thinking": True}
    assert look["messages"] == reply["messages"][:-1]
    assert reply["seed"] == 1
