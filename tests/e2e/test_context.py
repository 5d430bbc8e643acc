"""The context of a question: as large as the question needs, no larger than model and memory allow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.fake_server import Answer, FakeServer, ReceivedRequest, error, reply, whole
from support.scripted_servers import ANSWER, ANSWERED, MODEL

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import Route

LONG = "word " * 8_000
"""Some 13,000 tokens by the estimate, 8,004 by the server's count."""
TOO_LONG = (
    "reflect: the prompt has {} tokens, the context holds 4096: retrying with num_ctx={}, which reloads the model"
)


class Small:
    """A server whose model has a context of its own, and is reloaded with the context of a request."""

    def __init__(
        self, *, limit: int = 131_072, default: int = 4096, loaded: int = 0, heads: int = 1, name: str = "reflection"
    ) -> None:
        self.limit, self.default, self.loaded, self.heads, self.name = limit, default, loaded, heads, name
        self.contexts: list[int | None] = []
        """The num_ctx of each request for a reply, refused ones included."""
        routes: dict[str, Route] = {"/api/show": self._show, "/api/chat": self._chat, "/api/ps": self._running}
        listed: dict[str, Any] = {"models": [{"name": "reflection:latest", "size": 300_000_000, "digest": "d" * 64}]}
        self.server = FakeServer(routes | {"/api/tags": whole(listed)})

    def _show(self, _: ReceivedRequest) -> Answer:
        info = {
            "general.architecture": "llama",
            "llama.context_length": self.limit,
            "llama.block_count": 2,
            "llama.embedding_length": 256,
            "llama.feed_forward_length": 512,
            "llama.attention.head_count": 4,
            "llama.attention.head_count_kv": self.heads,
        }
        texts = {"template": "{{ .Prompt }}", "modelfile": f"FROM /blobs/sha256-{'a' * 64}\n"}
        return whole(texts | {"capabilities": ["completion"], "model_info": info})

    def _running(self, _: ReceivedRequest) -> Answer:
        one = {"name": f"{self.name}:latest", "size": 1, "size_vram": 0, "context_length": self.loaded}
        return whole({"models": [one] if self.loaded else []})

    def _chat(self, asked: ReceivedRequest) -> Answer:
        options = asked.json.get("options", {})
        wanted = options.get("num_ctx")
        context = min(wanted or self.default, self.limit)
        prompt = sum(len(message["content"].split()) for message in asked.json["messages"])
        if prompt >= context or options.get("num_predict") != 1:
            self.contexts.append(wanted)
        if prompt >= context:
            text = f"request ({prompt} tokens) exceeds the available context size ({context} tokens)"
            refused = {"code": 400, "message": text, "type": "exceed_context_size_error"}
            numbers = {"n_prompt_tokens": prompt, "n_ctx": context}
            return error(400, json.dumps({"error": refused | numbers}))
        return reply([ANSWERED])

    def __enter__(self) -> FakeServer:
        return self.server.__enter__()

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()


class TestPromptTooLong:
    def test_prompt_too_long_is_retried_with_a_larger_context(self, reflect: Reflect) -> None:
        small = Small()
        with small as server:
            result = reflect.at(server.host)(*MODEL, "--final", "Sum up.", stdin=LONG.encode())

        assert (result.code, result.out) == (0, f"{ANSWER}\n")
        assert result.err == TOO_LONG.format(8004, 16384) + "\n"
        assert small.contexts == [None, 16384]

    @pytest.mark.parametrize("form", [("--json",), ("--jsonl",), ()], ids=["json", "jsonl", "plain"])
    def test_prompt_too_long_is_retried_in_every_output_form(self, reflect: Reflect, form: tuple[str, ...]) -> None:
        small = Small()
        with small as server:
            result = reflect.at(server.host)(*MODEL, *form, "Sum up.", stdin=LONG.encode())

        assert (result.code, small.contexts) == (0, [None, 16384])
        assert ANSWER in result.out

    @pytest.mark.parametrize("given", [("-o", "num_ctx=4096"), ("-o", "num_ctx=6000")], ids=" ".join)
    def test_prompt_too_long_is_not_retried_when_a_context_is_set(
        self, reflect: Reflect, given: tuple[str, ...]
    ) -> None:
        small = Small()
        with small as server:
            result = reflect.at(server.host)(*MODEL, *given, "--final", "Sum up.", stdin=LONG.encode())

        assert (result.code, result.out, len(small.contexts)) == (4, "", 1)
        assert "set -o num_ctx=16384" in result.err

    @pytest.mark.parametrize(("limit", "advised"), [(131_072, 16_384), (10_000, 10_000)])
    def test_advised_context_is_within_the_model_limit(self, reflect: Reflect, limit: int, advised: int) -> None:
        small = Small(limit=limit)
        with small as server:
            result = reflect.at(server.host)(*MODEL, "-o", "num_ctx=4096", "--final", "Sum up.", stdin=LONG.encode())

        assert result.code == 4
        assert f"(set -o num_ctx={advised}, which needs more memory, or send less)" in result.err

    def test_given_context_is_not_advised_again(self, reflect: Reflect) -> None:
        small = Small()
        numbers = {"n_prompt_tokens": 8004, "n_ctx": 4096, "type": "exceed_context_size_error", "message": "too long"}
        small.server.routes["/api/chat"] = error(400, json.dumps({"error": numbers}))
        with small as server:
            result = reflect.at(server.host)(*MODEL, "-o", "num_ctx=16384", "--final", "q")

        assert result.code == 4
        assert "num_ctx=16384 would hold it, but the server did not load the model with that" in result.err

    def test_longer_context_is_advised_when_the_server_gives_no_numbers(self, reflect: Reflect) -> None:
        small = Small()
        small.server.routes["/api/chat"] = error(400, "the prompt is longer than the context length available")
        with small as server:
            result = reflect.at(server.host)(*MODEL, "-o", "num_ctx=16384", "--final", "q")

        assert "set -o num_ctx=32768" in result.err

    @pytest.mark.parametrize("given", [(), ("-o", "num_ctx=131072"), ("-o", "num_ctx=auto")], ids=" ".join)
    def test_prompt_beyond_the_model_limit_gets_no_context_advice(
        self, reflect: Reflect, given: tuple[str, ...]
    ) -> None:
        small = Small(limit=8000)
        with small as server:
            result = reflect.at(server.host)(*MODEL, *given, "--final", "Sum up.", stdin=LONG.encode())

        assert (result.code, result.out, len(small.contexts)) == (4, "", 1)
        assert len(result.err.splitlines()) == 1
        assert "the model's maximum context is 8000 tokens: send less" in result.err
        assert "num_ctx" not in result.err

    def test_model_limit_is_named_when_the_server_gives_no_numbers(self, reflect: Reflect) -> None:
        small = Small(limit=8000)
        small.server.routes["/api/chat"] = error(
            400, "the prompt is longer than the context length currently available"
        )
        with small as server:
            result = reflect.at(server.host)(*MODEL, "-o", "num_ctx=8000", "--final", "q")

        assert result.code == 4
        assert result.err.endswith(
            "(the model's maximum context is 8000 tokens: send less, or use a model with a larger one)\n"
        )

    def test_retried_context_is_capped_at_the_model_limit(self, reflect: Reflect) -> None:
        small = Small(limit=10_000)
        with small as server:
            result = reflect.at(server.host)(*MODEL, "--final", "Sum up.", stdin=LONG.encode())

        assert (result.code, small.contexts) == (0, [None, 10_000])

    def test_prompt_beyond_the_machine_memory_is_not_retried(self, reflect: Reflect) -> None:
        small = Small(heads=10**7)
        with small as server:
            result = reflect.at(server.host)(*MODEL, "--final", "Sum up.", stdin=LONG.encode())

        assert (result.code, small.contexts) == (4, [None])
        assert "this machine lacks the memory for a large enough context" in result.err


class TestAutoContext:
    def test_auto_requests_the_needed_context_at_once(self, reflect: Reflect) -> None:
        small = Small()
        with small as server:
            result = reflect.at(server.host)(*MODEL, "-o", "num_ctx=auto", "--final", "Sum up.", stdin=LONG.encode())

        assert (result.code, result.out, result.err) == (0, f"{ANSWER}\n", "")
        assert small.contexts == [32768]

    @pytest.mark.parametrize(("loaded", "expected"), [(20_000, 20_000), (4096, 32768), (131_072, 131_072)])
    def test_auto_keeps_the_loaded_context_when_it_is_large_enough(
        self, reflect: Reflect, loaded: int, expected: int
    ) -> None:
        small = Small(loaded=loaded)
        with small as server:
            reflect.at(server.host)(*MODEL, "-o", "num_ctx=auto", "--final", "Sum up.", stdin=LONG.encode())

        assert small.contexts == [expected]

    def test_auto_keeps_the_context_of_a_model_loaded_from_the_same_file(self, reflect: Reflect) -> None:
        small = Small(loaded=20_000, name="variant")
        with small as server:
            reflect.at(server.host)(*MODEL, "-o", "num_ctx=auto", "--final", "Sum up.", stdin=LONG.encode())

        assert small.contexts == [20_000]

    def test_auto_from_a_setting_applies_to_every_question(self, reflect: Reflect) -> None:
        set_ = reflect("config", "set", "options.num_ctx", "auto")
        small = Small()
        with small as server:
            reflect.at(server.host)(*MODEL, "--final", "Sum up.", stdin=LONG.encode())
            (reflect.home / "q.txt").write_text("one\n")
            batch = reflect.at(server.host)("batch", *MODEL, "q.txt")

        assert (set_.code, batch.code) == (0, 0)
        assert small.contexts[0] == 32768
        assert all(context is None or context >= 4096 for context in small.contexts)

    def test_auto_is_corrected_by_the_token_count_of_the_server(self, reflect: Reflect) -> None:
        small = Small()
        words = "a " * 40_000
        with small as server:
            result = reflect.at(server.host)(*MODEL, "-o", "num_ctx=auto", "--final", "Sum up.", stdin=words.encode())

        assert result.code == 0
        assert small.contexts == [32768, 65536]

    def test_auto_is_refused_as_a_model_parameter_and_for_other_options(self, reflect: Reflect) -> None:
        made = reflect("models", "create", "x", "--from", "y", "--parameter", "num_ctx=auto")
        other = reflect("-o", "num_predict=auto", "q")

        assert (made.code, other.code) == (2, 2)
        assert "use -o num_ctx=auto with a question" in made.err
        assert "num_predict takes a whole number, not 'auto'" in other.err


def test_full_context_advises_a_larger_one_within_the_model_limit(reflect: Reflect) -> None:
    def advised(limit: int, *given: str) -> str:
        small = Small(limit=limit)
        small.server.routes["/api/chat"] = reply(["<thinking>Hm"], reason="length")
        with small as server:
            return reflect.at(server.host)(*MODEL, *given, "--final", "q").err

    assert "-o num_ctx=16384" in advised(131_072)
    assert "-o num_ctx=8192" in advised(8192)
    assert "-o num_ctx=32768" in advised(131_072, "-o", "num_ctx=16384")
    assert "the model's maximum context is 8192 tokens" in advised(8192, "-o", "num_ctx=16384")


def test_batch_line_too_long_does_not_reload_the_model(reflect: Reflect) -> None:
    small = Small()
    (reflect.home / "q.txt").write_text(f"{LONG}\none\n")
    with small as server:
        result = reflect.at(server.host)("batch", *MODEL, "--jobs", "1", "q.txt")
    long, short = map(json.loads, result.out.splitlines())

    assert (result.code, long["error"]["exit_code"], short["answer"]) == (5, 4, ANSWER)
    assert small.contexts == [None, None]
