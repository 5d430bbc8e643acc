"""Ollama's requests as llama.cpp takes them, and its stream as Ollama's lines, however it is cut."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import IncompleteError, PromptTooLongError
from reflectty.core.model_spec import MINI_REPLY_LIMIT, MINI_STOP
from reflectty.engines.embedded.model import render_prompt
from reflectty.engines.embedded.protocol import (
    FOR_EVER,
    ApiError,
    StreamTranslator,
    chat_line,
    completion_body_of,
    generate_line,
    keep_alive_seconds_of,
    refusal_error_of,
)
from reflectty.engines.embedded.server_main import cpu_quota_from, thread_count_for
from reflectty.protocols.ollama import OllamaChunkDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reflectty.core.messages import Chunk
    from reflectty.protocols.ollama import Body

TIMINGS = {"prompt_ms": 119.3, "predicted_ms": 1376.0}
END = {
    "content": "",
    "stop": True,
    "stop_type": "eos",
    "tokens_predicted": 3,
    "tokens_evaluated": 24,
    "timings": TIMINGS,
}
PIECES = ("<", "thinking>\n", "ü \u2028 \u0085", "", "🙂 data: x")


def stream(*events: Body) -> bytes:
    """Return what llama.cpp sends, with a sign of life among it."""
    lines = [b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n" for event in events]
    return b": ping\n\n" + b"".join(lines)


REPLY = stream(*({"content": piece, "stop": False} for piece in PIECES), END)


def read(pieces: Iterable[bytes], line: Callable[[str], Body] = chat_line) -> list[Chunk]:
    """Return what the real decoder of Ollama's protocol makes of the lines."""
    translation, decoder = StreamTranslator(line, 0.0, 1.0), OllamaChunkDecoder()
    chunks = [
        chunk
        for piece in pieces
        for item in translation.feed(piece)
        for chunk in decoder.feed(json.dumps(item).encode() + b"\n")
    ]
    translation.close()
    return [*chunks, *decoder.close()]


@given(st.lists(st.integers(0, len(REPLY)), max_size=12))
def test_any_split_gives_the_same_reply(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(REPLY)]
    chunks = read(REPLY[start:end] for start, end in pairwise(edges))
    assert [chunk.content for chunk in chunks if chunk.content] == [piece for piece in PIECES if piece]
    assert chunks[-1].done_reason == "stop"
    assert chunks[-1].usage is not None
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.reply_tokens) == (24, 3)
    assert (chunks[-1].usage.load_ms, chunks[-1].usage.prompt_ms) == (1000.0, 119.3)


def test_raw_reply_equals_a_chat_reply() -> None:
    assert [chunk.content for chunk in read([REPLY], generate_line)] == [chunk.content for chunk in read([REPLY])]


def test_limited_reply_reports_length() -> None:
    assert read([stream(END | {"stop_type": "limit"})])[-1].done_reason == "length"


def test_a_reply_without_an_end_is_incomplete() -> None:
    with pytest.raises(IncompleteError, match="in the middle of its reply"):
        read([REPLY[:100]])


def test_text_after_the_end_is_ignored() -> None:
    assert not any("more" in chunk.content for chunk in read([REPLY, stream({"content": "more"})]))


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(b'data: {"error": {"code": 500, "message": "no memory"}}\n\n', id="in the data"),
        pytest.param(b'error: {"error": {"code": 500, "message": "no memory"}}\n\n', id="as an event"),
    ],
)
def test_error_in_the_stream_is_raised(event: bytes) -> None:
    with pytest.raises(IncompleteError, match="no memory"):
        read([event])


def test_invalid_json_raises() -> None:
    with pytest.raises(IncompleteError, match="something other than JSON"):
        read([b"data: {\n\n"])


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({}, {"temperature": 0, "n_predict": MINI_REPLY_LIMIT, "stop": [MINI_STOP]}),
        ({"options": {"num_predict": 7, "seed": 3}}, {"n_predict": 7, "seed": 3}),
        ({"options": {"num_predict": -2}}, {"n_predict": -1}),
        ({"options": {"temperature": 0.7, "top_k": 5, "num_ctx": 99}}, {"temperature": 0.7, "top_k": 5}),
        ({"options": {"stop": ["a", "b"]}}, {"stop": ["a", "b"]}),
        ({"options": {"stop": "a"}}, {"stop": ["a"]}),
        ({"options": None, "format": ""}, {"temperature": 0}),
    ],
)
def test_options_are_translated_for_llama_cpp(body: Body, sent: Body) -> None:
    found = completion_body_of(body, "p")
    assert found["prompt"] == "p"
    assert {name: found[name] for name in sent} == sent
    assert "num_ctx" not in found
    assert "json_schema" not in found


@pytest.mark.parametrize(
    ("wanted", "held_to"), [("json", {"type": "object"}), ({"type": "integer"}, {"type": "integer"})]
)
def test_format_becomes_a_schema_without_whitespace(wanted: Any, held_to: Body) -> None:
    schema = completion_body_of({"format": wanted}, "p")["json_schema"]
    assert schema.pop("x-guidance")["whitespace_flexible"] is False
    assert schema == held_to


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 300.0),
        ("", 300.0),
        (0, 0.0),
        (90, 90.0),
        ("0s", 0.0),
        ("1h30m", 5400.0),
        ("500ms", 0.5),
        ("-1m", FOR_EVER),
        (-1, FOR_EVER),
        (1e30, FOR_EVER),
    ],
)
def test_keep_alive_is_parsed_as_go_formats_durations(value: object, seconds: float) -> None:
    assert keep_alive_seconds_of({"keep_alive": value}, 300.0) == seconds


def test_too_long_prompt_has_its_own_error() -> None:
    said = {"code": 400, "message": "too long", "type": "exceed_context_size_error", "n_prompt_tokens": 9000}
    error = refusal_error_of(400, json.dumps({"error": said}).encode())
    assert isinstance(error, PromptTooLongError)
    assert "9000 tokens" in str(error)


@pytest.mark.parametrize(
    ("content", "text"),
    [(b'{"error": {"code": 400, "message": "wrong grammar", "type": "x"}}', "wrong grammar"), (b"what", "what")],
)
def test_other_refusals_carry_the_message(content: bytes, text: str) -> None:
    error = refusal_error_of(400, content)
    assert isinstance(error, ApiError)
    assert (error.status, str(error)) == (400, text)


def test_system_messages_precede_only_the_first_question() -> None:
    messages = [
        {"role": "system", "content": "one"},
        {"role": "user", "content": "a"},
        {"role": "system", "content": "two"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    text = render_prompt(messages)
    assert text.startswith("<start_of_turn>user\none\n\ntwo\n\na<end_of_turn>\n")
    assert text.count("one") == text.count("two") == 1


@pytest.mark.parametrize(("cores", "used"), [(1, 1), (2, 1), (4, 3), (64, 4)])
def test_one_core_is_left_free_for_other_work(cores: int, used: int) -> None:
    assert thread_count_for(cores) == used


@pytest.mark.parametrize(
    ("text", "cores"), [("max 100000\n", 0), ("200000 100000\n", 2), ("50000 100000\n", 1), ("", 0), ("1 0", 1)]
)
def test_container_cpu_quota_is_parsed(text: str, cores: int) -> None:
    assert cpu_quota_from(text) == cores
