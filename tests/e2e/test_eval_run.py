"""`reflect eval run`: every question in every arm, recorded at once, graded, and continued after any stop."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from support.fake_replies import RESET, Answer, done, line
from support.solver import MODEL, Solver, has_thought, is_review, results_in, sums
from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect, Result

ASK = ("-m", MODEL, "--output", "run.jsonl")


def evaluate(reflect: Reflect, server: Solver, *words: str) -> Result:
    return reflect.at(server.host)("eval", "run", *words)


def verdicts(folder: Path) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for result in results_in(folder / "run.jsonl"):
        key = result["item"], result["arm"]
        assert key not in found or found[key] == "error"
        found[key] = result["grade"]["verdict"]
    return found


def test_every_question_is_asked_in_every_arm_and_graded(reflect: Reflect) -> None:
    name = sums(reflect.home, 4)
    with Solver(lambda asked, right: right if has_thought(asked) else right + right % 2) as server:
        result = evaluate(reflect, server, name, "--arms", "cot,think", *ASK)

    assert result.code == 0, result.err
    assert verdicts(reflect.home) == {
        (f"s{at}", arm): "right" if arm == "think" or at % 2 else "wrong" for at in range(4) for arm in ("cot", "think")
    }
    assert "50" in result.out
    assert "100" in result.out


def test_the_plan_is_shown_first_and_a_plan_alone_asks_nothing(reflect: Reflect) -> None:
    name = sums(reflect.home, 40)
    with Solver() as server:
        result = evaluate(reflect, server, name, "--arms", "cot,revise", "--plan", *ASK)
        assert server.asked("/api/chat") == []

    assert result.code == 0
    assert "40 questions of sums in 2 ways (cot, revise)" in result.err
    assert "80 answers to ask" in result.err
    assert not (reflect.home / "run.jsonl").exists()


def test_a_revision_is_two_turns_and_its_draft_is_the_first(reflect: Reflect) -> None:
    name = sums(reflect.home, 2)
    with Solver(lambda asked, right: right if is_review(asked) else 0) as server:
        assert evaluate(reflect, server, name, "--arms", "cot,revise", *ASK).code == 0

    revised = [result for result in results_in(reflect.home / "run.jsonl") if result["arm"] == "revise"]
    assert [(one["draft"]["verdict"], one["grade"]["verdict"], len(one["steps"])) for one in revised] == [
        ("wrong", "right", 2)
    ] * 2


def test_bare_questions_have_no_instructions_and_stay_bare_on_resuming(reflect: Reflect) -> None:
    name = sums(reflect.home, 2)
    path = reflect.home / "run.jsonl"
    with Solver() as server:
        assert evaluate(reflect, server, name, "--arms", "cot", "--bare", "--jobs", "1", *ASK).code == 0
        path.write_bytes(path.read_bytes()[:-40])
        assert evaluate(reflect, server, "--resume", "run.jsonl", "--jobs", "1").code == 0

    assert server.prompts == ["What is 0 + 1?", "What is 1 + 1?", "What is 1 + 1?"]


def test_a_vote_takes_the_most_frequent_answer(reflect: Reflect) -> None:
    name = sums(reflect.home, 1)
    with Solver(lambda asked, right: right if asked.json["options"]["seed"] % 2 else 7) as server:
        assert evaluate(reflect, server, name, "--arms", "vote-3", "--seed", "1", *ASK).code == 0

    (result,) = results_in(reflect.home / "run.jsonl")
    assert len(result["steps"]) == 3
    assert result["grade"]["verdict"] == "right"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_a_stopped_run_continues_without_asking_anything_twice(reflect: Reflect, number: signal.Signals) -> None:
    name = sums(reflect.home, 6)
    path = reflect.home / "run.jsonl"
    with Solver() as server:
        server.room = 5
        words = ("eval", "run", name, "--arms", "cot,think", "--jobs", "1", *ASK)
        with reflect.at(server.host).start(*words) as run:
            assert until(lambda: path.exists() and len(results_in(path)) == 5)
            stopped = run.signalled(number)
    with Solver() as later:
        result = evaluate(reflect, later, "--resume", "run.jsonl", "--jobs", "1")

    assert stopped.code == (130 if number is signal.SIGINT else -signal.SIGKILL)
    if number is signal.SIGINT:
        assert "stopped: 5 of 12 answers are kept; reflect eval run --resume run.jsonl continues" in stopped.err
    assert result.code == 0, result.err
    assert len(later.prompts) == 7
    assert verdicts(reflect.home) == {(f"s{at}", arm): "right" for at in range(6) for arm in ("cot", "think")}


def test_a_torn_line_is_asked_again(reflect: Reflect) -> None:
    name = sums(reflect.home, 2)
    path = reflect.home / "run.jsonl"
    with Solver() as server:
        evaluate(reflect, server, name, "--arms", "cot", *ASK)
        path.write_bytes(path.read_bytes()[:-40])
        result = evaluate(reflect, server, "--resume", "run.jsonl")

    assert result.code == 0
    assert verdicts(reflect.home) == {("s0", "cot"): "right", ("s1", "cot"): "right"}
    assert len(server.prompts) == 3


def test_a_run_of_another_digest_is_not_continued(reflect: Reflect) -> None:
    name = sums(reflect.home, 2)
    with Solver() as server:
        evaluate(reflect, server, name, "--arms", "cot", *ASK)
    with Solver(digest="b" * 64) as server:
        result = evaluate(reflect, server, "--resume", "run.jsonl")

    assert result.code == 2
    assert "another version than when the run began" in result.err
    assert server.prompts == []


def test_a_reply_cut_by_the_token_limit_is_unfinished_and_not_asked_again(reflect: Reflect) -> None:
    name = sums(reflect.home, 1)
    with Solver() as server:
        server.special["What is 0"] = Answer([line("I add 0 and"), line("", **done("length"))])
        result = evaluate(reflect, server, name, "--arms", "cot", *ASK)

    assert result.code == 0
    assert verdicts(reflect.home) == {("s0", "cot"): "unfinished"}
    assert len(server.prompts) == 1


def test_a_reply_that_goes_in_circles_is_a_runaway_and_no_error(reflect: Reflect) -> None:
    name = sums(reflect.home, 1)
    circles = b'{"error":"prediction aborted, token repeat limit reached"}\n'
    with Solver() as server:
        server.special["What is 0"] = Answer([line("wait " * 100), circles])
        result = evaluate(reflect, server, name, "--arms", "cot", *ASK)

    assert result.code == 0, result.err
    assert verdicts(reflect.home) == {("s0", "cot"): "unfinished"}
    assert results_in(reflect.home / "run.jsonl")[0]["steps"][0]["ended_by"] == "loop"
    assert len(server.prompts) == 1


def test_a_model_that_answers_nothing_is_no_error(reflect: Reflect) -> None:
    name = sums(reflect.home, 2)
    with Solver() as server:
        server.special["What is"] = Answer([line("", **done())])
        result = evaluate(reflect, server, name, "--arms", "cot", *ASK)

    assert result.code == 0
    assert set(verdicts(reflect.home).values()) == {"no-answer"}


def test_a_failed_request_is_recorded_and_asked_again_on_resuming(reflect: Reflect) -> None:
    name = sums(reflect.home, 2)
    with Solver() as server:
        server.special["What is 1"] = Answer([line("The"), RESET])
        first = evaluate(reflect, server, name, "--arms", "cot", "--retry", "0", *ASK)
        server.special.clear()
        second = evaluate(reflect, server, "--resume", "run.jsonl")

    assert first.code == 5
    assert "1 request failed (reflect eval run --resume run.jsonl asks them again)" in first.err
    assert second.code == 0
    assert verdicts(reflect.home) == {("s0", "cot"): "right", ("s1", "cot"): "right"}


def test_a_server_that_is_gone_is_waited_for(reflect: Reflect) -> None:
    name = sums(reflect.home, 3)
    path = reflect.home / "run.jsonl"
    with Solver() as server:
        server.room = 2
        port = int(server.host.rpartition(":")[2])
        words = ("eval", "run", name, "--arms", "cot", "--jobs", "1", *ASK)
        running = reflect.at(server.host).start(*words)
        assert until(lambda: path.exists() and len(results_in(path)) == 2)
    with running as run, Solver(port=port):
        assert run.process.wait() == 0

    assert set(verdicts(reflect.home).values()) == {"right"}
    assert len(verdicts(reflect.home)) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--arms", "thnk"), "did you mean think?"),
        (("-n", "some"), "quick (50)"),
        (("--resume", "x", "--arms", "cot"), "--resume and --arms cannot be combined"),
        (("--resume", "nothing"), "no run 'nothing'"),
        (("--arms", "cot,cot"), "given twice"),
    ],
)
def test_what_contradicts_itself_is_refused(reflect: Reflect, words: tuple[str, ...], message: str) -> None:
    with Solver() as server:
        result = evaluate(reflect, server, *words)
    assert result.code == 2
    assert message in result.err
    assert server.prompts == []
