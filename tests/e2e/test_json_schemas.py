"""JSON printed by the command fits the schemas in the package, and has no key that they do not describe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest

from support.batch_files import Echo, input_file, records
from support.fake_server import Answer, FakeServer, ReceivedRequest, error, line, reply, show, tags, whole
from support.installed_models import routes
from support.json_schemas import NAMES, check, check_described, schema
from support.openai_command import OpenAICommand
from support.openai_replies import model_list
from support.scripted_servers import ANSWERED, MODEL, answering_server, chat_server

if TYPE_CHECKING:
    from support.command import Reflect, Result


def read(result: Result) -> Any:
    return json.loads(result.out)


def test_every_schema_is_one_and_states_the_rule() -> None:
    assert (
        *("batch-record", "compare", "doctor", "evaluation", "event"),
        *("models", "probe", "reply", "session", "thought-statistics"),
    ) == NAMES
    for name in NAMES:
        found = schema(name)
        jsonschema_rs.meta.validate(found)
        assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert found["$comment"].startswith("Version 1.")
        assert "reflect" in found["title"]


@pytest.mark.parametrize(
    "words", [(*MODEL, "q"), (*MODEL, "--no-store", "q"), (*MODEL, ""), ("--host", "127.0.0.1:9", "q")]
)
def test_reply_fits(reflect: Reflect, words: tuple[str, ...]) -> None:
    with answering_server(*ANSWERED) as server:
        value = read(reflect.at(server.host)("--json", *words))
    check_described("reply", value)


@pytest.mark.parametrize("chat", [Answer([line("<output>\nOne")]), error(500, "out of memory")])
def test_reply_that_failed_fits(reflect: Reflect, chat: Answer) -> None:
    with chat_server(chat) as server:
        value = read(reflect.at(server.host)(*MODEL, "--json", "q"))
    assert value["error"]
    check_described("reply", value)


@pytest.mark.parametrize("text", [ANSWERED, "I think 9.11.\n</thinking>\n<output>\n9.9\n</output>"])
def test_events_fit(reflect: Reflect, text: str) -> None:
    with answering_server(*text) as server:
        *events, last = map(json.loads, reflect.at(server.host)(*MODEL, "--jsonl", "q").out.splitlines())
    assert {event["event"] for event in events} == {"segment", *(["reclassified"] if text != ANSWERED else [])}
    for event in events:
        check_described("event", event)
    check("event", last)
    check_described("reply", {key: value for key, value in last.items() if key != "event"})


@pytest.mark.parametrize("fields", [(), ("--full",)])
def test_batch_records_fit(reflect: Reflect, fields: tuple[str, ...]) -> None:
    cut = Answer([line("<output>One")])
    with Echo(cut=cut) as server:
        path = input_file(reflect.home, '{"prompt": "one", "id": "a"}', '{"prompt": "cut", "id": 2}', "{}")
        found = records(reflect.at(server.host)("batch", *MODEL, *fields, "--retry", "0", path))
    assert ["error" in record for record in found] == [False, True, True]
    for record in found:
        check_described("batch-record", record)


@pytest.mark.parametrize(
    "words", [("--arms", "cot,revise,vote-3"), ("--arms", "cot,reflect", "--models", "m,gone"), ("--arms", "nothing")]
)
def test_comparison_fits(reflect: Reflect, words: tuple[str, ...]) -> None:
    def shown(request: ReceivedRequest) -> Answer:
        return error(404, "model 'gone' not found") if request.json["model"] == "gone" else show()

    with FakeServer({"/api/show": shown, "/api/tags": tags("m"), "/api/chat": reply(["Answer: 42"])}) as server:
        value = read(reflect.at(server.host)("compare", "--json", *words, "q"))
    check_described("compare", value)


def test_batch_record_with_members_of_the_input_fits(reflect: Reflect) -> None:
    with Echo() as server:
        (found,) = records(
            reflect.at(server.host)("batch", *MODEL, input_file(reflect.home, '{"prompt": "q", "gold": 7}'))
        )
    assert found["gold"] == 7
    check("batch-record", found)


def test_models_of_ollama_fit(reflect: Reflect) -> None:
    with FakeServer(routes()) as server:
        value = read(reflect.at(server.host)("models", "--json"))
    assert value[0]["loaded"]
    check_described("models", value)


def test_models_of_an_openai_server_fit(reflect: Reflect) -> None:
    with FakeServer({"/v1/models": model_list("mini", "bge-m3")}) as server:
        value = read(OpenAICommand(reflect, server.host)("models", "--json"))
    assert [one["name"] for one in value] == ["mini", "bge-m3"]
    check_described("models", value)


@pytest.mark.parametrize("words", [(), ("--no-question",)])
def test_findings_of_doctor_fit(reflect: Reflect, words: tuple[str, ...]) -> None:
    usual = {"version": whole({"version": "0.34.2"}), "tags": tags("reflection:latest"), "show": show()}
    usual |= {"ps": whole({"models": []}), "chat": reply([ANSWERED])}
    with FakeServer({f"/api/{name}": route for name, route in usual.items()}) as server:
        value = read(reflect.at(server.host)("doctor", "--json", *words))
    assert value["answers"] is (None if words else True)
    check_described("doctor", value)


def test_findings_of_doctor_without_a_server_fit(reflect: Reflect) -> None:
    value = read(reflect.at("127.0.0.1:9")("doctor", "--json"))
    assert (value["answers"], value["exit_code"]) == (False, 3)
    check_described("doctor", value)


@pytest.mark.parametrize("words", [("show", "--json"), ("export", "--format", "json")])
def test_session_document_fits(reflect: Reflect, words: tuple[str, ...]) -> None:
    (reflect.home / "notes.txt").write_text("9.11 and 9.9")
    with answering_server(*ANSWERED) as server:
        there = reflect.at(server.host)
        assert there(*MODEL, "-f", "notes.txt", "-o", "seed=1", "q").code == 0
        value = read(there("sessions", *words))
    assert [bool(turn["said"]) for turn in value["turns"]] == [False, True]
    assert value["turns"][0]["attachments"]
    check_described("session", value)


def test_statistics_of_thoughts_fit(reflect: Reflect) -> None:
    with answering_server(*ANSWERED) as server:
        there = reflect.at(server.host)
        empty = read(there("sessions", "stats", "--json"))
        assert there(*MODEL, "q").code == 0
        value = read(there("sessions", "stats", "--json"))
    assert (empty["models"], empty["all"]["replies"]) == ([], 0)
    assert [(one["model"], one["replies"]) for one in value["models"]] == [("reflection", 1)]
    for found in (empty, value):
        check_described("thought-statistics", found)


@pytest.mark.parametrize("key", ["answer", "usage", "session", "error"])
def test_reply_without_a_key_does_not_fit(reflect: Reflect, key: str) -> None:
    with answering_server(*ANSWERED) as server:
        value = read(reflect.at(server.host)(*MODEL, "--json", "q"))
    check("reply", {**value, "added": 1})
    for wrong in ({name: held for name, held in value.items() if name != key}, {**value, key: 3}):
        with pytest.raises(jsonschema_rs.ValidationError):
            check("reply", wrong)
