from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from support.fake_server import LOADED, FakeServer, error, reply, show, tags, whole
from support.scripted_servers import ANSWERED, MODEL, answering_server, chat_server

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import Route

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
THINKS: dict[str, Any] = {"capabilities": ["completion", "thinking"]}
SEES: dict[str, Any] = {"capabilities": ["completion", "vision"]}
OWN_SYSTEM: dict[str, Any] = {"system": "You are a pirate."}
REFLECTS: dict[str, Any] = {"system": "Think inside <thinking> tags, answer inside <output> tags."}


LOADING: dict[str, Route] = {
    "/api/generate": LOADED,
    "/api/ps": whole({"models": [{"name": "reflection:latest", "context_length": 131_072}]}),
}


class Sent(NamedTuple):
    """A command line, the model, and the fields of the body of /api/chat beyond the usual ones."""

    name: str
    words: tuple[str, ...]
    shown: dict[str, Any]
    fields: dict[str, Any]


SENT = (
    Sent("nothing of its own", (), {}, {}),
    Sent("thinking where it can", (), THINKS, {"think": True}),
    Sent("an effort where it can", ("--effort", "high"), THINKS, {"think": "high"}),
    Sent("no effort where it cannot", ("--effort", "high"), {}, {}),
    Sent("no thinking, said so", ("--mode", "direct"), THINKS, {"think": False}),
    Sent("no thinking, reflecting by prompt", ("--mode", "reflect"), THINKS, {"think": False}),
    Sent("nothing about thinking where it cannot", ("--mode", "direct"), {}, {}),
    Sent(
        "options",
        ("-o", "num_ctx=8192", "--option", "temperature=0.5", "-o", "seed=1", "-o", "stop=a", "-o", "stop=b"),
        {},
        # The server counts 24 tokens of a prompt: the reply may have the rest of the context.
        {
            "options": {"num_ctx": 8192, "temperature": 0.5, "seed": 1, "stop": ["a", "b"], "num_predict": 8167},
            "shift": None,
        },
    ),
    Sent("minutes to stay loaded", ("--keep-alive", "10m"), {}, {"keep_alive": "10m"}),
    Sent("seconds to stay loaded", ("--keep-alive", "0"), {}, {"keep_alive": 0}),
    Sent("for ever", ("--keep-alive", "-1"), {}, {"keep_alive": -1}),
)


@pytest.mark.parametrize("case", SENT, ids=lambda case: case.name)
def test_request_has_the_asked_options_and_forbids_truncation(reflect: Reflect, case: Sent) -> None:
    with answering_server(ANSWERED, **case.shown) as server:
        result = reflect.at(server.host)(*MODEL, *case.words, "which?")
    body = server.asked("/api/chat")[-1].json
    messages = body.pop("messages")
    usual = {"model": "reflection", "stream": True, "truncate": False, "shift": False}

    assert result.code == 0
    assert messages[-1] == {"role": "user", "content": "which?"}
    assert body == {key: value for key, value in (usual | case.fields).items() if value is not None}


def roles(server: FakeServer) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in server.asked("/api/chat")[0].json["messages"]]


class TestSystemPrompt:
    def test_no_system_prompt_is_sent_when_none_is_needed(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED, **OWN_SYSTEM) as server:
            reflect.at(server.host)(*MODEL, "q")

        assert [role for role, _ in roles(server)] == ["user"]

    def test_system_prompt_joins_model_user_and_reflection_in_order(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED, **OWN_SYSTEM) as server:
            reflect.at(server.host)("-m", "m", "--mode", "reflect", "-s", "Be brief.", "q")
        (role, text), _ = roles(server)
        places = [text.index(part) for part in ("You are a pirate.", "Be brief.", "<thinking>")]

        assert role == "system"
        assert places == sorted(places)

    def test_system_prompt_joins_model_and_user_for_a_tuned_model(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED, **OWN_SYSTEM) as server:
            reflect.at(server.host)(*MODEL, "--system", "Be brief.", "q")

        assert roles(server)[0] == ("system", "You are a pirate.\n\nBe brief.")

    def test_system_prompt_of_a_model_that_teaches_the_tags_is_unchanged(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED, **REFLECTS) as server:
            result = reflect.at(server.host)("-m", "m", "q")

        assert [role for role, _ in roles(server)] == ["user"]
        assert result.err == ""

    def test_direct_mode_replaces_a_system_prompt_that_teaches_the_tags(self, reflect: Reflect) -> None:
        with answering_server("9.9", **REFLECTS) as server:
            reflect.at(server.host)("-m", "m", "--mode", "direct", "q")
        (role, text), _ = roles(server)

        assert role == "system"
        assert "<thinking>" not in text


class TestImage:
    def test_image_is_sent_as_base64(self, reflect: Reflect) -> None:
        (reflect.home / "a.png").write_bytes(PNG)
        with answering_server(ANSWERED, **SEES) as server:
            result = reflect.at(server.host)(*MODEL, "--image", "a.png", "what?")
        (message,) = server.asked("/api/chat")[0].json["messages"]

        assert result.code == 0
        assert [base64.b64decode(image) for image in message["images"]] == [PNG]

    def test_image_is_refused_when_the_model_has_no_vision(self, reflect: Reflect) -> None:
        (reflect.home / "a.png").write_bytes(PNG)
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "--image", "a.png", "what?")

        assert result.code == 4
        assert "reflection cannot see images (pull one that sees images and thinks: reflect models pull" in result.err
        assert not server.asked("/api/chat")

    def test_refusal_names_an_installed_model_that_sees(self, reflect: Reflect) -> None:
        (reflect.home / "a.png").write_bytes(PNG)
        with answering_server(ANSWERED, installed=("reflection:latest", "llava:7b")) as server:
            blind, seeing = show(), show(**SEES)
            server.routes["/api/show"] = lambda asked: seeing if asked.json["model"] == "llava:7b" else blind
            result = reflect.at(server.host)(*MODEL, "--image", "a.png", "what?")

        assert result.code == 4
        assert result.err == "reflect: reflection cannot see images (-m llava:7b can)\n"

    def test_image_is_read_from_stdin(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED, **SEES) as server:
            result = reflect.at(server.host)(*MODEL, "--image", "-", "what?", stdin=PNG)
        (message,) = server.asked("/api/chat")[0].json["messages"]

        assert (result.code, message["content"]) == (0, "what?")
        assert [base64.b64decode(image) for image in message["images"]] == [PNG]

    @pytest.mark.parametrize(
        ("words", "stdin", "problem"),
        [
            (("--image", "-"), b"text", "stdin is not a supported image"),
            (("--image", "-"), b"", "stdin is not a supported image"),
            (("--image", "-", "--image", "-"), PNG, "--image - and --image - cannot be combined (stdin is read once)"),
            (("--image", "-", "-f", "-"), PNG, "--image - and --file - cannot be combined"),
            (("--image", "-", "-"), PNG, "--image - and the word - cannot be combined"),
            (("--image", "-", "--no-stdin"), PNG, "--image - and --no-stdin cannot be combined"),
            ((), PNG, "stdin is binary, not text (use --image - for an image)"),
        ],
    )
    def test_stdin_that_is_no_image_is_refused(
        self, reflect: Reflect, words: tuple[str, ...], stdin: bytes, problem: str
    ) -> None:
        result = reflect(*MODEL, *words, "what?", stdin=stdin)

        assert (result.code, result.err.count("\n")) == (2, 1)
        assert problem in result.err


class TestModelChoice:
    def test_best_installed_model_is_chosen_and_named(self, reflect: Reflect) -> None:
        with answering_server(
            ANSWERED, installed=("llama3:latest", "reflection:70b", "nomic-embed-text:latest")
        ) as server:
            result = reflect.at(server.host)("q")

        assert result.code == 0
        assert server.asked("/api/chat")[0].json["model"] == "reflection:70b"
        assert "reflection:70b" in result.err

    def test_model_flag_overrides_the_environment(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            reflect.at(server.host)("q", REFLECTTY_MODEL="reflection:8b")
            reflect.at(server.host)("-m", "reflection:70b", "q", REFLECTTY_MODEL="reflection:8b")

        assert [asked.json["model"] for asked in server.asked("/api/chat")] == ["reflection:8b", "reflection:70b"]

    def test_missing_model_is_neither_replaced_nor_pulled(self, reflect: Reflect) -> None:
        missing = error(404, "model 'reflection' not found")
        routes = {"/api/show": missing, "/api/chat": missing, "/api/tags": tags("reflection:70b", "other:latest")}
        with FakeServer(routes) as server:
            result = reflect.at(server.host)(*MODEL, "q")

        assert (result.code, result.out) == (4, "")
        assert {asked.path for asked in server.requests} <= {"/api/show", "/api/chat", "/api/tags"}

    def test_no_installed_model_is_reported(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED, installed=()) as server:
            result = reflect.at(server.host)("q")

        assert result.code == 4
        assert len(result.err.splitlines()) == 1
        assert "reflect models pull" in result.err


class TestServer:
    def test_host_flag_overrides_the_environment(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            result = reflect.at("127.0.0.1:9")(*MODEL, "--host", server.host, "q")

        assert result.code == 0
        assert server.asked("/api/chat")

    def test_local_server_is_not_asked_through_a_proxy(self, reflect: Reflect) -> None:
        proxies: dict[str, Any] = dict.fromkeys(
            ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9"
        )
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "q", **proxies)

        assert result.code == 0

    def test_redirect_is_not_followed(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as elsewhere:
            away = whole({}, 307, Location=f"http://{elsewhere.host}/api/chat")
            with chat_server(away) as server:
                result = reflect.at(server.host)(*MODEL, "q")

        assert (result.code, result.out) == (4, "")
        assert not elsewhere.requests

    def test_busy_server_is_retried_before_the_first_token(self, reflect: Reflect) -> None:
        busy = error(503, "server busy", **{"Retry-After": "0"})
        routes: dict[str, Route] = {"/api/show": show(), "/api/chat": [busy, reply(["<output>ok</output>"])]}
        with FakeServer(routes) as server:
            result = reflect.at(server.host)(*MODEL, "q")

        assert (result.code, result.out) == (0, "ok\n")
        assert len(server.asked("/api/chat")) == 2

    def test_key_is_sent_to_a_local_server(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            reflect.at(server.host)(*MODEL, "q", OLLAMA_API_KEY="k3y")

        assert server.asked("/api/chat")[0].headers["authorization"] == "Bearer k3y"

    def test_question_without_store_makes_only_the_needed_requests(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            server.routes |= LOADING
            reflect.at(server.host)(*MODEL, "--no-store", "q")

        assert [asked.path for asked in server.requests] == ["/api/show", "/api/generate", "/api/ps", "/api/chat"]

    def test_model_digest_is_requested_when_a_reply_is_saved(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            server.routes |= LOADING
            reflect.at(server.host)(*MODEL, "q")

        assert [asked.path for asked in server.requests][-2:] == ["/api/chat", "/api/tags"]

    def test_repeated_question_is_sent_every_time(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            for _ in range(2):
                reflect.at(server.host)(*MODEL, "q")

        assert len(server.asked("/api/chat")) == 2


def test_schema_applies_to_the_answer_after_free_thinking(reflect: Reflect) -> None:
    schema = {"type": "object", "properties": {"larger": {"type": "number"}}, "required": ["larger"]}
    chat = reply(["<thinking>\n9.90 is more.\n", "</thinking>\n", "<output>\n", "9.9 is larger.", "\n</output>"])
    rendered = whole({"model": "m", "_debug_info": {"rendered_template": "PROMPT "}})
    routes: dict[str, Route] = {
        "/api/show": show(),
        "/api/chat": lambda asked: rendered if "_debug_render_only" in asked.json else chat,
        "/api/generate": whole({"model": "m", "response": '{"larger": 9.9}', "done": True, "done_reason": "stop"}),
    }
    with FakeServer(routes) as server:
        result = reflect.at(server.host)(*MODEL, "--json", "--schema", json.dumps(schema), "which?")
    value = json.loads(result.out)
    asked = server.generated()[0].json

    assert (result.code, value["answer"], value["thinking"]) == (0, '{"larger": 9.9}', "9.90 is more.")
    assert "format" not in server.asked("/api/chat")[0].json
    assert (asked["format"], asked["raw"], asked["truncate"], asked["shift"]) == (schema, True, False, False)
    assert asked["prompt"].startswith("PROMPT <thinking>\n9.90 is more.")
    assert "9.9 is larger" not in asked["prompt"]
