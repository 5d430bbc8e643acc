from __future__ import annotations

import json
from typing import Any

import pytest

from reflectty.core.errors import UsageError
from reflectty.core.messages import Effort, Message, Request
from reflectty.protocols import openai as wire

MESSAGES = [{"role": "user", "content": "hi"}]
STREAM = {"stream": True, "stream_options": {"include_usage": True}, "skip_special_tokens": False}
SCHEMA = {"type": "object"}
STRICT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
ON, OFF = ({"chat_template_kwargs": {"enable_thinking": on, "thinking": on}} for on in (True, False))


def request_with(*options: tuple[str, Any], **more: Any) -> Request:
    return Request("m", (Message("user", "hi"),), options, **more)


@pytest.mark.parametrize(
    ("request_", "more"),
    [
        (request_with(), {}),
        (request_with(think=True), ON),
        (request_with(think=False), OFF),
        (request_with(think=Effort.LOW), ON | {"reasoning_effort": "low"}),
        (request_with(think=Effort.MAX), ON | {"reasoning_effort": "high"}),
        (request_with(("num_predict", 8)), {"max_tokens": 8}),
        (request_with(("num_predict", 0)), {"max_tokens": 0}),
        (request_with(("num_predict", -1)), {}),
        (request_with(("temperature", 0.5), ("top_p", 0.9), ("top_k", 20), ("min_p", 0.1), ("seed", 3)),
            {"temperature": 0.5, "top_p": 0.9, "top_k": 20, "min_p": 0.1, "seed": 3}),
        (request_with(("stop", ("a", "b"))), {"stop": ["a", "b"]}),
        (request_with(("presence_penalty", 1.0), ("frequency_penalty", 2.0)), {"presence_penalty": 1.0, "frequency_penalty": 2.0}),
        (request_with(("repeat_penalty", 1.1)), {"repetition_penalty": 1.1, "repeat_penalty": 1.1}),
        (request_with(("num_ctx", 8), ("num_gpu", 1), ("typical_p", 0.5)), {}),
        (request_with(keep_alive="5m"), {}),
        (request_with(schema=json.dumps(SCHEMA)), {"response_format": STRICT}),
    ],
)  # fmt: skip
def test_request_streams_and_keeps_special_tokens(request_: Request, more: dict[str, Any]) -> None:
    assert wire.encode(request_, wire.VLLM) == {"model": "m", "messages": MESSAGES} | STREAM | more


def test_llama_server_options_are_sent_to_it_alone() -> None:
    request = request_with(("typical_p", 0.5), ("repeat_last_n", 64), ("num_keep", 4))
    more = {"typical_p": 0.5, "repeat_last_n": 64, "n_keep": 4}

    assert wire.encode(request, wire.LLAMA_SERVER) == wire.encode(request_with()) | more
    assert wire.encode(request, wire.SGLANG) == wire.encode(request_with())


def test_ignored_options_match_those_not_sent() -> None:
    assert {"num_ctx", "keep_alive", "typical_p", "num_keep"} <= set(wire.ignored_options_of(wire.VLLM))
    assert not {"temperature", "num_predict", "stop"} & set(wire.ignored_options_of(""))
    assert set(wire.ignored_options_of("")) - set(wire.ignored_options_of(wire.LLAMA_SERVER)) == {
        "typical_p",
        "repeat_last_n",
        "num_keep",
    }


@pytest.mark.parametrize(
    ("image", "kind"), [("iVBORw0K", "png"), ("/9j/4AAQ", "jpeg"), ("R0lGODlh", "gif"), ("UklGRiI", "webp"), ("Qk02AA==", "bmp"), ("SUkqAAg=", "tiff"), ("TU0AKgA=", "tiff"), ("aGk=", "png")]
)  # fmt: skip
def test_images_are_parts_of_their_message(image: str, kind: str) -> None:
    request = Request("m", (Message("user", "what?", (image,)),))
    picture = {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{image}"}}

    assert wire.encode(request)["messages"] == [
        {"role": "user", "content": [picture, {"type": "text", "text": "what?"}]}
    ]


def test_continued_reply_is_an_open_last_message() -> None:
    body = wire.encode_continued(request_with(schema=json.dumps(SCHEMA)), "<think>\nAll ", wire.VLLM)

    assert body["messages"] == [*MESSAGES, {"role": "assistant", "content": "<think>\nAll "}]
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert body["separate_reasoning"] is False
    assert body["response_format"] == STRICT


def test_render_request_contains_only_what_the_template_uses() -> None:
    body = wire.encode_render(request_with(("seed", 1), think=True, schema="{}"))
    assert body == {"model": "m", "messages": MESSAGES} | ON


def test_raw_prompt_is_sent_unchanged() -> None:
    body = wire.encode_raw(
        request_with(("num_predict", 8), ("typical_p", 0.5), think=True, schema=json.dumps(SCHEMA)), "Q: "
    )
    assert body == {"model": "m", "prompt": "Q: ", "max_tokens": 8, "typical_p": 0.5, "json_schema": SCHEMA} | STREAM


def test_images_of_a_raw_prompt_are_sent_alongside_it() -> None:
    request = Request("m", (Message("user", "what?", ("aGk=",)),))
    assert wire.encode_raw(request, "<__media__>what?")["prompt"] == {
        "prompt_string": "<__media__>what?",
        "multimodal_data": ["aGk="],
    }


@pytest.mark.parametrize("encode", [wire.encode, lambda request: wire.encode_raw(request, "")])
@pytest.mark.parametrize("schema", ["{", "nonsense", "[" * 100_000])
def test_invalid_schema_is_a_usage_error(encode: Any, schema: str) -> None:
    with pytest.raises(UsageError, match="the schema is not valid JSON"):
        encode(request_with(schema=schema))
