"""Requests in llama.cpp's format, and its stream as chunks, however it is cut."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import IncompleteError, PromptTooLongError, RefusedError, UsageError
from reflectty.core.messages import Message, Request
from reflectty.core.model_spec import MINI_REPLY_LIMIT, MINI_STOP
from reflectty.engines.embedded.model import render_prompt
from reflectty.engines.embedded.protocol import (
    FOR_EVER,
    CompletionDecoder,
    encode,
    refusal_error_of,
    seconds_of,
)
from reflectty.engines.embedded.server_main import cpu_quota_from, thread_count_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.core.messages import Chunk, OptionValue
    from reflectty.protocols.decoding import Body

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
    """A stream of llama.cpp with a keep-alive in it."""
    lines = [b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n" for event in events]
    return b": ping\n\n" + b"".join(lines)


REPLY = stream(*({"content": piece, "stop": False} for piece in PIECES), END)


def read(pieces: Iterable[bytes]) -> list[Chunk]:
    decoder = CompletionDecoder()
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    return [*chunks, *decoder.close()]


@given(st.lists(st.integers(0, len(REPLY)), max_size=12))
def test_any_split_gives_the_same_reply(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(REPLY)]
    chunks = read(REPLY[start:end] for start, end in pairwise(edges))
    assert [chunk.content for chunk in chunks if chunk.content] == [piece for piece in PIECES if piece]
    assert chunks[-1].done_reason == "stop"
    assert chunks[-1].usage is not None
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.reply_tokens) == (24, 3)
    assert (chunks[-1].usage.load_ms, chunks[-1].usage.prompt_ms, chunks[-1].usage.reply_ms) == (0, 119.3, 1376.0)


def test_time_beyond_reading_and_writing_is_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((10.0, 14.0))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    usage = read([REPLY])[-1].usage
    assert usage is not None
    assert (usage.total_ms, round(usage.load_ms, 1)) == (4000.0, 2504.7)


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
    ("options", "sent"),
    [
        ({}, {"temperature": 0, "n_predict": MINI_REPLY_LIMIT, "stop": (MINI_STOP,)}),
        ({"num_predict": 7, "seed": 3}, {"n_predict": 7, "seed": 3}),
        ({"num_predict": -2}, {"n_predict": -1}),
        ({"temperature": 0.7, "top_k": 5, "num_ctx": 99}, {"temperature": 0.7, "top_k": 5}),
        ({"stop": ("a", "b")}, {"stop": ("a", "b")}),
        ({"stop": "a"}, {"stop": ["a"]}),
    ],
)
def test_options_are_translated_for_llama_cpp(options: dict[str, OptionValue], sent: Body) -> None:
    found = encode(Request("mini", (), tuple(options.items())), "p")
    assert found["prompt"] == "p"
    assert {name: found[name] for name in sent} == sent
    assert "num_ctx" not in found
    assert "num_predict" not in found
    assert "json_schema" not in found


def test_schema_allows_no_whitespace() -> None:
    schema = encode(Request("mini", (), schema='{"type": "integer"}'), "p")["json_schema"]
    assert schema.pop("x-guidance")["whitespace_flexible"] is False
    assert schema == {"type": "integer"}


def test_schema_that_is_not_an_object_is_refused() -> None:
    with pytest.raises(UsageError, match="schema"):
        encode(Request("mini", (), schema="true"), "p")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 300.0),
        ("0", 0.0),
        ("90", 90.0),
        ("0s", 0.0),
        ("1.5", 1.5),
        ("1h30m", 5400.0),
        ("500ms", 0.5),
        ("-1m", FOR_EVER),
        ("-1", FOR_EVER),
        ("9" * 30, FOR_EVER),
    ],
)
def test_keep_alive_is_a_number_of_seconds_or_a_duration_of_go(text: str, seconds: float) -> None:
    assert seconds_of(text, 300.0) == seconds


def test_keep_alive_that_is_not_a_duration_is_refused() -> None:
    with pytest.raises(RefusedError, match="keep_alive: 'soon'"):
        seconds_of("soon", 300.0)


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
    assert isinstance(error, RefusedError)
    assert str(error) == f"the server refused: {text}"


def test_system_messages_precede_only_the_first_question() -> None:
    messages = (
        Message("system", "one"),
        Message("user", "a"),
        Message("system", "two"),
        Message("assistant", "b"),
        Message("user", "c"),
    )
    text = render_prompt(messages)
    assert text == (
        "<start_of_turn>user\none\n\ntwo\n\na<end_of_turn>\n<start_of_turn>model\nb<end_of_turn>\n"
        "<start_of_turn>user\nc<end_of_turn>\n<start_of_turn>model\n"
    )


@pytest.mark.parametrize(("cores", "used"), [(1, 1), (2, 1), (4, 3), (64, 4)])
def test_one_core_is_left_free_for_other_work(cores: int, used: int) -> None:
    assert thread_count_for(cores) == used


@pytest.mark.parametrize(
    ("text", "cores"), [("max 100000\n", 0), ("200000 100000\n", 2), ("50000 100000\n", 1), ("", 0), ("1 0", 1)]
)
def test_container_cpu_quota_is_parsed(text: str, cores: int) -> None:
    assert cpu_quota_from(text) == cores
