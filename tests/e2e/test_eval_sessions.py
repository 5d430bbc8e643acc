"""`reflect eval run --from-sessions`: questions that were asked before, graded once on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.conversations import plain_reply
from support.pty_screen import Screen
from support.session_home import store_in
from support.solver import MODEL, Solver, results_in

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect

ASK = ("eval", "run", "--from-sessions", "--arms", "cot,direct", "-m", MODEL, "--output", "run.jsonl")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of a home with two sums, of which one got a wrong answer."""
    store = store_in(tmp_path / "data")
    for question, answer in (("What is 20 + 1?", "Answer: 21"), ("What is 30 + 1?", "Answer: 30")):
        session = store.create_session(question)
        asked = store.add_question(session.id, None, question)
        reply = plain_reply(answer)
        store.finish(store.add_reply(session.id, asked.id, reply).id, reply)
    store.close()
    return tmp_path / "data"


def test_questions_of_sessions_are_graded_once_and_asked_again(reflect: Reflect, data: Path) -> None:
    with Solver() as server:
        at = reflect.at(server.host)
        refused = at(*ASK, XDG_DATA_HOME=str(data))
        with Screen(at, *ASK, XDG_DATA_HOME=str(data)) as screen:
            assert screen.shows("given: 30")
            screen.press(b"31\n")
            assert screen.shows("given: 21")
            screen.press(b"y\n")
            assert screen.shows("2 questions with a key")
            assert screen.finish() == 0, screen.text
        first = {result["item"] for result in results_in(reflect.home / "run.jsonl")}
        again = at(*ASK[:-1], "again.jsonl", "--yes", XDG_DATA_HOME=str(data))
    assert (refused.code, "no terminal to grade the answers of sessions on" in refused.err) == (2, True)
    assert again.code == 0, again.err
    results = results_in(reflect.home / "again.jsonl")
    assert {result["item"] for result in results} == first
    assert [result["grade"]["verdict"] for result in results] == ["right"] * 4


def test_a_review_that_is_stopped_keeps_what_was_decided(reflect: Reflect, data: Path) -> None:
    kept = data / "reflectty" / "session-questions.jsonl"
    with Solver() as server, Screen(reflect.at(server.host), *ASK, XDG_DATA_HOME=str(data)) as screen:
        assert screen.shows("given: 30")
        screen.press(b"n\n")
        assert screen.shows("the right answer")
        screen.press(b"31\n")
        assert screen.shows("given: 21")
        screen.press(b"\x03")
        assert screen.finish() == 130
        assert "Traceback" not in screen.text
        assert server.prompts == []
    assert kept.read_text().count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("eval", "run", "gsm8k", "--from-sessions"), "--from-sessions and a set cannot be combined"),
        (("eval", "run", "--yes"), "--yes needs --from-sessions"),
        (("eval", "run", "--from-sessions", "--yes"), "no answer of a stored question is graded"),
    ],
)
def test_what_does_not_fit_is_refused(reflect: Reflect, words: tuple[str, ...], message: str) -> None:
    result = reflect(*words, "-m", MODEL)
    assert (result.code, message in result.err) == (2, True)
