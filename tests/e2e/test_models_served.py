"""`reflect models` with a server that speaks OpenAI's protocol: it can be viewed but not changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.fake_server import Answer, FakeServer, whole
from support.installed_models import routes
from support.one_line import one_line
from support.openai_command import OpenAICommand
from support.openai_replies import model_list

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import Route

TEMPLATE = "{% for message in messages %}<think>{{ message }}</think>\n{% endfor %}"
PROPS = {
    "chat_template": TEMPLATE,
    "total_slots": 4,
    "default_generation_settings": {"n_ctx": 4096},
    "build_info": "b10970-1a2b",
    "modalities": {"vision": False},
}


def vllm(*names: str) -> FakeServer:
    listed = model_list(*(names or ("Qwen/Qwen3-8B", "BAAI/bge-m3")))
    return FakeServer({"/v1/models": listed, "/version": whole({"version": "0.32.0"})})


def llama_server() -> FakeServer:
    told = whole(PROPS)
    return FakeServer({"/v1/models": model_list("mini", maker="llamacpp"), "/props?model=mini": told, "/props": told})


class TestList:
    @pytest.mark.parametrize("words", [("models",), ("models", "list")])
    def test_list_has_one_line_per_model(self, reflect: Reflect, words: tuple[str, ...]) -> None:
        with vllm() as server:
            result = OpenAICommand(reflect, server.host)(*words)

        assert (result.code, result.err) == (0, "")
        assert [line.split() for line in result.out.splitlines()] == [
            ["Qwen/Qwen3-8B", "4K", "thinking", "-", "vllm"],
            ["BAAI/bge-m3", "4K", "no", "chat", "-", "vllm"],
            ["mini", "(built", "in)", "8K", "reflection,", "thinking", "no", "reflectty"],
        ]

    def test_list_works_with_flags_alone(self, reflect: Reflect) -> None:
        with vllm() as server:
            result = reflect("models", "list", "--engine", "openai", "--host", f"http://{server.host}/v1", "--json")

        first, second = json.loads(result.out)
        assert (first["name"], first["server"], first["version"]) == ("Qwen/Qwen3-8B", "vLLM", "0.32.0")
        assert (first["context"], first["chats"], second["chats"]) == (4096, True, False)

    def test_built_in_model_is_marked_as_such(self, reflect: Reflect) -> None:
        with vllm() as server:
            *served, own = json.loads(OpenAICommand(reflect, server.host)("models", "--json").out)

        assert [one["built_in"] for one in served] == [False, False]
        assert (own["name"], own["server"], own["built_in"], own["chats"]) == ("mini", "reflectty", True, True)

    def test_list_uses_the_server_of_a_profile(self, reflect: Reflect) -> None:
        with vllm("m") as server:
            reflect("config", "set", "profiles.cluster.engine", "openai")
            reflect("config", "set", "profiles.cluster.host", server.host)
            result = reflect("models", "list", "--profile", "cluster")

        assert (result.code, result.out.split()[0]) == (0, "m")

    def test_list_shows_ids_verbatim(self, reflect: Reflect) -> None:
        with FakeServer({"/v1/models": model_list("mini:latest", maker="library")}) as server:
            result = OpenAICommand(reflect, server.host)("models")

        assert result.out.split()[0] == "mini:latest"

    def test_empty_list_is_reported_on_stderr(self, reflect: Reflect) -> None:
        with FakeServer({"/v1/models": Answer([b""])}) as server:
            result = OpenAICommand(reflect, server.host)("models", "--host", server.host)

        assert (result.code, result.out) == (0, "")
        assert result.err == "reflect: the server lists no models: use -m NAME to ask for one anyway\n"


class TestShow:
    def test_show_of_llama_server_has_template_and_slots(self, reflect: Reflect) -> None:
        with llama_server() as server:
            result = OpenAICommand(reflect, server.host)("models", "show", "mini")

        told = {line[:14].strip(): line[14:].strip() for line in result.out.splitlines()[1:]}
        assert (result.code, result.err, result.out.splitlines()[0]) == (0, "", "mini")
        assert told["server"] == "llama-server b10970-1a2b"
        assert told["context"] == "4K here, supports 32K"
        assert told["parallel"] == "4 requests, which may share the context"
        assert told["auto picks"] == "mode native, family native: the server separates its thinking"
        assert told["has"] == "template (2)"

    def test_show_prints_only_the_template(self, reflect: Reflect) -> None:
        with llama_server() as server:
            result = OpenAICommand(reflect, server.host)("models", "show", "mini", "--template")

        assert (result.code, result.out, result.err) == (0, TEMPLATE + "\n", "")

    def test_show_of_vllm_needs_the_exact_id(self, reflect: Reflect) -> None:
        with vllm() as server:
            result = OpenAICommand(reflect, server.host)("models", "show", "Qwen/Qwen3-8B")
            wrong = OpenAICommand(reflect, server.host)("models", "show", "Qwen3-8B")

        assert "vLLM 0.32.0" in result.out
        assert "no template reported" in result.out
        one_line(wrong, 4, "is not available on this server", "did you mean Qwen/Qwen3-8B?")

    @pytest.mark.parametrize("flag", ["--template", "--system", "--licence", "--parameters"])
    def test_show_refuses_texts_that_the_server_does_not_provide(self, reflect: Reflect, flag: str) -> None:
        with vllm() as server:
            result = OpenAICommand(reflect, server.host)("models", "show", "Qwen/Qwen3-8B", flag)

        one_line(result, 4, "vLLM 0.32.0 does not report the", "of Qwen/Qwen3-8B")

    def test_built_in_model_is_shown_unless_the_server_has_mini(self, reflect: Reflect) -> None:
        with vllm() as server:
            own = json.loads(OpenAICommand(reflect, server.host)("models", "show", "mini", "--json").out)
        with llama_server() as server:
            served = json.loads(OpenAICommand(reflect, server.host)("models", "show", "mini", "--json").out)

        assert (own["name"], own["built_in"], own["context_length"]) == ("mini:latest", True, 8192)
        assert (served["name"], served["built_in"]) == ("mini", False)

    def test_unlisted_model_is_shown_with_a_warning(self, reflect: Reflect) -> None:
        with FakeServer({"/v1/models": whole({"data": []})}) as server:
            result = OpenAICommand(reflect, server.host)("models", "show", "models/mini-hf@main", "--json")

        assert (json.loads(result.out)["name"], json.loads(result.out)["listed"]) == ("models/mini-hf@main", False)
        assert "is not in the server's list of models" in result.err


@pytest.mark.parametrize(
    "words",
    [
        ("pull", "m"),
        ("load", "m"),
        ("unload", "m"),
        ("copy", "m", "n"),
        ("remove", "--yes", "m"),
        ("repair", "m"),
        ("create", "n", "--from", "m"),
    ],
)
@pytest.mark.parametrize(
    ("listed", "more", "kind"),
    [
        (model_list("m"), {"/version": whole({"version": "0.32.0"})}, "vLLM 0.32.0"),
        (model_list("m", maker="llamacpp"), {"/props": whole(PROPS)}, "llama-server b10970-1a2b"),
        (model_list("m", maker="acme"), {}, "an OpenAI-compatible server"),
    ],
)
def test_ollama_only_commands_are_refused_naming_the_server(
    reflect: Reflect, words: tuple[str, ...], listed: Answer, more: dict[str, Route], kind: str
) -> None:
    with FakeServer({"/v1/models": listed, **more}) as server:
        result = OpenAICommand(reflect, server.host)("models", *words)

    one_line(result, 2, "models can only be managed on an Ollama server", f"http://{server.host} is {kind}")


def test_other_kind_of_server_is_detected_without_an_engine_setting(reflect: Reflect) -> None:
    with vllm() as server:
        result = reflect.at(server.host)("models", "pull", "qwen3")

    one_line(result, 2, "models can only be managed on an Ollama server", f"http://{server.host} is vLLM 0.32.0")


def test_ollama_is_managed_even_with_the_openai_engine(reflect: Reflect) -> None:
    with FakeServer(routes()) as server:
        result = OpenAICommand(reflect, server.host)("models", "load", "reflection:70b")

    assert "only an Ollama" not in result.err
