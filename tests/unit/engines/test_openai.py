from __future__ import annotations

import asyncio
import itertools
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import ModelMissingError, RefusedError, UnreachableError, UsageError
from reflectty.core.messages import Capacity, Message, Model, Request, RunningModel, Workload
from reflectty.engines import open_engine
from reflectty.engines.openai import OpenAIEngine
from support.engine_outcome import FADING, PATIENT, REQUEST, collect
from support.fake_server import HANG, Answer, FakeServer, Pause, Raw, whole
from support.openai_outcome import ask, resume, using
from support.openai_replies import STREAM, chat_reply, completion_reply, model_list, props, text
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from reflectty.core.messages import Engine

CHAT, MODELS = "/v1/chat/completions", "/v1/models"
THOUGHT = "<think>\nI compare"


def test_chat_is_one_request_and_yields_its_chunks() -> None:
    with FakeServer({CHAT: chat_reply(["4", "2"], ["I count"])}) as server:
        outcome = ask(server.host)
    pieces = [(chunk.thinking, chunk.content) for chunk in outcome.chunks]

    assert pieces == [("I count", ""), ("", "4"), ("", "2"), ("", "")]
    assert outcome.complete
    (asked,) = server.requests
    assert (asked.method, asked.path) == ("POST", CHAT)
    assert asked.json["skip_special_tokens"] is False
    assert asked.headers["user-agent"] == "reflectty"


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
@pytest.mark.parametrize("prefix", ["", "/cluster"])
def test_host_may_include_the_api_version(prefix: str, path: str) -> None:
    async def run(host: str) -> bool:
        async with open_engine(host, engine="openai", timeouts=PATIENT) as engine:
            kept: Engine = engine
            return (await collect(kept.chat(REQUEST))).complete

    with FakeServer({f"{prefix}{CHAT}": chat_reply(["hi"])}) as server:
        assert asyncio.run(run(f"http://{server.host}{prefix}{path}"))


def test_invalid_host_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="ftp://"):
        open_engine("ftp://cluster", engine="openai")


def test_model_is_looked_up_in_the_served_list() -> None:
    with FakeServer({MODELS: model_list("org/Qwen3-8B")}) as server:
        model = using(server.host, lambda engine: engine.show("org/Qwen3-8B"))
        with pytest.raises(ModelMissingError) as missing:
            using(server.host, lambda engine: engine.show("Qwen3-8B"))

    assert (model.name, model.context_length, model.template) == ("org/Qwen3-8B", 4096, "")
    assert "num_ctx" in model.unsupported_options
    assert "did you mean org/Qwen3-8B" in missing.value.hint
    assert {asked.path for asked in server.requests} == {MODELS, "/tokenize"}


def test_llama_server_reports_more_about_a_model() -> None:
    routes = {MODELS: model_list("mini", maker="llamacpp"), "/props?model=mini": props("<think></think>", vision=True)}
    routes["/props"] = routes["/props?model=mini"]
    with FakeServer(routes) as server:
        model = using(server.host, lambda engine: engine.show("mini"))
        version = using(server.host, OpenAIEngine.version)

    assert (model.capabilities, model.template) == (("completion", "thinking", "vision"), "<think></think>")
    assert model.context_length == 32768
    assert version == "b10488-abc"


def test_missing_llama_server_props_are_tolerated() -> None:
    with FakeServer({MODELS: model_list("mini", maker="llamacpp")}) as server:
        assert using(server.host, lambda engine: engine.show("mini")).template == ""
        assert using(server.host, OpenAIEngine.version) == ""
        assert type(resume(server.host, THOUGHT).error) is RefusedError


def test_served_models_count_as_running() -> None:
    with FakeServer({MODELS: model_list("a", "b"), "/version": whole({"version": "0.11.2"})}) as server:
        assert using(server.host, OpenAIEngine.models) == (
            Model("a", context_length=4096, selection_reason="the first of 2 chat models listed"),
            Model("b", context_length=4096),
        )
        assert using(server.host, OpenAIEngine.running_models) == (
            RunningModel("a", context_length=4096),
            RunningModel("b", context_length=4096),
        )
        assert using(server.host, OpenAIEngine.version) == "0.11.2"


def test_answer_that_is_not_a_list_is_not_an_openai_server() -> None:
    for answer in (whole([1]), Raw([b"HTTP/1.1 200 OK\r\n\r\n<html>"]), whole({"models": []})):
        with FakeServer({MODELS: answer}) as server, pytest.raises(UnreachableError, match="not an OpenAI-compatible"):
            using(server.host, OpenAIEngine.models)


def test_missing_model_error_suggests_served_models() -> None:
    missing = whole({"error": {"message": "The model `refl` does not exist.", "param": "model"}}, 404)
    with FakeServer({CHAT: missing, MODELS: model_list("reflection-70b")}) as server:
        outcome = ask(server.host, Request("refl", REQUEST.messages))

    assert type(outcome.error) is ModelMissingError
    assert "reflection-70b" in outcome.error.hint
    assert "ollama" not in outcome.error.hint


OLLAMA = model_list("plain:latest", "mini:latest", "Mini-Native:latest", maker="library")


@pytest.mark.parametrize(
    ("listed", "named", "asked", "note"),
    [
        (whole({"object": "list", "data": []}), "models/mini-hf", "models/mini-hf", "it lists no models"),
        (Answer([b""]), "default_model", "default_model", "it lists no models"),
        (whole({"detail": "Not Found"}, 404), "anything", "anything", "it lists no models"),
        (whole({"error": "no such method"}, 405), "anything", "anything", "it lists no models"),
        (model_list("gpt-4o", "o3", maker="openai"), "gpt-4o-2024-08-06", "gpt-4o-2024-08-06", "it lists gpt-4o, o3"),
        (model_list(*"abcdefg", maker="acme"), "h", "h", "it lists a, b, c, d, e and 2 more"),
        (OLLAMA, "mini", "mini:latest", ""),
        (OLLAMA, "mini-native", "Mini-Native:latest", ""),
        (OLLAMA, "mini:latest", "mini:latest", ""),
        (model_list("a:latest", maker="acme"), "a", "a", "it lists a:latest"),
        (model_list("m", "n"), "n", "n", ""),
    ],
)
def test_unlisted_name_is_used_if_the_list_may_be_incomplete(listed: Answer, named: str, asked: str, note: str) -> None:
    async def twice(engine: OpenAIEngine) -> tuple[Model, Model]:
        return await engine.show(named), await engine.show(named)

    with FakeServer({MODELS: listed}) as server:
        first, second = using(server.host, twice)

    assert (first.name, second.name, second.notices) == (asked, asked, ())
    assert first.notices == ((f"{named} is not in the server's list of models ({note}); requesting it anyway",) if note else ())  # fmt: skip


@pytest.mark.parametrize("maker", ["vllm", "sglang", "llamacpp", "library"])
def test_complete_list_refuses_an_unlisted_name_with_suggestions(maker: str) -> None:
    with (
        FakeServer({MODELS: model_list("org/Qwen3-8B", "mini:latest", maker=maker)}) as server,
        pytest.raises(ModelMissingError, match="the model Qwen3-9B is not available on this server") as caught,
    ):
        using(server.host, lambda engine: engine.show("Qwen3-9B"))
    assert "org/Qwen3-8B" in caught.value.hint


def test_forbidden_list_is_not_a_missing_list() -> None:
    with (
        FakeServer({MODELS: whole({"error": {"message": "Invalid API Key", "code": 401}}, 401)}) as server,
        pytest.raises(RefusedError, match="Invalid API Key") as caught,
    ):
        using(server.host, lambda engine: engine.show("m"))
    assert "REFLECTTY_API_KEY" in caught.value.hint


METRICS = Answer([b'vllm:num_requests_running{engine="0"} 3.0\nvllm:num_requests_waiting{engine="0"} 1.0\n'])
TOLD = whole({"total_slots": 4, "default_generation_settings": {"n_ctx": 8192}})


@pytest.mark.parametrize(
    ("maker", "routes", "capacity", "load"),
    [
        ("vllm", {"/metrics": METRICS}, Capacity(), Workload(3, 1)),
        ("vllm", {}, Capacity(), None),
        ("vllm", {"/metrics": Answer([b"<html>"])}, Capacity(), None),
        ("llamacpp", {"/props?model=m": TOLD, "/metrics": METRICS}, Capacity(4, 8192), None),
        ("llamacpp", {}, Capacity(), None),
        ("acme", {"/metrics": METRICS, "/props?model=m": TOLD}, Capacity(), None),
    ],
)
def test_capacity_and_workload_are_read_if_the_server_is_known_to_report_them(
    maker: str, routes: dict[str, Answer], capacity: Capacity, load: Workload | None
) -> None:
    async def both(engine: OpenAIEngine) -> tuple[Capacity, Workload | None]:
        return await engine.capacity("m"), await engine.workload()

    with FakeServer({MODELS: model_list("m", maker=maker), **routes}) as server:
        assert using(server.host, both) == (capacity, load)


# Continuing


def test_llama_server_continues_after_the_rendered_prompt() -> None:
    routes = {
        MODELS: model_list("m", maker="llamacpp"),
        "/apply-template": whole({"prompt": "Q: hi\nA: <think>\n"}),
        "/v1/completions": completion_reply([" right", "</think>"]),
    }
    with FakeServer(routes) as server:
        outcome = resume(server.host, THOUGHT)
    raw = server.asked("/v1/completions")[0].json

    assert outcome.text == " right</think>"
    assert outcome.complete
    assert raw["prompt"] == "Q: hi\nA: <think>\nI compare"


def test_sglang_continues_an_open_last_message() -> None:
    with FakeServer(
        {MODELS: model_list("m", maker="sglang"), CHAT: chat_reply([" right", "</think>", "9.9"])}
    ) as server:
        outcome = resume(server.host, THOUGHT)
    body = server.asked(CHAT)[-1].json

    assert outcome.text == " right</think>9.9"
    assert body["messages"][-1] == {"role": "assistant", "content": THOUGHT}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)


def test_parsed_thinking_continues_as_content_and_is_closed() -> None:
    with FakeServer(
        {MODELS: model_list("m", maker="sglang"), CHAT: chat_reply(["9.9", "!"], [" the", " two."])}
    ) as server:
        outcome = resume(server.host, THOUGHT)

    assert "".join(chunk.content for chunk in outcome.chunks) == " the two.</think>9.9!"
    assert not any(chunk.thinking for chunk in outcome.chunks)


@pytest.mark.parametrize("maker", ["", "openai", "library"])
def test_resume_is_refused_if_the_server_might_start_over(maker: str) -> None:
    with FakeServer({MODELS: model_list("m", maker=maker), CHAT: chat_reply(["Hello!"])}) as server:
        outcome = resume(server.host, THOUGHT)

    assert type(outcome.error) is RefusedError
    assert "ask again" in outcome.error.hint
    assert server.asked(CHAT) == []


def test_failed_template_rendering_is_refused() -> None:
    routes = {MODELS: model_list("m", maker="llamacpp"), "/apply-template": whole({"no": "prompt"})}
    with FakeServer(routes) as server:
        assert type(resume(server.host, THOUGHT).error) is RefusedError


# Closing


def test_closing_the_reply_closes_the_connection_at_once() -> None:
    endless = Answer(
        lambda: itertools.chain([text("one ")], itertools.cycle([Pause(0.01), text("more ")])), content_type=STREAM
    )

    async def close(engine: OpenAIEngine) -> None:
        async with aclosing(engine.chat(REQUEST)) as chunks:
            await anext(chunks)
        # The connection closes before the engine does.
        assert await asyncio.to_thread(server.requests[0].left.wait, PATIENCE)

    with FakeServer({CHAT: endless}) as server:
        using(server.host, close)


def test_end_is_reported_before_a_silent_server_is_given_up() -> None:
    pieces: list[bytes] = list(chat_reply(["hi"]).steps)  # type: ignore[arg-type] # a list of bytes here
    with FakeServer({CHAT: Answer([b"".join(pieces[:-1]), HANG], content_type=STREAM)}) as server:
        outcome = ask(server.host, timeouts=FADING)
    assert outcome.complete
    assert outcome.chunks[-1].usage is not None
    assert outcome.chunks[-1].usage.reply_tokens == 66


# The key


def test_key_is_sent_to_this_machine_with_every_request() -> None:
    with FakeServer({MODELS: model_list("m"), CHAT: chat_reply(["hi"])}) as server:
        ask(server.host, api_key=" secret\n")
        using(server.host, lambda engine: engine.show("m"), api_key="secret")
    assert {asked.headers["authorization"] for asked in server.requests} == {"Bearer secret"}


@pytest.mark.parametrize(("allowed", "sent"), [(False, ""), (True, "Bearer secret")])
def test_key_is_sent_over_http_to_another_machine_only_if_allowed(
    allowed: bool, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeServer({"http://gpu.test:8000/v1/models": model_list("m")}) as network:
        monkeypatch.setenv("HTTP_PROXY", f"http://{network.host}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        using("gpu.test", lambda engine: engine.show("m"), api_key="secret", key_over_http=allowed)
    assert network.requests[0].headers.get("authorization", "") == sent


@pytest.mark.parametrize(
    ("host", "allowed", "warned"),
    [("gpu.test", False, True), ("gpu.test", True, False), ("https://gpu.test", False, False), ("", False, False)],
)
def test_withheld_key_is_warned_about_and_not_shown(host: str, allowed: bool, warned: bool) -> None:
    engine = open_engine(host, engine="openai", api_key="s3cret", key_over_http=allowed)

    assert ("the key is not sent" in engine.warning) is warned
    assert "s3cret" not in engine.warning
    asyncio.run(engine.aclose())


def test_invalid_key_is_a_usage_error_that_does_not_show_it() -> None:
    with pytest.raises(UsageError, match="a key cannot have") as caught:
        open_engine("", engine="openai", api_key="two\nlines")
    assert "two" not in str(caught.value)


def test_lone_surrogates_in_a_prompt_are_sent() -> None:
    with FakeServer({CHAT: chat_reply(["hi"])}) as server:
        assert ask(server.host, Request("m", (Message("user", "caf\udce9"),))).complete
    assert server.requests[0].json["messages"][0]["content"] == "caf\udce9"
