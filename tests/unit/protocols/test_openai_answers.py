from __future__ import annotations

import json
from typing import Any

import pytest

from reflectty.core.errors import (
    BusyError,
    CrowdedError,
    ModelMissingError,
    PromptTooLongError,
    ReflecttyError,
    RefusedError,
    UnreachableError,
)
from reflectty.core.messages import Capacity, Model, RunningModel, Workload
from reflectty.protocols import openai as wire
from reflectty.reasoning.modes import AskOptions, Mode, plan

LISTED = {"id": "org/Qwen3-8B", "object": "model", "owned_by": "vllm", "root": "/models/x", "max_model_len": 4096}
LLAMA = {"id": "mini", "aliases": ["mini", "small"], "owned_by": "llamacpp", "meta": {"n_ctx": 2048, "n_ctx_train": 32768}}  # fmt: skip
VALIDATED = [{"type": "greater_than_equal", "loc": ["body", "top_p"], "msg": "Input should be above 0", "input": -1}]


def refused(status: int, value: Any, model: str = "m") -> ReflecttyError:
    return wire.refusal_error_of(status, value if isinstance(value, bytes) else json.dumps(value).encode(), model)


@pytest.mark.parametrize(
    ("status", "value", "kind", "says"),
    [
        (401, {"error": "Unauthorized"}, RefusedError, "the server refused: Unauthorized"),
        (401, {"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}, RefusedError, "Invalid API Key"),
        (403, {"detail": "Forbidden"}, RefusedError, "Forbidden"),
        (400, {"object": "error", "message": "bad top_p", "type": "BadRequestError", "code": 400}, RefusedError, "bad top_p"),
        (400, {"error": {"message": "bad top_p", "type": "BadRequestError", "param": "top_p", "code": 400}}, RefusedError, "bad top_p"),
        (422, {"detail": VALIDATED}, RefusedError, "top_p: Input should be above 0"),
        (422, {"detail": ["x", 1]}, RefusedError, "x; 1"),
        (400, {"message": "no"}, RefusedError, "the server refused: no"),
        (500, {"error": {"message": "image input is not supported", "type": "server_error"}}, RefusedError, "image input"),
        (500, b"Internal Server Error", RefusedError, "Internal Server Error"),
        (500, b"", RefusedError, "HTTP 500, no message"),
        (404, {"error": {"message": "The model `m` does not exist.", "type": "NotFoundError", "param": "model", "code": 404}}, ModelMissingError, "the model m is not available on this server"),
        (404, {"object": "error", "message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404}, ModelMissingError, "m is not available"),
        (400, {"error": {"message": "model 'm' not found", "type": "invalid_request_error", "code": 400}}, ModelMissingError, "m is not available"),
        (404, {"detail": "Not Found"}, UnreachableError, "HTTP 404, Not Found"),
        (404, {"error": {"message": "File Not Found", "type": "not_found_error"}}, UnreachableError, "File Not Found"),
        (405, {"detail": "Method Not Allowed"}, UnreachableError, "HTTP 405"),
        (429, {"error": {"message": "slow down"}}, BusyError, "the server is busy: slow down"),
        (503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, BusyError, "Loading model"),
        (503, b"", BusyError, "HTTP 503"),
        (500, b"<html>Oops</html>", UnreachableError, "a web page with HTTP 500"),
    ],
)  # fmt: skip
def test_refusal_gives_the_right_error_in_one_line(
    status: int, value: Any, kind: type[ReflecttyError], says: str
) -> None:
    error = refused(status, value)

    assert type(error) is kind
    assert says in str(error)
    assert "\n" not in str(error)


def test_unauthorized_error_explains_how_to_set_a_key() -> None:
    hint = refused(401, {"error": "Unauthorized"}).hint
    assert all(name in hint for name in ("REFLECTTY_API_KEY", "OPENAI_API_KEY", "api_key_file", "https"))


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ({"error": {"type": "exceed_context_size_error", "message": "…", "n_prompt_tokens": 2710, "n_ctx": 2048}}, (2710, 2048)),
        ({"error": {"message": "request (2710 tokens) exceeds the available context size (2048 tokens), try increasing it"}}, (2710, 2048)),
        ({"error": {"message": "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens (8000 in the messages, 1000 in the completion). Please reduce the length of the messages or completion."}}, (8000, 4096)),
        ({"error": {"message": "This model's maximum context length is 4096 tokens. However, your prompt contains 4813 input tokens."}}, (4813, 4096)),
        ({"object": "error", "message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096."}, (5000, 4096)),
        ({"object": "error", "message": "The input (5000 tokens) is longer than the model's context length (4096 tokens)."}, (5000, 4096)),
        ({"detail": "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of 9000 tokens: 8000 tokens from the input messages and 1000 tokens for the completion."}, (8000, 4096)),
    ],
)  # fmt: skip
def test_too_long_prompt_is_reported_with_its_numbers(value: Any, numbers: tuple[int, int]) -> None:
    error = refused(400, value)

    assert type(error) is PromptTooLongError
    assert str(error) == f"the prompt has {numbers[0]} tokens, the context holds {numbers[1]}"
    assert "num_ctx" not in error.hint
    assert not error.resizable


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "This model's maximum context length is 4096 tokens. However, your prompt contains at least 4097 input tokens,",
            "the prompt has at least 4097 tokens, the context holds 4096",
        ),
        (
            "This model's maximum context length is 2048 tokens. However, your prompt contains 45050 characters",
            "the prompt has 45050 characters, more than 2048 tokens of context can hold",
        ),
        (
            "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)",
            "the prompt does not fit into the context",
        ),
    ],
)
def test_bounds_and_characters_are_reported_as_such(text: str, says: str) -> None:
    error = refused(400, {"error": {"message": text, "param": "input_tokens", "code": 400}})
    assert (type(error), str(error)) == (PromptTooLongError, says)


def test_excessive_token_limit_is_reported_as_num_predict() -> None:
    error = refused(400, {"error": {"message": "max_tokens=5000 cannot be greater than max_model_len=2048."}})

    assert str(error) == "num_predict=5000 exceeds the context of 2048 tokens"
    assert error.hint == "lower -o num_predict"


def test_prompt_without_room_for_the_reply_is_distinguished() -> None:
    text = (
        "'max_tokens' or 'max_completion_tokens' is too large: 4000. This model's maximum context length is 4096 tokens"
        " and your request has 1000 input tokens (4000 > 4096 - 1000)."
    )
    error = refused(400, {"error": {"message": text}})

    assert type(error) is PromptTooLongError
    assert "1000 tokens, which leaves too little of the 4096-token context" in str(error)
    assert "num_predict" in error.hint
    assert not error.resizable


def test_too_long_prompt_without_numbers_is_recognized() -> None:
    error = refused(400, {"error": {"message": "too much", "code": "context_length_exceeded"}})
    assert (type(error), str(error)) == (PromptTooLongError, "the prompt does not fit into the context")


def test_served_models_are_parsed() -> None:
    one, two = wire.models_of({"object": "list", "data": [LISTED, LLAMA, "nonsense"]})

    assert one == wire.ListedModel(
        Model("org/Qwen3-8B", ("thinking",), context_length=4096), ("org/Qwen3-8B",), "vllm", 4096, root="/models/x"
    )
    assert (two.model.name, two.names, two.context, two.model.context_length) == ("mini", ("mini", "mini", "small"), 2048, 32768)  # fmt: skip
    assert wire.running_of((one, two)) == (RunningModel("org/Qwen3-8B", context_length=4096), RunningModel("mini", context_length=2048))  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {"id": "m"}}, {"models": []}])
def test_server_without_a_model_list_raises(body: Any) -> None:
    with pytest.raises(UnreachableError, match="lists no models") as caught:
        wire.models_of(body)
    assert "--engine ollama" in caught.value.hint


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("Qwen3-8B", "did you mean org/Qwen3-8B?"),
        ("minj", "did you mean mini?"),
        ("zzz", "available: mini, org/Qwen3-8B"),
    ],
)
def test_missing_model_error_suggests_served_models(model: str, hint: str) -> None:
    assert wire.missing_hint(model, ["mini", "org/Qwen3-8B"]) == hint
    assert "does not list" in wire.missing_hint(model, [])


@pytest.mark.parametrize(
    ("template", "vision", "capabilities"),
    [
        ("{{ messages }}", False, ("completion",)),
        ("{{ messages }}", True, ("completion", "vision")),
        ("<think>{{ x }}</think>", False, ("completion", "thinking")),
        ("<thinking> <output>", False, ("completion",)),
    ],
)
def test_capabilities_are_read_from_template_and_server(
    template: str, vision: bool, capabilities: tuple[str, ...]
) -> None:
    (listed,) = wire.models_of({"data": [LLAMA]})
    model = wire.model_of(listed, "small", {"chat_template": template, "modalities": {"vision": vision}}, ("num_ctx",))

    assert (model.name, model.template, model.capabilities) == ("small", template, capabilities)
    assert model.unsupported_options == ("num_ctx",)
    assert wire.model_of(listed, "small", {}, ()) == listed.model._replace(name="small", grammar="llama.cpp")


@pytest.mark.parametrize(
    ("name", "mode", "family", "think"),
    [
        ("org/Qwen3-8B", Mode.NATIVE, "native", True),
        ("openai/gpt-oss-120b", Mode.NATIVE, "native", True),
        ("mattshumer/Reflection-Llama-3.1-70B", Mode.NATIVE, "reflection", None),
        ("mistralai/Magistral-Small-2507", Mode.NATIVE, "magistral", None),
        ("meta-llama/Llama-3.1-405B-Instruct", Mode.REFLECT, "any", None),
    ],
)
def test_mode_is_chosen_by_name_if_nothing_else_is_known(
    name: str, mode: Mode, family: str, think: bool | None
) -> None:
    (listed,) = wire.models_of({"data": [LISTED | {"id": name}]})
    chosen = plan(wire.model_of(listed, name, {}, ()), AskOptions())

    assert (chosen.mode, chosen.family.name, chosen.think) == (mode, family, think)


def test_model_under_another_name_is_recognized_by_its_root() -> None:
    (listed,) = wire.models_of({"data": [LISTED | {"id": "ours", "root": "/models/Qwen3-8B"}]})
    assert (listed.model.name, listed.model.capabilities) == ("ours", ("thinking",))


def test_rendered_prompt_is_returned_or_refused() -> None:
    assert wire.rendered_prompt_of({"prompt": "Q: "}) == "Q: "
    with pytest.raises(RefusedError, match="cannot render"):
        wire.rendered_prompt_of({"prompt": None})


NO_DATABASE = {"error": {"message": "No connected db.", "type": "no_db_connection", "param": None, "code": "400"}}


def test_litellm_without_a_database_suggests_another_key() -> None:
    error = wire.refusal_error_of(400, json.dumps(NO_DATABASE).encode(), "m")

    assert (type(error), str(error)) == (RefusedError, "the server refused: No connected db.")
    assert "the server requires a key, or rejects this one" in error.hint


def test_litellm_message_for_a_missing_model_is_recognized() -> None:
    text = "/chat/completions: Invalid model name passed in model=nosuch. Call `/v1/models` to view available models."
    error = wire.refusal_error_of(400, json.dumps({"error": {"message": text, "code": "400"}}).encode(), "nosuch")

    assert (type(error), str(error)) == (ModelMissingError, "the model nosuch is not available on this server")


def test_context_reported_by_a_gateway_is_read() -> None:
    entry = {"id": "m", "created": 1677610602, "owned_by": "openai", "max_input_tokens": 2048, "max_output_tokens": 64}
    (one,) = wire.models_of({"data": [entry]})

    assert (one.context, one.model.context_length, wire.maker_of((one,))) == (2048, 2048, wire.LITELLM)


@pytest.mark.parametrize(("said", "version"), [("b0-unknown", ""), ("b10970-1a2b3c", "b10970-1a2b3c"), ("", "")])
def test_unnumbered_build_has_no_version(said: str, version: str) -> None:
    assert wire.version_of({"build_info": said}) == version


@pytest.mark.parametrize(
    ("status", "value"),
    [
        (500, {"error": {"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}}),
        (500, {"error": "context size has been exceeded"}),
    ],
)
def test_crowded_context_differs_from_a_too_long_prompt(status: int, value: Any) -> None:
    error = wire.refusal_error_of(status, json.dumps(value).encode(), "m")

    assert (type(error), error.exit_code) == (CrowdedError, 5)
    assert "send fewer requests at once" in error.hint


PROPS = {"total_slots": 4, "default_generation_settings": {"n_ctx": 8192}}


@pytest.mark.parametrize(
    ("props", "slots", "shared"),
    [
        (PROPS, 4, 8192),
        (PROPS | {"total_slots": 1}, 1, 0),
        ({"total_slots": 4}, 4, 0),
        ({}, 0, 0),
        ({"total_slots": "four", "default_generation_settings": []}, 0, 0),
    ],
)
def test_llama_server_reports_slots_and_shared_context(props: dict[str, Any], slots: int, shared: int) -> None:
    assert wire.capacity_of(props) == Capacity(slots, shared)


VLLM_METRICS = b"""# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="org/team/Tiny-R1"} 7.0
vllm:num_requests_running{engine="1",model_name="org/team/Tiny-R1"} 5.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="org/team/Tiny-R1"} 2.0
vllm:num_requests_waiting{engine="1",model_name="org/team/Tiny-R1"} 0.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 2.0
"""


@pytest.mark.parametrize(
    ("data", "load"),
    [
        (VLLM_METRICS, Workload(12, 2)),
        (VLLM_METRICS.replace(b"\n", b"\r\n"), Workload(12, 2)),
        (b'sglang:num_running_reqs{model_name="m"} 3.0\nsglang:num_queue_reqs{model_name="m"} 1.0\n', Workload(3, 1)),
        (b"vllm:num_requests_running 0.0\nvllm:num_requests_waiting 0.0", Workload(0, 0)),
    ],
)
def test_metrics_report_running_and_waiting_requests(data: bytes, load: Workload) -> None:
    assert wire.workload_of(data) == load


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"vllm:num_requests_running 1.0\n", b"vllm:num_requests_waiting NaN\n"]
)
def test_metrics_without_counts_raise(data: bytes) -> None:
    with pytest.raises(ValueError, match="no count"):
        wire.workload_of(data)
