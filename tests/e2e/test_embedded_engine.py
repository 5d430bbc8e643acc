"""The engine of the built-in model, with the real process and the real model.

Nothing depends on the text of a reply: the model is retrained now and then.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from reflectty.core import model_spec as facts
from reflectty.core.errors import ModelMissingError, PromptTooLongError, RefusedError
from reflectty.core.messages import Message, Request, VocabularyTags
from reflectty.engines.embedded.install import WEIGHTS_SIZE
from reflectty.engines.embedded.model import CONTEXT
from reflectty.models.manager import ModelLibrary
from reflectty.reasoning.modes import AskOptions, Mode, plan
from support.built_in import request_with, until
from support.engine_outcome import collect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from typing import TypeVar

    from reflectty.core.messages import Model
    from reflectty.engines.embedded.engine import EmbeddedEngine
    from support.built_in import BuiltIn
    from support.engine_outcome import Outcome

    T = TypeVar("T")

USAGE = ("prompt_tokens", "reply_tokens", "total_ms", "prompt_ms", "reply_ms")
NUMBER = json.dumps(
    {
        "type": "object",
        "properties": {"n": {"type": "integer", "maximum": 9}},
        "required": ["n"],
        "additionalProperties": False,
    }
)


def using(mini: BuiltIn, call: Callable[[EmbeddedEngine], Awaitable[T]], keep: float = 300.0) -> T:
    async def main() -> T:
        async with mini.engine(keep) as engine:
            return await call(engine)

    return asyncio.run(main())


def chat(mini: BuiltIn, request: Request) -> Outcome:
    return using(mini, lambda engine: collect(engine.chat(request)))


def test_reply_is_streamed_and_ends_with_its_usage(mini: BuiltIn) -> None:
    outcome = chat(mini, request_with(num_predict=20))
    assert outcome.complete
    assert len(outcome.chunks) > 5
    last = outcome.chunks[-1]
    assert last.done_reason == "length"
    assert last.usage is not None
    assert last.usage.reply_tokens == 20
    assert all(getattr(last.usage, name) > 0 for name in USAGE)


@pytest.mark.slow
def test_model_reflects_in_its_own_tags_without_a_system_prompt(mini: BuiltIn) -> None:
    chosen = plan(using(mini, lambda engine: engine.show("mini")), AskOptions())
    assert (chosen.mode, chosen.family.name, chosen.system, chosen.prefilled) == (Mode.NATIVE, "reflection", "", False)
    reply = chat(mini, request_with()).text
    assert reply.startswith("<thinking>")
    assert reply.endswith("</output>")


@pytest.mark.slow
def test_the_same_question_gets_the_same_reply(mini: BuiltIn) -> None:
    assert chat(mini, request_with(num_predict=30)).text == chat(mini, request_with(num_predict=30)).text


def test_resume_continues_after_the_given_prefix(mini: BuiltIn) -> None:
    so_far = "<thinking>\nI know it.\n</thinking>\n<output>\n"
    outcome = using(mini, lambda engine: collect(engine.resume(request_with(), so_far)))
    assert outcome.complete
    assert "<thinking>" not in outcome.text
    assert "</output>" in outcome.text


@pytest.mark.slow
def test_chat_and_resume_follow_a_schema(mini: BuiltIn) -> None:
    request = request_with(num_predict=40)._replace(schema=NUMBER)
    for outcome in (chat(mini, request), using(mini, lambda engine: collect(engine.resume(request, "<output>\n")))):
        assert set(json.loads(outcome.text)) == {"n"}
        assert outcome.chunks[-1].done_reason == "stop"


def test_prompt_too_long_is_refused_with_the_context_size(mini: BuiltIn) -> None:
    error = chat(mini, request_with("fox " * (CONTEXT + 100), num_predict=1)).error
    assert isinstance(error, PromptTooLongError)
    assert f"the context holds {CONTEXT}" in str(error)
    assert not error.resizable


def test_other_model_is_reported_missing(mini: BuiltIn) -> None:
    error = chat(mini, Request("llama3", (Message("user", "Hi"),))).error
    assert isinstance(error, ModelMissingError)
    assert "mini" in error.hint


@pytest.mark.parametrize(
    ("request_", "wrong"),
    [
        (request_with()._replace(think=True), "does not support thinking"),
        (request_with()._replace(keep_alive="soon"), "keep_alive"),
        (request_with()._replace(schema="true"), "schema"),
        (Request("mini", (Message("user", "?", images=("QQ==",)),)), "images"),
    ],
)
def test_unsupported_requests_are_refused(mini: BuiltIn, request_: Request, wrong: str) -> None:
    assert wrong in str(chat(mini, request_).error)


async def _as_changed(engine: EmbeddedEngine, change: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b""

    match change:
        case "create":
            await engine.create({"model": "mine"})
        case "upload":
            await engine.send_blob("sha256:0", 0, pieces())
        case _:
            async for _ in engine.stream_objects("POST", f"/api/{change}", {"model": "mini"}):
                pass


@pytest.mark.parametrize("change", ["create", "upload", "pull", "delete", "copy"])
def test_requests_to_change_the_model_are_refused(mini: BuiltIn, change: str) -> None:
    with pytest.raises(RefusedError, match="cannot be changed"):
        using(mini, lambda engine: _as_changed(engine, change))


def test_the_model_is_listed_and_shown(mini: BuiltIn) -> None:
    async def main(engine: EmbeddedEngine) -> tuple[Model, Model, str]:
        (listed,) = await engine.models()
        return listed, await engine.show("mini:latest"), await engine.version()

    listed, shown, version = using(mini, main)
    assert (listed.name, len(listed.digest), listed.parameter_size) == ("mini:latest", 64, "268.10M")
    assert listed.size == WEIGHTS_SIZE + mini.places.adapter.stat().st_size
    assert shown == listed
    assert shown.template == facts.MINI_TEMPLATE
    assert shown.context_length == CONTEXT
    assert (shown.grammar, shown.tags) == ("llguidance", VocabularyTags())
    assert version


def test_model_is_loaded_and_unloaded(own_mini: BuiltIn) -> None:
    async def main() -> None:
        engine = own_mini.engine()
        async with ModelLibrary(engine) as library:
            assert await engine.running_models() == ()
            loaded = await library.load("mini", "1h")
            assert loaded is not None
            assert loaded.context_length == CONTEXT
            assert (await collect(engine.chat(request_with(num_predict=2)))).complete
            assert await library.unload("mini")
            assert await engine.running_models() == ()
            assert own_mini.children() == []
            assert not await library.unload("mini")

    asyncio.run(main())


@pytest.mark.slow
def test_keep_alive_of_a_request_sets_how_long_the_model_stays_loaded(own_mini: BuiltIn) -> None:
    assert chat(own_mini, request_with(num_predict=2)._replace(keep_alive="-1")).complete
    assert own_mini.process().expires_at > 4_000_000_000 - 2_100_000_000
    child = own_mini.child()
    assert chat(own_mini, request_with(num_predict=2)._replace(keep_alive="0")).complete
    assert until(lambda: not child.lives)


@pytest.mark.slow
def test_concurrent_questions_are_all_answered(mini: BuiltIn) -> None:
    async def main(engine: EmbeddedEngine) -> list[Outcome]:
        return await asyncio.gather(
            *(collect(engine.chat(request_with(f"{n} + {n}", num_predict=5))) for n in range(4))
        )

    assert all(outcome.complete for outcome in using(mini, main))
