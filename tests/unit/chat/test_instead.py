"""Replies without an answer: a call of an unknown tool, or a refusal in a field of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.chat.request import Question
from reflectty.chat.run import ask, ask_raw
from reflectty.core.errors import NoAnswerError, ReflecttyError
from reflectty.engines import EngineName, open_engine
from reflectty.reasoning.modes import AskOptions, Mode
from support.fake_server import Answer, FakeServer, done, line, show, tags
from support.fakes import FakeRenderer
from support.openai_replies import DONE, STREAM, chunk, model_list, text

if TYPE_CHECKING:
    from reflectty.reasoning.reply import Reply

Routes = dict[str, Answer]

CALLED = "the model called the tool get_weather (not run) "
TWICE = "the model called the tools get_weather, look (not run) "
REFUSED = "the model refused: I cannot help with that."


def calls(*names: str) -> list[dict[str, Any]]:
    return [{"function": {"name": name, "arguments": {}}} for name in names]


def of_ollama(content: str, *names: str, thinking: str = "") -> Routes:
    message = {"role": "assistant", "content": content, "thinking": thinking, "tool_calls": calls(*names)}
    chat = Answer([line(message=message), line(**done())])
    return {"/api/show": show(), "/api/tags": tags("m"), "/api/chat": chat}


def of_openai(content: str, *names: str, thinking: str = "", refusal: str = "") -> Routes:
    pieces = [
        *([chunk({"reasoning": thinking})] if thinking else ()),
        *([text(content)] if content else ()),
        *(chunk({"tool_calls": [{"index": 0, **call}]}) for call in calls(*names)),
        *(chunk({"refusal": piece}) for piece in refusal.split("|") if piece),
        chunk(finish="tool_calls" if names else "stop"),
        DONE,
    ]
    chat = Answer(pieces, content_type=STREAM)
    return {"/v1/models": model_list("m"), "/v1/chat/completions": chat}


def asked(routes: Routes, engine: str, *, raw: bool = False) -> tuple[Reply | None, ReflecttyError | None]:
    question = Question("Which?", AskOptions(Mode.DIRECT, model="m"))

    async def run(host: str) -> Reply | None:
        async with open_engine(host, engine=engine) as opened:
            if raw:
                await ask_raw(opened, question, lambda _: None, lambda _: None)
                return None
            return await ask(opened, question, FakeRenderer(None), first_time=lambda _: False)

    with FakeServer(routes) as server:
        try:
            return asyncio.run(run(server.host)), None
        except ReflecttyError as error:
            return None, error


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(
    ("routes", "engine", "says"),
    [
        (of_ollama("", "get_weather"), EngineName.OLLAMA, CALLED),
        (of_ollama("", "get_weather", "look", "look"), EngineName.OLLAMA, TWICE),
        (of_openai("", "get_weather"), EngineName.OPENAI, CALLED),
        (of_openai("", refusal="I cannot |help with that."), EngineName.OPENAI, REFUSED),
    ],
)
def test_tool_call_or_refusal_is_not_an_answer(routes: Routes, engine: str, says: str, raw: bool) -> None:
    _, error = asked(routes, engine, raw=raw)
    assert type(error) is NoAnswerError
    assert says in str(error)
    assert error.exit_code == 5


@pytest.mark.parametrize(
    ("routes", "engine"),
    [
        (of_ollama("", "get_weather", thinking="I look."), EngineName.OLLAMA),
        (of_openai("", "get_weather", thinking="I look."), EngineName.OPENAI),
    ],
)
def test_the_thinking_before_a_call_is_not_passed_off_as_the_answer(routes: Routes, engine: str) -> None:
    _, error = asked(routes, engine)
    assert type(error) is NoAnswerError
    assert CALLED in str(error)


@pytest.mark.parametrize(
    ("routes", "engine", "says"),
    [
        (of_ollama("Let me look.", "get_weather"), EngineName.OLLAMA, CALLED),
        (of_openai("Let me look.", "get_weather"), EngineName.OPENAI, CALLED),
        (of_openai("Let me look.", refusal="I cannot help with that."), EngineName.OPENAI, REFUSED),
    ],
)
def test_answer_with_a_tool_call_or_refusal_has_a_warning(routes: Routes, engine: str, says: str) -> None:
    reply, error = asked(routes, engine)
    assert error is None
    assert reply is not None
    assert reply.answer == "Let me look."
    assert any(says in warning for warning in reply.warnings)


def test_whitespace_with_a_tool_call_is_not_an_answer() -> None:
    _, error = asked(of_openai("\n\n", "get_weather"), EngineName.OPENAI)
    assert type(error) is NoAnswerError
    assert CALLED in str(error)
