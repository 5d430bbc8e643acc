"""Continuing a reply on a vLLM, facts about a model from its prompts, and errors for prompts that do not fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.errors import PromptTooLongError, RefusedError
from reflectty.core.messages import Message, Request
from reflectty.reasoning.modes import AskOptions, Mode, plan
from support.openai_outcome import ask, resume, using
from support.vllm import CHAT, COMPLETIONS, MODELS, TOKENIZE, Vllm, refused, vllm_completion, vllm_reply

if TYPE_CHECKING:
    from reflectty.core.messages import Model

ASKED = Request("m", (Message("user", "hi"),))
THOUGHT = "<think>\nI compare"
BEFORE = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
SCHEMA = {"type": "object"}


def shown(server: Vllm) -> Model:
    with server.serve() as running:
        return using(running.host, lambda engine: engine.show(server.name))


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("<|im_start|>assistant\n", BEFORE + "<think>\nI compare"),
        ("<|im_start|>assistant\n<think>\n", BEFORE + "<think>\nI compare"),
        ("<|im_start|>assistant\n<think>\n\n</think>\n\n", BEFORE + "<think>\nI compare"),
        ("<|im_start|>assistant\n</think>", BEFORE + "<think>\nI compare"),
    ],
    ids=["left to the model", "opened", "an empty one", "closed"],
)
@pytest.mark.parametrize("beside", [True, False], ids=["by its tokens", "by the chat"])
def test_reply_continues_after_the_rendered_prompt(beside: bool, on: str, expected: str) -> None:
    vllm = Vllm("m", on=on, beside=beside, completions=vllm_completion([" right", "</think>", "\n\n9.9"]))
    with vllm.serve() as server:
        outcome = resume(server.host, THOUGHT, ASKED)
        body = server.asked(COMPLETIONS)[0].json
        messages = [one.json["messages"] for one in server.asked(CHAT)]

    assert outcome.complete
    assert outcome.text == " right</think>\n\n9.9"
    assert body["prompt"] == expected
    assert "continue_final_message" not in body
    assert all(sent == [{"role": "user", "content": "hi"}] for sent in messages)


def test_continued_prompt_adds_no_special_tokens_and_uses_all_room() -> None:
    with Vllm("m", room=512).serve() as server:
        using(server.host, lambda engine: engine.show("m"))
        resume(server.host, THOUGHT, ASKED)
        body = server.asked(COMPLETIONS)[0].json

    assert body["add_special_tokens"] is False
    assert body["skip_special_tokens"] is False
    # Without a limit vLLM stops after 16 tokens.
    assert body["max_tokens"] == 512


def test_continued_reply_uses_the_same_schema_format() -> None:
    with Vllm("m").serve() as server:
        resume(server.host, f"{THOUGHT}\n</think>\n\n", ASKED._replace(schema=json.dumps(SCHEMA)))
        body = server.asked(COMPLETIONS)[0].json

    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert "json_schema" not in body


def test_template_arguments_are_used_for_rendering() -> None:
    with Vllm("m", off="<think>\n\n</think>\n\n").serve() as server:
        resume(server.host, "The answer is", ASKED._replace(think=False))
        tokenized, raw = server.asked(TOKENIZE)[0].json, server.asked(COMPLETIONS)[0].json

    assert tokenized["chat_template_kwargs"] == {"enable_thinking": False, "thinking": False}
    assert tokenized["add_generation_prompt"] is True
    assert raw["prompt"].endswith("<think>\n\n</think>\n\nThe answer is")


def test_resume_is_refused_if_the_server_does_not_report_the_prompt() -> None:
    vllm = Vllm("m", beside=False, tells=False)
    with vllm.serve() as server:
        outcome = resume(server.host, THOUGHT, ASKED)

    assert type(outcome.error) is RefusedError
    assert "does not report the rendered prompt" in str(outcome.error)
    assert server.asked(COMPLETIONS) == []


def test_reply_about_images_cannot_be_continued() -> None:
    with Vllm("m").serve() as server:
        outcome = resume(server.host, THOUGHT, Request("m", (Message("user", "what?", ("aGk=",)),)))

    assert type(outcome.error) is RefusedError
    assert "images" in str(outcome.error)


@pytest.mark.parametrize(
    ("on", "tokens", "expected"),
    [
        ("assistant\n", ("<think>", "\n", "Both"), "<think>"),
        ("assistant\n", ("\n", "<", "think", ">", "Both"), "<think>"),
        ("assistant\n<think>\n", ("Both",), "<think>"),
        ("assistant\n", ("<seed:think>", "Both"), "<seed:think>"),
        ("assistant\n", ("Both", " start"), ""),
    ],
)
def test_marker_removed_by_a_parser_is_found_in_the_tokens(on: str, tokens: tuple[str, ...], expected: str) -> None:
    async def opener(engine: Any) -> str:
        await engine.show("m")
        first = await engine.opener(ASKED)
        assert await engine.opener(ASKED) == first
        return str(first)

    with Vllm("m", on=on, tokens=tokens).serve() as server:
        assert using(server.host, opener) == expected
        assert len(server.asked(CHAT)) == 1


# Facts about a model from a prompt


@pytest.mark.parametrize(
    ("on", "off", "thinks", "prefilled"),
    [
        ("assistant\n", "assistant\n<think>\n\n</think>\n\n", True, (False, False)),
        ("assistant\n<think>\n", "assistant\n<think>\n\n</think>\n\n", True, (True, False)),
        ("assistant\n<think>\n", "", True, (True, True)),
        ("assistant\n", "", False, (False, False)),
    ],
    ids=["can be switched", "opened and switched", "always opened", "does not think"],
)
def test_prompts_identify_a_model_with_an_unknown_name(
    on: str, off: str, thinks: bool, prefilled: tuple[bool, bool]
) -> None:
    model = shown(Vllm(on=on, off=off))
    native, direct = plan(model, AskOptions(Mode.NATIVE)), plan(model, AskOptions(Mode.DIRECT))

    assert ("thinking" in model.capabilities) is thinks
    assert (native.prefilled, direct.prefilled) == prefilled
    assert (native.think, direct.think) == ((True, False) if thinks else (None, None))
    assert plan(model, AskOptions()).mode is (Mode.NATIVE if thinks else Mode.REFLECT)


def test_name_shows_thinking_and_prompts_show_where_the_reply_starts() -> None:
    with Vllm("Qwen/Qwen3-8B", on="assistant\n<think>\n", off="assistant\n<think>\n\n</think>\n\n").serve() as server:
        model = using(server.host, lambda engine: engine.show("Qwen/Qwen3-8B"))

    assert (model.capabilities, model.guessed) == (("thinking",), True)
    assert (model.server_context, model.can_resume) == (2048, True)
    assert [plan(model, AskOptions(mode)).prefilled for mode in (Mode.NATIVE, Mode.DIRECT)] == [True, False]
    assert {asked.path for asked in server.requests} == {MODELS, TOKENIZE, "/detokenize"}


def test_prompts_are_rendered_with_the_switch_of_the_family() -> None:
    with Vllm("tencent/Hy3").serve() as server:
        using(server.host, lambda engine: engine.show("tencent/Hy3"))
        sent = [asked.json["chat_template_kwargs"] for asked in server.asked(TOKENIZE)]

    assert sorted(arguments["reasoning_effort"] for arguments in sent) == ["high", "no_think"]


def test_family_opener_is_recognized_with_any_inserted_name() -> None:
    model = shown(Vllm("tencent/Hy3", on="assistant<think:opensource>"))

    assert plan(model, AskOptions()).prefilled


def test_known_model_needs_no_prompt_rendering() -> None:
    async def seen(engine: Any) -> Model:
        async for _ in engine.chat(ASKED._replace(model="Qwen/Qwen3-8B")):
            pass
        model: Model = await engine.show("Qwen/Qwen3-8B")
        return model

    with Vllm("Qwen/Qwen3-8B", chat=vllm_reply(["9.9"], ["\n", "Both"])).serve() as server:
        assert not using(server.host, seen).guessed
        assert server.asked(TOKENIZE) == []
    with Vllm("openai/gpt-oss-20b").serve() as server:
        using(server.host, lambda engine: engine.show("openai/gpt-oss-20b"))
        assert server.asked(TOKENIZE) == []


def test_model_seen_thinking_is_treated_as_a_thinker() -> None:
    async def twice(engine: Any) -> tuple[Model, Model]:
        before = await engine.show("m")
        async for _ in engine.chat(ASKED):
            pass
        return before, await engine.show("m")

    with Vllm("m", chat=vllm_reply(["9.9"], ["\n", "Both"])).serve() as server:
        before, after = using(server.host, twice)

    assert (before.capabilities, after.capabilities) == ((), ("thinking",))


def test_text_is_not_trimmed_for_an_unused_end_token() -> None:
    async def chat(engine: Any) -> str:
        await engine.show("m")
        return "".join([chunk.content async for chunk in engine.chat(ASKED)])

    with Vllm("m", chat=vllm_reply(["<s>", "struck", "</s>"])).serve() as server:
        assert using(server.host, chat) == "<s>struck</s>"


# Lengths

LONG = "x" * 4000
TOO_LONG = (
    "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049 input tokens,"
    " which exceeds this limit even without any output tokens."
)


@pytest.mark.parametrize(
    ("text", "prompt", "says"),
    [
        (TOO_LONG, LONG, "the prompt has 4050 tokens, the context holds 2048"),
        ("max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)", "x" * 1998, "2048: no room is left"),
    ],
)
def test_too_long_prompt_is_reported_with_its_true_size(text: str, prompt: str, says: str) -> None:
    async def chat(engine: Any) -> PromptTooLongError | None:
        await engine.show("m")
        try:
            async for _ in engine.chat(Request("m", (Message("user", prompt),))):
                pass
        except PromptTooLongError as error:
            return error
        return None

    with Vllm("m", chat=refused(text, "input_tokens")).serve() as server:
        error = using(server.host, chat)

    assert error is not None
    assert says in str(error)
    assert not error.resizable


def test_too_long_prompt_is_reported_with_a_lower_bound_if_uncounted() -> None:
    with Vllm("m", beside=False, chat=refused(TOO_LONG, "input_tokens")).serve() as server:
        error = ask(server.host, ASKED).error

    assert str(error) == "the prompt has at least 2049 tokens, the context holds 2048"


def test_zero_token_limit_is_not_blamed_on_the_prompt() -> None:
    request = ASKED._replace(options=(("num_predict", 0),))
    with Vllm("m", chat=refused("max_tokens must be at least 1, got 0.", "max_tokens")).serve() as server:
        error = ask(server.host, request).error

    assert type(error) is RefusedError
    assert "num_predict" in str(error)
