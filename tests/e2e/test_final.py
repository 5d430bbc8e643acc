from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from support.cases import cases
from support.fake_server import HANG, Answer, done, line
from support.scripted_servers import ANSWER, ANSWERED, MODEL, answering_server, chat_server

if TYPE_CHECKING:
    from support.command import Reflect

SAMPLE = {
    "refl-01-canonical",
    "refl-04-no-tags",
    "refl-05-unclosed-thinking",
    "refl-06-unclosed-thinking-stop",
    "refl-12-reflection-after-output",
    "refl-16-text-before-thinking",
    "refl-24-orphan-thinking-closer",
    "refl-29-inline-code-in-output",
    "refl-37-one-line-output-inside-thinking",
    "refl-41-partial-closer-at-eof",
    "think-15-immediate-close",
    "think-19-truncated-prefilled",
    "think-28-only-whitespace",
    "native-03-orphan-close-in-content",
    "native-07-thinking-only-truncated",
    "openthinker-01",
    "cohere-01",
    "harmony-02-split",
}
"""One process for each way to an answer; every case runs in the tests of the parser and the reply."""
CASES = [case for case in cases("reasoning.jsonl") if case["id"] in SAMPLE]
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


def chat(case: dict[str, Any]) -> Answer:
    native = [line(thinking=text) for text in case.get("native_thinking") or []]
    lines = [*native, *(line(text) for text in case["chunks"])]
    return Answer([*lines, line(**done(case.get("done_reason", "stop")))])


def shown(case: dict[str, Any]) -> dict[str, Any]:
    """The answer of /api/show for a model whose template opens the thinking or not, as the case requires."""
    template = {"think": "{{ .Prompt }}<think>\n", "cohere": ""} if case.get("start_in") == "thinking" else {}
    native = {"capabilities": ["completion", "thinking"]} if case["family"] == "native" else {}
    return {"template": template.get(case["family"], "{{ .Prompt }}")} | native


def test_every_case_of_the_sample_exists() -> None:
    assert {case["id"] for case in CASES} == SAMPLE


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_final_answer_and_exit_code_match_the_case(reflect: Reflect, case: dict[str, Any]) -> None:
    with chat_server(chat(case), **shown(case)) as server:
        result = reflect.at(server.host)("-m", "m", "--mode", "native", "--family", case["family"], "--final", "q")
    final = case["final"].strip()
    cut = case.get("done_reason", "stop") != "stop"

    assert result.out == (f"{final}\n" if final else "")
    assert result.code == (5 if cut or not final else 0)
    assert not CONTROL.search(result.stdout)


@pytest.mark.process
class TestFinalOutput:
    def test_final_prints_nothing_on_stderr(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "--final", "which?")

        assert (result.code, result.out, result.err) == (0, f"{ANSWER}\n", "")

    def test_final_is_plain_text_even_when_colour_is_forced(self, reflect: Reflect) -> None:
        with answering_server("<thinking>a</thinking>\n<output>\n# **Bold** `code`\n</output>") as server:
            result = reflect.at(server.host)(*MODEL, "--final", "q", CLICOLOR_FORCE="1", TERM="xterm-256color")

        assert (result.stdout, result.stderr) == (b"# **Bold** `code`\n", b"")


class TestUnclosedThinking:
    def test_truncated_thinking_is_not_an_answer(self, reflect: Reflect) -> None:
        with answering_server("<thinking>\nLet me see. It is 42", reason="length") as server:
            result = reflect.at(server.host)(*MODEL, "--final", "q")

        assert (result.code, result.out) == (5, "")
        assert len(result.err.splitlines()) == 1
        assert "token limit" in result.err

    def test_unclosed_thinking_is_the_answer_with_a_warning_when_the_model_stopped(self, reflect: Reflect) -> None:
        with answering_server("<thinking>\nLet me see. It is 42.") as server:
            result = reflect.at(server.host)(*MODEL, "--final", "q")

        assert (result.code, result.out) == (0, "Let me see. It is 42.\n")
        assert len(result.err.splitlines()) == 1
        assert "no separate answer" in result.err

    def test_thinking_cut_by_a_lost_connection_is_not_an_answer(self, reflect: Reflect) -> None:
        with chat_server(Answer([line("<thinking>\nIt is 42.")])) as server:
            result = reflect.at(server.host)(*MODEL, "--final", "q")

        assert (result.code, result.out) == (5, "")


class TestNativeThinkingWithoutAnswer:
    NATIVE: ClassVar[dict[str, Any]] = {"capabilities": ["completion", "thinking"]}

    @pytest.mark.parametrize("form", [(), ("--final",), ("--json",), ("--jsonl",), ("--raw",)], ids=" ".join)
    def test_native_thinking_alone_is_no_answer_in_any_form(self, reflect: Reflect, form: tuple[str, ...]) -> None:
        with answering_server(thinking=("Let me see. ", "It is 42."), **self.NATIVE) as server:
            result = reflect.at(server.host)("-m", "m", *form, "q")

        assert result.code == 5
        assert result.err == (
            "reflect: the model thought but gave no answer (ask again, or turn off thinking with --mode direct)\n"
        )
        if form in {("--json",), ("--jsonl",)}:
            value = json.loads(result.out.splitlines()[-1])
            assert (value["answer"], value["complete"]) == ("", False)
            assert value["thinking"] == "Let me see. It is 42."
            assert value["warnings"] == ["the model thought but gave no answer"]
        elif form != ("--raw",):
            assert result.out == ""

    def test_mode_direct_is_not_advised_when_it_was_used(self, reflect: Reflect) -> None:
        with answering_server(thinking=("It is 42.",), **self.NATIVE) as server:
            result = reflect.at(server.host)("-m", "m", "--mode", "direct", "--final", "q")

        assert (result.code, result.out) == (5, "")
        assert result.err == "reflect: the model thought but gave no answer (ask again, or try another model)\n"

    def test_native_thinking_alone_fails_a_batch_line(self, reflect: Reflect) -> None:
        (reflect.home / "q.txt").write_text("q\n")
        with answering_server(thinking=("It is 42.",), **self.NATIVE) as server:
            result = reflect.at(server.host)("batch", "-m", "m", "q.txt")
        record = json.loads(result.out)

        assert (result.code, record["answer"], record["complete"]) == (5, "", False)
        assert record["error"]["exit_code"] == 5

    def test_native_thinking_alone_is_saved_as_incomplete(self, reflect: Reflect) -> None:
        with answering_server(thinking=("It is 42.",), **self.NATIVE) as server:
            reflect.at(server.host)("-m", "m", "--final", "q")
        (session,) = json.loads(reflect("sessions", "--json").out)
        kept = json.loads(reflect("sessions", "show", session["id"], "--json").out)["turns"][-1]["said"]

        assert (kept["answer"], kept["ended"]) == ("", "incomplete")
        assert kept["error"] == "the model thought but gave no answer"


class TestNativeAnswer:
    NATIVE: ClassVar[dict[str, Any]] = {"capabilities": ["completion", "thinking"]}

    @pytest.mark.process
    def test_answer_after_native_thinking_is_printed_as_it_arrives(self, reflect: Reflect) -> None:
        with (
            chat_server(Answer([line(thinking="hm"), line("The answer"), line(" is"), HANG]), **self.NATIVE) as server,
            reflect.at(server.host).start("-m", "m", "--final", "q") as run,
        ):
            assert run.says("The answer is")

    def test_answer_in_a_tag_after_native_thinking_is_printed_alone(self, reflect: Reflect) -> None:
        with answering_server(
            "<plan>a</plan>\n", "<output>\n9.9\n</output>", thinking=("hm",), **self.NATIVE
        ) as server:
            result = reflect.at(server.host)("-m", "m", "--final", "q")

        assert (result.code, result.out) == (0, "9.9\n")

    def test_answer_after_native_thinking_is_held_where_a_prompt_asked_for_tags(self, reflect: Reflect) -> None:
        with answering_server("So:\n", "<output>\n9.9\n</output>", thinking=("hm",), **self.NATIVE) as server:
            result = reflect.at(server.host)("-m", "m", "--mode", "reflect", "--final", "q")

        assert (result.code, result.out) == (0, "9.9\n")


class TestTruncatedAnswer:
    @pytest.mark.parametrize("form", [(), ("--final",)], ids=["plain", "final"])
    def test_answer_cut_at_the_token_limit_is_printed_with_exit_5(
        self, reflect: Reflect, form: tuple[str, ...]
    ) -> None:
        with answering_server("<thinking>a</thinking>\n<output>\nOne, two", reason="length") as server:
            result = reflect.at(server.host)(*MODEL, *form, "q")

        assert (result.code, result.out) == (5, "One, two\n")
        assert len(result.err.splitlines()) == 1

    def test_answer_without_an_end_marker_is_printed_with_exit_5(self, reflect: Reflect) -> None:
        with chat_server(Answer([line("<output>\nOne, two")])) as server:
            result = reflect.at(server.host)(*MODEL, "--final", "q")

        assert (result.code, result.out) == (5, "One, two\n")

    def test_raw_truncated_answer_exits_with_5(self, reflect: Reflect) -> None:
        with answering_server("<output>\nOne, two", reason="length") as server:
            result = reflect.at(server.host)(*MODEL, "--raw", "q")

        assert result.out.startswith("<output>\nOne, two")
        assert result.code == 5


@pytest.mark.parametrize("said", [(), ("",), ("\n \n",), ("<thinking></thinking>\n<output>\n</output>",)])
def test_empty_reply_exits_with_5(reflect: Reflect, said: tuple[str, ...]) -> None:
    with answering_server(*said) as server:
        result = reflect.at(server.host)(*MODEL, "--final", "q")

    assert (result.code, result.out) == (5, "")
    assert len(result.err.splitlines()) == 1
