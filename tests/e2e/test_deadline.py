"""`--deadline`: the run ends with what has come, wherever it is, and the server is told to stop."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reflectty.commands.ask_options import parse_deadline
from reflectty.core.errors import UsageError
from reflectty.core.session import ReplyStatus
from support.fake_server import HANG, Answer, error
from support.scripted_servers import ANSWER, ANSWERED, MODEL, answering_server, chat_server, endless, unfinished
from support.stored_replies import StoredHome
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from support.command import Reflect

ENDED = "the deadline of 1 s ended the reply (allow more with --deadline, or reduce thinking with --effort low)"
SHORT = ("--deadline", "1")


@pytest.mark.parametrize("form", [(), ("--final",), ("--raw",)], ids=str)
def test_streaming_reply_is_ended_and_kept(reflect: Reflect, form: tuple[str, ...]) -> None:
    with chat_server(unfinished("<thinking>\nso\n</thinking>\n<output>\nNine ", "point")) as server:
        result = reflect.at(server.host)(*MODEL, *form, *SHORT, "q")
        left = server.asked("/api/chat")[0].left.wait(PATIENCE)

    said = StoredHome(reflect.home).said
    assert (result.code, result.err) == (8, f"reflect: {ENDED}\n")
    assert "Nine point" in result.out
    assert (said.answer, said.ended) == ("Nine point", ReplyStatus.INCOMPLETE)
    assert said.error == ENDED.partition(" (")[0]
    assert left


def test_reply_that_never_pauses_is_ended(reflect: Reflect) -> None:
    with chat_server(endless()) as server:
        result = reflect.at(server.host)(*MODEL, *SHORT, "q")

    assert result.code == 8
    assert result.out.startswith("line 0\nline 1\n")
    assert StoredHome(reflect.home).said.ended is ReplyStatus.INCOMPLETE


@pytest.mark.parametrize("path", ["/api/show", "/api/chat"])
def test_server_that_loads_or_waits_is_told_to_stop(reflect: Reflect, path: str) -> None:
    with answering_server(ANSWERED) as server:
        server.routes[path] = Answer([HANG])
        result = reflect.at(server.host)(*MODEL, *SHORT, "q")
        left = server.asked(path)[0].left.wait(PATIENCE)

    assert (result.code, result.out, result.err) == (8, "", f"reflect: {ENDED}\n")
    assert left


def test_wait_for_a_busy_server_is_ended(reflect: Reflect) -> None:
    busy = error(429, "slow down", **{"Retry-After": "60"})
    with chat_server(busy) as server:
        result = reflect.at(server.host)(*MODEL, "--final", *SHORT, "q")

    assert (result.code, result.out) == (8, "")
    assert result.err.endswith(f"reflect: {ENDED}\n")


def test_json_has_the_error_and_what_has_come(reflect: Reflect) -> None:
    with chat_server(unfinished("<output>\nNine ")) as server:
        result = reflect.at(server.host)(*MODEL, "--json", *SHORT, "q")

    reply = json.loads(result.out)
    assert (result.code, reply["answer"], reply["complete"]) == (8, "Nine", False)
    assert reply["error"]["exit_code"] == 8
    assert reply["error"]["message"] == ENDED.partition(" (")[0]
    assert reply["session"] == StoredHome(reflect.home).sessions[0].id


@pytest.mark.parametrize("text", ["60", "2m", "1h", "90s", "1.5m"])
def test_reply_before_the_deadline_is_complete(reflect: Reflect, text: str) -> None:
    with answering_server(ANSWERED) as server:
        result = reflect.at(server.host)(*MODEL, "--deadline", text, "--final", "q")

    assert (result.code, result.out, result.err) == (0, f"{ANSWER}\n", "")


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 0), ("90", 90), ("90s", 90), ("2m", 120), ("1h", 3600), (".5", 0.5)]
)
def test_time_is_read_with_its_unit(text: str, seconds: float) -> None:
    assert parse_deadline(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["0", "-1", "m", "2d", "soon", "nan", "inf", " ", "1e999m"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--deadline .* is not a time"):
        parse_deadline(text)
