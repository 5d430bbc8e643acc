"""`reflect chat --inline`: a chat line by line, in a real terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.commands.inline import COMMANDS, complete_command, recallable
from reflectty.core.safety import clean
from support.fake_server import error, reply
from support.hostile_texts import EVERY, text_of
from support.pty_screen import Screen
from support.scripted_servers import ANSWER, ANSWERED, MODEL, answering_server, chat_server, unfinished
from support.stored_replies import StoredHome
from support.waiting import until

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import FakeServer

CHAT = ("chat", "--inline", *MODEL)


def type_line(screen: Screen, text: str) -> None:
    screen.press(text.encode() + b"\r")


def asked(server: FakeServer) -> list[list[str]]:
    """The messages of each question, without system messages."""
    requests = [one.json for one in server.asked("/api/chat") if one.json.get("stream", True)]
    return [[one["content"] for one in request["messages"] if one["role"] != "system"] for request in requests]


def test_questions_share_a_session_and_stay_in_the_scrollback(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server, Screen(reflect.at(server.host), *CHAT) as screen:
        assert screen.shows("▌")
        type_line(screen, "Which is larger?")
        assert screen.until(lambda text: text.count("▌") == 2)
        type_line(screen, "Are you sure?")
        assert screen.until(lambda text: text.count("▌") == 3)
        screen.press(b"\x04")
        code = screen.finish()
        text = "\n".join(screen.lines)

    assert code == 0
    assert asked(server) == [["Which is larger?"], ["Which is larger?", ANSWER, "Are you sure?"]]
    assert text.index("▌ Which is larger?") < text.index(ANSWER) < text.index("▌ Are you sure?")
    assert "\x1b[?1049h" not in screen.raw.decode(errors="replace")
    assert StoredHome(reflect.home).sessions[0].questions == 2


def test_commands_change_the_next_question(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server, Screen(reflect.at(server.host), *CHAT) as screen:
        assert screen.shows("▌")
        for line in ("/effort loud", "/budget much", "/sytem x", "/system Be brief.", "/mode reflect", "One?"):
            type_line(screen, line)
        assert screen.until(lambda _: len(asked(server)) == 1)
        assert screen.shows("/effort does not know 'loud'")
        assert screen.shows("/budget 'much' is not a budget")
        assert screen.shows("unknown command /sytem (did you mean /system")
        assert screen.until(lambda text: text.endswith("▌"))
        type_line(screen, "/new")
        type_line(screen, "Two?")
        assert screen.until(lambda _: len(asked(server)) == 2)
        type_line(screen, "/bye")
        assert screen.finish() == 0

    systems = [one.json["messages"][0]["content"] for one in server.asked("/api/chat")]
    assert all(system.startswith("Be brief.") for system in systems)
    assert asked(server) == [["One?"], ["Two?"]]


def test_question_of_several_lines_is_one(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server, Screen(reflect.at(server.host), *CHAT) as screen:
        assert screen.shows("▌")
        for line in ('"""Which of', "these is", 'larger?"""'):
            type_line(screen, line)
        assert screen.until(lambda _: len(asked(server)) == 1)
        type_line(screen, "/bye")
        assert screen.finish() == 0

    assert asked(server) == [["Which of\nthese is\nlarger?"]]


def test_stopped_reply_leads_back_to_the_prompt(reflect: Reflect) -> None:
    server = chat_server(unfinished("<thinking>\na\n</thinking>\n<output>\nNine "))
    with server, Screen(reflect.at(server.host), "--inline", *MODEL, "First?") as screen:
        assert screen.shows("Nine")
        screen.press(b"\x03")
        assert screen.until(lambda text: text.rstrip().endswith("▌"))
        screen.press(b"\x03")
        assert screen.shows("ctrl+d or /bye ends the chat")
        screen.press(b"\x04")
        assert screen.finish() == 0

    assert until(lambda: StoredHome(reflect.home).said.answer == "Nine")


def test_failure_is_a_line_and_the_chat_goes_on(reflect: Reflect) -> None:
    with (
        chat_server([error(400, "too warm"), reply([ANSWERED])]) as server,
        Screen(reflect.at(server.host), *CHAT) as screen,
    ):
        assert screen.shows("▌")
        type_line(screen, "One?")
        assert screen.shows("the server refused: too warm")
        type_line(screen, "Two?")
        assert screen.shows(ANSWER)
        type_line(screen, "/bye")
        assert screen.finish() == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("chat", "--inline"), "a chat line by line needs a terminal"),
        (("--inline", "--json"), "--inline and --json cannot be combined"),
        (("--inline", "--final"), "--inline and --final cannot be combined"),
        (("--inline", "--no-store"), "--inline and --no-store cannot be combined"),
    ],
)
def test_what_it_cannot_do_is_refused(reflect: Reflect, words: tuple[str, ...], message: str) -> None:
    result = reflect(*words)

    assert result.code == 2
    assert message in result.err + result.out


def test_recalled_questions_are_safe_for_the_terminal() -> None:
    hostile = tuple(text_of(case) for case in EVERY if case["expect"] == "neutralise")
    questions = ("Newest?", *hostile, "Two\n lines?", "Größer, 你好?", "")

    assert recallable(hostile) == [line for line in recallable(hostile) if clean(line) == line]
    assert [one for one in recallable(questions) if one not in recallable(hostile)] == [
        "Größer, 你好?",
        "Two lines?",
        "Newest?",
    ]
    assert not {char for line in recallable(questions) for char in line} & set("\x1b\x9b\u202e\u200b\x07")


@pytest.mark.parametrize(("text", "found"), [("/m", ["/model", "/mode"]), ("/bye", ["/bye"]), ("m", []), ("/x", [])])
def test_tab_completes_commands(text: str, found: list[str]) -> None:
    candidates = [complete_command(text, state) for state in range(len(COMMANDS) + 1)]
    assert [one for one in candidates if one] == found
