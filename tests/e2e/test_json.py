from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from support.cases import cases
from support.fake_server import Answer, line
from support.scripted_servers import ANSWER, ANSWERED, MODEL, answering_server, chat_server, unfinished

if TYPE_CHECKING:
    from support.command import Reflect, Result

SHAPE: dict[str, type] = {
    "model": str,
    "mode": str,
    "family": str,
    "segments": list,
    "answer": str,
    "thinking": str,
    "reflections": list,
    "second_thoughts": list,
    "settled": dict,
    "governed": dict,
    "complete": bool,
    "done_reason": str,
    "usage": dict,
    "samples": list,
    "vote": dict,
    "verification": dict,
    "warnings": list,
    "session": str,
    "error": dict,
}
NULLABLE: dict[str, type] = dict.fromkeys(
    ("settled", "governed", "samples", "vote", "verification", "session", "error"), type(None)
)
USAGE = (
    *("prompt_tokens", "thinking_tokens", "answer_tokens", "total_ms", "load_ms", "first_token_ms"),
    *("cached_tokens", "prompt_per_second"),
)
HOSTILE = [case for case in cases("hostile.jsonl") if case.get("expect") == "neutralise"]


def read(result: Result) -> dict[str, Any]:
    """The only object on stdout."""
    assert result.stdout.isascii()
    assert result.out.endswith("\n")
    assert result.out.count("\n") == 1
    value = json.loads(result.out)
    assert all(type(value[name]) in (SHAPE[name], NULLABLE.get(name)) for name in value)
    assert list(value) == list(SHAPE)
    assert (value["error"] is None) is (result.code == 0)
    assert tuple(value["usage"]) == USAGE
    assert all(type(number) is int and number >= 0 for number in value["usage"].values())
    return dict(value)


class TestJsonObject:
    def test_object_holds_every_segment_of_the_reply(self, reflect: Reflect) -> None:
        with answering_server(*ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "--json", "which?")
        value = read(result)

        assert (result.code, result.err) == (0, "")
        assert value["segments"] == [
            {"kind": "thinking", "text": "11 is more than 9, so 9.11."},
            {"kind": "reflection", "text": "No: 9.9 is 9.90."},
            {"kind": "thinking", "text": "So 9.9."},
            {"kind": "answer", "text": ANSWER},
        ]
        assert value["answer"] == ANSWER
        assert value["thinking"] == "11 is more than 9, so 9.11.\nSo 9.9."
        assert value["reflections"] == ["No: 9.9 is 9.90."]
        assert (value["complete"], value["done_reason"], value["warnings"]) == (True, "stop", [])
        assert (value["model"], value["mode"], value["family"]) == ("reflection", "native", "reflection")

    def test_object_tells_where_the_thinking_settled(self, reflect: Reflect) -> None:
        text = "<thinking>\nSix rows of three: 6*3 = 18. Check: 18/3 = 6.\n</thinking>\n<output>\nAnswer: 18\n</output>"
        with answering_server(text) as server:
            command = reflect.at(server.host)
            value = read(command(*MODEL, "--json", "q"))
            command("config", "set", "second_thoughts", "false")
            silent = read(command(*MODEL, "--json", "q"))

        thinking = value["segments"][0]["text"]
        offset = thinking.index("18.")
        assert value["settled"] == {"share": round(offset / len(thinking), 4), "offset": offset}
        assert silent["settled"] is None

    def test_tokens_per_part_are_scaled_to_the_total_of_the_server(self, reflect: Reflect) -> None:
        with answering_server(
            *(["a "] * 10), "\n", thinking=("b ",) * 22, capabilities=["completion", "thinking"]
        ) as server:
            usage = read(reflect.at(server.host)("-m", "m", "--json", "q"))["usage"]

        assert (usage["prompt_tokens"], usage["total_ms"], usage["load_ms"]) == (24, 2000, 500)
        assert (usage["cached_tokens"], usage["prompt_per_second"]) == (0, 48.0)
        assert usage["thinking_tokens"] + usage["answer_tokens"] == 66
        assert abs(usage["thinking_tokens"] - 44) <= 2

    def test_non_ascii_text_is_escaped_without_loss(self, reflect: Reflect) -> None:
        text = "Größe 世界 👩‍🔬 \u2028 \x85 end"
        with answering_server(f"<output>{text}</output>") as server:
            value = read(reflect.at(server.host)(*MODEL, "--json", "q", LC_ALL="C", PYTHONIOENCODING="ascii"))

        assert value["answer"] == text

    @pytest.mark.parametrize("case", HOSTILE[::12], ids=lambda case: case["id"])
    def test_hostile_text_is_escaped(self, reflect: Reflect, case: dict[str, Any]) -> None:
        # A lone surrogate has no bytes: a server can only send it escaped.
        message = {"role": "assistant", "content": f"<output>\nx{case['text']}x\n</output>"}
        lines = [json.dumps({"message": message, "done": False}).encode() + b"\n", line(done=True, done_reason="stop")]
        with chat_server(Answer(lines)) as server:
            result = reflect.at(server.host)(*MODEL, "--json", "q")

        assert read(result)["answer"] == f"x{case['text']}x".replace("\r\n", "\n")
        assert all(byte >= 0x20 for byte in result.stdout[:-1])


class TestIncompleteReply:
    @pytest.mark.parametrize(
        ("chat", "answer", "reason"),
        [
            (Answer([line("<thinking>\nhm\n</thinking>\n<output>\nOne, two")]), "One, two", ""),
            (Answer([line("<output>\nOne"), line(done=True, done_reason="length")]), "One", "length"),
            (Answer([line("<thinking>\nhm"), line(done=True, done_reason="length")]), "", "length"),
            (Answer([line("<output>\nOne"), b'{"error":"unexpected EOF"}\n']), "One", ""),
        ],
        ids=["no end", "cut answer", "cut thinking", "error"],
    )
    def test_incomplete_reply_is_marked_in_the_object(
        self, reflect: Reflect, chat: Answer, answer: str, reason: str
    ) -> None:
        with chat_server(chat) as server:
            result = reflect.at(server.host)(*MODEL, "--json", "q")
        value = read(result)

        assert result.code == 5
        assert (value["complete"], value["answer"], value["done_reason"]) == (False, answer, reason)
        assert len(value["warnings"]) == 1
        assert len(result.err.splitlines()) == 1
        assert result.err.startswith(f"reflect: {value['error']['message']}")
        assert value["error"]["exit_code"] == 5

    def test_object_names_the_session_that_has_the_reply(self, reflect: Reflect) -> None:
        with answering_server(*ANSWERED) as server:
            saved = read(reflect.at(server.host)(*MODEL, "--json", "which?"))["session"]
            continued = read(reflect.at(server.host)("--json", "-c", "and?"))["session"]
            unsaved = read(reflect.at(server.host)(*MODEL, "--json", "--no-store", "which?"))["session"]
        listed = json.loads(reflect("sessions", "--json").out)

        assert [one["id"] for one in listed] == [saved]
        assert (continued, unsaved) == (saved, None)

    @pytest.mark.parametrize(
        ("words", "code", "message", "hint"),
        [
            (("-m", "m", "q"), 3, "cannot reach", "ollama serve"),
            (("-m", "m", ""), 2, "the question is empty", "ask one"),
            (("-m", "m", "--final", "q"), 2, "--final and --json cannot be combined", "choose one"),
            (("-m", "m", "-c", "q"), 2, "there is no session to continue", "without -c"),
        ],
    )
    def test_error_before_the_reply_is_an_object_too(
        self, reflect: Reflect, words: tuple[str, ...], code: int, message: str, hint: str
    ) -> None:
        result = reflect.at("127.0.0.1:9")("--json", *words)
        value = read(result)

        assert result.code == value["error"]["exit_code"] == code
        assert message in value["error"]["message"]
        assert hint in value["error"]["hint"]
        assert (value["complete"], value["answer"], value["session"]) == (False, "", None)

    def test_stop_leaves_the_object_of_what_has_arrived(self, reflect: Reflect) -> None:
        with (
            chat_server(unfinished("<output>\nFirst words")) as server,
            reflect.at(server.host).start(*MODEL, "--jsonl", "q") as run,
        ):
            assert run.says("First words")
            result = run.signalled(signal.SIGINT)
        value = json.loads(result.out.splitlines()[-1])

        assert result.code == value["error"]["exit_code"] == 130
        assert (value["answer"], value["complete"]) == ("First words", False)


class TestEvents:
    def test_events_are_printed_as_they_arrive(self, reflect: Reflect) -> None:
        with (
            chat_server(unfinished("<thinking>\nFirst thought", " and more")) as server,
            reflect.at(server.host).start(*MODEL, "--jsonl", "q") as run,
        ):
            assert run.says("First thought")

    def test_events_add_up_to_the_final_object(self, reflect: Reflect) -> None:
        with answering_server(*ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "--jsonl", "q")
        *events, last = map(json.loads, result.out.splitlines())
        blocks: dict[int, tuple[str, str]] = {}
        for event in events:
            assert set(event) == {"event", "block", "kind", "text"}
            blocks[event["block"]] = event["kind"], blocks.get(event["block"], ("", ""))[1] + event["text"]

        assert result.code == 0
        assert result.stdout.isascii()
        assert set(last) == {"event", *SHAPE}
        assert last["event"] == "reply"
        assert [{"kind": kind, "text": text} for kind, text in blocks.values()] == last["segments"]

    def test_event_reports_an_answer_reclassified_as_thinking(self, reflect: Reflect) -> None:
        with answering_server(*"I think 9.11.\n</thinking>\n<output>\n9.9\n</output>") as server:
            result = reflect.at(server.host)(*MODEL, "--jsonl", "q")
        *events, last = map(json.loads, result.out.splitlines())
        (told,) = [event for event in events if event["event"] == "reclassified"]

        assert told["kind"] == "thinking"
        assert last["segments"] == [
            {"kind": "thinking", "text": "I think 9.11."},
            {"kind": "answer", "text": "9.9"},
        ]

    def test_events_end_with_an_object_when_the_reply_is_cut(self, reflect: Reflect) -> None:
        with chat_server(Answer([line("<output>\nOne")])) as server:
            result = reflect.at(server.host)(*MODEL, "--jsonl", "q")
        last = json.loads(result.out.splitlines()[-1])

        assert result.code == 5
        assert (last["complete"], last["answer"]) == (False, "One")


@pytest.mark.parametrize("answer", ['{"n": 9}', '{"n": "nine"}', "nine"], ids=["fits", "does not", "no JSON"])
def test_exit_code_says_whether_the_answer_fits_the_schema(reflect: Reflect, answer: str) -> None:
    schema = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'
    with answering_server(answer, thinking=("hm",), capabilities=["completion", "thinking"]) as server:
        result = reflect.at(server.host)("-m", "m", "--schema", schema, "q")
    fits = answer == '{"n": 9}'

    assert result.code == (0 if fits else 7)
    assert result.out == (f"{answer}\n" if fits else "")
    assert len(result.err.splitlines()) == (0 if fits else 1)
    assert server.asked("/api/chat")[0].json["format"] == json.loads(schema)
