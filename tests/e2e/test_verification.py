"""`--verify`: a draft, questions that check it, an answer to each without the draft, and the final answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.fake_server import HANG, Answer, error, reply
from support.json_schemas import check_described
from support.pty_screen import Screen
from support.scripted_servers import MODEL, Gate
from support.several_replies import CUT, server_of, tagged
from support.stored_replies import StoredHome

if TYPE_CHECKING:
    from support.command import Reflect

DRAFT = "Born in Ulm in 1897."
FINAL = "Born in Ulm in 1879."
PLAN = "1. When was Einstein born?\n2. Where was he born?"
REPLIES = (DRAFT, PLAN, "1879", "in Ulm", FINAL)
VERIFY = (*MODEL, "--verify")


def contents(request: Any) -> list[str]:
    """The messages of a request, without a system prompt."""
    return [message["content"] for message in request.json["messages"] if message["role"] != "system"]


def test_final_answer_is_printed_and_the_checks_are_told(reflect: Reflect) -> None:
    with server_of(*REPLIES) as server:
        shown = reflect.at(server.host)(*VERIFY, "When was Einstein born?")
    with server_of(*REPLIES) as server:
        final = reflect.at(server.host)(*VERIFY, "--final", "When was Einstein born?")

    assert (shown.code, shown.out) == (0, f"{FINAL}\n")
    assert shown.err.splitlines() == [
        "reflect: check: When was Einstein born? 1879",
        "reflect: check: Where was he born? in Ulm",
        f"reflect: - {DRAFT}",
        f"reflect: + {FINAL}",
        "reflect: 2 checks · 330 tokens · the answer changed",
    ]
    assert (final.code, final.out, final.err) == (0, f"{FINAL}\n", "")


def test_checks_never_see_the_draft(reflect: Reflect) -> None:
    material = "Albert Einstein, physicist.\nWhen was he born?"
    with server_of(*REPLIES) as server:
        reflect.at(server.host)(*VERIFY, "When was Einstein born?")
        draft, plan, *checks, last = map(contents, server.chatted())
    with server_of(*REPLIES) as server:
        reflect.at(server.host)(*VERIFY, material)
        below_material = contents(server.chatted()[2])

    assert draft == ["When was Einstein born?"]
    assert plan[:2] == ["When was Einstein born?", DRAFT]
    assert checks == [["When was Einstein born?"], ["Where was he born?"]]
    assert last[:2] == ["When was Einstein born?", DRAFT]
    assert "1. When was Einstein born?\n1879" in last[2]
    assert "2. Where was he born?\nin Ulm" in last[2]
    assert len(below_material) == 1
    assert below_material[0].startswith(material)
    assert below_material[0].endswith("When was Einstein born?")


def test_draft_that_stands_is_no_change(reflect: Reflect) -> None:
    with server_of(FINAL, PLAN, "1879", "in Ulm", f"{FINAL}\n") as server:
        result = reflect.at(server.host)(*VERIFY, "q")

    assert (result.code, result.out) == (0, f"{FINAL}\n")
    assert result.err.splitlines()[-1] == "reflect: 2 checks · 330 tokens · the draft stands"


def test_without_questions_the_draft_is_the_answer(reflect: Reflect) -> None:
    with server_of(DRAFT, "It is fine.") as server:
        result = reflect.at(server.host)(*VERIFY, "--final", "q")

    assert (result.code, result.out) == (0, f"{DRAFT}\n")
    assert result.err == "reflect: the model found nothing to check: this is the draft\n"


@pytest.mark.parametrize(
    ("replies", "code", "requests"),
    [
        ((CUT,), 5, 1),
        ((DRAFT, CUT), 5, 2),
        ((DRAFT, PLAN, CUT, CUT), 5, 4),
        ((DRAFT, PLAN, error(500, "out of memory")), 4, 3),
        ((DRAFT, PLAN, "1879", "in Ulm", CUT), 5, 5),
    ],
    ids=str,
)
def test_what_is_not_verified_is_not_printed(reflect: Reflect, replies: Any, code: int, requests: int) -> None:
    with server_of(*replies) as server:
        result = reflect.at(server.host)(*VERIFY, "--final", "q")
        asked = len(server.chatted())
    leaf, turns = StoredHome(reflect.home).sessions[0].leaf, StoredHome(reflect.home).turns

    assert (result.code, result.out) == (code, "")
    assert asked >= requests
    assert leaf == turns[1].id


def test_check_that_fails_is_left_out(reflect: Reflect) -> None:
    with server_of(DRAFT, PLAN, CUT, "in Ulm", FINAL) as server:
        result = reflect.at(server.host)(*VERIFY, "q")
        last = contents(server.chatted()[-1])[-1]

    assert (result.code, result.out) == (0, f"{FINAL}\n")
    assert "check: When was Einstein born? the thinking was cut off at the token limit" in result.err
    assert "1. Where was he born?\nin Ulm" in last


def test_json_has_the_draft_and_its_checks(reflect: Reflect) -> None:
    with server_of(*REPLIES) as server:
        value = json.loads(reflect.at(server.host)(*VERIFY, "--json", "q").out)

    check_described("reply", value)
    assert (value["answer"], value["samples"], value["vote"]) == (FINAL, None, None)
    assert value["verification"] == {
        "draft": DRAFT,
        "checks": [
            {"question": "When was Einstein born?", "answer": "1879", "error": None},
            {"question": "Where was he born?", "answer": "in Ulm", "error": None},
        ],
        "changed": True,
        "tokens": 330,
    }


def test_session_has_draft_and_final_answer_and_goes_on_from_this(reflect: Reflect) -> None:
    with server_of(*REPLIES, "next") as server:
        here = reflect.at(server.host)
        here(*VERIFY, "q")
        stored = StoredHome(reflect.home)
        here(*MODEL, "-c", "and then?")
        sent = contents(server.chatted()[-1])

    assert [turn.said.answer for turn in stored.turns if turn.said] == [DRAFT, FINAL]
    assert stored.said.warnings == (
        "check: When was Einstein born? 1879",
        "check: Where was he born? in Ulm",
        "2 checks · 330 tokens · the answer changed",
    )
    assert stored.turns[0].text == "q"
    assert sent == ["q", FINAL, "and then?"]


def test_earlier_turns_are_in_view_of_the_checks_and_the_draft_is_not(reflect: Reflect) -> None:
    with server_of("first", *REPLIES) as server:
        here = reflect.at(server.host)
        here(*MODEL, "one?")
        result = here(*VERIFY, "-c", "--final", "two?")
        _, draft, _, check, _, last = map(contents, server.chatted())

    assert result.out == f"{FINAL}\n"
    assert draft == ["one?", "first", "two?"]
    assert check == ["one?", "first", "When was Einstein born?"]
    assert last[:4] == ["one?", "first", "two?", DRAFT]


def test_schema_holds_for_draft_and_final_answer_alone(reflect: Reflect) -> None:
    replies = (reply(['{"year": 1897}']), reply([PLAN]), reply(["1879"]), reply(["in Ulm"]), reply(['{"year": 1879}']))
    words = ("-m", "m", "--mode", "direct", "--verify", "--final", "--schema", "year int", "q")
    with server_of(*replies) as server:
        result = reflect.at(server.host)(*words)
        formats = ["format" in request.json for request in server.chatted()]

    assert (result.code, json.loads(result.out)) == (0, {"year": 1879})
    assert formats == [True, False, False, False, True]


def test_deadline_holds_for_all_requests(reflect: Reflect) -> None:
    with server_of(DRAFT, PLAN, Answer([HANG])) as server:
        result = reflect.at(server.host)(*VERIFY, "--final", "--deadline", "1", "q")

    assert (result.code, result.out) == (8, "")
    assert result.err.startswith("reflect: the deadline of 1 s ended the verification")


class TestOnATerminal:
    def test_draft_checks_and_final_answer_follow_each_other(self, reflect: Reflect) -> None:
        gate = Gate()
        plan = gate.between("<output>\n", f"{PLAN}\n</output>")
        with (
            server_of(tagged(DRAFT, "first"), plan, "1879", "in Ulm", tagged(FINAL, "last")) as server,
            Screen(reflect.at(server.host), *VERIFY, "q") as screen,
        ):
            assert screen.shows("what to check")
            assert DRAFT in screen.text
            gate.open()
            assert screen.finish() == 0
            lines = [line.strip() for line in screen.lines if line]

        wanted = ["│ first", DRAFT, "check: When was Einstein born? 1879", "│ last", FINAL, f"+ {FINAL}"]
        assert [line for line in lines if line in wanted] == wanted
        assert lines[-1] == "2 checks · 330 tokens · the answer changed"
        assert "what to check" not in screen.text
