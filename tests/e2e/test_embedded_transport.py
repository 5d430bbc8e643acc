"""What a client of Ollama's protocol reads of the built-in model: the real client, the real process, the real model.

Nothing depends on what the model says: it is trained anew now and then.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reflectty.core import model_spec as facts
from reflectty.core.errors import ModelMissingError, PromptTooLongError
from reflectty.core.messages import Message, Request
from reflectty.engines.embedded.model import CONTEXT
from reflectty.models.manager import ModelLibrary
from reflectty.reasoning.modes import AskOptions, Mode, plan
from support.built_in import QUESTION, asking, until
from support.engine_outcome import collect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from reflectty.core.messages import Model
    from reflectty.engines.ollama import OllamaEngine
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


def using(mini: BuiltIn, call: Callable[[OllamaEngine], Awaitable[T]], keep: float = 300.0) -> T:
    async def main() -> T:
        async with mini.engine(keep) as engine:
            return await call(engine)

    return asyncio.run(main())


def chat(mini: BuiltIn, request: Request) -> Outcome:
    return using(mini, lambda engine: collect(engine.chat(request)))


def said(mini: BuiltIn, method: str, path: str, body: Any = None, *, raw: bytes | None = None) -> tuple[int, Any]:
    """Send what no client of ours would, and return the status and what came."""

    async def main() -> tuple[int, Any]:
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        transport = mini.transport()
        async with httpx.AsyncClient(transport=transport) as client:
            response = await client.request(method, f"http://localhost{path}", content=content)
        try:
            return response.status_code, response.json()
        except ValueError:
            return response.status_code, response.text

    return asyncio.run(main())


def test_reply_is_streamed_and_ends_with_its_usage(mini: BuiltIn) -> None:
    outcome = chat(mini, asking(num_predict=20))
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
    reply = chat(mini, asking()).text
    assert reply.startswith("<thinking>")
    assert reply.endswith("</output>")


@pytest.mark.slow
def test_the_same_question_gets_the_same_reply(mini: BuiltIn) -> None:
    assert chat(mini, asking(num_predict=30)).text == chat(mini, asking(num_predict=30)).text


@pytest.mark.parametrize(
    ("messages", "prompt"),
    [
        pytest.param(
            (Message("user", "a"),), "<start_of_turn>user\na<end_of_turn>\n<start_of_turn>model\n", id="a question"
        ),
        pytest.param(
            (Message("system", "s"), Message("user", "a"), Message("assistant", "b"), Message("user", "c")),
            "<start_of_turn>user\ns\n\na<end_of_turn>\n<start_of_turn>model\nb<end_of_turn>\n"
            "<start_of_turn>user\nc<end_of_turn>\n<start_of_turn>model\n",
            id="a conversation under a system prompt",
        ),
    ],
)
def test_prompt_has_the_format_of_the_training_data(mini: BuiltIn, messages: tuple[Message, ...], prompt: str) -> None:
    listed = [{"role": message.role, "content": message.content} for message in messages]
    status, answer = said(mini, "POST", "/api/chat", {"model": "mini", "messages": listed, "_debug_render_only": True})
    assert status == 200
    assert answer["_debug_info"]["rendered_template"] == prompt


def test_resume_continues_after_the_given_prefix(mini: BuiltIn) -> None:
    so_far = "<thinking>\nI know it.\n</thinking>\n<output>\n"
    outcome = using(mini, lambda engine: collect(engine.resume(asking(), so_far)))
    assert outcome.complete
    assert "<thinking>" not in outcome.text
    assert "</output>" in outcome.text


@pytest.mark.slow
def test_chat_and_resume_follow_a_schema(mini: BuiltIn) -> None:
    request = asking(num_predict=40)._replace(schema=NUMBER)
    for outcome in (chat(mini, request), using(mini, lambda engine: collect(engine.resume(request, "<output>\n")))):
        assert set(json.loads(outcome.text)) == {"n"}
        assert outcome.chunks[-1].done_reason == "stop"


def test_prompt_too_long_is_refused_with_the_context_size(mini: BuiltIn) -> None:
    error = chat(mini, asking("fox " * (CONTEXT + 100), num_predict=1)).error
    assert isinstance(error, PromptTooLongError)
    assert f"the context holds {CONTEXT}" in str(error)
    assert not error.resizable


def test_other_model_is_reported_missing(mini: BuiltIn) -> None:
    error = chat(mini, Request("llama3", (Message("user", "Hi"),))).error
    assert isinstance(error, ModelMissingError)
    assert "mini" in error.hint


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"options": {"temperature": "hot"}}, "temperature"),
        ({"options": {"num_predict": True}}, "num_predict"),
        ({"options": {"stop": [1]}}, "stop"),
        ({"options": 3}, "options"),
        ({"format": "yaml"}, "format"),
        ({"think": True}, "does not support thinking"),
        ({"tools": [{}]}, "does not support tools"),
        ({"keep_alive": "soon"}, "keep_alive"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "user", "content": "?", "images": ["QQ=="]}]}, "images"),
        ({"messages": [{"role": "nobody", "content": "?"}]}, "role"),
    ],
)
def test_unsupported_request_fields_are_refused_by_name(mini: BuiltIn, body: dict[str, Any], wrong: str) -> None:
    asked = {"model": "mini", "messages": [{"role": "user", "content": "Hi"}], **body}
    status, answer = said(mini, "POST", "/api/chat", asked)
    assert status == 400
    assert wrong in answer["error"]


@pytest.mark.parametrize("path", ["/api/create", "/api/pull", "/api/delete", "/api/copy", "/api/blobs/sha256:0"])
def test_requests_to_change_the_model_are_refused(mini: BuiltIn, path: str) -> None:
    status, answer = said(mini, "POST", path, {"model": "mini"})
    assert status == 400
    assert "cannot be changed" in answer["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("POST", "/v1/chat/completions", 404), ("GET", "/api/chat", 405), ("POST", "/api/tags", 405)],
)
def test_unknown_paths_and_methods_are_refused(mini: BuiltIn, method: str, path: str, status: int) -> None:
    assert said(mini, method, path)[0] == status


def test_request_body_that_is_not_json_is_refused(mini: BuiltIn) -> None:
    assert said(mini, "POST", "/api/chat", raw=b"{")[0] == 400


def test_reply_without_streaming_is_one_object(mini: BuiltIn) -> None:
    messages = [{"role": "user", "content": QUESTION}]
    asked = {"model": "mini", "messages": messages, "stream": False, "options": {"num_predict": 5}}
    _, chatted = said(mini, "POST", "/api/chat", asked)
    _, generated = said(mini, "POST", "/api/generate", asked | {"prompt": QUESTION})
    assert chatted["message"]["content"] == generated["response"] != ""
    assert [one["eval_count"] for one in (chatted, generated)] == [5, 5]


def test_the_model_is_listed_and_shown(mini: BuiltIn) -> None:
    async def main(engine: OllamaEngine) -> tuple[Model, Model, str]:
        (listed,) = await engine.models()
        return listed, await engine.show("mini:latest"), await engine.version()

    listed, shown, version = using(mini, main)
    assert (listed.name, len(listed.digest), listed.parameter_size) == ("mini:latest", 64, "268.10M")
    assert listed.size == mini.places.weights.stat().st_size + mini.places.adapter.stat().st_size
    assert shown.template == facts.MINI_TEMPLATE
    assert shown.context_length == CONTEXT
    assert version


def test_model_is_loaded_and_unloaded(own_mini: BuiltIn) -> None:
    async def main() -> None:
        engine = own_mini.engine()
        async with ModelLibrary(engine) as library:
            assert await engine.running_models() == ()
            loaded = await library.load("mini", "1h")
            assert loaded is not None
            assert loaded.context_length == CONTEXT
            assert (await collect(engine.chat(asking(num_predict=2)))).complete
            assert await library.unload("mini")
            assert await engine.running_models() == ()
            assert own_mini.children() == []
            assert not await library.unload("mini")

    asyncio.run(main())


@pytest.mark.slow
def test_keep_alive_of_a_request_sets_how_long_the_model_stays_loaded(own_mini: BuiltIn) -> None:
    assert chat(own_mini, asking(num_predict=2)._replace(keep_alive="-1")).complete
    assert own_mini.process().expires_at > 4_000_000_000 - 2_100_000_000
    child = own_mini.child()
    assert chat(own_mini, asking(num_predict=2)._replace(keep_alive="0")).complete
    assert until(lambda: not child.lives)


@pytest.mark.slow
def test_concurrent_questions_are_all_answered(mini: BuiltIn) -> None:
    async def main(engine: OllamaEngine) -> list[Outcome]:
        return await asyncio.gather(*(collect(engine.chat(asking(f"{n} + {n}", num_predict=5))) for n in range(4)))

    assert all(outcome.complete for outcome in using(mini, main))
