from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.errors import BusyError, PromptTooLongError, RefusedError
from reflectty.core.messages import Bounds, Message, Request
from support.engine_outcome import ask, collect, using
from support.fake_server import Answer, FakeServer, error, line, raw_line, raw_reply, rendered, reply, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.engine_outcome import Outcome
    from support.fake_server import ReceivedRequest, Route

CONTEXT = 4096
PROMPT = 1000
"""The number of tokens that the server counts."""
LOADED = {"name": "m:latest", "size": 10, "size_vram": 10, "context_length": CONTEXT}
SHORT = Bounds(prompt=500)
LONG = Bounds(prompt=3000)
UNKNOWN = Bounds()


def question(bounds: Bounds | None, options: Mapping[str, int] | None = None, **more: Any) -> Request:
    return Request("m", (Message("user", "hi"),), tuple((options or {}).items()), bounds=bounds, **more)


COUNTED: dict[str, Any] = {"done": True, "done_reason": "length", "prompt_eval_count": PROMPT, "eval_count": 1} | {
    "prompt_eval_cached_count": 10,
    "total_duration": 9_000_000,
    "load_duration": 1_000_000,
    "prompt_eval_duration": 7_000_000,
}


def counts(asked: ReceivedRequest) -> bool:
    return bool(asked.json.get("options", {}).get("num_predict") == 1)


def counting(asked: ReceivedRequest) -> Answer:
    """Answer /api/chat: a rendered prompt, a counted one, or a reply."""
    if asked.json.get("_debug_render_only"):
        return rendered("x" * 2000)
    return Answer([line("4", **COUNTED)]) if counts(asked) else reply(["4"])


def generating(asked: ReceivedRequest) -> Answer:
    """Answer /api/generate: a load, a counted prompt, or a reply."""
    if "prompt" not in asked.json:
        return whole({"model": "m", "response": "", "done": True, "done_reason": "load"})
    return Answer([raw_line("4", **COUNTED)]) if counts(asked) else raw_reply(["4"])


def server(*loaded: Mapping[str, object], **routes: Route) -> FakeServer:
    own: dict[str, Route] = {"generate": generating, "ps": whole({"models": loaded or [LOADED]}), "chat": counting}
    return FakeServer({f"/api/{name}": route for name, route in (own | routes).items()})


def body_of(asked: ReceivedRequest) -> dict[str, Any]:
    return dict(asked.json) if asked.body else {}


def summary_of(asked: ReceivedRequest) -> tuple[str, bool, int | None]:
    """The path of a request, whether it has the option for shifting, and the limit on its reply."""
    body = body_of(asked)
    return asked.path.rpartition("/")[2], "shift" in body, body.get("options", {}).get("num_predict")


@pytest.mark.parametrize(
    ("request_", "sent"),
    [
        # A prompt much smaller than its context is not counted: each of its bytes is a token at most.
        (question(SHORT), [("generate", False, None), ("ps", False, None), ("chat", False, 3595)]),
        (question(LONG), [("generate", False, None), ("ps", False, None), ("chat", False, 1), ("chat", False, 3095)]),
        (
            question(UNKNOWN),
            [("generate", False, None), ("ps", False, None), ("chat", False, 1), ("chat", False, 3095)],
        ),
        # The context in a request is taken as given, and the server loads the model with it.
        (question(SHORT._replace(context=8192), {"num_ctx": 8192}), [("chat", False, 7691)]),
        (question(LONG._replace(context=8192), {"num_ctx": 8192}), [("chat", False, 1), ("chat", False, 7191)]),
        # A limit in the request stays where it fits, and is reduced where it does not.
        (question(LONG._replace(context=8192, reply=100), {"num_predict": 100}), [("chat", False, 100)]),
        (
            question(LONG._replace(context=4096, reply=2000), {"num_predict": 2000}),
            [("chat", False, 1), ("chat", False, 2000)],
        ),
        (
            question(LONG._replace(context=4096, reply=9999), {"num_predict": 9999}),
            [("chat", False, 1), ("chat", False, 3095)],
        ),
        # For a model on another server, or an unknown one, nothing is requested.
        (question(None), [("chat", True, None)]),
        (question(None, fits_context=True), [("chat", False, None)]),
    ],
)
def test_reply_limit_is_what_the_context_leaves(request_: Request, sent: list[tuple[str, bool, int | None]]) -> None:
    with server() as ollama:
        assert ask(ollama.host, request_).text == "4"
        assert [summary_of(asked) for asked in ollama.requests] == sent


def test_counting_and_loading_requests_leave_out_format_and_keep_alive() -> None:
    with server() as ollama:
        ask(ollama.host, question(LONG, {"seed": 7}, schema="{}", keep_alive="0", think=True))
        loading, _, counted, asked = ollama.requests
    common = {"model": "m", "truncate": False}
    talk = common | {"messages": [{"role": "user", "content": "hi"}], "think": True}

    assert loading.json == common | {"stream": False, "options": {"seed": 7}}
    assert counted.json == talk | {"stream": True, "options": {"seed": 7, "num_predict": 1}}
    assert asked.json == talk | {
        "stream": True,
        "options": {"seed": 7, "num_predict": 3095},
        "format": {},
        "keep_alive": 0,
    }


@pytest.mark.parametrize(
    ("loaded", "context"),
    [
        ([LOADED | {"name": "other:latest", "context_length": 9999}, LOADED], CONTEXT),
        ([LOADED | {"name": "M"}], CONTEXT),
        # Loaded under the name of another model with the same files.
        ([LOADED | {"name": "other:latest"}], CONTEXT),
        ([LOADED | {"name": "other:latest"}, LOADED | {"name": "third:latest"}], 0),
        ([LOADED | {"context_length": 0}], 0),
    ],
)
def test_context_is_that_of_the_loaded_model(loaded: list[dict[str, object]], context: int) -> None:
    with server(*loaded) as ollama:
        ask(ollama.host, question(SHORT))
        sent = summary_of(ollama.requests[-1])

    assert sent == (("chat", False, context - 501) if context else ("chat", True, None))


@pytest.mark.parametrize(
    "routes",
    [
        {"ps": error(404, "no such path")},
        {"ps": whole({})},
        {"generate": error(404, "no such path")},
        {"generate": error(500, "it does not load")},
        {"generate": raw_reply(["another server's"])},
        # A count without tokens is no count.
        {"chat": [whole({"done": True}), reply(["4"])]},
    ],
)
def test_shifting_is_disabled_if_the_context_is_unknown(routes: Mapping[str, Route]) -> None:
    with server(**routes) as ollama:
        assert ask(ollama.host, question(LONG)).text == "4"
        sent = summary_of(ollama.requests[-1])

    assert sent == ("chat", True, None)


def test_prompt_too_long_is_refused_while_counting() -> None:
    text = "request (6021 tokens) exceeds the available context size (4096 tokens), try increasing it"
    details = {
        "code": 400,
        "message": text,
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 6021,
        "n_ctx": 4096,
    }
    with server(chat=error(400, str(details).replace("'", '"'))) as ollama:
        outcome = ask(ollama.host, question(LONG))
        sent = [summary_of(asked) for asked in ollama.asked("/api/chat")]

    assert isinstance(outcome.error, PromptTooLongError)
    assert outcome.error.prompt_tokens == 6021
    assert sent == [("chat", False, 1)]


def test_server_too_busy_to_load_gets_no_other_request() -> None:
    busy = error(429, "too many requests", **{"Retry-After": "0"})
    with server(generate=busy) as ollama:
        outcome = ask(ollama.host, question(SHORT))
        paths = {asked.path for asked in ollama.requests}

    assert isinstance(outcome.error, BusyError)
    assert paths == {"/api/generate"}


def test_usage_covers_counting_and_loading() -> None:
    with server() as ollama:
        counted, uncounted = (ask(ollama.host, question(bounds)).chunks[-1].usage for bounds in (LONG, SHORT))

    assert counted is not None
    assert (counted.prompt_tokens, counted.reply_tokens, counted.cached_tokens) == (24, 66, 10)
    assert (counted.load_ms, counted.prompt_ms, counted.reply_ms, counted.total_ms) == (501, 507, 1000, 2009)
    assert uncounted is not None
    assert (uncounted.load_ms, uncounted.prompt_ms, uncounted.total_ms, uncounted.cached_tokens) == (500, 500, 2000, 0)


@pytest.mark.parametrize(
    ("bounds", "sent"),
    [
        # The rendered prompt of 2,000 bytes is measured.
        (SHORT, [("chat", False, 1), ("generate", False, 1), ("generate", False, 3095)]),
        (SHORT._replace(context=32_768), [("chat", False, 1), ("generate", False, 30_758)]),
        (None, [("chat", True, 1), ("generate", True, None)]),
    ],
)
def test_continuation_is_bounded_by_its_rendered_prompt(
    bounds: Bounds | None, sent: list[tuple[str, bool, int | None]]
) -> None:
    with server() as ollama:
        outcome: Outcome = using(ollama.host, lambda engine: collect(engine.resume(question(bounds), "<thin")))
        found = [summary_of(asked) for asked in ollama.requests if {"messages", "prompt"} & body_of(asked).keys()]

    assert outcome.text == "4"
    assert found == sent


def test_unrenderable_prompt_is_refused() -> None:
    with server(chat=error(500, "no template")) as ollama:
        outcome: Outcome = using(ollama.host, lambda engine: collect(engine.resume(question(SHORT), "<thin")))

    assert isinstance(outcome.error, RefusedError)
