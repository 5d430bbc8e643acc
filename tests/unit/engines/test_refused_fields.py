"""Fields that a server refuses are left out, and losses at an Ollama's /v1 are prevented or noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.errors import PromptTooLongError, RefusedError
from reflectty.core.messages import Effort, Message, Request
from reflectty.protocols import openai as wire
from support.fake_server import Answer, FakeServer, show, whole
from support.openai_outcome import ask, using
from support.openai_replies import DONE, STREAM, chat_reply, chunk, model_list, usage_event

if TYPE_CHECKING:
    from support.fake_server import ReceivedRequest, Script

CHAT, MODELS = "/v1/chat/completions", "/v1/models"
HI = (Message("user", "hi"),)


def picky(*unknown: str, status: int = 422, words: str = "Unexpected fields in the request: {{{0}}}") -> Any:
    """A chat endpoint that refuses requests with unknown fields, naming one at a time."""

    def answer(asked: ReceivedRequest) -> Script:
        found = [name for name in unknown if name in asked.json]
        if not found:
            return chat_reply(["hi"])
        return whole({"detail": words.format(repr(found[0]))}, status)

    return answer


def test_refused_field_is_left_out_from_then_on() -> None:
    async def twice(engine: Any) -> list[str]:
        return ["".join([one.content async for one in engine.chat(Request("m", HI))]) for _ in range(2)]

    with FakeServer({CHAT: picky("skip_special_tokens", "stream_options")}) as server:
        assert using(server.host, twice) == ["hi", "hi"]
        first, second, third, fourth = (asked.json for asked in server.asked(CHAT))

    assert "skip_special_tokens" in first
    assert "stream_options" in second
    assert third == fourth
    assert not {"skip_special_tokens", "stream_options"} & set(third)
    assert third["stream"] is True


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (422, "Unexpected fields in the request: {0}"),
        (400, "Unrecognized request argument supplied: {0}"),
        (400, "Unsupported parameter: {0} is not supported with this model."),
        (400, "Extra inputs are not permitted: {0}"),
        (400, "Unknown parameter: {0}."),
        (400, "got an unexpected keyword argument {0}"),
    ],
)
def test_refused_fields_are_recognized_in_various_wordings(status: int, words: str) -> None:
    with FakeServer({CHAT: picky("top_k", "min_p", status=status, words=words)}) as server:
        outcome = ask(server.host, Request("m", HI, (("top_k", 5), ("min_p", 0.1), ("seed", 1))))
        last = server.asked(CHAT)[-1].json

    assert (outcome.text, last["seed"]) == ("hi", 1)
    assert [chunk.notes for chunk in outcome.chunks if chunk.notes] == [
        ("this server does not support top_k, min_p: dropped from the request",)
    ]


@pytest.mark.parametrize(
    ("text", "body", "expected"),
    [
        ("top_k must be at least 0", {"top_k": -1}, set()),
        ("temperature must be in [0, 2], got 3.0.", {"temperature": 3.0}, set()),
        ("Unexpected fields in the request: {'top_k', 'min_p'}", {"top_k": 1, "min_p": 1}, {"top_k", "min_p"}),
        ("unknown field top_kappa", {"top_k": 1}, set()),
        ("unknown field top_k", {"top_p": 1}, set()),
        ("`chat_template` is not supported for Mistral tokenizers.", {"chat_template_kwargs": {}}, {"chat_template_kwargs"}),
        ("Unknown parameter: 'messages'", {"messages": [{"role": "user"}]}, set()),
        ("messages.1.reasoning_content: Extra inputs are not permitted", {"messages": [{"reasoning_content": "x"}]}, {"reasoning_content"}),
        ("response_format is not supported", {"response_format": {}}, set()),
    ],
)  # fmt: skip
def test_only_unknown_fields_are_left_out(text: str, body: dict[str, Any], expected: set[str]) -> None:
    assert wire.refused_fields(text, body) == expected


def test_dropped_fields_leave_messages_too_and_max_tokens_is_renamed() -> None:
    body = {"max_tokens": 8, "messages": [{"role": "assistant", "content": "a", "reasoning_content": "t"}], "seed": 1}

    assert wire.drop_fields(body, {"max_tokens", "reasoning_content"}) == {
        "max_completion_tokens": 8,
        "messages": [{"role": "assistant", "content": "a"}],
        "seed": 1,
    }
    assert wire.drop_fields(body, ()) is body


@pytest.mark.parametrize(
    ("request_", "refused", "says"),
    [
        (Request("m", HI, think=Effort.LOW), {"reasoning_effort"}, "--effort"),
        (Request("m", HI, think=False), {"chat_template_kwargs"}, "--mode direct"),
        (
            Request("m", HI, think=False, arguments=(("reasoning_effort", "none"),)),
            {"reasoning_effort"},
            "--mode direct",
        ),
        (Request("m", HI, think=False), {"reasoning_effort"}, ""),
        (Request("m", HI, think=True), {"chat_template_kwargs"}, ""),
        (Request("m", HI, (("num_predict", 8),)), {"max_tokens"}, ""),
        (Request("m", HI, (("num_predict", 8),)), {"max_tokens", "max_completion_tokens"}, "num_predict"),
        (Request("m", HI, (("repeat_penalty", 1.1),)), {"repeat_penalty"}, ""),
        (Request("m", HI, (("repeat_penalty", 1.1),)), {"repetition_penalty"}, ""),
        (Request("m", HI, (("repeat_penalty", 1.1),)), {"repetition_penalty", "repeat_penalty"}, "repeat_penalty"),
        (Request("m", HI), {"skip_special_tokens", "top_k"}, ""),
    ],
)
def test_note_names_only_options_the_user_set(request_: Request, refused: set[str], says: str) -> None:
    told = wire.dropped_options_note(request_, refused)
    assert says in told
    assert bool(told) is bool(says)


def test_repeated_refusal_is_raised_unchanged() -> None:
    with FakeServer({CHAT: whole({"error": "Unknown parameter: 'seed'"}, 400)}) as server:
        outcome = ask(server.host, Request("m", HI, (("seed", 1),)))

    assert type(outcome.error) is RefusedError
    assert len(server.asked(CHAT)) == 2


# An Ollama behind /v1

LISTED = model_list("m:latest", maker="library")


def ollama(chat: Any = None, *, room: int = 4096, parameters: str = "", **shown: Any) -> FakeServer:
    loaded = whole({"models": [{"name": "m:latest", "context_length": room}]})
    routes = {MODELS: LISTED, CHAT: chat or chat_reply(["hi"]), "/api/ps": loaded}
    return FakeServer(routes | {"/api/show": show(parameters=parameters, **shown)})


def model_and_error(server: FakeServer, prompt: str = "hi", *options: tuple[str, Any]) -> Any:
    async def chat(engine: Any) -> Any:
        model = await engine.show("m:latest")
        try:
            async for _ in engine.chat(Request("m:latest", (Message("user", prompt),), options)):
                pass
        except PromptTooLongError as error:
            return model, error
        return model, None

    return using(server.host, chat)


def test_prompt_ollama_would_silently_truncate_is_not_sent() -> None:
    with ollama() as server:
        model, error = model_and_error(server, "word " * 9000)
        assert server.asked(CHAT) == []

    assert "truncate it to 4096" in str(error)
    assert "--engine ollama" in error.hint
    assert model.notices == ()


@pytest.mark.parametrize(("room", "doubtful"), [(8192, True), (32768, False)])
def test_prompt_ollama_may_have_truncated_gives_a_note(room: int, doubtful: bool) -> None:
    async def chat(engine: Any) -> list[str]:
        await engine.show("m:latest")
        request = Request("m:latest", (Message("user", "word " * 9000),))
        return [note async for one in engine.chat(request) for note in one.notes]

    with ollama(room=room) as server:
        notes = using(server.host, chat)

    assert [("may have silently truncated" in note, "--engine ollama" in note) for note in notes] == [
        (True, True)
    ] * doubtful


@pytest.mark.parametrize(("words", "doubtful"), [(9000, True), (20, False)])
def test_an_ollama_behind_a_gateway_is_known_by_its_replies(words: int, doubtful: bool) -> None:
    pieces = [
        chunk({"content": "hi", "reasoning": ""}, system_fingerprint="fp_ollama"),
        chunk({}, "stop", system_fingerprint="fp_ollama"),
        usage_event(system_fingerprint="fp_ollama"),
        DONE,
    ]
    with FakeServer({CHAT: Answer(pieces, content_type=STREAM)}) as server:
        outcome = ask(server.host, Request("m", (Message("user", "word " * words),)))

    assert any("may have silently truncated" in note for one in outcome.chunks for note in one.notes) is doubtful


@pytest.mark.parametrize(
    ("parameters", "options", "expected"),
    [
        ("", (), (0.8, 0.9)),
        ("temperature    0.2\ntop_p   0.5", (), (0.2, 0.5)),
        ('stop "x"\ntemperature 0', (("top_p", 0.3),), (0.0, 0.3)),
        ("temperature 0.2", (("temperature", 1.5),), (1.5, 0.9)),
    ],
)
def test_sampling_follows_the_model_and_not_the_v1_defaults(
    parameters: str, options: tuple[tuple[str, Any], ...], expected: tuple[float, float]
) -> None:
    with ollama(parameters=parameters) as server:
        model_and_error(server, "hi", *options)
        body = server.asked(CHAT)[0].json

    assert (body["temperature"], body["top_p"]) == expected


def test_ollama_reports_whether_its_model_thinks() -> None:
    with ollama(capabilities=["completion", "thinking"]) as server:
        model, _ = model_and_error(server)
    assert "thinking" in model.capabilities
    assert not model.can_resume


def test_ollama_works_if_only_v1_is_allowed_through() -> None:
    with FakeServer(
        {MODELS: LISTED, CHAT: Answer(chat_reply(["hi"]).steps, content_type="text/event-stream")}
    ) as server:
        model, error = model_and_error(server)

    assert error is None
    assert model.capabilities == ()
