"""The chat over HTTP to a scripted vLLM, llama-server or unknown server: showing, stopping and continuing replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.segments import Kind
from reflectty.core.session import ReplyOrigin, ReplyStatus
from support.chat_app import QUESTION
from support.fake_server import HANG, Answer, FakeServer, whole
from support.openai_replies import STREAM, chat_reply, completion_reply, model_list, props
from support.served_chat import Held, at_a_server
from support.vllm import CHAT, COMPLETIONS, MODELS, Vllm, vllm_reply
from support.vllm import vllm_completion as vllm_completed

if TYPE_CHECKING:
    from support.chat_app import Reader

QWQ, GPT_OSS = "Qwen/QwQ-32B", "openai/gpt-oss-20b"
OPENED = "<|im_start|>assistant\n<think>\n"
THOUGHT = ["Both start", " with 9."]
LEFT = ["\n", "</think>", "\n\n", "**9.9**", " is larger."]
IN_FIELD = vllm_reply(["\n\n", "**9.9**", " is larger."], THOUGHT)
IN_CONTENT = vllm_reply([*THOUGHT, *LEFT])
WITHIN = 3
"""The number of steps of a reply that are its beginning and the thinking."""
BOTH_WAYS = pytest.mark.parametrize(
    "reply",
    [IN_FIELD, IN_CONTENT],
    ids=["a parser takes the thinking", "the template opens it, and there is no parser"],
)


def cut_off(reply: Answer) -> Answer:
    """A reply that stops after its thinking and keeps the connection open."""
    steps: Any = reply.steps
    return Answer([*steps[:WITHIN], HANG], content_type=STREAM)


@BOTH_WAYS
def test_thinking_streams_before_the_answer(reply: Answer) -> None:
    held = Held()

    async def use(reader: Reader) -> None:
        await reader.ask_held(QUESTION, "│ Both start with 9.")
        assert reader.reply.text == ""
        held.go()
        await reader.at_rest()
        assert reader.reply.text == "**9.9** is larger."
        assert "9.9 is larger." in reader.text
        assert reader.stored_reply.segments == (
            (Kind.THINKING, "Both start with 9."),
            (Kind.ANSWER, "**9.9** is larger."),
        )
        assert reader.stored_reply.ended is ReplyStatus.COMPLETE

    with Vllm(QWQ, on=OPENED, chat=held.between(reply, WITHIN)).serve() as server:
        at_a_server(server, QWQ, use)
    (asked,) = server.asked(CHAT)

    assert asked.json["messages"] == [{"role": "user", "content": QUESTION}]
    assert asked.json["chat_template_kwargs"] == {"enable_thinking": True, "thinking": True}


@BOTH_WAYS
def test_stopped_reply_is_stored_and_continues_where_it_ended(reply: Answer) -> None:
    async def use(reader: Reader) -> None:
        await reader.ask_held(QUESTION, "│ Both start with 9.")
        await reader.press("escape")
        await reader.at_rest()
        assert (reader.stored_reply.segments, reader.stored_reply.ended) == (
            ((Kind.THINKING, "Both start with 9."),),
            ReplyStatus.INTERRUPTED,
        )
        (asked,) = server.asked(CHAT)
        await reader.until(asked.left.is_set)
        await reader.press("alt+g")
        await reader.until(lambda: len(reader.engine.requests) == 2)
        await reader.at_rest()
        assert reader.stored_reply.segments == (
            (Kind.THINKING, "Both start with 9. So:"),
            (Kind.ANSWER, "**9.9** is larger."),
        )
        assert (reader.stored_reply.origin, reader.stored_reply.ended) == (ReplyOrigin.CONTINUED, ReplyStatus.COMPLETE)

    rest = vllm_completed([" So:", *LEFT])
    with Vllm(QWQ, on=OPENED, chat=cut_off(reply), completions=rest).serve() as server:
        at_a_server(server, QWQ, use)
    (asked,) = server.asked(COMPLETIONS)

    assert asked.json["prompt"].endswith(f"{OPENED}Both start with 9.")
    assert asked.json["prompt"].count("<think>") == 1


@BOTH_WAYS
def test_steering_sends_a_prompt_past_the_template(reply: Answer) -> None:
    async def use(reader: Reader) -> None:
        await reader.ask_held(QUESTION, "│ Both start with 9.")
        await reader.press("alt+s")
        await reader.until(lambda: reader.chat.composer.text)
        assert reader.chat.composer.text.strip() == "Both start with 9."
        await reader.send("Compare 9.90 with 9.11")
        await reader.until(lambda: len(reader.engine.requests) == 2)
        await reader.at_rest()
        assert reader.stored_reply.segments[0] == (Kind.THINKING, "Compare 9.90 with 9.11.")
        assert (reader.stored_reply.answer, reader.stored_reply.origin) == ("**9.9** is larger.", ReplyOrigin.STEERED)

    with Vllm(QWQ, on=OPENED, chat=cut_off(reply), completions=vllm_completed([".", *LEFT])).serve() as server:
        at_a_server(server, QWQ, use)
    (asked,) = server.asked(COMPLETIONS)

    assert asked.json["prompt"].endswith(f"{OPENED}Compare 9.90 with 9.11")
    assert asked.json["prompt"].count("<think>") == 1


def test_steering_llama_server_with_separate_thinking_uses_its_prompt() -> None:
    template = "{% for m in messages %}{% endfor %}{{ '<think>' + r + '</think>' }}<|im_start|>assistant\n<think>\n"
    steps: Any = chat_reply(["**9.9**"], THOUGHT).steps
    routes = {
        MODELS: model_list("qwq", maker="llamacpp"),
        "/props?model=qwq": props(template),
        CHAT: Answer([*steps[:WITHIN], HANG], content_type=STREAM),
        "/apply-template": whole({"prompt": OPENED}),
        COMPLETIONS: completion_reply([".", *LEFT]),
    }

    async def use(reader: Reader) -> None:
        await reader.ask_held(QUESTION, "│ Both start with 9.")
        await reader.press("alt+s")
        await reader.until(lambda: reader.chat.composer.text)
        await reader.send("Compare 9.90 with 9.11")
        await reader.until(lambda: len(reader.engine.requests) == 2)
        await reader.at_rest()
        assert reader.stored_reply.segments[0] == (Kind.THINKING, "Compare 9.90 with 9.11.")
        assert reader.stored_reply.answer == "**9.9** is larger."

    with FakeServer(routes) as server:
        at_a_server(server, "qwq", use)
    (asked,) = server.asked(COMPLETIONS)

    assert asked.json["prompt"] == f"{OPENED}Compare 9.90 with 9.11"


def stranger(reply: Answer) -> FakeServer:
    return FakeServer({MODELS: model_list(QWQ, maker="openai"), CHAT: reply})


def gpt_oss(reply: Answer) -> FakeServer:
    return Vllm(GPT_OSS, chat=reply).serve()


@pytest.mark.parametrize(
    ("make", "model", "sentence"),
    [
        (stranger, QWQ, "only vLLM, SGLang, llama-server and"),
        (gpt_oss, GPT_OSS, "its thinking tags are unknown"),
    ],
    ids=["a server that might begin anew", "a model whose markers no server sends"],
)
def test_steering_is_refused_when_unsupported_and_the_reply_completes(make: Any, model: str, sentence: str) -> None:
    held = Held()

    async def use(reader: Reader) -> None:
        await reader.ask_held(QUESTION, "│ Both start with 9.")
        assert "alt+s" not in reader.text
        await reader.press("alt+s")
        await reader.shows("cannot be steered or continued", sentence)
        assert reader.chat.turns.current is not None
        held.go()
        await reader.at_rest()
        assert (reader.stored_reply.ended, reader.stored_reply.answer) == (ReplyStatus.COMPLETE, "**9.9** is larger.")

    with make(held.between(IN_FIELD, WITHIN)) as server:
        at_a_server(server, model, use)
    asked, *looks = server.asked(CHAT)

    assert not asked.left.is_set()
    assert all(look.json["return_prompt_text"] for look in looks)
    assert server.asked(COMPLETIONS) == []
