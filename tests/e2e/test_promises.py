"""Each promise to users, tried on a real process: the question, the exit code, stdout and stderr."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, NamedTuple

import pytest

from support.fake_server import HANG, Answer, FakeServer, Raw, error, line, reply, show, tags, whole
from support.scripted_servers import ANSWER, ANSWERED, MODEL, answering_server, chat_server, unfinished
from support.stored_replies import StoredHome

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import Route

pytestmark = pytest.mark.process

NO_MODEL = error(404, "model 'reflection' not found")
NUMBER = '{"type": "integer"}'


class Promise(NamedTuple):
    """A question to a server, and the result it must have."""

    name: str
    words: tuple[str, ...]
    chat: Route
    code: int
    out: str
    says: str = ""
    """A part of the only line on stderr; stderr is empty where this is empty."""
    stdin: bytes = b""


PROMISES = (
    # Streams: stdout is the answer; --final writes nothing else, --json writes one object.
    Promise("the answer is on stdout", ("q",), reply([ANSWERED]), 0, f"{ANSWER}\n"),
    Promise("final is the answer and nothing else", ("--final", "q"), reply([ANSWERED]), 0, f"{ANSWER}\n"),
    # stdin: material first, the instruction last (what is sent: test_stdin).
    Promise("a pipe is read", ("--final", "sum up"), reply([ANSWERED]), 0, f"{ANSWER}\n", stdin=b"some text\n"),
    # Exit codes. 1 is in test_chat_signals, 6 in test_signals and below, 129, 130, 141 and 143 in test_signals.
    Promise("0 is a complete answer", ("q",), reply([ANSWERED]), 0, f"{ANSWER}\n"),
    Promise("2 is a wrong use", ("--modle", "x", "q"), reply([ANSWERED]), 2, "", "--model"),
    Promise("3 is no server", ("--host", "127.0.0.1:9", "q"), reply([ANSWERED]), 3, "", "cannot reach"),
    Promise("4 is a refusal", ("q",), error(400, "no such thing"), 4, "", "no such thing"),
    Promise("5 is a cut answer", ("q",), reply(["<output>\nOne"], reason="length"), 5, "One\n", "token limit"),
    Promise("5 is no answer", ("q",), reply([]), 5, "", "reflect: "),
    Promise("7 is an answer that does not fit", ("--schema", NUMBER, "--mode", "direct", "q"), reply(["x"]), 7, "", "JSON"),
    Promise(
        "8 is a deadline", ("--deadline", "2", "q"), unfinished("<output>\nOne\n"), 8, "One\n", "the deadline of 2 s"
    ),
    # No surprises.
    Promise("no redirect is followed", ("q",), whole({}, 307, Location="http://127.0.0.1:9/"), 4, "", "127.0.0.1:9"),
    Promise("no model is pulled", ("q",), NO_MODEL, 4, "", "reflect models pull"),
    # Nothing injected.
    Promise("no control byte comes out", ("-q", "q"), reply(["<output>a\x1b[2Jb</output>"]), 0, "a^[[2Jb\n"),
    Promise("no control byte of an error", ("q",), error(400, "no\x1b[2J"), 4, "", "no^[[2J"),
)  # fmt: skip


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
def test_question_has_the_promised_output_and_exit_code(reflect: Reflect, promise: Promise) -> None:
    with chat_server(promise.chat) as server:
        result = reflect.at(server.host)(*MODEL, *promise.words, stdin=promise.stdin)

    assert (result.code, result.out) == (promise.code, promise.out)
    assert len(result.err.splitlines()) == bool(promise.says)
    assert promise.says in result.err


def test_prompt_is_not_truncated_and_no_other_model_is_asked(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        assert reflect.at(server.host)(*MODEL, "q", HTTP_PROXY="http://127.0.0.1:9").code == 0
    body = server.asked("/api/chat")[0].json

    assert (body["model"], body["truncate"], body["shift"]) == ("reflection", False, False)
    assert "/api/pull" not in {asked.path for asked in server.requests}


def test_json_object_holds_every_part(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        result = reflect.at(server.host)(*MODEL, "--json", "q")
    value = json.loads(result.out)

    assert (result.code, result.err) == (0, "")
    assert (value["answer"], value["reflections"], value["complete"]) == (ANSWER, ["No: 9.9 is 9.90."], True)


def test_full_disk_exits_with_6(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        result = reflect.at(server.host).shell("reflect -m reflection q >/dev/full")

    assert (result.code, len(result.err.splitlines())) == (6, 1)


def test_interrupted_question_is_saved(reflect: Reflect) -> None:
    with chat_server(Answer([line("<output>One"), HANG])) as server:
        with reflect.at(server.host).start(*MODEL, "q") as run:
            assert run.says("One")
            result = run.signalled(signal.SIGTERM)
        session = json.loads(reflect("sessions", "show", "--json", StoredHome(reflect.home).sessions[0].id).out)

    assert (result.code, result.out) == (143, "One\n")
    assert [turn["text"] for turn in session["turns"]] == ["q", ""]


@pytest.mark.parametrize("command", ["models", "sessions", "doctor"])
def test_commands_without_a_question_exit_with_0(reflect: Reflect, command: str) -> None:
    routes = {"/api/show": show(), "/api/tags": tags("reflection:latest"), "/api/ps": whole({"models": []})}
    with FakeServer({**routes, "/api/version": whole({"version": "0.32.15"})}) as server:
        words = (command, *(("--no-question",) if command == "doctor" else ()))
        result = reflect.at(server.host)(*words)

    assert result.code == 0


def test_silent_server_times_out(reflect: Reflect) -> None:
    with chat_server(Raw([HANG])) as server:
        result = reflect.at(server.host)(*MODEL, "--timeout", "first=3", "q")

    assert (result.code, result.out, len(result.err.splitlines())) == (5, "", 1)


def test_jsonl_prints_text_before_the_reply_ends(reflect: Reflect) -> None:
    with (
        chat_server(unfinished("<output>\nOne")) as server,
        reflect.at(server.host).start(*MODEL, "--jsonl", "q") as run,
    ):
        assert run.says("One")
