"""The real command and a real llama-server, which requires a key and sends special tokens.

The expected texts are those of the model at temperature 0.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.chat.request import Question
from reflectty.chat.run import ask
from reflectty.core.messages import Message, Request
from reflectty.core.segments import Kind
from reflectty.core.text import format_count
from reflectty.engines import open_engine
from reflectty.reasoning.modes import AskOptions, Mode, plan
from reflectty.reasoning.steering import conclude_thinking, open_thinking, writing_family
from support.fakes import FakeRenderer
from support.json_replies import kinds, read
from support.openai_command import OpenAICommand
from support.pty_screen import Screen
from support.real_llama import ENDLESS, KEY, NAME, ROOM, serve
from support.reference_replies import EDITED, QUESTION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from reflectty.core.messages import Engine, Model
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.reply import Reply
    from support.command import Reflect, Result
    from support.real_llama import LlamaServer
    from support.reference_replies import ReferenceReply

    T = TypeVar("T")

pytestmark = pytest.mark.server

FREE = 30.0
"""Seconds in which a server answers that is not still busy with an unread reply."""
MINI = ("-m", NAME, "--mode", "native")
LONG = (
    "-m",
    NAME,
    "--mode",
    "direct",
    "--family",
    "none",
    "-o",
    "num_predict=900",
    "Tell me a long story about a fox.",
)
LONG_TEXT = "one two three four five six seven eight nine ten " * 120
SCHEMA = json.dumps({"type": "object", "properties": {"larger": {"enum": ["9.11", "9.9"]}}, "required": ["larger"]})


@pytest.fixture
def command(reflect: Reflect, llama: LlamaServer) -> OpenAICommand:
    return OpenAICommand(reflect, llama.host, REFLECTTY_API_KEY=KEY)


class TestReflectionModel:
    def test_terminal_shows_thinking_corrections_and_answer(
        self, command: OpenAICommand, llama_reply: ReferenceReply
    ) -> None:
        with Screen(command, *MINI, QUESTION) as screen:
            code = screen.finish()
            lines = [text for text in screen.lines if text]
            marks = [text[0] for text in lines if text[0] in "│↺"]

        assert code == 0
        assert "".join(marks).count("↺") == len(llama_reply.corrections)
        assert llama_reply.answer in [text.strip() for text in lines]
        assert "end_of_turn" not in screen.text
        corrected = format_count(len(llama_reply.corrections), "correction")
        assert re.search(rf"thought .* tokens · {corrected} · .* tok/s", lines[-1])

    def test_final_prints_only_the_answer(self, command: OpenAICommand, llama_reply: ReferenceReply) -> None:
        result = command(*MINI, "--final", QUESTION)
        assert (result.code, result.out, result.err) == (0, f"{llama_reply.answer}\n", "")

    def test_pipe_gets_only_the_answer(self, command: OpenAICommand, llama_reply: ReferenceReply) -> None:
        result = command(*MINI, stdin=QUESTION.encode())
        assert (result.code, result.out, result.err) == (0, f"{llama_reply.answer}\n", "")

    def test_json_has_every_part_and_the_usage(self, command: OpenAICommand, llama_reply: ReferenceReply) -> None:
        result = command(*MINI, "--json", QUESTION)
        value = read(result)
        usage = value["usage"]

        assert (result.code, result.err) == (0, "")
        assert kinds(value) == llama_reply.kinds
        assert (value["answer"], value["complete"], value["done_reason"]) == (llama_reply.answer, True, "stop")
        assert usage["prompt_tokens"] > 10
        assert usage["thinking_tokens"] > usage["answer_tokens"] > 0

    def test_raw_prints_the_unparsed_reply(self, command: OpenAICommand) -> None:
        result = command(*MINI, "--raw", QUESTION)

        assert (result.code, result.err) == (0, "")
        assert result.out.startswith("<thinking>")
        assert result.out.rstrip().endswith("</output>")

    def test_flags_alone_select_the_server(
        self, reflect: Reflect, llama: LlamaServer, llama_reply: ReferenceReply
    ) -> None:
        host = ("--engine", "openai", "--host", llama.host.removesuffix("/v1"))
        result = reflect(*MINI, *host, "--final", QUESTION, OPENAI_API_KEY=KEY)

        assert (result.code, result.out, result.err) == (0, f"{llama_reply.answer}\n", "")

    def test_session_is_saved_and_continued(self, command: OpenAICommand) -> None:
        first = read(command(*MINI, "--json", QUESTION))
        second = read(command("-c", "--mode", "native", "--json", "Are you sure?"))
        listed = command("sessions", "list", "--json")

        assert first["usage"]["prompt_tokens"] < second["usage"]["prompt_tokens"]
        assert second["model"] == NAME
        assert KEY not in listed.out

    def test_schema_applies_to_the_answer_after_free_thinking(
        self, command: OpenAICommand, llama_reply: ReferenceReply
    ) -> None:
        result = command(*MINI, "--schema", SCHEMA, "--json", QUESTION)
        value = read(result)

        assert (result.code, result.err) == (0, "")
        assert json.loads(value["answer"])["larger"] in ("9.11", "9.9")
        assert kinds(value) == llama_reply.kinds


class TestRefusals:
    def one_line(self, result: Result) -> str:
        assert (result.code, result.out) == (4, "")
        assert len(result.err.splitlines()) == 1
        assert KEY not in result.err
        return result.err

    @pytest.mark.parametrize("key", ["wrong-key", ""])
    def test_wrong_key_error_says_how_to_set_the_key(self, reflect: Reflect, llama: LlamaServer, key: str) -> None:
        said = self.one_line(OpenAICommand(reflect, llama.host, REFLECTTY_API_KEY=key)(*MINI, QUESTION))

        assert "Invalid API Key" in said
        assert "REFLECTTY_API_KEY" in said
        assert "wrong-key" not in said

    def test_prompt_too_long_error_names_both_numbers(self, command: OpenAICommand) -> None:
        said = self.one_line(command(*MINI, "Count.", stdin=LONG_TEXT.encode()))
        assert re.search(rf"has \d{{4}} tokens, the context holds {ROOM}", said)

    def test_missing_model_error_suggests_a_served_one(self, command: OpenAICommand) -> None:
        assert "did you mean mini?" in self.one_line(command("-m", "mimi", "--final", QUESTION))

    def test_image_is_refused_when_the_model_has_no_vision(self, command: OpenAICommand) -> None:
        (command.home / "a.gif").write_bytes(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")
        assert "mini cannot see images" in self.one_line(command(*MINI, "--image", "a.gif", "What is it?"))


def test_unsupported_options_are_reported_and_the_question_is_answered(
    command: OpenAICommand, llama_reply: ReferenceReply
) -> None:
    result = command(*MINI, "-o", "num_ctx=4096", "--keep-alive", "5m", QUESTION)

    assert (result.code, result.out) == (0, f"{llama_reply.answer}\n")
    assert result.err.splitlines() == ["reflect: this server ignores num_ctx, keep_alive"]  # fmt: skip


def test_default_model_is_chosen_and_named(command: OpenAICommand) -> None:
    result = command("--mode", "native", "--json", "-o", "num_predict=4", QUESTION)

    assert read(result)["model"] == NAME
    assert f"using {NAME}" in result.err


def test_a_token_limit_in_the_thinking_leaves_no_answer(command: OpenAICommand) -> None:
    result = command(*MINI, "-o", "num_predict=20", "--final", QUESTION)

    assert (result.code, result.out) == (5, "")
    assert "num_predict" in result.err


def test_full_context_leaves_an_incomplete_answer_without_option_advice(command: OpenAICommand) -> None:
    # Five tokens each: the rest of the context is smaller than any reply.
    words = "one two three four five " * ((ROOM - 44) // 5)
    result = command("-m", NAME, "--mode", "direct", "--family", "none", "Tell me a story.", stdin=words.encode())

    assert result.code == 5
    assert result.out
    assert re.search(rf"leaves only \d+ of the context's {ROOM}: .* start the server with a larger", result.err)
    assert "num_ctx" not in result.err


def test_interrupt_stops_the_model_at_once(command: OpenAICommand) -> None:
    with command.start(*LONG) as run:
        assert run.until(lambda run: len(run.stdout) > 50)
        left = run.signalled(signal.SIGINT)
    before = time.monotonic()
    following = command(*MINI, "-o", "num_predict=1", "--raw", QUESTION)

    assert (left.code, left.err) == (130, "")
    # The rest of the reply would take most of a minute.
    assert time.monotonic() - before < FREE
    assert following.code == 5


def test_server_killed_mid_reply_leaves_an_incomplete_answer(reflect: Reflect) -> None:
    with serve() as server:
        asking = OpenAICommand(reflect, server.host, REFLECTTY_API_KEY=KEY)
        with asking.start(*LONG) as run:
            assert run.until(lambda run: len(run.stdout) > 50)
            server.kill()
            result = run.finish()
        gone = asking("--final", QUESTION)

    assert result.code == 5
    assert len(result.out) > 50
    assert len(result.err.splitlines()) == 1
    assert gone.code == 3
    assert "REFLECTTY_HOST" in gone.err


# Continued replies


async def replied(engine: Engine, **more: Any) -> Reply:
    shown = FakeRenderer()
    await ask(
        engine, Question(QUESTION, AskOptions(Mode.NATIVE, model=NAME), **more), shown, first_time=lambda _: False
    )
    assert shown.reply is not None
    return shown.reply


async def tags_of(engine: Engine) -> tuple[Model, Family]:
    model = await engine.show(NAME)
    return model, writing_family(model, plan(model, AskOptions(Mode.NATIVE)), "reflection")


def using(server: LlamaServer, call: Callable[[Engine], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_engine(server.host, engine="openai", api_key=KEY) as engine:
            return await call(engine)

    return asyncio.run(run())


def test_edited_thinking_continues_mid_sentence(llama: LlamaServer) -> None:
    async def steered(engine: Engine) -> tuple[str, Reply]:
        _, family = await tags_of(engine)
        so_far = open_thinking(family, EDITED)
        return so_far, await replied(engine, reply_prefix=so_far)

    so_far, reply = using(llama, steered)
    raw = "".join(reply.raw)

    assert raw.startswith(so_far)
    assert raw.count("<thinking>") == 1
    assert raw[len(so_far)] == " "
    assert reply.segments[0][1].startswith(EDITED)
    assert len(reply.segments[0][1]) > len(EDITED)
    assert reply.is_complete
    assert reply.answer


def test_concluded_thinking_is_followed_by_the_answer(llama: LlamaServer) -> None:
    async def ended(engine: Engine) -> Reply:
        _, family = await tags_of(engine)
        return await replied(engine, reply_prefix=conclude_thinking(family, "9.9 is 9.90, so it is larger."))

    reply = using(llama, ended)

    assert [kind for kind, _ in reply.segments] == [Kind.THINKING, Kind.ANSWER]
    assert reply.is_complete


def test_closed_reply_frees_the_server(llama: LlamaServer) -> None:
    request = Request(NAME, (Message("user", ENDLESS),))

    async def leave(engine: Engine) -> float:
        async with aclosing(engine.chat(request)) as chunks:
            await anext(chunks)
        before = time.monotonic()
        await replied(engine)
        return time.monotonic() - before

    assert using(llama, leave) < FREE


def test_served_model_and_version_are_reported(llama: LlamaServer) -> None:
    async def told(engine: Engine) -> tuple[Any, ...]:
        return await engine.models(), await engine.running_models(), await engine.version()

    (model,), (running,), version = using(llama, told)

    assert (model.name, model.context_length) == (NAME, 32768)
    assert (running.name, running.context_length) == (NAME, ROOM)
    # A build outside its repository calls itself b0-unknown, which is no version.
    assert not version.startswith("b0")
