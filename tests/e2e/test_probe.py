"""`reflect probe` of a stored reply, by the real command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reflectty.evaluation.records import ProbeRecord, decode_line
from support.fake_server import LOADED, FakeServer, error, raw_reply, rendered, reply, show, tags
from support.json_schemas import check_described
from support.pty_screen import Screen
from support.scripted_servers import ANSWER, ANSWERED, MODEL
from support.solver import sums

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import ReceivedRequest, Route, Script

PROMPT = "Q: q\nA: "
TWICE = ANSWERED.replace("So 9.9.", "So 9.9.\n<reflection>\nI check: 9.90.\n</reflection>")
BEFORE = f"{PROMPT}<thinking>\n11 is more than 9, so 9.11."
BEHIND = f"{BEFORE}\n<reflection>\nNo: 9.9 is 9.90.\n</reflection>"


def thinker(first: str = ANSWERED) -> FakeServer:
    """A server whose model answers 9.9 once it has corrected itself, and 9.11 otherwise."""

    def chat(request: ReceivedRequest) -> Script:
        return reply([first]) if request.json.get("stream", True) else rendered(PROMPT)

    def generate(request: ReceivedRequest) -> Script:
        if "prompt" not in request.json:
            return LOADED
        answer = ANSWER if "<reflection>" in request.json["prompt"] else "9.11 is larger."
        return raw_reply([f"\n</thinking>\n<output>\n{answer}\n</output>"])

    routes: dict[str, Route] = {"/api/show": show(), "/api/tags": tags("reflection:latest"), "/api/chat": chat}
    return FakeServer(routes | {"/api/generate": generate})


def test_only_correction_of_the_last_reply_is_probed(reflect: Reflect) -> None:
    with thinker() as server:
        run = reflect.at(server.host)
        assert run(*MODEL, "-o", "temperature=0.5", "Which is larger?").code == 0
        result = run("probe", "-n", "3")
        asked = server.generated()

    assert result.code == 0
    assert "changed the answer in 3 of 3" in result.out
    assert "probing correction 1: 6 continuations of about" in result.err
    assert sorted(request.json["prompt"] for request in asked) == [BEFORE] * 3 + [BEHIND] * 3
    assert sorted(request.json["options"]["seed"] for request in asked) == [0, 0, 1, 1, 2, 2]
    assert {request.json["options"]["temperature"] for request in asked} == {0.5}
    assert "→ changed the answer in 3 of 3" in reflect("sessions", "show").out


def test_second_thought_in_a_field_of_its_own_is_probed_in_the_tags_of_the_model(reflect: Reflect) -> None:
    thought = "I add 3 and 4. That is 8. Then 8 times 2 is 16. Wait, that is wrong: 3 and 4 is 7. So 14."

    def chat(request: ReceivedRequest) -> Script:
        return reply(["14"], [thought]) if request.json.get("stream", True) else rendered(f"{PROMPT}<think>\n")

    def generate(request: ReceivedRequest) -> Script:
        if "prompt" not in request.json:
            return LOADED
        return raw_reply(["\n</think>\n\n", "14" if "Wait" in request.json["prompt"] else "16"])

    shown = show(capabilities=["completion", "thinking"], template="{{ .Prompt }}<think></think>")
    routes: dict[str, Route] = {"/api/show": shown, "/api/tags": tags("qwen3:latest"), "/api/chat": chat}
    with FakeServer(routes | {"/api/generate": generate}) as server:
        run = reflect.at(server.host)
        run("-m", "qwen3", "How much?")
        result = run("probe", "-n", "2", "--answer", "14")
        prompts = {request.json["prompt"] for request in server.generated()}

    before = f"{PROMPT}<think>\nI add 3 and 4. That is 8. Then 8 times 2 is 16."
    assert prompts == {before, f"{before} Wait, that is wrong: 3 and 4 is 7."}
    assert "changed the answer in 2 of 2, towards right in 2" in result.out


def test_json_of_all_corrections_fits_its_schema(reflect: Reflect) -> None:
    with thinker(TWICE) as server:
        run = reflect.at(server.host)
        run(*MODEL, "one")
        run(*MODEL, "-c", "two")
        result = run("probe", "--turn", "1", "--all", "-n", "2", "--answer", "9.9 is larger", "--json")
    value = json.loads(result.out)

    check_described("probe", value)
    assert value["turn"] == 1
    assert [found["text"] for found in value["probes"]] == ["No: 9.9 is 9.90.", "I check: 9.90."]
    assert [found["changed"] for found in value["probes"]] == [2, 0]
    assert [found["towards_right"] for found in value["probes"]] == [2, 0]
    assert [found["right"] for found in value["probes"]] == [True, True]


@pytest.mark.parametrize(
    ("text", "words", "code", "says"),
    [
        ("<output>\nyes\n</output>", (), 2, "the reply has no correction to probe"),
        (ANSWERED, ("--correction", "2"), 2, "the reply has 1 correction"),
        (ANSWERED, ("--turn", "2"), 2, "has 1 question"),
        (ANSWERED, ("--all", "--correction", "1"), 2, "cannot be combined"),
        (ANSWERED, ("nothing",), 2, "there is no session 'nothing'"),
        (ANSWERED, ("-m", "absent"), 4, "absent is not installed"),
    ],
)
def test_what_cannot_be_probed_is_refused_before_a_continuation(
    reflect: Reflect, text: str, words: tuple[str, ...], code: int, says: str
) -> None:
    with thinker(text) as server:
        run = reflect.at(server.host)
        run(*MODEL, "Which is larger?")
        if "absent" in words:
            server.routes["/api/show"] = error(404, "model 'absent' not found")
        result = run("probe", *words)
        assert server.generated() == []
    assert (result.code, result.out) == (code, "")
    assert says in result.err


def test_run_probes_corrections_of_its_replies_and_reports_them(reflect: Reflect) -> None:
    said = (
        "<thinking>\nIt is 7.\n<reflection>\nNo, I add again.\n</reflection>\nSo.\n</thinking>\n<output>\nAnswer: {}\n"
    )

    def chat(request: ReceivedRequest) -> Script:
        return reply([said.format(1)]) if request.json.get("stream", True) else rendered(PROMPT)

    def generate(request: ReceivedRequest) -> Script:
        if "prompt" not in request.json:
            return LOADED
        answer = 1 if "<reflection>" in request.json["prompt"] else 7
        return raw_reply([f"\n</thinking>\n<output>\nAnswer: {answer}\n</output>"])

    name = sums(reflect.home, 3)
    routes: dict[str, Route] = {"/api/show": show(), "/api/tags": tags("reflection:latest"), "/api/chat": chat}
    with FakeServer(routes | {"/api/generate": generate}) as server:
        run = reflect.at(server.host)
        result = run("eval", "run", name, *MODEL, "--arms", "think", "--output", "run.jsonl", "--probe", "2")
        assert len(server.generated()) == 2 * 2 * 5
        again = run("eval", "run", "--resume", "run.jsonl", "--probe", "3")
        assert len(server.generated()) == 3 * 2 * 5

    assert (result.code, again.code) == (0, 0)
    found = [decode_line(line) for line in (reflect.home / "run.jsonl").read_bytes().splitlines()]
    probes = {probe.item: probe for probe in found if isinstance(probe, ProbeRecord)}
    assert {item: (probe.changed, probe.compared) for item, probe in probes.items()} == dict.fromkeys(
        ("s0", "s1", "s2"), (5, 5)
    )
    assert [probes[item].towards_right for item in ("s0", "s1", "s2")] == [5, 0, 0]
    assert "2 corrections probed" in result.err
    assert "corrections probed" in again.out


@pytest.mark.process
def test_terminal_lists_several_corrections_and_asks_before_it_probes_one(reflect: Reflect) -> None:
    with thinker(TWICE) as server:
        run = reflect.at(server.host)
        run(*MODEL, "Which is larger?")
        with Screen(run, "probe") as screen:
            assert screen.finish() == 0
            assert "I check: 9.90." in screen.text
            assert "--correction N" in screen.text
        with Screen(run, "probe", "--correction", "1") as screen:
            assert screen.shows("Go on? [y/N]")
            screen.press(b"n\n")
            assert screen.finish() == 1
        assert server.generated() == []
        with Screen(run, "probe", "--correction", "1", "-n", "4") as screen:
            assert screen.shows("Go on? [y/N]")
            screen.press(b"y\n")
            assert screen.finish() == 0
            assert "changed the answer in 4 of 4" in screen.text
