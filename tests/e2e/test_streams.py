from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from support.scripted_servers import ANSWER, ANSWERED, MODEL, THOUGHT, Gate, answering_server, chat_server, unfinished

if TYPE_CHECKING:
    from support.command import Reflect

NATIVE: dict[str, Any] = {"capabilities": ["completion", "thinking"]}
PREFILLED: dict[str, Any] = {"template": "{{ .Prompt }}<think>\n"}


class TestInAPipe:
    def test_stdout_is_the_answer_and_stderr_is_silent(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "which?")

        assert (result.code, result.out, result.err) == (0, f"{ANSWER}\n", "")

    def test_native_thinking_is_not_printed(self, reflect: Reflect) -> None:
        with answering_server("42", thinking=("a secret ", "thought"), **NATIVE) as server:
            result = reflect.at(server.host)("-m", "m", "what?")

        assert (result.code, result.out, result.err) == (0, "42\n", "")

    def test_requested_thinking_goes_to_stderr(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "--show", "thinking,answer", "which?")

        assert result.out == f"{ANSWER}\n"
        assert "11 is more than 9" in result.err
        assert "No: 9.9 is 9.90" not in result.err

    def test_answer_is_not_printed_when_not_requested(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "--show", "reflection", "which?")

        assert (result.code, result.out) == (0, "")
        assert "No: 9.9 is 9.90" in result.err

    def test_stats_of_a_final_answer_leave_stdout_to_the_answer(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "--final", "--stats", "which?")

        assert result.out == f"{ANSWER}\n"
        assert "tokens: " in result.err

    def test_stats_go_to_stderr(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "--stats", "which?")

        assert result.out == f"{ANSWER}\n"
        assert "24 prompt" in result.err
        assert "1 correction" in result.err

    def test_raw_prints_the_unparsed_reply(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "--raw", "which?")

        assert (result.code, result.out.rstrip("\n"), result.err) == (0, ANSWERED, "")

    def test_answer_ends_with_exactly_one_newline(self, reflect: Reflect) -> None:
        with answering_server("<output>\nyes\n\n\n</output>\n\n") as server:
            result = reflect.at(server.host)(*MODEL, "well?")

        assert result.out == "yes\n"

    def test_answer_is_the_same_when_streamed_by_character(self, reflect: Reflect) -> None:
        with answering_server(*ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "which?")

        assert (result.code, result.out) == (0, f"{ANSWER}\n")

    def test_untuned_model_notice_is_printed_once(self, reflect: Reflect) -> None:
        with answering_server("<thinking>hm</thinking><output>ok</output>") as server:
            first, second = (reflect.at(server.host)("-m", "m", "what?") for _ in range(2))

        assert (first.out, second.out) == ("ok\n", "ok\n")
        assert len(first.err.splitlines()) == 1
        assert "not tuned" in first.err
        assert "--mode direct" in first.err
        assert second.err == ""

    def test_missing_tags_are_reported_in_one_line(self, reflect: Reflect) -> None:
        with answering_server("I add 2 and 2. It is 4.") as server:
            result = reflect.at(server.host)(*MODEL, "what?")

        assert (result.code, result.out) == (0, "I add 2 and 2. It is 4.\n")
        assert len(result.err.splitlines()) == 1
        assert "control tokens" in result.err

    def test_family_none_reports_no_missing_tags(self, reflect: Reflect) -> None:
        with answering_server("I add 2 and 2. It is 4.") as server:
            result = reflect.at(server.host)(*MODEL, "--family", "none", "what?")

        assert (result.code, result.out, result.err) == (0, "I add 2 and 2. It is 4.\n", "")

    def test_quiet_leaves_only_errors(self, reflect: Reflect) -> None:
        with answering_server("I add 2 and 2. It is 4.") as server:
            result = reflect.at(server.host)(*MODEL, "--quiet", "what?")

        assert (result.code, result.err) == (0, "")


class Part(NamedTuple):
    """The first part of a reply whose second is held back, and the output that is certain by then."""

    name: str
    said: str
    certain: str
    words: tuple[str, ...] = ()
    shown: dict[str, Any] = {}  # noqa: RUF012 - never changed


CERTAIN = (
    Part("in an answer tag", "<thinking>a</thinking>\n<output>\nNine point", "Nine point"),
    Part("in an answer tag, final", "<thinking>a</thinking>\n<output>\nNine point", "Nine point", ("--final",)),
    Part("after a closed thinking", "<think>\na\n</think>\n\nNine point", "Nine point", ("--family", "think")),
    Part("after a prefilled thinking", "a\n</think>\n\nNine point", "Nine point", ("--family", "think"), PREFILLED),
    Part("where nothing is parsed", "Nine point", "Nine point", ("--family", "none")),
)
UNCERTAIN = (
    Part("untagged text", "Nine point", "", ("--family", "reflection")),
    Part("untagged text, unknown model", "Nine point", "", ("--family", "any")),
    Part("thinking", "<thinking>\nNine point", ""),
    Part("prefilled thinking", "Nine point", "", ("--family", "think"), PREFILLED),
    Part("half a tag", "<outp", ""),
    Part("an answer not checked yet", "<output>\n{}", "", ("--schema", '{"type": "object"}')),
)


@pytest.mark.parametrize("part", CERTAIN, ids=lambda part: part.name)
def test_certain_text_goes_out_before_the_reply_ends(reflect: Reflect, part: Part) -> None:
    with (
        chat_server(unfinished(part.said), **part.shown) as server,
        reflect.at(server.host).start(*MODEL, *part.words, "q") as run,
    ):
        assert run.says(part.certain)


@pytest.mark.parametrize("part", UNCERTAIN, ids=lambda part: part.name)
def test_uncertain_text_is_held_back(reflect: Reflect, part: Part) -> None:
    gate = Gate()
    chat = gate.between(part.said, "")
    with chat_server(chat, **part.shown) as server, reflect.at(server.host).start(*MODEL, *part.words, "q") as run:
        asked = run.until(lambda _: bool(server.asked("/api/chat") or server.asked("/api/generate")))
        time.sleep(0.3)
        before = run.stdout
        gate.open()

        assert asked
        assert before == b""


ORPHANS = {
    "reflection": "I think 9.11.\n</thinking>\n<output>\n9.9 is larger.\n</output>",
    "think": "I think 9.11.\n</think>\n\n9.9 is larger.",
    "any": "I think 9.11.\n</think>\n\n9.9 is larger.",
}


@pytest.mark.parametrize("family", ORPHANS)
@pytest.mark.parametrize("form", [(), ("--final",)], ids=["plain", "final"])
def test_thinking_without_an_opening_tag_never_reaches_stdout(
    reflect: Reflect, family: str, form: tuple[str, ...]
) -> None:
    with answering_server(*ORPHANS[family]) as server:
        result = reflect.at(server.host)(*MODEL, "--family", family, *form, "which?")

    assert (result.code, result.out) == (0, f"{ANSWER}\n")


def test_held_back_text_is_printed_in_full_at_the_end(reflect: Reflect) -> None:
    gate = Gate()
    with chat_server(gate.between("Nine ", "point nine.")) as server, reflect.at(server.host).start(*MODEL, "q") as run:
        gate.open()
        result = run.finish()

    assert (result.code, result.out) == (0, "Nine point nine.\n")


def test_script_gets_the_answer_and_the_exit_code(reflect: Reflect) -> None:
    script = 'x=$(printf "diff --git" | reflect --final -m reflection "write a message"); printf "[%s] %s" "$x" $?'
    with answering_server(THOUGHT, "<output>\nFix it\n\nand more\n</output>") as server:
        result = reflect.at(server.host).shell(script)

    assert result.out == "[Fix it\n\nand more] 0"
    assert result.err == ""
    assert server.asked("/api/chat")[0].json["messages"][-1]["content"].endswith("write a message")


def test_script_gets_exit_5_without_an_answer(reflect: Reflect) -> None:
    script = 'x=$(reflect --final -m reflection "well?"); printf "[%s] %s" "$x" $?'
    with answering_server("<thinking>\nLet me", reason="length") as server:
        result = reflect.at(server.host).shell(script)

    assert result.out == "[] 5"
    assert len(result.err.splitlines()) == 1
