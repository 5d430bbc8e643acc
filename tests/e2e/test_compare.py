from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from support.command import PATIENCE
from support.fake_server import HANG, Answer, FakeServer, ReceivedRequest, error, line, reply, show, tags
from support.pty_screen import Screen
from support.scripted_servers import ANSWERED, Gate

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import Script

ARMS = ("--arms", "cot,reflect")
COT = "11 is more than 9.\n\nThe answer is 9.11."


def is_asked_to_reflect(request: ReceivedRequest) -> bool:
    return "<thinking>" in str(request.json["messages"][0]["content"])


def server(cot: Script, reflect: Script, **shown: Any) -> FakeServer:
    """A server that answers the two arms in their own way, and lacks the model `gone`."""

    def chat(request: ReceivedRequest) -> Script:
        return reflect if is_asked_to_reflect(request) else cot

    def look(request: ReceivedRequest) -> Answer:
        return error(404, "model 'gone' not found") if request.json["model"] == "gone" else show(**shown)

    return FakeServer({"/api/show": look, "/api/tags": tags("m"), "/api/chat": chat})


def answering() -> FakeServer:
    return server(reply([COT]), reply([ANSWERED]))


def test_arms_stand_beside_each_other_on_a_terminal(reflect: Reflect) -> None:
    with answering() as asked, Screen(reflect.at(asked.host), "compare", *ARMS, "-m", "m", "which?") as screen:
        assert screen.finish() == 0
        text = screen.text

    assert re.search(r"^cot +reflect$", text, re.MULTILINE)
    assert re.search(r"^  11 is more than 9\. +. thought .*1 correction$|^. answered", text, re.MULTILINE)
    assert re.search(r"↺ No: 9\.9 is 9\.90\.$", text, re.MULTILINE)
    assert re.search(r"^cot +\d+ tokens · ", text, re.MULTILINE)
    assert re.search(r"^reflect +\d+ tokens · .*1 correction", text, re.MULTILINE)
    assert text.count("The answer is 9.11.") == 1


def test_both_arms_are_drawn_while_they_stream(reflect: Reflect) -> None:
    first, second = Gate(), Gate()
    chats = first.between("one", " more"), second.between("<thinking>\nuno\n", "dos\n</thinking>\n<output>due</output>")
    with server(*chats) as asked, Screen(reflect.at(asked.host), "compare", *ARMS, "-m", "m", "q") as screen:
        assert screen.shows("│ uno")
        assert screen.shows("  one")
        second.open()
        assert screen.shows("due")
        first.open()
        assert screen.finish() == 0
        assert "one more" in screen.text


def test_long_replies_are_in_the_scrollback_once_and_whole(reflect: Reflect) -> None:
    long = "".join(f"{n}. point\n" for n in range(60))
    with (
        server(reply(re.findall(r"\S+\s", long)), reply(["<output>short</output>"])) as asked,
        Screen(reflect.at(asked.host), "compare", *ARMS, "-m", "m", "q", rows=12) as screen,
    ):
        assert screen.finish() == 0
        rows = [text for text in screen.lines if re.match(r"^ *\d+\. point", text)]

    assert [int(row.split(".")[0]) for row in rows] == list(range(60))


@pytest.mark.parametrize("columns", [40, 60])
def test_arms_follow_each_other_on_a_narrow_terminal(reflect: Reflect, columns: int) -> None:
    with (
        answering() as asked,
        Screen(reflect.at(asked.host), "compare", *ARMS, "-m", "m", "q", columns=columns) as screen,
    ):
        assert screen.finish() == 0
        lines = [text for text in screen.lines if text]

    assert (
        lines.index("cot")
        < lines.index("  The answer is 9.11.")
        < lines.index("reflect")
        < lines.index("  9.9 is larger.")
    )
    assert max(map(len, lines)) < columns


def test_resized_terminal_shows_everything_once_at_the_end(reflect: Reflect) -> None:
    gate = Gate()
    chats = gate.between("alpha beta gamma delta epsilon", " zeta\n"), reply(["<output>short</output>"])
    with (
        server(*chats) as asked,
        Screen(reflect.at(asked.host), "compare", *ARMS, "-m", "m", "q", columns=120) as screen,
    ):
        assert screen.shows("epsilon")
        screen.resize(80, 24)
        gate.open()
        assert screen.finish() == 0
        assert "zeta" in screen.text
        assert screen.text.count("alpha") == 1


def test_terminal_that_cannot_redraw_gets_one_arm_after_the_other(reflect: Reflect) -> None:
    with answering() as asked, Screen(reflect.at(asked.host), "compare", *ARMS, "-m", "m", "q", TERM="dumb") as screen:
        assert screen.finish() == 0
        assert b"\x1b" not in screen.raw
        assert screen.text.index("The answer is 9.11.") < screen.text.index("9.9 is larger.")


def test_ctrl_c_keeps_what_has_come_of_every_arm(reflect: Reflect) -> None:
    chats = Answer([line("One, two"), HANG]), Answer([line("<thinking>\nUno, dos\n"), HANG])
    with server(*chats) as asked, Screen(reflect.at(asked.host), "compare", *ARMS, "-m", "m", "q") as screen:
        assert screen.shows("Uno, dos")
        assert screen.shows("One, two")
        screen.press(b"\x03")
        assert screen.finish() == 130
        assert re.search(r"One, two", screen.text)
        assert re.search(r"^reflect +.*stopped$", screen.text, re.MULTILINE)
        assert not screen.cursor_hidden
        assert all(request.left.wait(PATIENCE) for request in asked.asked("/api/chat"))


def test_pipe_gets_a_heading_and_the_answer_of_each_arm_and_their_figures(reflect: Reflect) -> None:
    with answering() as asked:
        result = reflect.at(asked.host)("compare", *ARMS, "-m", "m", "which?")

    head = f"## cot\n\n{COT}\n\n## reflect\n\n9.9 is larger.\n\n"
    assert result.code == 0
    assert result.out.startswith(head)
    assert re.fullmatch(
        r"cot      66 tokens · 2 s\nreflect  66 tokens · 2 s · 1 correction( .*)?\n(.*\n)?",
        result.out.removeprefix(head),
    )
    assert result.err == ""


def test_arm_that_fails_is_reported_and_the_exit_code_is_its_own(reflect: Reflect) -> None:
    with server(error(500, "out of memory"), reply([ANSWERED])) as asked:
        result = reflect.at(asked.host)("compare", *ARMS, "-m", "m", "q")

    assert result.code == 4
    assert "reflect: cot: " in result.err
    assert "out of memory" in result.err
    assert "9.9 is larger." in result.out


def test_model_that_is_missing_leaves_the_other_to_answer(reflect: Reflect) -> None:
    with answering() as asked:
        result = reflect.at(asked.host)("compare", "--json", "--arms", "cot", "--models", "gone,m", "q")
    missing, other = json.loads(result.out)["arms"]

    assert result.code == 4
    assert "gone" in missing["error"]["message"]
    assert (other["arm"], other["answer"], other["error"]) == ("cot@m", COT, None)


def test_default_is_step_by_step_against_what_the_model_does_by_itself(reflect: Reflect) -> None:
    with server(reply(["9.9"], ["Hm."]), reply([]), capabilities=["completion", "thinking"]) as asked:
        value = json.loads(reflect.at(asked.host)("compare", "--json", "-m", "m", "q").out)

    assert [(arm["arm"], arm["mode"]) for arm in value["arms"]] == [("cot", "direct"), ("think", "native")]


def test_question_comes_with_stdin_files_template_and_system_prompt(reflect: Reflect) -> None:
    (reflect.home / "notes.txt").write_text("the notes")
    with answering() as asked:
        result = reflect.at(asked.host)(
            *("compare", *ARMS, "-m", "m", "-f", "notes.txt", "-s", "Be brief.", "-o", "seed=4", "what?"),
            stdin=b"piped",
        )
        requests = [request.json for request in asked.asked("/api/chat")]

    assert result.code == 0
    for request in requests:
        text = request["messages"][-1]["content"]
        assert text.index("the notes") < text.index("piped") < text.index("what?")
        assert "Be brief." in request["messages"][0]["content"]
        assert request["options"]["seed"] == 4


def test_replies_are_saved_as_branches_of_one_question(reflect: Reflect) -> None:
    with answering() as asked:
        value = json.loads(reflect.at(asked.host)("compare", "--json", *ARMS, "-m", "m", "which?").out)
    exported = json.loads(reflect("sessions", "export", "--format", "json", value["session"]).out)
    question, *replies = exported["turns"]

    assert question["text"] == "which?"
    assert sorted((turn["label"], turn["parent"]) for turn in replies) == [
        ("cot", question["id"]),
        ("reflect", question["id"]),
    ]


def test_nothing_is_saved_with_no_store(reflect: Reflect) -> None:
    with answering() as asked:
        value = json.loads(reflect.at(asked.host)("compare", "--json", "--no-store", *ARMS, "-m", "m", "q").out)

    assert value["session"] is None
    assert reflect("sessions", "list", "--json").out.strip() in ("", "[]")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--final", "q"), "a comparison has no single final answer (--json has the answer of each arm)"),
        (("--arms", "cot", "q"), "there is nothing to compare cot with"),
        (("--arms", "cot,fast", "q"), "no arm 'fast'"),
        (("--arms", "cot:low,think", "q"), "it takes no effort"),
        (("--models", "a,b", "-m", "c", "q"), "--models and --model cannot be combined"),
        ((), "no question given"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_hint(reflect: Reflect, words: tuple[str, ...], reason: str) -> None:
    with answering() as asked:
        result = reflect.at(asked.host)("compare", *words)
        assert not asked.asked("/api/chat")

    assert result.code == 2
    assert reason in result.err


def test_deadline_ends_the_arms_that_are_late(reflect: Reflect) -> None:
    with server(Answer([line("One"), HANG]), reply([ANSWERED])) as asked:
        result = reflect.at(asked.host)("compare", *ARMS, "-m", "m", "--deadline", "0.5", "q")

    assert result.code == 8
    assert "reflect: cot: the deadline of 0.5 s ended the reply" in result.err
    assert "9.9 is larger." in result.out


def test_json_of_a_server_that_is_not_there_is_one_object(reflect: Reflect) -> None:
    result = reflect("compare", "--json", "--host", "127.0.0.1:9", *ARMS, "q")
    value = json.loads(result.out)

    assert result.code == 3
    assert value["arms"] == []
    assert value["error"]["exit_code"] == 3


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_note_that_every_arm_has_is_written_once(reflect: Reflect, words: tuple[str, ...]) -> None:
    chats = {"/api/chat": reply(["42"]), "/api/tags": tags("m:cloud")}
    remote = show(remote_host="https://ollama.com", remote_model="m")
    with FakeServer({"/api/show": remote, **chats}) as asked:
        result = reflect.at(asked.host)("compare", *words, *ARMS, "-m", "m:cloud", "q")

    assert result.code == 0
    assert result.err.count("ollama.com") == 1
