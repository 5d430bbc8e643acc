from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import CrowdedError, IncompleteError, PromptTooLongError, ReflecttyError, UnreachableError
from reflectty.core.messages import Chunk, Usage
from reflectty.protocols import openai as wire
from support.openai_replies import DONE, LLAMA_SERVER, SGLANG, VLLM, chunk, event, text, usage_event

if TYPE_CHECKING:
    from collections.abc import Iterable

COUNTED = Usage(24, 66)
STOP = chunk(finish="stop")
WHOLE = {"choices": [{"index": 0, "message": {"content": "9.9", "reasoning": "hm"}, "finish_reason": "stop"}]}


def decoded(pieces: Iterable[bytes]) -> tuple[list[Chunk], ReflecttyError | None]:
    decoder, chunks = wire.OpenAIChunkDecoder(), list[Chunk]()
    try:
        for piece in pieces:
            chunks.extend(decoder.feed(piece))
        chunks.extend(decoder.close())
    except ReflecttyError as error:
        return chunks, error
    return chunks, None


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    bounds = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


def joined(chunks: Iterable[Chunk]) -> tuple[str, str]:
    kept = list(chunks)
    return "".join(chunk.thinking for chunk in kept), "".join(chunk.content for chunk in kept)


@pytest.mark.parametrize(
    ("data", "thinking", "content", "usage"),
    [
        (
            LLAMA_SERVER,
            "",
            "<output>9.9</output>",
            Usage(24, 98, prompt_ms=140.725, reply_ms=2050.983, cached_tokens=19),
        ),
        (VLLM, "9.90 is more than 9.11.", "9.9 is larger.", COUNTED),
        (SGLANG, "I compare.", "9.9", COUNTED),
    ],
    ids=["llama-server", "vLLM", "SGLang"],
)
def test_a_reply_of_each_server_is_read(data: bytes, thinking: str, content: str, usage: Usage) -> None:
    chunks, error = decoded([data])

    assert error is None
    assert joined(chunks) == (thinking, content)
    assert [chunk.done for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert (chunks[-1].done_reason, chunks[-1].usage) == ("stop", usage)


def test_piece_is_emitted_as_soon_as_its_line_is_complete() -> None:
    decoder = wire.OpenAIChunkDecoder()
    line = text("one").rstrip(b"\n")

    assert list(decoder.feed(line)) == []
    assert list(decoder.feed(b"\n")) == [Chunk("one")]


ONE = text("one")
HARMLESS = {
    "CRLF": (ONE + STOP + DONE).replace(b"\n", b"\r\n"),
    "CR alone": (ONE + STOP + DONE).replace(b"\n", b"\r"),
    "CR, LF and both": b"".join(
        piece.replace(b"\n", end)
        for piece, end in zip((ONE, b": x\n", STOP, DONE), (b"\r", b"\r\n", b"\n", b"\r"), strict=True)
    ),
    "no blank lines": (ONE + STOP + DONE).replace(b"\n\n", b"\n"),
    "no blank behind the colon": (ONE + STOP + DONE).replace(b"data: ", b"data:"),
    "comments": b": hello\n\n" + ONE + b":\n\n: ping\n" + STOP + DONE,
    "other fields": b"id: 1\nretry: 10\nevent: message\nx-y: z\n" + ONE + STOP + DONE,
    "a BOM": b"\xef\xbb\xbf" + ONE + STOP + DONE,
    "an event in several lines": b'data: {"choices":\ndata: [{"delta":{"content":"one"}}]}\n\n' + STOP + DONE,
    "no figures": ONE + STOP + DONE,
    "no end of the stream": ONE + STOP,
    "no line end": (ONE + STOP + DONE).rstrip(b"\n"),
    "nothing but the end of the stream": ONE + DONE,
    "figures with every piece": chunk({"content": "one"}, usage={"prompt_tokens": 1}) + STOP + DONE,
    "another choice": ONE + chunk({"content": "two"}).replace(b'"index":0', b'"index":1') + STOP + DONE,
    "content in parts": chunk({"content": [{"type": "text", "text": "on"}, {"text": "e"}]}) + STOP + DONE,
    "content null": chunk({"content": None, "reasoning": None}) + ONE + STOP + DONE,
    "no delta": event({"choices": [{"index": 0, "finish_reason": None}]}) + ONE + STOP + DONE,
    "a choice that is none": event({"choices": [None, 3]}) + ONE + STOP + DONE,
    "an object of another kind": event({"status": "warming up"}) + ONE + STOP + DONE,
    "a call of a tool": chunk({"tool_calls": [{}], "content": "one"}) + chunk(finish="tool_calls") + DONE,
    "text after the end": ONE + STOP + DONE + text("two") + b"<html>",
    "text with the end": chunk({"content": "one"}, "stop") + DONE,
    "half the figures": ONE + STOP + usage_event()[:40],
    "one object": json.dumps(WHOLE | {"choices": [WHOLE["choices"][0] | {"message": {"content": "one"}}]}).encode(),
}


@pytest.mark.parametrize("data", HARMLESS.values(), ids=list(HARMLESS))
def test_harmless_extras_are_ignored(data: bytes) -> None:
    chunks, error = decoded([data])

    assert error is None
    assert joined(chunks) == ("", "one")
    assert chunks[-1].done


def test_non_streaming_reply_is_accepted() -> None:
    chunks, error = decoded([json.dumps(WHOLE | {"usage": {"completion_tokens": 7}}).encode() + b"\n"])

    assert error is None
    assert chunks == [Chunk("9.9", "hm"), Chunk(done=True, done_reason="stop", usage=Usage(reply_tokens=7))]


@pytest.mark.parametrize(
    ("finish", "reason"), [("stop", "stop"), ("length", "length"), ("tool_calls", "stop"), ("function_call", "stop")]
)
def test_finish_reason_is_normalized(finish: str, reason: str) -> None:
    chunks, _ = decoded([ONE + chunk(finish=finish) + DONE])
    assert chunks[-1] == Chunk(done=True, done_reason=reason, usage=Usage())


FAILURES = {
    "cut": (ONE, IncompleteError, "one", "ended before it was complete"),
    "cut in a line": (ONE + ONE[:20], IncompleteError, "one", "ended before it was complete"),
    "cut in a field": (ONE + b"dat", IncompleteError, "one", "ended before it was complete"),
    "nothing": (b"", IncompleteError, "", "ended before it was complete"),
    "broken off": (ONE + chunk(finish="abort"), IncompleteError, "one", "aborted the reply: abort"),
    "filtered": (ONE + chunk(finish="content_filter"), IncompleteError, "one", "content_filter"),
    "an error": (ONE + event({"error": {"message": "CUDA error", "code": 500}}), IncompleteError, "one", "CUDA error"),
    "a context full of several replies": (
        ONE + event({"error": {"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}}),
        CrowdedError,
        "one",
        "filled the server's context",
    ),
    "an error as text": (ONE + event({"error": "bad"}), IncompleteError, "one", "the server stopped: bad"),
    "an error of older vLLM": (ONE + event({"object": "error", "message": "bad"}), IncompleteError, "one", "bad"),
    "an error of FastAPI": (ONE + event({"detail": "bad"}), IncompleteError, "one", "bad"),
    "an error as an event": (ONE + b'event: error\ndata: {"message":"bad"}\n\n', IncompleteError, "one", "stopped: bad"),
    "an event that says no": (ONE + b"event: error\ndata: out of memory\n\n", IncompleteError, "one", "out of memory"),
    "an error without an event": (ONE + b'{"error":"bad"}\n', IncompleteError, "one", "bad"),
    "an error at once": (event({"error": {"message": "bad"}}), IncompleteError, "", "bad"),
    "a prompt that is too long at once": (
        event({"error": {"message": "The input (5000 tokens) is longer than the model's context length (4096 tokens)."}}),
        PromptTooLongError,
        "",
        "the prompt has 5000 tokens, the context holds 4096",
    ),
    "a page": (b"<!DOCTYPE html>\n", UnreachableError, "", "a web page"),
    "a page in the middle": (ONE + b"<html>\n", IncompleteError, "one", "a web page"),
    "text": (b"Ollama is running", UnreachableError, "", "something other than events"),
    "a list": (event([1, 2]), UnreachableError, "", "unexpected JSON"),
    "another object": (event({"foo": 1}), UnreachableError, "", "unexpected JSON"),
    "deep nesting": (b"data: " + b"[" * 100_000 + b"\n\n", UnreachableError, "", "something other than JSON"),
    "deep nesting in the middle": (ONE + b"data: " + b"[" * 100_000 + b"\n\n", IncompleteError, "one", "JSON"),
    "a line without end": (ONE + b"data: " + b"x" * 9_000_000, IncompleteError, "one", "a line of more than"),
    "an event without end": (ONE + b"data: {\n" + (b"data: " + b"x" * 999 + b"\n") * 9_000, IncompleteError, "one", "an event of"),
    "what may have been an end": (text("a<|im_") + b"<html>\n", IncompleteError, "a<|im_", "a web page"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_failure_raises_and_preserves_partial_text(name: str) -> None:
    data, kind, kept, says = FAILURES[name]
    chunks, error = decoded([data])

    assert type(error) is kind
    assert says in str(error)
    assert joined(chunks) == ("", kept)
    assert not any(chunk.done for chunk in chunks)


ENDS = {
    "<end_of_turn>": "",
    "9.9<end_of_turn>": "9.9",
    "9.9</s>": "9.9",
    "9.9<|eot_id|>\n": "9.9",
    "9.9\n<|im_end|>\n<|endoftext|>": "9.9\n",
    "9.9<｜end▁of▁sentence｜>": "9.9",
    "it closes with </s>": "it closes with </s>",
    "`</s>`": "`</s>`",
    "a <|im_end|> b": "a <|im_end|> b",
    "a<|im_end|>b": "a<|im_end|>b",
    "a<|im_en": "a<|im_en",
    "1 < 2": "1 < 2",
    "a <": "a <",
    "a   ": "a   ",
    "<|im_end|>" * 300 + "b": "<|im_end|>" * 300 + "b",
}


@pytest.mark.parametrize("said", ENDS, ids=[said[:30] for said in ENDS])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_end_of_turn_token_is_removed_only_at_the_end(said: str, size: int) -> None:
    pieces = [text(said[at : at + size]) for at in range(0, len(said), size)]
    chunks, _ = decoded([*pieces, STOP + DONE])

    assert joined(chunks) == ("", ENDS[said])


def test_token_in_the_middle_precedes_the_thinking_after_it() -> None:
    chunks, _ = decoded([text("a<eos>") + chunk({"reasoning": "hm"}) + text("b") + STOP + DONE])
    assert [(chunk.content, chunk.thinking) for chunk in chunks] == [("a", ""), ("<eos>", ""), ("", "hm"), ("b", ""), ("", "")]  # fmt: skip


@given(st.sampled_from([LLAMA_SERVER, VLLM, SGLANG, HARMLESS["an event in several lines"]]), st.lists(st.integers(0)))
def test_any_split_gives_the_same_reply(data: bytes, places: list[int]) -> None:
    assert decoded(cut(data, places)) == decoded([data])


@given(st.lists(st.integers(0)), st.sampled_from([data for data, *_ in FAILURES.values() if len(data) < 10_000]))
def test_any_split_gives_the_same_failure(places: list[int], data: bytes) -> None:
    chunks, error = decoded(cut(data, places))
    expected, wrong = decoded([data])

    assert joined(chunks) == joined(expected)
    assert (type(error), str(error)) == (type(wrong), str(wrong))


@given(st.text(alphabet="<|im_end>/s \na", max_size=40), st.lists(st.integers(0)))
def test_decoded_text_is_a_prefix_of_any_text(said: str, places: list[int]) -> None:
    chunks, _ = decoded(cut(text(said) + STOP + DONE, places))
    _, kept = joined(chunks)

    assert said.startswith(kept)
    assert joined(decoded([text(said[:at]) + text(said[at:]) + STOP + DONE for at in (len(said) // 2,)])[0])[1] == kept


@given(st.binary(max_size=200), st.lists(st.integers(0)))
def test_any_bytes_are_a_reply_or_an_error(data: bytes, places: list[int]) -> None:
    chunks, error = decoded(cut(data, places))
    assert error is not None or chunks[-1].done


@given(st.sampled_from([b"\r", b"\n", b"\r\n"]), st.lists(st.integers(0, 2000), max_size=8))
def test_any_line_ending_and_split_is_accepted(end: bytes, places: list[int]) -> None:
    data = (b": keep-alive\n\n" + VLLM).replace(b"\n", end)
    whole, pieces = decoded([data]), decoded(cut(data, places))

    assert joined(whole[0]) == ("9.90 is more than 9.11.", "9.9 is larger.")
    assert (joined(pieces[0]), pieces[0][-1], pieces[1]) == (joined(whole[0]), whole[0][-1], None)


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b": keep-alive\n\n", 0),
        (b":", 0),
        (b"\r\n\r\n", 0),
        (b"event: ping\n", 0),
        (event({"type": "ping"}), 0),
        (ONE, 1),
        (ONE * 3, 3),
        (b"data: {", 1),
    ],
)
def test_keep_alive_data_is_not_part_of_the_reply(data: bytes, parts: int) -> None:
    decoder = wire.OpenAIChunkDecoder()
    list(decoder.feed(data))
    assert decoder.part_count == parts


def parts(*content: dict[str, Any]) -> bytes:
    return chunk({"content": list(content)})


HMM, ANSWER = {"type": "text", "text": "hm"}, {"type": "text", "text": "4"}


@pytest.mark.parametrize(
    "data",
    [
        parts({"type": "thinking", "thinking": [HMM]}) + parts(ANSWER),
        parts({"type": "thinking", "thinking": "hm"}) + text("4"),
        parts({"type": "thinking", "thinking": ["h", {"type": "text", "text": "m"}]}, ANSWER),
        parts(
            {"type": "thinking", "thinking": [HMM], "closed": True}, {"type": "reference", "reference_ids": [1]}, ANSWER
        ),
        parts({"type": "reasoning", "text": "hm"}) + text("4"),
        parts({"type": "reasoning", "summary": [HMM]}) + text("4"),
        parts({"type": "thinking", "thinking": None}) + chunk({"reasoning": "hm", "content": [ANSWER]}),
    ],
)
def test_thinking_may_arrive_as_content_parts(data: bytes) -> None:
    chunks, error = decoded([data + STOP + DONE])
    assert (joined(chunks), error) == (("hm", "4"), None)


def test_thinking_may_arrive_as_parts_without_streaming() -> None:
    message = {"content": [{"type": "thinking", "thinking": [HMM]}, ANSWER]}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    chunks, error = decoded([json.dumps(whole).encode()])
    assert (joined(chunks), error) == (("hm", "4"), None)


CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        (({"tool_calls": [CALL]}, {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}), ("get_weather",)),
        (({"tool_calls": [CALL, {"index": 1, "function": {"name": "look\n"}}]},), ("get_weather", "look")),
        (({"function_call": {"name": "old", "arguments": "{}"}},), ("old",)),
        (({"tool_calls": [{}, None, {"function": None}, {"function": {"name": None}}]},), ()),
        (({"tool_calls": "nonsense"},), ()),
    ],
)
def test_tool_call_is_reported_by_name(deltas: tuple[dict[str, Any], ...], calls: tuple[str, ...]) -> None:
    chunks, error = decoded([b"".join(map(chunk, deltas)) + chunk(finish="tool_calls") + DONE])
    assert tuple(name for one in chunks for name in one.tool_calls) == calls
    assert (chunks[-1].done_reason, error) == ("stop", None)


def test_refusal_is_separate_from_the_content() -> None:
    chunks, _ = decoded([chunk({"refusal": "I can"}) + chunk({"refusal": "not."}) + STOP + DONE])
    assert "".join(one.refusal for one in chunks) == "I cannot."
    assert joined(chunks) == ("", "")


@pytest.mark.parametrize(
    ("more", "usage"),
    [
        ({"usage": {"prompt_tokens": 24, "prompt_tokens_details": {"cached_tokens": 16}}}, Usage(24, cached_tokens=16)),
        ({"usage": {"completion_tokens": 66, "completion_tokens_details": {"reasoning_tokens": 60}}}, Usage(0, 66, thinking_tokens=60)),
        ({"usage": {"prompt_tokens": 24, "prompt_tokens_details": None, "completion_tokens_details": 3}}, Usage(24)),
        ({"usage": {"prompt_tokens": 24}, "timings": {"cache_n": 19, "prompt_n": 5, "prompt_ms": 50}}, Usage(24, prompt_ms=50, cached_tokens=19)),
    ],
)  # fmt: skip
def test_cached_and_thinking_tokens_are_counted(more: dict[str, Any], usage: Usage) -> None:
    chunks, _ = decoded([ONE + STOP + usage_event(**more) + DONE])
    assert chunks[-1].usage == usage
