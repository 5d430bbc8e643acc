"""A trial question to a new model: the limit on its reply, and the verdict."""

from __future__ import annotations

import asyncio

import pytest

from reflectty.chat.trial import LIMIT, TAG_TOKEN_LIMIT, TrialResult, run_trial
from reflectty.models.manager import open_model_library
from support.fake_server import Answer, FakeServer, reply, show

TAGGED = ("<thinking>a", "<reflection>b</reflection></thinking>", "<output>9.9</output>")


def proven(chat: Answer, parameters: str = "") -> tuple[TrialResult, dict[str, object]]:
    async def asked() -> TrialResult:
        async with open_model_library(server.host) as library:
            return await run_trial(library.engine, "m")

    with FakeServer({"/api/show": show(parameters=parameters), "/api/chat": chat}) as server:
        return asyncio.run(asked()), server.asked("/api/chat")[0].json.get("options", {})


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", {"num_predict": LIMIT[1]}),
        ("temperature 0\nnum_predict 64", {}),
        ("num_predict -1", {"num_predict": LIMIT[1]}),
        ("num_predict -2", {"num_predict": LIMIT[1]}),
        ("stop num_predict", {"num_predict": LIMIT[1]}),
    ],
)
def test_trial_reply_is_limited_unless_the_model_has_a_limit(parameters: str, expected: dict[str, int]) -> None:
    proof, options = proven(reply(TAGGED), parameters)

    assert proof == TrialResult(passed=True, thinking="a", corrections=1, answer="9.9")
    assert {key: value for key, value in options.items() if key == "num_predict"} == expected


def test_trial_of_a_model_without_tags_fails_early() -> None:
    proof, _ = proven(reply(["word "] * (TAG_TOKEN_LIMIT + 400), reason="length"))

    assert (proof.passed, proof.problem) == (False, "it sent none of its tags")


def test_trial_continues_once_a_tag_was_sent() -> None:
    proof, _ = proven(reply(["<thinking>", *["word "] * (TAG_TOKEN_LIMIT + 400), *TAGGED[1:]]))

    assert (proof.passed, proof.corrections) == (True, 1)
