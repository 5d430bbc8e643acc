"""`--budget`, `--loops` and the signal that asks for the answer, by the real command."""

from __future__ import annotations

import itertools
import json
import signal
from typing import TYPE_CHECKING

import pytest

from reflectty.reasoning.governor import CLOSING_SENTENCE
from support.fake_replies import Pause
from support.fake_server import Answer, FakeServer, line, raw_reply, rendered, show, tags, unless_loading
from support.pty_screen import Screen
from support.scripted_servers import MODEL
from support.stored_replies import StoredHome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect
    from support.fake_replies import Step
    from support.fake_server import ReceivedRequest, Route, Script

LOOP = ("I add the numbers again, because the sum is wrong. ", "It is 41 and not 42, as was said before. ")


def thinks_without_end(*words: str, tagged: bool = True, pause: float = 0.002) -> FakeServer:
    """A server whose model thinks until it is stopped, and answers once its thinking is closed."""

    def steps() -> Iterator[Step]:
        yield line("<thinking>\n") if tagged else line(thinking="Hm. ")
        for word in itertools.chain((f"Step {number} of the sum. " for number in range(80)), itertools.cycle(words)):
            yield line(word) if tagged else line(thinking=word)
            yield Pause(pause)

    def chat(request: ReceivedRequest) -> Script:
        return Answer(steps) if request.json.get("stream", True) else rendered("Q: q\nA: ")

    answer = raw_reply(("It is ", "41.", "\n</output>" if tagged else ""))
    shown = show() if tagged else show(capabilities=["completion", "thinking"], template="{{ .Prompt }}<think></think>")
    name = "reflection:latest" if tagged else "qwen3:latest"
    routes: dict[str, Route] = {"/api/show": shown, "/api/tags": tags(name), "/api/chat": chat}
    return FakeServer(routes | {"/api/generate": unless_loading(answer)})


@pytest.mark.parametrize("tagged", [True, False], ids=["tags", "native"])
def test_budget_ends_an_endless_thought_with_the_answer_alone(reflect: Reflect, tagged: bool) -> None:
    model = MODEL if tagged else ("-m", "qwen3")
    with thinks_without_end("more ", tagged=tagged) as server:
        result = reflect.at(server.host)(*model, "--final", "--budget", "20", "q")
        resumed = server.asked("/api/generate")[-1].json["prompt"]

    assert (result.code, result.out, result.err) == (0, "It is 41.\n", "")
    assert CLOSING_SENTENCE in resumed
    assert "Step 18" in resumed
    assert "Step 30" not in resumed


def test_reply_says_what_ended_its_thinking(reflect: Reflect) -> None:
    with thinks_without_end("more ") as server:
        result = reflect.at(server.host)(*MODEL, "--json", "--budget", "20", "q")
    reply, said = json.loads(result.out), StoredHome(reflect.home).said
    shown = reflect("sessions", "show")

    assert (reply["governed"]["by"], reply["complete"], reply["answer"]) == ("budget", True, "It is 41.")
    assert 20 <= reply["governed"]["at"] <= 22
    assert (said.measured.ended_by, said.measured.budget) == ("budget", "20 tokens")
    assert "ended at the budget of 20 tokens" in shown.out


def test_seconds_end_a_thought(reflect: Reflect) -> None:
    with thinks_without_end("more ") as server:
        result = reflect.at(server.host)(*MODEL, "--final", "--budget", "0.3s", "q")

    assert (result.code, result.out) == (0, "It is 41.\n")


def test_loop_ends_a_thought_unasked(reflect: Reflect) -> None:
    with thinks_without_end(*LOOP) as server:
        result = reflect.at(server.host)(*MODEL, "--json", "q")
    reply = json.loads(result.out)

    assert (result.code, reply["governed"]["by"], reply["answer"]) == (0, "loop", "It is 41.")
    assert reply["thinking"].count(LOOP[0].strip()) <= 4


@pytest.mark.parametrize("setting", [False, True], ids=["option", "setting"])
def test_standing_answer_ends_a_thought(reflect: Reflect, setting: bool) -> None:
    stated = ("So the answer is 41. ", "I look at it again. ")
    with thinks_without_end(*stated) as server:
        there = reflect.at(server.host)
        if setting:
            assert there("config", "set", "until_settled", "true").code == 0
        result = there(*MODEL, "--json", "--loops", "off", *([] if setting else ["--until-settled"]), "q")
    reply = json.loads(result.out)

    assert (result.code, reply["governed"]["by"], reply["answer"]) == (0, "settled", "It is 41.")
    assert 3 <= reply["thinking"].count(stated[0].strip()) <= 5
    assert "ended: the answer stood" in reflect("sessions", "show").out


def test_signal_asks_for_the_answer(reflect: Reflect) -> None:
    words = [f"I look at the number {number} now. " for number in range(5000)]
    with (
        thinks_without_end(*words) as server,
        reflect.at(server.host).start(*MODEL, "--json", "--loops", "off", "q") as run,
    ):
        assert run.until(lambda _: server.asked("/api/chat") != [])
        result = run.signalled(signal.SIGUSR1)
    reply = json.loads(result.out)

    assert (result.code, reply["governed"]["by"], reply["answer"]) == (0, "answer_now", "It is 41.")


def test_ctrl_backslash_asks_for_the_answer_in_a_terminal(reflect: Reflect) -> None:
    words = [f"I look at the number {number} now. " for number in range(5000)]
    with thinks_without_end(*words, pause=0.02) as server, Screen(reflect.at(server.host), *MODEL, "q") as screen:
        assert screen.shows("Step 7 of the sum")
        screen.press(b"\x1c")
        assert screen.shows("ended on request")
        assert screen.shows("It is 41.")
        assert screen.finish() == 0


def test_a_loop_that_is_only_noted_names_the_key_that_ends_it(reflect: Reflect) -> None:
    with thinks_without_end(*LOOP) as server:
        with Screen(reflect.at(server.host), *MODEL, "--loops", "note", "q") as screen:
            assert screen.shows(r"it repeats itself: ctrl+\ answers now")
            screen.press(b"\x1c")
            assert screen.shows("It is 41.")
            assert screen.finish() == 0

        assert "answers now" not in screen.text


def test_batch_never_runs_away(reflect: Reflect) -> None:
    reflect.home.joinpath("questions").write_text("one\ntwo\nthree\n", "utf-8")
    with thinks_without_end("more ") as server:
        result = reflect.at(server.host)("batch", "questions", *MODEL, "--budget", "20", "--fields", "answer,governed")
    records = [json.loads(text) for text in result.out.splitlines()]

    assert result.code == 0
    assert [(record["answer"], record["governed"]["by"]) for record in records] == [("It is 41.", "budget")] * 3


def test_batch_ends_thoughts_whose_answer_stood(reflect: Reflect) -> None:
    reflect.home.joinpath("questions").write_text("one\ntwo\n", "utf-8")
    options = ("--until-settled", "--loops", "off", "--fields", "answer,governed")
    with thinks_without_end("So the answer is 41. ", "I look at it again. ") as server:
        result = reflect.at(server.host)("batch", "questions", *MODEL, *options)
    records = [json.loads(text) for text in result.out.splitlines()]

    assert [(record["answer"], record["governed"]["by"]) for record in records] == [("It is 41.", "settled")] * 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--budget", "lots"),
            "--budget 'lots' is not a budget (give tokens or a time: 2000, 2k, 30s, 2m; off for none)",
        ),
        (("--budget", "-5"), "--budget '-5' is not a budget"),
        (("--loops", "maybe"), "--loops"),
    ],
)
def test_other_values_are_refused(reflect: Reflect, words: tuple[str, ...], message: str) -> None:
    result = reflect(*words, "q")

    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1


def test_setting_has_budgets_by_model(reflect: Reflect) -> None:
    for name, budget in (("reflection", "20"), ("qwen3.5:9b", "30s"), ("low", "1")):
        assert reflect("config", "set", f"budgets.{name}", budget).code == 0
    assert reflect("config", "get", "budgets.qwen3.5:9b").out == "30s\n"
    with thinks_without_end("more ") as server:
        result = reflect.at(server.host)(*MODEL, "--json", "q")

    assert json.loads(result.out)["governed"]["by"] == "budget"


def test_signal_asks_every_arm_of_a_comparison_for_its_answer(reflect: Reflect) -> None:
    words = [f"I look at the number {number} now. " for number in range(5000)]
    command = ("compare", *MODEL, "--json", "--arms", "think,think:low", "q")
    with thinks_without_end(*words) as server, reflect.at(server.host).start(*command) as run:
        assert run.until(lambda _: len(server.asked("/api/chat")) == 2)
        result = run.signalled(signal.SIGUSR1)
    arms = json.loads(result.out)["arms"]

    assert result.code == 0
    assert [(arm["governed"]["by"], arm["answer"]) for arm in arms] == [("answer_now", "It is 41.")] * 2
