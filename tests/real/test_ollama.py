"""The real command and a real Ollama; the expected texts are those of the models at temperature 0."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from reflectty.core.text import format_count
from support.command import COMMAND, PATIENCE
from support.json_replies import kinds, read
from support.pty_screen import Screen
from support.reference_replies import QUESTION

if TYPE_CHECKING:
    from support.command import Reflect
    from support.real_ollama import Server
    from support.reference_replies import ReferenceReply

pytestmark = [pytest.mark.server, pytest.mark.both]

MINI = ("-m", "mini", "--mode", "native")
NATIVE = ("-m", "mini-native")
LONG = ("-m", "plain", "--mode", "direct", "-o", "num_predict=2000", "Tell me a long story about a fox.")


@pytest.fixture
def command(reflect: Reflect, ollama: Server) -> Reflect:
    return reflect.at(ollama.host)


@pytest.mark.parametrize("model", [MINI, NATIVE], ids=["tags", "native"])
class TestReflectionModel:
    def test_terminal_shows_thinking_corrections_and_answer(
        self, command: Reflect, mini_reply: ReferenceReply, model: tuple[str, ...]
    ) -> None:
        with Screen(command, *model, QUESTION) as screen:
            code = screen.finish()
            lines = [text for text in screen.lines if text]
            marks = [text[0] for text in lines if text[0] in "│↺"]

        assert code == 0
        assert "".join(marks).count("↺") == len(mini_reply.corrections)
        assert marks[0] == "│"
        assert mini_reply.thought in " ".join(screen.text.split())
        assert mini_reply.answer in [text.strip() for text in lines]
        assert f" tokens · {format_count(len(mini_reply.corrections), 'correction')} · " in lines[-1]
        assert re.search(r"thought .* tok/s", lines[-1])
        assert not screen.cursor_hidden

    def test_final_prints_only_the_answer(
        self, command: Reflect, mini_reply: ReferenceReply, model: tuple[str, ...]
    ) -> None:
        result = command(*model, "--final", QUESTION)

        assert (result.code, result.out, result.err) == (0, f"{mini_reply.answer}\n", "")

    def test_pipe_gets_only_the_answer(
        self, command: Reflect, mini_reply: ReferenceReply, model: tuple[str, ...]
    ) -> None:
        result = command(*model, stdin=QUESTION.encode())

        assert (result.code, result.out, result.err) == (0, f"{mini_reply.answer}\n", "")

    def test_json_has_every_part_and_the_usage(
        self, command: Reflect, mini_reply: ReferenceReply, model: tuple[str, ...]
    ) -> None:
        result = command(*model, "--json", QUESTION)
        value = read(result)
        usage = value["usage"]

        assert (result.code, result.err) == (0, "")
        assert kinds(value) == mini_reply.kinds
        assert (value["answer"], value["complete"], value["done_reason"]) == (mini_reply.answer, True, "stop")
        assert value["mode"] == "native"
        assert value["reflections"] == list(mini_reply.corrections)
        assert usage["prompt_tokens"] > 10
        assert usage["thinking_tokens"] > usage["answer_tokens"] > 0
        assert usage["total_ms"] >= usage["first_token_ms"] > 0

    def test_jsonl_events_add_up_to_the_reply(
        self, command: Reflect, mini_reply: ReferenceReply, model: tuple[str, ...]
    ) -> None:
        result = command(*model, "--jsonl", QUESTION)
        *events, last = map(json.loads, result.out.splitlines())
        corrected = "".join(event["text"] for event in events if event["kind"] == "reflection")

        assert result.code == 0
        assert len(events) > 20
        assert corrected == "".join(mini_reply.corrections)
        assert last["reflections"] == list(mini_reply.corrections)
        assert last["answer"] == mini_reply.answer


class TestModes:
    def test_auto_mode_asks_an_untuned_model_to_reflect_with_a_notice(self, command: Reflect) -> None:
        result = command("-m", "plain", "-o", "num_predict=8", "--json", QUESTION)
        value = read(result)

        # Its tags show its family, where these tokens have any.
        assert (value["mode"], value["family"]) in {("reflect", "any"), ("reflect", "reflection")}
        assert "not tuned" in result.err

    def test_direct_mode_asks_for_the_answer_only(self, command: Reflect) -> None:
        value = read(command(*NATIVE, "--mode", "direct", "--json", QUESTION))

        assert value["mode"] == "direct"
        assert value["answer"]

    def test_reflect_mode_makes_a_model_reflect_by_prompt(self, command: Reflect) -> None:
        result = command("-m", "mini", "--mode", "reflect", "--json", QUESTION)
        value = read(result)

        assert (result.code, value["mode"], value["family"]) == (0, "reflect", "reflection")
        assert value["answer"]
        assert "<" not in value["answer"]

    def test_thinking_opened_by_the_template_is_read(self, command: Reflect) -> None:
        result = command("-m", "fewshot", "--json", QUESTION)
        value = read(result)

        assert (result.code, value["mode"], value["family"]) == (0, "native", "reflection")
        assert kinds(value)[0] == "thinking"
        assert value["answer"].endswith("is larger.")
        assert "<" not in value["thinking"]

    def test_thinking_opened_by_the_template_is_not_printed(self, command: Reflect) -> None:
        result = command("-m", "fewshot", QUESTION)

        assert (result.code, result.err) == (0, "")
        assert result.out.count("\n") == 1
        assert "thinking" not in result.out


class TestSchema:
    SCHEMA = json.dumps({"type": "object", "properties": {"larger": {"enum": ["9.11", "9.9"]}}, "required": ["larger"]})

    @pytest.mark.parametrize("model", [MINI, (*MINI, "--family", "reflection"), NATIVE], ids=["any", "tags", "native"])
    def test_schema_applies_to_the_answer_after_free_thinking(
        self, command: Reflect, mini_reply: ReferenceReply, model: tuple[str, ...]
    ) -> None:
        result = command(*model, "--schema", self.SCHEMA, "--json", QUESTION)
        value = read(result)

        assert (result.code, result.err) == (0, "")
        assert json.loads(value["answer"])["larger"] in ("9.11", "9.9")
        assert kinds(value) == mini_reply.kinds

    def test_final_prints_only_the_schema_answer(self, command: Reflect) -> None:
        result = command(*MINI, "--family", "reflection", "--schema", self.SCHEMA, "--final", QUESTION)

        assert (result.code, result.err) == (0, "")
        assert set(json.loads(result.out)) == {"larger"}


class TestInterrupt:
    def test_ctrl_c_frees_the_server(self, command: Reflect, mini_reply: ReferenceReply) -> None:
        with Screen(command, *LONG) as screen:
            assert screen.until(lambda text: len(text) > 100)
            screen.press(b"\x03")
            code = screen.finish()
            shown = screen.text
        following = command(*MINI, "--final", QUESTION)

        assert code == 130
        assert len(shown) > 100
        assert (following.code, following.out) == (0, f"{mini_reply.answer}\n")

    def test_signal_keeps_the_text_already_in_the_pipe(self, command: Reflect) -> None:
        with command.start(*LONG, "--family", "none") as run:
            assert run.until(lambda run: len(run.stdout) > 50)
            result = run.signalled(signal.SIGINT)

        assert (result.code, result.err) == (130, "")
        assert len(result.out) > 50
        assert result.out.endswith("\n")

    def test_closed_pipe_is_silent(self, command: Reflect) -> None:
        process = subprocess.Popen(
            (*COMMAND, *LONG, "--family", "none"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=command.environment(),
        )
        with process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.read(20)
            process.stdout.close()
            said = process.stderr.read()
            code = process.wait(PATIENCE)

        assert (code, said) == (141, b"")


def test_killed_runner_leaves_an_incomplete_answer_and_the_next_call_works(
    command: Reflect, mini_reply: ReferenceReply, ollama: Server
) -> None:
    with command.start(*LONG, "--family", "none") as run:
        assert run.until(lambda run: len(run.stdout) > 50)
        for pid in ollama.runners():
            os.kill(pid, signal.SIGKILL)
        result = run.finish()
    following = command(*MINI, "--final", QUESTION)

    assert result.code == 5
    assert len(result.out) > 50
    assert result.out.endswith("\n")
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith("reflect: ")
    assert (following.code, following.out) == (0, f"{mini_reply.answer}\n")


def test_a_prompt_that_is_too_long_is_refused_with_both_numbers(command: Reflect) -> None:
    words = "one two three four five six seven eight nine ten " * 60
    result = command(*MINI, "-o", "num_ctx=512", "Count.", stdin=words.encode())

    assert (result.code, result.out) == (4, "")
    assert len(result.err.splitlines()) == 1
    assert re.search(r"has \d{3,4} tokens, the context holds 512", result.err)
    assert "num_ctx" in result.err


def test_full_context_leaves_an_incomplete_answer(command: Reflect) -> None:
    result = command(*LONG[:-3], "-o", "num_ctx=64", "-o", "num_predict=200", LONG[-1])

    assert result.code == 5
    assert result.out
    assert "token limit" in result.err


def test_unloaded_model_is_loaded(command: Reflect, mini_reply: ReferenceReply) -> None:
    first = command(*MINI, "--keep-alive", "0", "--final", QUESTION)
    second = command(*MINI, "--json", QUESTION)

    assert (first.code, first.out) == (0, f"{mini_reply.answer}\n")
    assert read(second)["answer"] == mini_reply.answer
    assert read(second)["usage"]["load_ms"] > 0


def test_a_token_limit_in_the_thinking_leaves_no_answer(command: Reflect) -> None:
    result = command(*MINI, "-o", "num_predict=20", "--final", QUESTION)

    assert (result.code, result.out) == (5, "")
    assert "num_predict" in result.err


def test_raw_prints_the_unparsed_reply(command: Reflect) -> None:
    result = command(*MINI, "--raw", QUESTION)

    assert (result.code, result.err) == (0, "")
    assert re.search(r"<thinking>.*<reflection>.*</reflection>.*</thinking>.*<output>\n9\.9", result.out, re.DOTALL)


def test_image_is_refused_when_the_model_has_no_vision(command: Reflect) -> None:
    (command.home / "a.gif").write_bytes(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")
    result = command(*MINI, "--image", "a.gif", "What is it?")

    assert (result.code, result.out) == (4, "")
    assert len(result.err.splitlines()) == 1
    assert "mini" in result.err


def test_missing_model_is_not_pulled_and_gets_a_suggestion(command: Reflect) -> None:
    result = command("-m", "mimi", "--final", QUESTION)

    assert (result.code, result.out) == (4, "")
    assert len(result.err.splitlines()) == 1
    assert "mimi" in result.err
    assert "did you mean mini" in result.err


def test_default_model_is_chosen_and_named(command: Reflect) -> None:
    result = command("--json", "-o", "num_predict=4", QUESTION)
    model = read(result)["model"]

    # The only one of the four that has the capability.
    assert model == "mini-native"
    assert model in result.err
