"""Replies in OpenAI's protocol: llama-server as recorded, vLLM and SGLang as documented."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.fake_replies import Answer, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

STREAM = "text/event-stream"
DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 24, "completion_tokens": 66, "total_tokens": 90}


def event(value: Any) -> bytes:
    """A server-sent event with an object."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> bytes:
    """One piece of a reply."""
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1767323045, "model": "m"}
    return event(head | {"choices": choices} | more)


def text(content: str) -> bytes:
    return chunk({"content": content})


def usage_event(**more: Any) -> bytes:
    """The piece before the last, which has only the usage."""
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": USAGE} | more)


def chat_reply(contents: Iterable[str] = (), thinking: Iterable[str] = (), finish: str = "stop") -> Answer:
    """A whole reply as vLLM and SGLang send it: the role, the reasoning, the content, the end, the usage."""
    pieces = [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"reasoning_content": piece}) for piece in thinking),
        *(text(piece) for piece in contents),
        chunk({"content": ""}, finish),
        usage_event(),
        DONE,
    ]
    return Answer(pieces, content_type=STREAM)


def completion_reply(contents: Iterable[str], finish: str = "stop") -> Answer:
    """A whole reply of /v1/completions, as llama-server sends it: the last piece has the usage."""

    def piece(content: str, reason: str | None = None, **more: Any) -> bytes:
        choice = {"text": content, "index": 0, "logprobs": None, "finish_reason": reason}
        return event({"object": "text_completion", "choices": [choice]} | more)

    return Answer([*map(piece, contents), piece("", finish, usage=USAGE), DONE], content_type=STREAM)


def model_list(*names: str, maker: str = "vllm", room: int = 4096) -> Answer:
    """The answer of /v1/models; llama-server adds more than the length of its context."""
    more: dict[str, Any] = {"max_model_len": room}
    if maker == "llamacpp":
        more = {"aliases": list(names[:1]), "meta": {"n_ctx": room, "n_ctx_train": 32768, "size": 246587904}}
    entries = [{"id": name, "object": "model", "created": 1767323045, "owned_by": maker} | more for name in names]
    return whole({"object": "list", "data": entries})


def props(template: str = "{{ messages }}", *, vision: bool = False) -> Answer:
    """The answer of llama-server's /props."""
    settings = {"n_ctx": 4096, "params": {"n_predict": -1}}
    value = {"chat_template": template, "modalities": {"vision": vision}, "default_generation_settings": settings}
    return whole(value | {"build_info": "b10488-abc", "eos_token": "<eos>"})


LLAMA_SERVER = (
    b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],'
    b'"created":1795715222,"id":"chatcmpl-ujL1","model":"mini","object":"chat.completion.chunk"}\n\n'
    b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"<output>"}}],"model":"mini"}\n\n'
    b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"9.9"}}],"model":"mini"}\n\n'
    b":\n\n"
    b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"</output>"}}],"model":"mini"}\n\n'
    b'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"<end_of_turn>"}}],"model":"mini"}\n\n'
    b'data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"model":"mini"}\n\n'
    b'data: {"choices":[],"model":"mini","usage":{"completion_tokens":98,"prompt_tokens":24,"total_tokens":122,'
    b'"prompt_tokens_details":{"cached_tokens":19}},"timings":{"cache_n":19,"prompt_n":5,"prompt_ms":140.725,'
    b'"predicted_n":98,"predicted_ms":2050.983}}\n\n'
    b"data: [DONE]\n\n"
)
"""A recorded reply of llama-server b10488, started with --special; its head and its usage are unchanged."""
VLLM = (
    b'data: {"id":"chatcmpl-a","object":"chat.completion.chunk","created":1,"model":"r1","choices":[{"index":0,'
    b'"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}\n\n'
    b'data: {"id":"chatcmpl-a","object":"chat.completion.chunk","created":1,"model":"r1","choices":[{"index":0,'
    b'"delta":{"reasoning":"9.90 is more","reasoning_content":"9.90 is more"},"logprobs":null,"finish_reason":null}]}'
    b"\n\n"
    b'data: {"id":"chatcmpl-a","object":"chat.completion.chunk","created":1,"model":"r1","choices":[{"index":0,'
    b'"delta":{"reasoning":" than 9.11.","content":"9.9"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n'
    b'data: {"id":"chatcmpl-a","object":"chat.completion.chunk","created":1,"model":"r1","choices":[{"index":0,'
    b'"delta":{"content":" is larger."},"logprobs":null,"finish_reason":"stop","stop_reason":null}]}\n\n'
    b'data: {"id":"chatcmpl-a","object":"chat.completion.chunk","created":1,"model":"r1","choices":[],"usage":{'
    b'"prompt_tokens":24,"total_tokens":90,"completion_tokens":66}}\n\n'
    b"data: [DONE]\n\n"
)
"""A reply of vLLM with a reasoning parser; both names of the field occur in versions around 0.11."""
SGLANG = (
    b'data: {"id":"b","object":"chat.completion.chunk","created":1,"model":"r1","choices":[{"index":0,"delta":{'
    b'"role":"assistant","content":"","reasoning_content":null,"tool_calls":null},"logprobs":null,'
    b'"finish_reason":null,"matched_stop":null}],"usage":null}\n\n'
    b'data: {"id":"b","object":"chat.completion.chunk","created":1,"model":"r1","choices":[{"index":0,"delta":{'
    b'"role":null,"content":null,"reasoning_content":"I compare.","tool_calls":null},"logprobs":null,'
    b'"finish_reason":null,"matched_stop":null}],"usage":null}\n\n'
    b'data: {"id":"b","object":"chat.completion.chunk","created":1,"model":"r1","choices":[{"index":0,"delta":{'
    b'"role":null,"content":"9.9<|im_end|>","reasoning_content":null,"tool_calls":null},"logprobs":null,'
    b'"finish_reason":null,"matched_stop":null}],"usage":null}\n\n'
    b'data: {"id":"b","object":"chat.completion.chunk","created":1,"model":"r1","choices":[{"index":0,"delta":{'
    b'"role":null,"content":null,"reasoning_content":null,"tool_calls":null},"logprobs":null,'
    b'"finish_reason":"stop","matched_stop":151645}],"usage":null}\n\n'
    b'data: {"id":"b","object":"chat.completion.chunk","created":1,"model":"r1","choices":[],"usage":{'
    b'"prompt_tokens":24,"total_tokens":90,"completion_tokens":66,"prompt_tokens_details":null}}\n\n'
    b"data: [DONE]\n\n"
)
"""A reply of SGLang to a request that keeps special tokens, with every field that it writes."""
