"""Continued replies of a real Ollama: changed, concluded, or after a cut; and the messages that a session sends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.chat.recorder import stored_reply_of
from reflectty.chat.request import Question
from reflectty.chat.run import ask
from reflectty.core.errors import NoAnswerError
from reflectty.core.segments import Kind
from reflectty.core.session import StoredReply
from reflectty.engines import open_engine
from reflectty.reasoning.modes import AskOptions, Mode, plan
from reflectty.reasoning.steering import conclude_thinking, continuation_prefix, draft_of, open_thinking, writing_family
from support.fakes import FakeRenderer
from support.reference_replies import EDITED, QUESTION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from reflectty.core.messages import Engine, Model, RunningModel
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.modes import Plan
    from reflectty.reasoning.reply import Reply
    from support.command import Reflect
    from support.real_ollama import Server
    from support.reference_replies import ReferenceReply

    T = TypeVar("T")

pytestmark = pytest.mark.server

WISH = AskOptions(Mode.NATIVE)
by_model = pytest.mark.parametrize("name", ["mini", "mini-native", "fewshot"])


async def replied(engine: Engine, name: str, **more: Any) -> Reply:
    """Ask, and return the reply, complete or cut at the token limit."""
    shown = FakeRenderer()
    ask_options = WISH._replace(model=name, options=more.pop("options", ()))
    with contextlib.suppress(NoAnswerError):
        await ask(engine, Question(QUESTION, ask_options, **more), shown, first_time=lambda _: False)
    assert shown.reply is not None
    return shown.reply


def using(server: Server, call: Callable[[Engine], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_engine(server.host) as engine:
            return await call(engine)

    return asyncio.run(run())


async def tags_of(engine: Engine, name: str) -> tuple[Model, Plan, Family]:
    model = await engine.show(name)
    chosen = plan(model, WISH)
    return model, chosen, writing_family(model, chosen, "reflection")


@by_model
def test_edited_thinking_continues_mid_sentence(ollama: Server, name: str) -> None:
    async def steered(engine: Engine) -> tuple[str, Reply]:
        _, _, family = await tags_of(engine, name)
        so_far = open_thinking(family, EDITED)
        return so_far, await replied(engine, name, reply_prefix=so_far)

    so_far, reply = using(ollama, steered)
    raw = "".join(reply.raw)

    assert raw.startswith(so_far)
    assert raw.count("<thinking>") == 1
    assert raw[len(so_far)] == " "
    assert reply.segments[0][0] is Kind.THINKING
    assert reply.segments[0][1].startswith(EDITED)
    assert len(reply.segments[0][1]) > len(EDITED)
    assert "</thinking>" in raw
    assert reply.is_complete
    assert reply.answer


@by_model
def test_open_correction_is_finished(ollama: Server, name: str) -> None:
    thought = ((Kind.THINKING, "11 is more than 9, so 9.11 is larger."), (Kind.REFLECTION, "No: I must compare"))

    async def steered(engine: Engine) -> Reply:
        _, _, family = await tags_of(engine, name)
        return await replied(engine, name, reply_prefix=open_thinking(family, draft_of(thought, family)))

    reply = using(ollama, steered)

    assert reply.segments[0] == thought[0]
    assert reply.reflections[0].startswith("No: I must compare ")
    assert "</reflection>" in "".join(reply.raw)
    assert reply.is_complete


@by_model
def test_concluded_thinking_is_followed_by_the_answer(ollama: Server, name: str) -> None:
    thought = ((Kind.THINKING, "9.9 is 9.90."), (Kind.REFLECTION, "I check: 90 is"))

    async def ended(engine: Engine) -> Reply:
        _, _, family = await tags_of(engine, name)
        return await replied(engine, name, reply_prefix=conclude_thinking(family, draft_of(thought, family)))

    reply = using(ollama, ended)

    assert reply.segments[:2] == thought
    assert [kind for kind, _ in reply.segments] == [Kind.THINKING, Kind.REFLECTION, Kind.ANSWER]
    assert reply.is_complete
    assert "9" in reply.answer


@pytest.fixture(scope="module", params=["mini", "mini-native"])
def complete_reply(ollama: Server, request: pytest.FixtureRequest) -> Reply:
    """A reply that was not cut."""
    return using(ollama, lambda engine: replied(engine, str(request.param)))


@pytest.mark.parametrize("where", ["<thinking>", "<reflection>", "<output>"])
def test_truncated_reply_continues_to_its_end(
    ollama: Server, mini_reply: ReferenceReply, complete_reply: Reply, where: str
) -> None:
    # The position after the opener of a part, as a share of the text: a token is a few characters.
    share = (mini_reply.raw.index(where) + len(where) + 8) / len(mini_reply.raw)
    limit = max(1, round(complete_reply.usage.reply_tokens * share))

    async def both(engine: Engine) -> tuple[Reply, Reply]:
        model, chosen, _ = await tags_of(engine, complete_reply.model)
        first = await replied(engine, complete_reply.model, options=(("num_predict", limit),))
        so_far = continuation_prefix(stored_reply_of(StoredReply(complete_reply.model), first), model, chosen)
        return first, await replied(engine, complete_reply.model, reply_prefix=so_far, prefix_metrics=first.metrics)

    first, second = using(ollama, both)
    before, after = (reply.metrics.thinking_tokens + reply.metrics.answer_tokens for reply in (first, second))

    assert first.done_reason == "length"
    # The server counts at most one token that it does not send: the one at which it stopped.
    assert 0 <= limit - before <= 1
    assert second.is_complete
    assert second.segments == complete_reply.segments
    assert before < after
    assert abs(after - complete_reply.usage.reply_tokens) <= 3


def test_loaded_model_and_version_are_reported(ollama: Server) -> None:
    async def loaded(engine: Engine) -> tuple[str, tuple[RunningModel, ...]]:
        await replied(engine, "mini", options=(("num_ctx", 1024),))
        return await engine.version(), await engine.running_models()

    version, running = using(ollama, loaded)
    (mini,) = (model for model in running if model.name.startswith("mini"))

    assert version.count(".") == 2
    assert mini.size > 100_000_000
    assert mini.size_vram <= mini.size
    assert mini.context_length == 1024


def test_continued_session_sends_the_earlier_answer(
    reflect: Reflect, ollama: Server, mini_reply: ReferenceReply
) -> None:
    asking = reflect.at(ollama.host)
    first = asking("-m", "mini", "--mode", "native", "--json", QUESTION)
    second = asking("-c", "--mode", "native", "--json", "Are you sure?")
    alone = asking("-m", "mini", "--mode", "native", "--json", "--no-store", "Are you sure?")
    values = [json.loads(result.out) for result in (first, second, alone)]
    asked, went_on, anew = (value["usage"]["prompt_tokens"] for value in values)

    assert [result.code for result in (first, second)] == [0, 0]
    assert values[0]["answer"] == mini_reply.answer
    assert values[1]["model"] == "mini"
    # The question, the answer without its thinking, and the new question.
    assert asked < went_on < asked + values[0]["usage"]["thinking_tokens"] + anew


def test_session_too_long_is_refused_with_advice(reflect: Reflect, ollama: Server) -> None:
    asking = reflect.at(ollama.host)
    words = "one two three four five six seven eight nine ten " * 60
    small = ("--mode", "direct", "--family", "none", "-o", "num_predict=8")
    asking("-m", "mini", *small, "Count.", stdin=words.encode())
    result = asking("-c", "--mode", "native", "-o", "num_ctx=512", "And now?")

    assert (result.code, result.out) == (4, "")
    assert "the context holds 512" in result.err
    assert "drop -c or --session" in result.err
