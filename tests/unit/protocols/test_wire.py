from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import (
    BusyError,
    IncompleteError,
    ModelMissingError,
    PromptTooLongError,
    ReflecttyError,
    RefusedError,
    UnreachableError,
    UsageError,
)
from reflectty.core.messages import Chunk, Message, Model, Request, Usage
from reflectty.protocols import ollama
from support.fake_server import done, line, raw_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def request_with(**more: Any) -> Request:
    return Request("m", (Message("user", "hi"),), **more)


MESSAGES = [{"role": "user", "content": "hi"}]
WHOLE = {"stream": True, "truncate": False, "shift": False}
GOLDEN = (
    line(thinking="Let me\u0085 think. ")
    + b"\r\n"
    + line("<output>ä€😀\u2028")
    + line(logprobs=[])
    + raw_line("</output>")
    + line("!", **done())
)


def decoded(pieces: Iterable[bytes]) -> tuple[list[Chunk], ReflecttyError | None]:
    decoder, chunks = ollama.OllamaChunkDecoder(), list[Chunk]()
    try:
        for piece in pieces:
            chunks.extend(decoder.feed(piece))
        chunks.extend(decoder.close())
    except ReflecttyError as error:
        return chunks, error
    return chunks, None


@pytest.mark.parametrize(
    ("request_", "more"),
    [
        (request_with(), {}),
        (request_with(think=False), {"think": False}),
        (request_with(think="high"), {"think": "high"}),
        (request_with(options=(("num_ctx", 8), ("stop", ("a", "b")))), {"options": {"num_ctx": 8, "stop": ["a", "b"]}}),
        (request_with(schema='{"type": "object"}'), {"format": {"type": "object"}}),
        (request_with(keep_alive="5m"), {"keep_alive": "5m"}),
        (request_with(keep_alive="-1"), {"keep_alive": -1}),
        (request_with(keep_alive="1.5"), {"keep_alive": 1.5}),
        (request_with(keep_alive="nan"), {"keep_alive": "nan"}),
    ],
)  # fmt: skip
def test_request_forbids_silent_truncation(request_: Request, more: dict[str, Any]) -> None:
    assert ollama.encode(request_) == {"model": "m", "messages": MESSAGES} | WHOLE | more


def test_images_are_sent_with_their_message_or_a_raw_prompt() -> None:
    request = Request("m", (Message("user", "what?", ("aGk=",)),))
    assert ollama.encode(request)["messages"] == [{"role": "user", "content": "what?", "images": ["aGk="]}]
    assert ollama.encode_raw(request, "[img-0]what?")["images"] == ["aGk="]


@pytest.mark.parametrize("think", [None, True, False, "high"])
def test_raw_prompt_is_sent_unchanged_without_thinking(think: Any) -> None:
    request = request_with(think=think, options=(("seed", 1),), schema="{}", keep_alive="60")
    settings = {"options": {"seed": 1}, "format": {}, "keep_alive": 60}
    expected = {"model": "m", "prompt": "Q: hi <thinking>", "raw": True, "think": False}
    assert ollama.encode_raw(request, "Q: hi <thinking>") == expected | WHOLE | settings


def test_render_request_limits_the_reply_to_one_token() -> None:
    body = ollama.encode_render(request_with(think=True, options=(("num_ctx", 8),), schema="{}"))
    assert body["_debug_render_only"] is True
    assert body["stream"] is False
    assert body["think"] is True
    assert body["options"] == {"num_ctx": 8, "num_predict": 1}
    assert "format" not in body


@pytest.mark.parametrize("schema", ["{", "nonsense", "[" * 100_000])
def test_invalid_schema_is_a_usage_error(schema: str) -> None:
    with pytest.raises(UsageError, match="the schema is not valid JSON"):
        ollama.encode(request_with(schema=schema))


def test_chunks_contain_text_and_counts() -> None:
    usage = Usage(24, 66, total_ms=2000, load_ms=500, prompt_ms=500, reply_ms=1000)
    chunks = [
        Chunk(thinking="Let me\u0085 think. "),
        Chunk("<output>ä€😀\u2028"),
        Chunk("</output>"),
        Chunk("!", done=True, done_reason="stop", usage=usage),
    ]
    assert decoded([GOLDEN]) == (chunks, None)


def test_missing_durations_are_zero() -> None:
    chunks, error = decoded([b'{"response":"","done":true,"done_reason":"length"}'])
    assert error is None
    assert chunks == [Chunk(done=True, done_reason="length", usage=Usage())]


def test_chunks_before_an_error_are_emitted_first() -> None:
    chunks, error = decoded([line("one") + b'{"error":"gone"}\n' + line("two")])
    assert chunks == [Chunk("one")]
    assert type(error) is IncompleteError


def test_data_after_done_is_not_decoded() -> None:
    decoder = ollama.OllamaChunkDecoder()
    assert [chunk.done for chunk in decoder.feed(line(**done()) + b"<html>")] == [True]
    assert list(decoder.feed(b"[" * 10)) == []
    assert list(decoder.close()) == []


def test_line_limit_applies_to_any_split() -> None:
    longest = line("x" * 40)
    for pieces in ([longest], [longest[:30], longest[30:]]):
        decoder = ollama.OllamaChunkDecoder(line_limit=len(longest) - 2)
        with pytest.raises(UnreachableError):
            [list(decoder.feed(piece)) for piece in pieces]
    assert list(ollama.OllamaChunkDecoder(line_limit=len(longest) - 1).feed(longest)) == [Chunk("x" * 40)]


def pieces_of(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    return [data[start:end] for start, end in pairwise([0, *sorted(cuts), len(data)])]


ODD_LINES = st.sampled_from(
    [
        line("a\u0085b", thinking="t"),
        raw_line("ä€😀"),
        b"\n",
        b"\r\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b'{"foo":1}\n',
        b'{"error":"e"}\n',
        b'{"error":{"message":"e"}}\n',
        b"[1]\n",
        b"<html>\n",
        b"{",
        b'{"message":{"content":"\\ud800"}}\n',
        b'{"message":{"content":[1]}}\n',
        b'{"response":NaN}\n',
        line("z", **done()),
    ]
)
BODIES = st.lists(st.one_of(ODD_LINES, st.binary(max_size=8)), max_size=8).map(b"".join)


@given(st.lists(st.integers(0, len(GOLDEN)), max_size=12))
def test_any_split_gives_the_same_reply(cuts: list[int]) -> None:
    assert decoded(pieces_of(GOLDEN, cuts)) == decoded([GOLDEN])


@given(BODIES, st.data())
def test_any_data_gives_the_same_chunks_and_typed_errors_for_any_split(body: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=8))
    chunks, error = decoded([body])
    again, other = decoded(pieces_of(body, cuts))
    assert again == chunks
    assert (type(other), str(other)) == (type(error), str(error))
    assert error is None or isinstance(error, IncompleteError | UnreachableError)
    "".join(chunk.content + chunk.thinking for chunk in chunks).encode()
    assert (error is None) is bool(chunks and chunks[-1].done)


def test_a_truncated_reply_is_a_prefix_and_never_complete() -> None:
    whole, _ = decoded([GOLDEN])
    for end in range(len(GOLDEN) - 1):
        chunks, error = decoded([GOLDEN[:end]])
        assert chunks == whole[: len(chunks)]
        assert type(error) is IncompleteError
        assert not any(chunk.done for chunk in chunks)


NESTED = json.dumps({"error": json.dumps({"error": {"code": 400, "message": "inner", "type": "x"}})})
CONTEXT = {"type": "exceed_context_size_error", "n_prompt_tokens": 3017, "n_ctx": 512, "message": "too long"}
LONGER = "the prompt is longer than the context length currently available to the model; shorten the prompt"


@pytest.mark.parametrize(
    ("status", "body", "error", "says", "advises"),
    [
        (400, NESTED, RefusedError, "inner", ""),
        (400, json.dumps({"error": json.dumps({"error": CONTEXT})}), PromptTooLongError, "3017 tokens, the context holds 512", "-o num_ctx=4096"),
        (400, json.dumps({"error": {**CONTEXT, "n_prompt_tokens": 3500}}), PromptTooLongError, "3500", "num_ctx=8192"),
        (400, json.dumps({"error": LONGER}), PromptTooLongError, "does not fit", "-o num_ctx=16384"),
        (400, json.dumps({"error": {"type": "exceed_context_size_error", "n_ctx": "x"}}), PromptTooLongError, "", "num_ctx="),
        (400, json.dumps({"error": '"m" does not support thinking'}), RefusedError, "does not support thinking", "omit the mode or effort"),
        (401, json.dumps({"error": "unauthorized"}), RefusedError, "unauthorized", "OLLAMA_API_KEY"),
        (403, "", RefusedError, "HTTP 403, no message", "OLLAMA_HOST"),
        (404, json.dumps({"error": "model 'm' not found"}), ModelMissingError, "m is not installed", "reflect models pull m"),
        (404, "404 page not found", UnreachableError, "404 page not found", "OLLAMA_HOST"),
        (404, "", UnreachableError, "no message", "OLLAMA_HOST"),
        (404, json.dumps({"detail": "Not Found"}), UnreachableError, "Not Found", "OLLAMA_HOST"),
        (500, "", RefusedError, "HTTP 500, no message", "log"),
        (500, json.dumps({"error": 'option "num_ctx" must be of type integer'}), RefusedError, "num_ctx", "wrong type"),
        (500, "\xa0<p>oops", RefusedError, "<p>oops", "log"),
        (500, "<html>Oops", UnreachableError, "a web page with HTTP 500", "OLLAMA_HOST"),
        (503, json.dumps({"error": "server busy"}), BusyError, "server busy", "try again"),
        (503, "", BusyError, "HTTP 503", "try again"),
    ],
)  # fmt: skip
def test_refusal_gives_the_matching_error_with_advice(
    status: int, body: str, error: type[ReflecttyError], says: str, advises: str
) -> None:
    refusal = ollama.refusal_error_of(status, body.encode(), "m")
    assert type(refusal) is error
    assert says in str(refusal)
    assert advises in refusal.hint


@given(st.integers(100, 599), st.one_of(st.binary(), BODIES))
def test_any_refusal_becomes_an_error_on_one_short_line(status: int, body: bytes) -> None:
    error = ollama.refusal_error_of(status, body * 200, "m")
    assert len(str(error)) < 400
    assert "\n" not in str(error)


def test_deeply_nested_error_is_one_line() -> None:
    value: Any = "deep"
    for _ in range(12):
        value = json.dumps({"error": value})
    assert str(ollama.refusal_error_of(400, value.encode(), "m")) == "the server refused: deep"
    deep = b'{"error":' * 900 + b'"x"' + b"}" * 900
    assert len(str(ollama.refusal_error_of(400, deep, "m"))) < 400


@pytest.mark.parametrize(
    ("model", "installed", "hint"),
    [
        ("reflecton", ["reflection:latest", "llama3"], "did you mean reflection? Otherwise run `reflect models pull reflecton`"),
        ("llama3", ["qwen3:8b", "llama3.1:70b-instruct-q4_K_M"], "did you mean llama3.1:70b-instruct-q4_K_M? Otherwise"),
        ("qwen3:4b", ["qwen3:32b", "qwen3:8b"], "did you mean qwen3:8b or qwen3:32b?"),
        ("Qwen3-8B", ["hf.co/qwen/qwen3-8b-gguf:Q4_0"], "did you mean hf.co/qwen/qwen3-8b-gguf:Q4_0?"),
        ("x", ["nomic-embed-text"], "run `reflect models pull x`; installed: nomic-embed-text"),
        ("mistral:7b-instruct-q4_0", ["llama2:7b-instruct-q4_0"], "run `reflect models pull mistral:7b-instruct-q4_0`; installed"),
        ("gemma", ["abc", "xyz"], "run `reflect models pull gemma`; installed: abc, xyz"),
        ("gemma", [], "run `reflect models pull gemma`; no models are installed"),
    ],
)  # fmt: skip
def test_missing_model_error_suggests_similar_names(model: str, installed: list[str], hint: str) -> None:
    assert ollama.missing_hint(model, installed).startswith(hint)


def test_only_a_few_models_are_suggested() -> None:
    many = [letter * 3 for letter in "bcdefghi"]

    assert ollama.missing_hint("gemma", many) == "run `reflect models pull gemma`; installed: bbb, ccc, ddd, eee, fff"
    alike = [f"gemma3:{size}b" for size in (1, 4, 12, 27)]
    assert ollama.missing_hint("gemma3", alike).count(" or ") == 2


def test_model_is_parsed_from_show() -> None:
    body = {
        "template": "{{ .Prompt }}",
        "system": "be kind",
        "parameters": "stop x",
        "capabilities": ["completion", "thinking"],
        "modified_at": "2026-01-02T03:04:05Z",
        "model_info": {"general.architecture": "gemma3", "gemma3.context_length": 32768},
    }
    model = Model(
        "m", ("completion", "thinking"), "{{ .Prompt }}", "be kind", "stop x", 32768, "", "2026-01-02T03:04:05Z"
    )
    assert ollama.model_of("m", body) == model
    assert ollama.model_of("m", {"model_info": None, "capabilities": "x"}) == Model("m")


A, B = "a" * 64, "0" * 64


@pytest.mark.parametrize(
    ("modelfile", "files", "weights"),
    [
        (f"# Modelfile\nFROM /blobs/sha256-{A}\nADAPTER /blobs/sha256-{B}\n", (B, A), A),
        (f'FROM "C:\\blobs\\sha256-{A}"\r\nTEMPLATE x', (A,), A),
        (f"ADAPTER\t/b/sha256:{B}\nFROM x sha256-{A} ", (B, A), A),
        (f"FROM /sha256-{B}/sha256-{A}", (A,), A),
        (f"FROM /blobs/mysha256-{A}\nFROM /blobs/sha256-{A[1:]}\nFROM /blobs/sha256-{A}f", (), ""),
        (f"FROM /blobs/sha256-{A.upper()}\nFROMAGE /b/sha256-{A}\n FROM /b/sha256-{A}\nFROM m", (), ""),
        (f"FROM\nADAPTER\nFROM sha256\nLICENSE /b/sha256-{A}", (), ""),
    ],
)
def test_files_of_a_modelfile_are_those_with_a_digest(modelfile: str, files: tuple[str, ...], weights: str) -> None:
    model = ollama.model_of("m", {"modelfile": modelfile})

    assert (model.file_digests, model.weights_digest) == (files, weights)


def test_models_are_parsed_from_tags() -> None:
    entry = {
        "name": "m:latest",
        "digest": "d",
        "modified_at": "t",
        "capabilities": ["completion"],
        "details": {"context_length": 9},
    }
    model = Model("m:latest", ("completion",), context_length=9, digest="d", modified_at="t")
    assert ollama.models_of({"models": [entry, "junk", {"model": "n"}]}) == (model, Model("n"))
    with pytest.raises(UnreachableError, match="lists no models"):
        ollama.models_of({"models": None})


@pytest.mark.parametrize(
    "body", [{}, {"_debug_info": None}, {"_debug_info": {}}, {"message": {"content": "x"}, "done": True}]
)
def test_response_without_a_rendered_prompt_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="cannot render"):
        ollama.rendered_prompt_of(body)
    assert ollama.rendered_prompt_of({"_debug_info": {"rendered_template": "Q: hi"}}) == "Q: hi"


def test_cached_prompt_tokens_are_not_counted_as_read() -> None:
    last = line(**done(prompt_eval_count=1000, prompt_eval_cached_count=900, prompt_eval_duration=500_000_000))
    chunks, _ = decoded([last])
    usage = chunks[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.cached_tokens, usage.prompt_per_second) == (1000, 900, 200.0)


@pytest.mark.parametrize(
    ("usage", "rate"),
    [
        (Usage(24, prompt_ms=500), 48.0),
        (Usage(24, prompt_ms=500, cached_tokens=24), 0.0),
        (Usage(24, prompt_ms=500, cached_tokens=30), 0.0),
        (Usage(24), 0.0),
    ],
)
def test_prompt_speed_excludes_cached_tokens(usage: Usage, rate: float) -> None:
    assert usage.prompt_per_second == rate


def test_tool_calls_are_parsed_by_name() -> None:
    called = [{"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}]
    message = {"role": "assistant", "content": "", "tool_calls": called}
    chunks, error = decoded([line(message=message), line(**done())])
    assert error is None
    assert chunks[0] == Chunk(tool_calls=("get_weather",))


@pytest.mark.parametrize(
    ("data", "parts"), [(b"\n", 0), (b" \r\n\n", 0), (line("a"), 1), (line("a") * 2, 2), (line("a")[:9], 1)]
)
def test_blank_lines_are_not_part_of_the_reply(data: bytes, parts: int) -> None:
    decoder = ollama.OllamaChunkDecoder()
    list(decoder.feed(data))
    assert decoder.part_count == parts
