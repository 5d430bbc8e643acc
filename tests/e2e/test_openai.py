"""The real command and scripted servers that speak OpenAI's protocol, well as vLLM does and badly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.fake_server import HANG, Answer, FakeServer, Raw, whole
from support.fresh_interpreter import ASKED, NEVER, fresh, packages
from support.one_line import ESCAPES, one_line
from support.openai_command import OpenAICommand
from support.openai_replies import DONE, STREAM, VLLM, chat_reply, chunk, model_list, text, usage_event
from support.vllm import COMPLETIONS, Vllm, vllm_completion, vllm_reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Reflect
    from support.fake_server import ReceivedRequest, Route, Script

NAME = "deepseek-ai/DeepSeek-R1"
CHAT, MODELS = "/v1/chat/completions", "/v1/models"
KEY = "s3cret-k3y"
ANSWER = "9.9 is larger."
TAGGED = "<thinking>\n11 is more.\n<reflection>\nNo.\n</reflection>\n</thinking>\n<output>\n9.9 is larger.\n</output>"
SCHEMA = json.dumps({"type": "object", "properties": {"larger": {"type": "string"}}, "required": ["larger"]})


def serving(chat: Route, *names: str, **more: Any) -> FakeServer:
    return FakeServer({MODELS: model_list(*(names or (NAME,)), **more), CHAT: chat})


def vllm() -> FakeServer:
    return serving(Answer([VLLM], content_type=STREAM))


class TestReasoningField:
    def test_reasoning_is_left_out_of_the_printed_answer(self, reflect: Reflect) -> None:
        with vllm() as server:
            result = OpenAICommand(reflect, f"http://{server.host}/v1")("-m", NAME, "q")
            body = server.asked(CHAT)[0].json

        assert (result.code, result.out, result.err) == (0, f"{ANSWER}\n", "")
        assert body["chat_template_kwargs"]["enable_thinking"] is True
        assert body["stream_options"] == {"include_usage": True}

    def test_reasoning_is_thinking_in_json(self, reflect: Reflect) -> None:
        with vllm() as server:
            result = OpenAICommand(reflect, server.host)("-m", NAME, "--json", "q")
        value = json.loads(result.out)

        assert (value["thinking"], value["answer"]) == ("9.90 is more than 9.11.", ANSWER)
        assert (value["mode"], value["usage"]["prompt_tokens"]) == ("native", 24)

    @pytest.mark.parametrize(
        ("words", "sent"),
        [
            (("--mode", "direct"), {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}}),
            (("--effort", "low"), {"reasoning_effort": "low"}),
        ],
    )
    def test_mode_and_effort_control_the_reasoning(
        self, reflect: Reflect, words: tuple[str, ...], sent: dict[str, Any]
    ) -> None:
        with vllm() as server:
            result = OpenAICommand(reflect, server.host)("-m", NAME, *words, "--final", "q")
            body = server.asked(CHAT)[0].json

        assert (result.code, result.err) == (0, "")
        assert {name: body.get(name) for name in sent} == sent


def test_tags_in_the_content_are_parsed(reflect: Reflect) -> None:
    pieces = [TAGGED[at : at + 5] for at in range(0, len(TAGGED), 5)]
    with serving(chat_reply([*pieces, "<|eot_id|>"]), "mattshumer/Reflection-Llama-3.1-70B") as server:
        result = OpenAICommand(reflect, server.host)("--json", "q")
    value = json.loads(result.out)

    assert [part["kind"] for part in value["segments"]] == ["thinking", "reflection", "answer"]
    assert value["answer"] == ANSWER
    assert value["family"] == "reflection"


def test_schema_applies_to_the_answer_after_free_thinking(reflect: Reflect) -> None:
    vllm = Vllm(
        "reflection-70b", chat=vllm_reply([TAGGED]), completions=vllm_completion(['{"larger": ', '"9.9"}', "   \n"])
    )
    with vllm.serve() as server:
        result = OpenAICommand(reflect, server.host)("--schema", SCHEMA, "--json", "q")
        (free,), (held,) = (asked.json for asked in server.asked(CHAT)), (one.json for one in server.asked(COMPLETIONS))
    value = json.loads(result.out)

    assert (result.code, json.loads(value["answer"])) == (0, {"larger": "9.9"})
    assert sum(value["usage"][f"{name}_tokens"] for name in ("prompt", "thinking", "answer")) == 36
    assert "response_format" not in free
    assert held["response_format"]["json_schema"]["strict"] is True
    assert held["prompt"].endswith("</thinking>\n<output>\n")


class TestUnknownModelName:
    NAME = "prod/assistant-v2"

    def test_model_seen_thinking_is_asked_in_native_mode_next_time(self, reflect: Reflect) -> None:
        with Vllm(self.NAME, chat=vllm_reply([ANSWER], ["Both", " start."])).serve() as server:
            asking = OpenAICommand(reflect, server.host)
            modes = [json.loads(asking("--json", "-q", "q").out)["mode"] for _ in range(2)]
            direct = asking("--mode", "direct", "-q", "q")
            first, second, third = (asked.json for asked in server.asked(CHAT))

        assert modes == ["reflect", "native"]
        assert [len(body["messages"]) for body in (first, second)] == [2, 1]
        assert direct.code == 0
        assert third["chat_template_kwargs"]["enable_thinking"] is False

    def test_truncated_thinking_opened_by_the_template_is_no_answer(self, reflect: Reflect) -> None:
        chat = vllm_reply(["Both", " start"], finish="length")
        with Vllm(self.NAME, on="assistant\n<think>\n", chat=chat).serve() as server:
            result = OpenAICommand(reflect, server.host)("--final", "-o", "num_predict=2", "q")

        assert (result.code, result.out) == (5, "")
        assert "the thinking was cut off at the token limit" in result.err

    def test_partial_first_tag_is_not_printed(self, reflect: Reflect) -> None:
        with Vllm(self.NAME, chat=vllm_reply(["<", "thinking"], finish="length")).serve() as server:
            result = OpenAICommand(reflect, server.host)("--final", "q")
        assert (result.code, result.out) == (5, "")


def test_continued_session_uses_its_own_server(reflect: Reflect) -> None:
    with vllm() as server:
        first = reflect("--engine", "openai", "--host", server.host, "-m", NAME, "one?", OLLAMA_HOST="127.0.0.1:1")
        then = reflect("-c", "two?", OLLAMA_HOST="127.0.0.1:1")
        sent = server.asked(CHAT)[-1].json["messages"]

    assert (first.code, then.code, then.out) == (0, 0, f"{ANSWER}\n")
    assert [message["content"] for message in sent] == ["one?", ANSWER, "two?"]


def test_fields_that_the_server_refuses_are_dropped_with_a_warning(reflect: Reflect) -> None:
    def strict(asked: ReceivedRequest) -> Script:
        unknown = {"skip_special_tokens", "top_k"} & set(asked.json)
        detail = {"detail": f"Unexpected fields in the request: {unknown}"}
        return whole(detail, 422) if unknown else chat_reply([ANSWER])

    with serving(strict, "m") as server:
        result = OpenAICommand(reflect, server.host)("--mode", "direct", "-o", "top_k=5", "q")

    assert (result.code, result.out) == (0, f"{ANSWER}\n")
    assert result.err.count("this server does not support top_k") == 1


class TestApiKey:
    def asks(self, reflect: Reflect, **variables: str) -> tuple[Any, list[str]]:
        with vllm() as server:
            result = OpenAICommand(reflect, server.host, **variables)("-m", NAME, "--final", "q")
            keys = [asked.headers.get("authorization", "") for asked in server.requests]
        assert KEY not in result.out + result.err
        return result, keys

    @pytest.mark.parametrize(
        "variables",
        [{"OPENAI_API_KEY": KEY}, {"REFLECTTY_API_KEY": KEY}, {"REFLECTTY_API_KEY": KEY, "OPENAI_API_KEY": "other"}],
    )
    def test_key_is_read_from_the_environment(self, reflect: Reflect, variables: dict[str, str]) -> None:
        result, keys = self.asks(reflect, **variables)

        assert result.code == 0
        assert set(keys) == {f"Bearer {KEY}"}

    def test_ollama_key_is_not_sent_to_another_server(self, reflect: Reflect) -> None:
        _, keys = self.asks(reflect, OLLAMA_API_KEY=KEY)
        assert set(keys) == {""}

    def test_openai_key_is_not_sent_to_ollama(self, reflect: Reflect) -> None:
        with FakeServer({}) as server:
            reflect("--host", server.host, "-m", NAME, "q", REFLECTTY_API_KEY=KEY, OPENAI_API_KEY=KEY)
        assert server.requests
        assert all("authorization" not in asked.headers for asked in server.requests)

    def test_key_is_read_from_a_private_file(self, reflect: Reflect, config: Callable[[str], Path]) -> None:
        file = reflect.home / "key"
        file.write_text(f"{KEY}\n")
        file.chmod(0o600)
        config("api_key_file = '~/key'")
        result, keys = self.asks(reflect)

        assert result.code == 0
        assert set(keys) == {f"Bearer {KEY}"}

    @pytest.mark.parametrize(
        ("mode", "content", "says"),
        [
            (0o644, KEY, ("other users can read this key", "chmod 600")),
            (0o640, KEY, ("other users can read this key", "chmod 600")),
            (0o600, "", ("must contain one key",)),
            (0o600, f"{KEY} and more\n", ("must contain one key",)),
            (0o600, "\0", ("not a text file",)),
        ],
    )
    def test_invalid_key_file_is_refused_without_showing_the_key(
        self, reflect: Reflect, config: Callable[[str], Path], mode: int, content: str, says: tuple[str, ...]
    ) -> None:
        file = reflect.home / "key"
        file.write_text(content)
        file.chmod(mode)
        config("api_key_file = '~/key'")
        result, keys = self.asks(reflect)

        one_line(result, 2, str(file), *says)
        assert keys == []

    def test_missing_key_file_is_reported(self, reflect: Reflect, config: Callable[[str], Path]) -> None:
        config("api_key_file = '/nowhere/key'")
        result, _ = self.asks(reflect)
        one_line(result, 2, "/nowhere/key", "no such file", "REFLECTTY_API_KEY")

    def test_key_is_refused_on_the_command_line_and_in_the_settings(
        self, reflect: Reflect, config: Callable[[str], Path]
    ) -> None:
        flag = reflect("--api-key", KEY, "q")
        config(f"api_key = '{KEY}'")
        setting = reflect("q")

        one_line(flag, 2, "--api-key")
        one_line(setting, 2, "api_key_file")
        assert KEY not in setting.err

    def test_key_is_not_saved(self, reflect: Reflect) -> None:
        with vllm() as server:
            result = OpenAICommand(reflect, server.host, REFLECTTY_API_KEY=KEY)("-m", NAME, "q")
        kept = [path for path in reflect.home.rglob("*") if path.is_file()]

        assert result.code == 0
        assert any(path.name == "sessions.db" for path in kept)
        assert not any(KEY.encode() in path.read_bytes() for path in kept)


@pytest.fixture
def config(reflect: Reflect) -> Callable[[str], Path]:
    def write(content: str) -> Path:
        path = reflect.home / ".config" / "reflectty" / "config.toml"
        path.parent.mkdir(parents=True)
        path.write_text(content)
        return path

    return write


def test_config_file_sets_engine_and_host_over_the_ollama_variable(
    reflect: Reflect, config: Callable[[str], Path]
) -> None:
    with FakeServer({}) as ollama, vllm() as server:
        config(f"engine = 'openai'\nhost = 'http://{server.host}/v1'\nmodel = '{NAME}'")
        result = reflect.at(ollama.host)("--final", "q")

    assert (result.code, result.out) == (0, f"{ANSWER}\n")
    assert ollama.connections == 0


@pytest.mark.parametrize("words", [("--engine", "vllm", "q"), ("q",)])
def test_unknown_engine_is_refused_by_name(reflect: Reflect, words: tuple[str, ...]) -> None:
    one_line(reflect(*words, REFLECTTY_ENGINE="vllm"), 2, "vllm", "openai")


BAD: dict[str, tuple[Script | None, Script | None, int, str]] = {
    "a server that is no such one": (Answer([b"<html>Log in</html>"], content_type="text/html"), None, 3, "a web page"),
    "an Ollama of old": (whole({"models": []}), None, 3, "lists no models"),
    "a list that never comes": (Raw([HANG]), None, 5, "sent nothing for 0.5 s"),
    "a wrong key": (whole({"error": "Unauthorized"}, 401), None, 4, "REFLECTTY_API_KEY"),
    "half the protocol": (None, whole({"detail": "Not Found"}, 404), 3, "HTTP 404, Not Found"),
    "a reply of another kind": (None, whole({"message": {"content": "hi"}, "done": True}), 3, "unexpected JSON"),
    "a queue": (None, whole({"error": {"message": "overloaded"}}, 429, **{"Retry-After": "0"}), 4, "overloaded"),
    "a prompt that does not fit": (
        None,
        whole({"object": "error", "message": "The input (5000 tokens) is longer than the model's context length (4096 tokens)."}, 400),
        4,
        "5000 tokens, the context holds 4096",
    ),
    "a hostile error": (None, whole({"error": {"message": ESCAPES}}, 400), 4, "evil"),
    "a stall": (None, Answer([HANG], content_type=STREAM), 5, "sent nothing for 0.5 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_misbehaving_server_is_reported_in_one_line(reflect: Reflect, name: str) -> None:
    models, chat, code, says = BAD[name]
    with FakeServer({MODELS: models or model_list(NAME), CHAT: chat or chat_reply(["hi"])}) as server:
        result = OpenAICommand(reflect, server.host)("-m", NAME, *(("--timeout", "0.5") if "0.5" in says else ()), "q")

    one_line(result, code, says)
    assert "\x1b" not in result.err


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ((HANG,), "sent nothing"),
        ((chunk(finish="abort"), DONE), "aborted the reply: abort"),
        ((b'data: {"error": {"message": "CUDA error"}}\n\n',), "CUDA error"),
        ((), "ended before it was complete"),
    ],
)
def test_interrupted_reply_keeps_its_partial_answer(reflect: Reflect, rest: tuple[Any, ...], says: str) -> None:
    with serving(Answer([text("one "), text("two."), *rest], content_type=STREAM), "m") as server:
        result = OpenAICommand(reflect, server.host)(
            "--mode", "direct", *(("--timeout", "3") if HANG in rest else ()), "-q", "q"
        )

    assert (result.code, result.out) == (5, "one two.\n")
    assert says in result.err
    assert len(result.err.splitlines()) == 1


def test_names_and_text_of_a_server_are_escaped(reflect: Reflect) -> None:
    answer = Answer([text(f"hi {ESCAPES}"), chunk(finish="stop"), usage_event(), DONE], content_type=STREAM)
    with serving(answer, f"m{ESCAPES}") as server:
        result = OpenAICommand(reflect, server.host)("--mode", "direct", "q")

    assert result.code == 0
    assert "using m" in result.err
    assert not {"\x1b", "\x07", "\u202e"} & set(result.out + result.err)


def test_openai_question_loads_only_needed_packages(reflect: Reflect) -> None:
    with vllm() as server:
        environment = OpenAICommand(reflect, server.host).environment(REFLECTTY_STORE="0")
        stdout, (code, modules) = fresh(ASKED, "-m", NAME, "--final", "q", environment=environment)

    assert (stdout, code) == (f"{ANSWER}\n", 0)
    assert packages(modules) & (NEVER | {"rich", "pygments", "markdown_it", "jsonschema_rs"}) == set()
    assert "reflectty.engines.ollama" not in modules


class TestDefaultModel:
    def test_default_model_is_the_first_listed_id_that_can_chat(self, reflect: Reflect) -> None:
        names = ("ctl-tags:latest", "mini:latest", "plain:latest")
        with serving(chat_reply(["<output>9.9</output>"]), *names, maker="library") as server:
            result = OpenAICommand(reflect, server.host)("q")
            body = server.asked(CHAT)[0].json

        assert (result.code, result.out, body["model"]) == (0, "9.9\n", "ctl-tags:latest")
        assert "using ctl-tags:latest, the first of 3 chat models listed, because no model is set" in result.err

    def test_default_model_is_never_one_that_cannot_chat(self, reflect: Reflect) -> None:
        with serving(chat_reply(["9.9"]), "text-embedding-3-small", "whisper-1", maker="openai") as server:
            result = OpenAICommand(reflect, server.host)("q")

        one_line(result, 4, "the server lists no chat model (use -m NAME to try one anyway)")


def test_named_model_is_asked_when_the_server_lists_none(reflect: Reflect) -> None:
    with FakeServer({MODELS: Answer([b""]), CHAT: chat_reply(["9.9"])}) as server:
        result = OpenAICommand(reflect, server.host)("-m", "default_model", "--final", "q")
        body = server.asked(CHAT)[0].json

    assert (result.code, result.out, body["model"]) == (0, "9.9\n", "default_model")
    assert "default_model is not in the server's list of models (it lists no models)" in result.err
